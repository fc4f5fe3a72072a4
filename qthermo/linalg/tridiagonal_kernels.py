"""Compiled sweeps over a long tridiagonal matrix, many points at once: Sturm counts, the corner of the resolvent.

Both run a three-term recurrence without division. Lanes of points go through it side by side and eight rows at a time,
so that the state of a lane is read and written once in eight rows; powers of two keep it within range.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["TridiagonalSweeps"]

_LANES = 32
_BLOCK = 8
_RESCALE = 32
_BEYOND = 4.0
_HUGE = 2.0**200
_TINY = 2.0**-200
_EXPONENT = 400.0


@dataclass(frozen=True, slots=True, eq=False)
class TridiagonalSweeps:
    """Sweeps over T with norm at most 1; rows that fill the last block lie at 4, uncoupled and beyond the spectrum."""

    alpha: NDArray[np.float64]
    squares: NDArray[np.float64]
    log_product: float
    num_added: int

    @classmethod
    def from_rows(cls, alpha: NDArray[np.float64], beta: NDArray[np.float64]) -> TridiagonalSweeps:
        """Return the sweeps over T with the diagonal alpha_1 .. alpha_m and beta_1 .. beta_(m-1) beside it."""
        added = -alpha.size % _BLOCK
        padded, squares = np.full(alpha.size + added, _BEYOND), np.zeros(alpha.size + added + 1)
        padded[: alpha.size] = alpha
        squares[1 : alpha.size] = beta**2
        with np.errstate(divide="ignore"):
            total = float(np.log(beta).sum())
        return cls(padded, squares, total, added)

    def count_below(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return how many eigenvalues lie below each point of (-2, 2)."""
        counts = np.zeros(-(-points.size // _LANES) * _LANES, np.int64)
        _sturm_counts(self.alpha, self.squares[:-1], _fill_lanes(points), counts)
        return counts[: points.size]

    def resolve(
        self, points: NDArray[np.float64], etas: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return -eta Im G_11, eta Re G_11 / Im G_11 and ln |eta G_1m| at points + i eta, G = 1 / (z - T).

        Beside a lone eigenvalue lambda of weight w these are w / (1 + (x - lambda)^2 / eta^2), the Newton step
        lambda - x, and the logarithm of sqrt(w) times the last component of its eigenvector.
        """
        x, eta = _fill_lanes(points), _fill_lanes(etas)
        outcome = np.empty((3, x.size))
        _resolvent_corner(self.alpha, self.squares[1:], x, eta, outcome)
        imaginary, ratio, size = outcome[:, : points.size]
        size = size - self.num_added * 0.5 * np.log((points - _BEYOND) ** 2 + etas**2)
        return -etas * imaginary, etas * ratio, np.log(etas) + self.log_product - size


def _fill_lanes(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the points, the last one repeated up to whole lanes."""
    return np.pad(points, (0, -points.size % _LANES), mode="edge")


@numba.njit(cache=True, fastmath={"contract"}, error_model="numpy")
def _sturm_counts(
    alpha: NDArray[np.float64], squares: NDArray[np.float64], points: NDArray[np.float64], counts: NDArray[np.int64]
) -> None:
    """Count equal signs of neighbours among p_k = (x - alpha_k) p_(k-1) - beta_(k-1)^2 p_(k-2)."""
    older, old = np.empty(_LANES), np.empty(_LANES)
    agreed, x = np.empty(_LANES), np.empty(_LANES)
    for start in range(0, points.size, _LANES):
        for k in range(_LANES):
            older[k], old[k], agreed[k], x[k] = 0.0, 1.0, 0.0, points[start + k]
        for i in range(0, alpha.size, _BLOCK):
            for k in range(_LANES):
                p, q, total, here = older[k], old[k], agreed[k], x[k]
                for j in range(_BLOCK):
                    new = (here - alpha[i + j]) * q - squares[i + j] * p
                    total += 1.0 if new * q > 0.0 else 0.0
                    p = q
                    q = new
                older[k], old[k], agreed[k] = p, q, total
            if i % _RESCALE == 0:
                for k in range(_LANES):
                    size = abs(old[k]) + abs(older[k])
                    factor = _HUGE * _HUGE if size < _TINY else 1.0
                    factor = _TINY * _TINY if size > _HUGE else factor
                    old[k] *= factor
                    older[k] *= factor
        for k in range(_LANES):
            counts[start + k] = int(agreed[k])


@numba.njit(cache=True, fastmath={"contract"}, error_model="numpy")
def _resolvent_corner(
    alpha: NDArray[np.float64], squares: NDArray[np.float64], points: NDArray[np.float64], etas: NDArray[np.float64],
    outcome: NDArray[np.float64],
) -> None:  # fmt: skip
    """Set outcome = Im G_11, Re G_11 / Im G_11, ln |det(z - T)| with G_11 = q_2 / q_1, from the last row on.

    q_k = (z - alpha_k) q_(k+1) - beta_k^2 q_(k+2), so that q_1 = det(z - T).
    """
    x, eta, exponent = np.empty(_LANES), np.empty(_LANES), np.empty(_LANES)
    state = np.empty((4, _LANES))
    for start in range(0, points.size, _LANES):
        for k in range(_LANES):
            x[k], eta[k], exponent[k] = points[start + k], etas[start + k], 0.0
            state[0, k], state[1, k], state[2, k], state[3, k] = 1.0, 0.0, 0.0, 0.0
        for i in range(alpha.size - _BLOCK, -1, -_BLOCK):
            for k in range(_LANES):
                re, im, re_old, im_old = state[0, k], state[1, k], state[2, k], state[3, k]
                here, beside = x[k], eta[k]
                for j in range(_BLOCK):
                    a, b = here - alpha[i + _BLOCK - 1 - j], squares[i + _BLOCK - 1 - j]
                    re_new = a * re - beside * im - b * re_old
                    im_new = a * im + beside * re - b * im_old
                    re_old, im_old = re, im
                    re, im = re_new, im_new
                state[0, k], state[1, k], state[2, k], state[3, k] = re, im, re_old, im_old
            if i % _RESCALE == 0:
                for k in range(_LANES):
                    size = abs(state[0, k]) + abs(state[1, k]) + abs(state[2, k]) + abs(state[3, k])
                    shift = -1.0 if size < _TINY else 0.0
                    shift = 1.0 if size > _HUGE else shift
                    factor = _HUGE * _HUGE if size < _TINY else 1.0
                    factor = _TINY * _TINY if size > _HUGE else factor
                    exponent[k] += shift
                    for part in range(4):
                        state[part, k] *= factor
        for k in range(_LANES):
            re, im, re_old, im_old = state[0, k], state[1, k], state[2, k], state[3, k]
            size = re * re + im * im
            imaginary = im_old * re - re_old * im
            outcome[0, start + k] = imaginary / size
            outcome[1, start + k] = (re_old * re + im_old * im) / imaginary
            outcome[2, start + k] = 0.5 * np.log(size) + exponent[k] * _EXPONENT * np.log(2.0)
