"""`DilationCircuit`: thermalisation by dilated patch jumps, for comparison with collisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from qthermo.answers import Answer
from qthermo.checks import check_choice, check_integer, check_real
from qthermo.errors import UnsupportedError
from qthermo.models import SpinModel
from qthermo.problems import Problem, Relaxation
from qthermo.progress import Progress

__all__ = ["DilationCircuit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DilationCircuit:
    """Sweeps over all jumps, each U = exp(-i sqrt(dt) (L (x) |1><0| + h.c.)) on a fresh ancilla, then e^{-i G dt}.

    One sweep is the time dt of `KMSJumps(filter, patch_radius)`; the times of a `Relaxation` are rounded to sweeps.

    Args:
        filter: see `KMSJumps`.
        patch_radius: bonds around the coupling that a jump sees; its unitary acts on up to 2 patch_radius + 1 sites of
            a chain and the ancilla.
        coherent: include e^{-i G dt}.
        time_step: dt, 1/energy; the fixed point is missed by O(dt).
        protocol: "channel" applies the exact channels to the density matrix, "density_matrix" runs the circuit on Aer.

    Raises:
        InputError: a field is out of range.

    Cost: per sweep and jump, 94 CX for a patch of three sites, 19 for two, 2 for one (qiskit's synthesis).
    Reference: Z. Ding, B. Li, L. Lin, arXiv:2404.05998; R. Cleve, C. Wang, arXiv:1612.09512.
    """

    answers: ClassVar[tuple[type, ...]] = (Relaxation,)

    filter: str = "smooth_metropolis"
    patch_radius: int = 1
    coherent: bool = True
    time_step: float = 0.1
    protocol: str = "channel"

    def __post_init__(self) -> None:
        check_choice("filter", self.filter, ("smooth_metropolis", "gaussian", "imaginary_time"))
        check_integer("patch_radius", self.patch_radius, minimum=0)
        check_choice("coherent", self.coherent, (True, False))
        check_real("time_step", self.time_step, minimum=0, exclusive=True)
        check_choice("protocol", self.protocol, ("channel", "density_matrix"))

    def check(self, problem: Problem) -> None:
        """Accept spin models; circuits start from bits."""
        if not isinstance(problem.model, SpinModel) or not isinstance(problem, Relaxation):
            raise UnsupportedError("DilationCircuit must have a spin model, but this model is a matrix.")
        if self.protocol != "channel" and not isinstance(problem.initial_state, str):
            raise UnsupportedError("DilationCircuit must start its circuits from bits, but the state is an array.")

    def time_per_round(self, *, beta: float, num_couplings: int) -> float:
        """Return the time of the master equation that one sweep is worth: dt, at any temperature."""
        check_real("beta", beta, minimum=0)
        check_integer("num_couplings", num_couplings, minimum=1)
        return self.time_step

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        return 16.0 * 10 * float(problem.model.dimension) ** 2

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Sweep the density matrix, or run the circuit."""
        if not isinstance(problem, Relaxation):
            raise UnsupportedError("DilationCircuit answers Relaxation only.")
        from qthermo.circuits.dilations import answer_dilations

        return answer_dilations(self, problem, progress)
