"""`InfluenceFunctional`: a chain bath as a matrix-product state in time; one run serves every thermometer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.checks import check_finite_array, check_integer, check_real
from qthermo.errors import InputError, UnsupportedError
from qthermo.models import AnyModel, SpinModel
from qthermo.operators import group_bonds
from qthermo.problems import Autocorrelation, Problem
from qthermo.progress import Progress

__all__ = ["InfluenceFunctional", "find_grid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluenceFunctional:
    """C(t) at infinite temperature from the influence functional of the bath on a thermometer at its edge.

    The bath is contracted in the direction of space, from its far end, into a matrix-product state in time: what the
    thermometer feels at each coupling, in the Pauli basis, real. Its bond dimension measures the bath's memory, small
    where the bath is localised. The thermometer's Hamiltonian enters only afterwards: `scan_splittings` reads C(t) for
    any number of splittings from one contraction. A second method, independent of operator spreading, that shares no
    truncation with `HeisenbergTEBD`.

    Args:
        max_bond_dim: chi of the temporal state.
        time_step: longest step, 1/energy; times must be multiples of their first spacing.
        truncation_error: weight that one compression may discard, relative to the norm.
        tolerance: the largest estimated error of C accepted.
        estimate_errors: also run with chi/2 and a hundred times the discarded weight (`truncation_error`), and with
            half the step (4/3 of the change is `trotter_error`).
        checkpoint: file that keeps the state after every bath spin; a run that finds its own file goes on from there.

    Errors: bond dimension and step, of second order, both estimated; `NotConvergedWarning` names the one to turn.
    Cost: per bath spin inside the light cone, one split of dimension 4 chi for each step.
    Reference: M. C. Banuls et al., arXiv:0904.1926; A. Lerose, M. Sonner, D. A. Abanin, arXiv:2104.07607.
    """

    answers: ClassVar[tuple[type, ...]] = (Autocorrelation,)

    max_bond_dim: int = 64
    time_step: float = 0.05
    truncation_error: float = 1e-12
    tolerance: float = 1e-3
    estimate_errors: bool = True
    checkpoint: str | None = None

    def __post_init__(self) -> None:
        check_integer("max_bond_dim", self.max_bond_dim, minimum=2)
        check_real("time_step", self.time_step, minimum=0, exclusive=True)
        check_real("truncation_error", self.truncation_error, minimum=0)
        check_real("tolerance", self.tolerance, minimum=0, exclusive=True)

    def check(self, problem: Problem) -> None:
        """Accept chains with nearest-neighbour terms at infinite temperature, on an even grid of times."""
        _check_chain(problem.model)
        if isinstance(problem, Autocorrelation):
            if problem.beta > 0:
                raise UnsupportedError(
                    f"InfluenceFunctional works at beta = 0, where the bath has no memory of its start, but beta is "
                    f"{problem.beta:g}."
                )
            find_grid(problem.times)

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        if not isinstance(problem, Autocorrelation):
            return 0.0
        steps = 2 * float(problem.times[-1]) / self.time_step + 2
        return 8.0 * steps * (4 * self.max_bond_dim) ** 2 * 16 * 2

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Contract the bath, then evolve the thermometer."""
        from threadpoolctl import threadpool_limits

        from qthermo.tensor_network.influence_runs import run_autocorrelation

        if not isinstance(problem, Autocorrelation):
            raise UnsupportedError(f"InfluenceFunctional does not answer {type(problem).__name__}.")
        with threadpool_limits(1):
            return run_autocorrelation(problem, self, progress)

    def scan_splittings(
        self, model: SpinModel, *, times: NDArray[np.float64], splittings: Sequence[float]
    ) -> NDArray[np.float64]:
        """Return C(t) for H_T = (splitting/2) Z_0, shape (splitting, time), from one contraction of the bath.

        Raises:
            InputError: the model or the grid does not suit, or a splitting is not finite.
        """
        from qthermo.tensor_network.influence_runs import run_splittings

        problem = Autocorrelation(model, times=times)
        self.check(problem)
        return run_splittings(problem, self, check_finite_array("splittings", np.atleast_1d(splittings), ndim=1))


def _check_chain(model: AnyModel) -> None:
    if not isinstance(model, SpinModel) or model.num_sites < 2:
        raise UnsupportedError(f"InfluenceFunctional needs a chain of at least two spins, but got `{model.family}`.")
    try:
        group_bonds(model.hamiltonian, model.num_sites)
    except InputError as reason:
        raise UnsupportedError(f"InfluenceFunctional needs a chain. {reason}") from None


def find_grid(times: NDArray[np.float64]) -> tuple[float, NDArray[np.intp]]:
    """Return the spacing of the times and their multiples of it.

    Raises:
        UnsupportedError: the times are no multiples of one spacing.
    """
    spacing = float(np.diff(times).min()) if times.size > 1 else float(times[0]) or 1.0
    if 0 < times[0] < spacing:
        spacing = float(times[0])
    multiples = times / spacing
    if np.abs(multiples - np.round(multiples)).max() > 1e-6:
        raise UnsupportedError(
            f"InfluenceFunctional needs times that are multiples of one spacing, but {spacing:g} does not divide them."
        )
    return spacing, np.round(multiples).astype(np.intp)
