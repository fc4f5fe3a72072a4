"""Lanczos without reorthogonalisation, run to several steps per level: inner eigenvectors and spectral weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from qthermo.linalg.split_operator import SplitOperator
from qthermo.linalg.tridiagonal_weights import ClusterWeights, solve_weights

if TYPE_CHECKING:
    from qthermo.linalg.recurrences import Recurrences
    from qthermo.linalg.sector_recurrences import SectorRecurrences

__all__ = ["FoundStates", "LongLanczos", "find_states", "find_weights"]

_FIRST = 2.75
_STEP = 0.125
_BUFFER = 32
_CHUNK = 1024
_SHIFT = 4e-10
_POWER = 3
_SPURIOUS = 1e-14
_SLACK = 1e-3
_NEGLIGIBLE = 1e-4
_SAMPLES = 16
_END_ROWS = 120

Report = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class FoundStates:
    """Eigenvectors (state, row, core), their energies and residuals |H psi - E psi|, and the Lanczos steps taken."""

    vectors: NDArray[np.float64]
    energies: NDArray[np.float64]
    residuals: NDArray[np.float64]
    num_steps: int


class LongLanczos:
    """The tridiagonal matrix of H from one start vector, grown on demand; the basis is not kept."""

    def __init__(self, operator: SplitOperator, start: NDArray[np.float64]) -> None:
        self.steps: Recurrences | SectorRecurrences = operator.compile_steps()
        self.start = self.steps.enter(start / np.linalg.norm(start))
        self.num_levels = start.size
        self.diagonal = np.empty(0)
        self.off = np.empty(0)
        self._current, self._previous = self.start.copy(), np.zeros_like(self.start)
        self._scales = np.ones(2)

    def extend(self, num_steps: int, report: Report, words: str) -> None:
        """Grow T to `num_steps` rows."""
        known = self.diagonal.size
        alpha, beta = np.empty(num_steps), np.empty(num_steps)
        alpha[:known], beta[:known] = self.diagonal, self.off
        nothing = np.empty((0, self.start.size), self.start.dtype)
        for k in range(known, num_steps, _CHUNK):
            report(k / num_steps, words)
            end = min(k + _CHUNK, num_steps)
            self._current, self._previous = self.steps.lanczos_steps(
                self._current, self._previous, self._scales, alpha[:end], beta[:end], k, nothing
            )
        self.diagonal, self.off = alpha, beta

    def sum_basis(self, coefficients: NDArray[np.float64], report: Report) -> NDArray[np.float64]:
        """Return sum_k coefficients[p, k] v_k by running again from the start, one vector each in the steps' layout."""
        count = coefficients.shape[1]
        total = np.zeros((len(coefficients), self.start.size), self.start.dtype)
        buffer = np.empty((_BUFFER, self.start.size), self.start.dtype)
        alpha, beta = np.empty(count), np.empty(count)
        current, previous, scales = self.start.copy(), np.zeros_like(self.start), np.ones(2)
        for k in range(0, count, _BUFFER):
            if k % _CHUNK == 0:
                report(k / count, "second pass")
            end = min(k + _BUFFER, count)
            current, previous = self.steps.lanczos_steps(
                current, previous, scales, alpha[:end], beta[:end], k, buffer
            )  # fmt: skip
            total += coefficients[:, k:end] @ buffer[: end - k]
        return total.reshape(-1, *self.start.shape)


def find_states(
    operator: SplitOperator, start: NDArray[np.float64], *, target: float, num_states: int, tolerance: float,
    max_steps_per_level: float, report: Report,
) -> FoundStates:  # fmt: skip
    """Return the eigenvectors whose energies are nearest to `target`, the nearest first.

    The first pass grows T until the Ritz values around the target are converged; copies of one eigenvalue and spurious
    ones are told apart by their weight on the start vector. Each eigenvector is f(H) start with f the third power of
    the resolvent just beside its eigenvalue, summed in a second pass.

    Args:
        operator: H.
        start: a random vector, shape (rows, core).
        target: energy.
        num_states: how many.
        tolerance: of the residual |H psi - E psi|.
        max_steps_per_level: the first pass stops at this many steps per level; `residuals` then say how far it came.
        report: called with a fraction and a few words.

    Cost: 2 m products with H, m of about 3 (2^10 levels) to 4 (2^16) steps per level.
    Reference: J. Cullum, R. A. Willoughby, J. Comput. Phys. 44, 329 (1981), doi:10.1016/0021-9991(81)90056-5.
    """
    run = LongLanczos(operator, start)
    levels, ratio = run.num_levels, _FIRST
    least = min(num_states + 2, levels)
    while True:
        run.extend(int(np.ceil(ratio * levels)) + 40, report, "first pass")
        near = _nearest_clusters(run, target, least)
        converged = near.energies.size >= least and bool(np.all(near.residuals <= 0.1 * tolerance))
        if converged or ratio + _STEP > max_steps_per_level:
            break
        ratio += _STEP
    chosen = near.energies[:num_states]
    vectors = run.sum_basis(np.array([_filter_coefficients(run, energy) for energy in chosen]), report)
    energies, residuals = np.empty(len(vectors)), np.empty(len(vectors))
    image = np.empty_like(vectors[0])
    for k, vector in enumerate(vectors):
        vector /= np.linalg.norm(vector)
        run.steps.multiply(vector, image)
        energies[k] = np.vdot(vector, image).real
        residuals[k] = np.linalg.norm(image - energies[k] * vector)
    states = np.stack([run.steps.leave(vector) for vector in vectors])
    return FoundStates(states, energies, residuals, run.diagonal.size)


def find_weights(
    operator: SplitOperator, start: NDArray[np.float64], *, tolerance: float, max_steps_per_level: float,
    report: Report, first_ratio: float = _FIRST,
) -> tuple[ClusterWeights, float, int]:  # fmt: skip
    """Return the weights of `start` on all eigenvectors, the share of sum w^2 in doubt, and the steps taken.

    T grows until the clusters whose residual exceeds a thousandth of the mean level spacing hold no more than
    `tolerance` of sum w^2; it starts with `first_ratio` steps per level. A sixteenth of the spectrum is asked first,
    since the whole costs that much more.
    """
    run = LongLanczos(operator, start)
    levels, ratio = run.num_levels, min(first_ratio, max_steps_per_level)
    while True:
        run.extend(int(np.ceil(ratio * levels)) + 40, report, "spectral weights")
        is_last = ratio + _STEP > max_steps_per_level
        if is_last or _sample_doubt(run) <= tolerance:
            found = solve_weights(run.diagonal, run.off, num_levels=levels, negligible=_NEGLIGIBLE / levels)
            doubt = _doubt(run, found.weights, found.residuals)
            if is_last or doubt <= tolerance:
                return found, doubt, run.diagonal.size
        ratio += _STEP


def _sample_doubt(run: LongLanczos) -> float:
    """Return the share of sum w^2 in doubt within windows all over the spectrum."""
    edges = np.linspace(*_ends(run), 8 * _SAMPLES + 1)
    parts = [
        solve_weights(
            run.diagonal, run.off, num_levels=run.num_levels, low=edges[k], high=edges[k + 1],
            negligible=_NEGLIGIBLE / run.num_levels,
        )
        for k in range(4, edges.size - 1, _SAMPLES)
    ]  # fmt: skip
    weights = np.concatenate([part.weights for part in parts])
    return _doubt(run, weights, np.concatenate([part.residuals for part in parts]))


def _doubt(run: LongLanczos, weights: NDArray[np.float64], residuals: NDArray[np.float64]) -> float:
    """Return the share of sum w^2 in clusters whose residual exceeds a thousandth of the mean spacing."""
    low, high = _ends(run)
    squares = weights**2
    total = float(squares.sum())
    return float(squares[residuals > _SLACK * (high - low) / run.num_levels].sum()) / total if total else 0.0


def _ends(run: LongLanczos) -> tuple[float, float]:
    """Return the ends of the spectrum, which the first rows of T tell well enough."""
    count = min(_END_ROWS, run.diagonal.size)
    values = scipy.linalg.eigvalsh_tridiagonal(run.diagonal[:count], run.off[: count - 1])
    return float(values[0]), float(values[-1])


def _nearest_clusters(run: LongLanczos, target: float, count: int) -> ClusterWeights:
    """Return at least `count` clusters of true levels nearest to the target, nearest first, where there are as many."""
    reach = float(np.ptp(run.diagonal) + 4 * run.off.max())
    window = reach * 4 * count / run.num_levels
    while True:
        found = solve_weights(
            run.diagonal, run.off, num_levels=run.num_levels, low=target - window, high=target + window
        )
        real = found.is_level & (found.weights > _SPURIOUS / run.num_levels)
        distances = np.abs(found.energies - target)
        order = [k for k in np.argsort(distances) if real[k]][:count]
        if len(order) == count or window > 4 * reach:
            return ClusterWeights(found.energies[order], found.weights[order], found.residuals[order], found.resolution)
        window *= 2


def _filter_coefficients(run: LongLanczos, energy: float) -> NDArray[np.float64]:
    """Return f(T) e_1 with f the third power of the resolvent beside `energy`, normalised."""
    m = run.diagonal.size
    scale = float(np.abs(run.diagonal).max() + 2 * run.off.max())
    bands = np.zeros((3, m))
    bands[0, 1:] = bands[2, :-1] = run.off[:-1]
    bands[1] = run.diagonal - (energy + _SHIFT * scale)
    vector = np.zeros(m)
    vector[0] = 1.0
    for _ in range(_POWER):
        vector = scipy.linalg.solve_banded((1, 1), bands, vector, check_finite=False)
        vector /= np.linalg.norm(vector)
    return vector
