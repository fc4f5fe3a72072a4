"""`LightConeContraction`: expectation values of Trotter circuits without any truncation, by contracting light cones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from qthermo.answers import Answer
from qthermo.checks import check_choice, check_integer, check_real
from qthermo.errors import UnsupportedError
from qthermo.models import SpinModel
from qthermo.problems import Evolution, Problem
from qthermo.progress import Progress

__all__ = ["LightConeContraction"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LightConeContraction:
    """<O(t)> of a Suzuki circuit on any graph: only the gates in the light cone of each Pauli string are contracted.

    The circuit is that of commuting groups of terms (`operators.group_commuting`), as quantum hardware runs it. The
    contraction is exact, so that it judges the truncation of every other method on shallow circuits; its cost is
    set by the width of the contraction, which is known before anything is contracted.

    Args:
        time_step: longest Suzuki step, 1/energy.
        trotter_order: 1, 2 or 4.
        max_width: log2 of the largest tensor allowed.
        optimizer: cotengra's search, "auto" (fast) or "auto-hq" (better paths).
        checkpoint: file that keeps the value of every Pauli string at every time; a run that finds its own file goes
            on from there.

    Errors: the Suzuki step only. Paths are searched for a limited time, so two runs agree to rounding, not to the bit.
    Reference: J. Gray, S. Kourtis, Quantum 5, 410 (2021), arXiv:2002.01935.
    """

    answers: ClassVar[tuple[type, ...]] = (Evolution,)

    time_step: float = 0.25
    trotter_order: int = 2
    max_width: int = 26
    optimizer: str = "auto-hq"
    checkpoint: str | None = None

    def __post_init__(self) -> None:
        check_real("time_step", self.time_step, minimum=0, exclusive=True)
        check_choice("trotter_order", self.trotter_order, (1, 2, 4))
        check_integer("max_width", self.max_width, minimum=1)
        check_choice("optimizer", self.optimizer, ("auto", "auto-hq"))

    def check(self, problem: Problem) -> None:
        """Accept evolution without jump operators."""
        if not isinstance(problem.model, SpinModel):
            raise UnsupportedError("LightConeContraction needs a model of spins.")
        if isinstance(problem, Evolution) and problem.jump_operators:
            raise UnsupportedError(
                f"LightConeContraction runs circuits, but the problem has {len(problem.jump_operators)} jump operators."
            )

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes of the largest tensors allowed; `run` refuses what is wider."""
        size = min(self.max_width, 2 * problem.model.num_sites) if isinstance(problem.model, SpinModel) else 0
        return 3 * 16.0 * 2.0**size

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Build the circuit of every time and contract each term of each observable."""
        from qthermo.tensor_network.light_cone_runs import run_evolution

        if not isinstance(problem, Evolution):
            raise UnsupportedError(f"LightConeContraction does not answer {type(problem).__name__}.")
        return run_evolution(problem, self, progress)
