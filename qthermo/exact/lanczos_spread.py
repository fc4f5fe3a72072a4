"""`LanczosSpread`: D(O) by long Lanczos runs, beyond what `Dense` can diagonalise."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from qthermo.answers import Answer
from qthermo.checks import check_integer, check_real
from qthermo.errors import NotConvergedError, NotConvergedWarning, UnsupportedError
from qthermo.models import GrainModel
from qthermo.problems import OperatorSpread, Problem, operator_spread_answer
from qthermo.progress import Progress
from qthermo.seeds import Stream, sample_generator

__all__ = ["LanczosSpread", "estimate_split_memory", "random_start"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LanczosSpread:
    """D(O) = -log sum_k p_k^2 by two Lanczos runs without reorthogonalisation, each of about 3 to 4 steps per level.

    The first run finds psi (two passes, so that no basis is stored), the second starts from O psi: the weights of its
    tridiagonal matrix are p_k once copies of an eigenvalue, which lost orthogonality makes, are counted together. Both
    grow until they have converged: psi by its residual |H psi - E psi|, the weights by the share of sum p^2 that
    lies in unconverged levels and by sum p = 1.

    Args:
        tolerance: of the residual of psi, energy.
        error: of D(O).
        max_steps_per_level: at which a run gives up.
        seed: entropy of the start vector.

    Raises:
        InputError: an option is out of range.

    Errors: `log_ipr_error` holds the unconverged share of sum p^2 and the miss of sum p = 1; levels nearer than 4e-8
    of the spectral width count as one.
    Cost: 8 D products with H for psi, 3.5 D for each operator and state, and about 17 sweeps over the tridiagonal
    matrix per level; memory 40 vectors.
    Reference: J. Cullum, R. A. Willoughby, J. Comput. Phys. 44, 329 (1981), doi:10.1016/0021-9991(81)90056-5.
    """

    answers: ClassVar[tuple[type, ...]] = (OperatorSpread,)

    tolerance: float = 1e-8
    error: float = 1e-4
    max_steps_per_level: float = 8.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_real("tolerance", self.tolerance, minimum=0, exclusive=True)
        check_real("error", self.error, minimum=0, exclusive=True)
        check_real("max_steps_per_level", self.max_steps_per_level, minimum=3)
        check_integer("seed", self.seed, minimum=0)

    def check(self, problem: Problem) -> None:
        """Accept every model; more states than a quarter of all are for `Dense`."""
        if isinstance(problem, OperatorSpread) and problem.count > max(1, problem.model.dimension // 4):
            raise UnsupportedError(
                f"LanczosSpread needs num_states of at most a quarter of {problem.model.dimension} levels, but it is "
                f"{problem.count}."
            )

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        return (
            estimate_split_memory(problem, num_vectors=45)
            + 8.0 * 12 * self.max_steps_per_level * problem.model.dimension
        )

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Find the states, then the weights of every operator on every state."""
        from qthermo.linalg.long_lanczos import find_states, find_weights

        if not isinstance(problem, OperatorSpread):
            raise UnsupportedError(f"LanczosSpread does not answer {type(problem).__name__}.")
        operator, actions = problem.split()
        limit = self.max_steps_per_level
        found = find_states(
            operator, random_start(operator.shape, operator.dtype, self.seed), target=problem.energy,
            num_states=problem.count, tolerance=self.tolerance, max_steps_per_level=limit, report=progress,
        )  # fmt: skip
        self._check_states(found.residuals, found.num_steps)
        spread, error = np.empty((2, problem.count, len(actions)))
        steps, unconverged = [], 0.0
        for row, psi in enumerate(found.vectors):
            for column, act in enumerate(actions):
                weights, doubt, taken = find_weights(
                    operator, act(psi), tolerance=0.1 * self.error, max_steps_per_level=limit, report=progress,
                    first_ratio=found.num_steps / operator.num_levels,
                )  # fmt: skip
                total = float(weights.weights.sum())
                spread[row, column] = -np.log((weights.weights**2).sum())
                error[row, column] = doubt + abs(total - 1)
                unconverged = max(unconverged, doubt)
                steps.append(taken)
        self._warn(float(error.max()), unconverged)
        return operator_spread_answer(
            problem, spread, found.energies, error=error,
            diagnostics={
                "residual": float(found.residuals.max()),
                "lanczos_steps_state": found.num_steps,
                "lanczos_steps_weights": max(steps),
            },
        )  # fmt: skip

    def _check_states(self, residuals: np.ndarray, num_steps: int) -> None:
        worst = float(residuals.max())
        if worst > self.tolerance:
            raise NotConvergedError(
                f"The residual of psi must fall to tolerance = {self.tolerance:g}, but is {worst:.2g} after "
                f"{num_steps} steps: raise max_steps_per_level above {self.max_steps_per_level:g} or change `seed`."
            )

    def _warn(self, worst: float, unconverged: float) -> None:
        if worst > self.error:
            remedy = (
                "the weights miss their sum, which more steps do not mend: allow a larger `error` or use Dense"
                if unconverged <= 0.1 * self.error
                else f"raise max_steps_per_level above {self.max_steps_per_level:g}"
            )
            warnings.warn(
                f"LanczosSpread should reach error = {self.error:g} of D(O), but estimates {worst:.2g}: {remedy}.",
                NotConvergedWarning,
                stacklevel=4,
            )


def random_start(shape: tuple[int, int], dtype: type, seed: int) -> np.ndarray:
    """Return a random vector of the operator's shape and type."""
    rng = sample_generator(seed, Stream.SOLVER)
    start = rng.standard_normal(shape)
    return start + 1j * rng.standard_normal(shape) if dtype is np.complex128 else start


def estimate_split_memory(problem: Problem, *, num_vectors: int) -> float:
    """Return the bytes of vectors and core matrix."""
    model, complex_factor, core = problem.model, 2.0, 0.0
    if isinstance(model, GrainModel):
        core = 16.0 * 4.0 ** (6 if model.is_spin_grain else model.num_grain_spins)
    return 8.0 * complex_factor * num_vectors * model.dimension + 2 * core
