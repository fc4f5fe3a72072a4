"""Eigenvalues and first components of a long tridiagonal matrix whose eigenvalues come in rounding copies."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["ClusterWeights", "find_clusters", "solve_weights"]

_LANES = 32
_NARROW = 8
_RESCALE = 16
_WIDTH = 1e-12
_ETA = 4e-10
_SPREAD = 30.0
_MERGE = 4e-8
_GRID = 2
_TAIL = 30.0


@dataclass(frozen=True, slots=True)
class ClusterWeights:
    """Distinct eigenvalues of T, the weight of e_1 in each, and how far each is from an eigenvalue of the big matrix.

    Args:
        energies: shape (c,), ascending.
        weights: |<e_1|cluster>|^2, shape (c,); they sum to 1.
        residuals: |H y - E y| of the Ritz vector y that the start vector selects in each cluster, shape (c,).
        resolution: eta of an isolated level.
    """

    energies: NDArray[np.float64]
    weights: NDArray[np.float64]
    residuals: NDArray[np.float64]
    resolution: float

    @property
    def is_level(self) -> NDArray[np.bool_]:
        """Which clusters are levels, and not copies that still form and only see the tails of their neighbours."""
        if self.energies.size < 2:
            return np.ones(self.energies.size, bool)
        gaps = np.diff(self.energies)
        tails = np.zeros(self.energies.size)
        tails[1:] += self.weights[:-1] * (self.resolution / gaps) ** 2
        tails[:-1] += self.weights[1:] * (self.resolution / gaps) ** 2
        levels: NDArray[np.bool_] = self.weights > _TAIL * tails
        return levels


def solve_weights(
    diagonal: NDArray[np.float64], off: NDArray[np.float64], *, num_levels: int, low: float = -np.inf,
    high: float = np.inf,
) -> ClusterWeights:  # fmt: skip
    """Return the clusters of T with their weights.

    Lanczos without reorthogonalisation repeats eigenvalues in T within rounding; the copies share the weight of one
    eigenvector of the big matrix, or carry none while they form. Clusters are found by multisection with Sturm
    sequences, weights by w = -eta Im G_11(lambda + i eta), which sums over the copies: eta lies far above their spread
    and far below the spacing of distinct levels. The residual is beta_m eta |G_1m| / sqrt(w).

    Args:
        diagonal: alpha_1 .. alpha_m.
        off: beta_1 .. beta_m; the last one only enters the residuals.
        num_levels: dimension of the big matrix; sets the first grid.
        low: clusters below it are left out.
        high: clusters above it are left out.

    Errors: levels nearer than 4e-8 of the spectral width count as one.
    Cost: about 30 Sturm sequences and one continued fraction of m steps for each cluster.

    Reference: J. Cullum, R. A. Willoughby, Lanczos Algorithms for Large Symmetric Eigenvalue Computations (1985);
    J. Barth, R. Martin, J. Wilkinson, Numer. Math. 9, 386 (1967), for the Sturm sequences.
    """
    scale = _spectral_bound(diagonal, off)
    alpha, beta = diagonal / scale, off / scale
    values = find_clusters(alpha, beta[:-1], num_levels=num_levels, low=low / scale, high=high / scale)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(values) > _MERGE) + 1])[: values.size]
    sizes = np.diff(np.concatenate([starts, [values.size]]))
    found, spreads = values[starts], values[starts + sizes - 1] - values[starts]
    for k in np.flatnonzero(sizes > 1):
        members = values[starts[k] : starts[k] + sizes[k]]
        found[k] = members[np.argmax(_corner(alpha, beta[:-1], members, np.full(members.size, _ETA))[0])]
    weights, corner = _corner(alpha, beta[:-1], found, np.maximum(_ETA, _SPREAD * spreads))
    return ClusterWeights(found * scale, weights, off[-1] * corner / np.sqrt(np.maximum(weights, 1e-300)), _ETA * scale)


def find_clusters(
    alpha: NDArray[np.float64], beta: NDArray[np.float64], *, num_levels: int, low: float, high: float
) -> NDArray[np.float64]:
    """Return the eigenvalues of T (norm at most 1) that differ by more than the width of the last bins, ascending."""
    low, high = max(low, -1.0), min(high, 1.0)
    squares = np.concatenate([[0.0], beta**2])
    count = max(2, int(_GRID * num_levels * (high - low) / 2))
    edges = np.linspace(low, high, count + 1)
    counts = _count_below(alpha, squares, edges)
    left, right = edges[:-1], edges[1:]
    below, above = counts[:-1], counts[1:]
    while True:
        filled = above > below
        left, right, below, above = left[filled], right[filled], below[filled], above[filled]
        if left.size == 0 or right[0] - left[0] <= _WIDTH:
            break
        middle = (left + right) / 2
        inside = _count_below(alpha, squares, middle)
        left, right = np.stack([left, middle], 1).ravel(), np.stack([middle, right], 1).ravel()
        below, above = np.stack([below, inside], 1).ravel(), np.stack([inside, above], 1).ravel()
    centres: NDArray[np.float64] = (left + right) / 2
    return centres


def _corner(
    alpha: NDArray[np.float64], beta: NDArray[np.float64], points: NDArray[np.float64], etas: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, corner = np.empty(points.size), np.empty(points.size)
    _resolvent_corner(alpha, beta, points, etas, first, corner)
    return first, corner


def _spectral_bound(diagonal: NDArray[np.float64], off: NDArray[np.float64]) -> float:
    inner = np.concatenate([[0.0], off[:-1], [0.0]])
    return float(np.max(np.abs(diagonal) + inner[:-1] + inner[1:]) * (1 + 1e-12))


def _count_below(
    alpha: NDArray[np.float64], squares: NDArray[np.float64], points: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return how many eigenvalues lie below each point."""
    padded = np.zeros(-(-points.size // _LANES) * _LANES)
    padded[: points.size] = points
    counts = np.zeros(padded.size, np.int64)
    _sturm_counts(alpha, squares, padded, counts)
    return counts[: points.size]


@numba.njit(cache=True, fastmath={"contract"}, error_model="numpy")
def _sturm_counts(
    alpha: NDArray[np.float64], squares: NDArray[np.float64], points: NDArray[np.float64], counts: NDArray[np.int64]
) -> None:
    """Count sign changes of the characteristic polynomials p_k = (x - alpha_k) p_(k-1) - beta_(k-1)^2 p_(k-2)."""
    older, old = np.empty(_LANES), np.empty(_LANES)
    changes, x = np.empty(_LANES), np.empty(_LANES)
    m = alpha.size
    for start in range(0, points.size, _LANES):
        for k in range(_LANES):
            older[k], old[k], changes[k], x[k] = 0.0, 1.0, 0.0, points[start + k]
        for i in range(m):
            a, b = alpha[i], squares[i]
            for k in range(_LANES):
                new = (x[k] - a) * old[k] - b * older[k]
                changes[k] += 1.0 if new * old[k] > 0.0 else 0.0
                older[k] = old[k]
                old[k] = new
            if i % _RESCALE == 0:
                for k in range(_LANES):
                    size = abs(old[k]) + abs(older[k])
                    factor = 1e120 if size < 1e-60 else 1.0
                    factor = 1e-120 if size > 1e60 else factor
                    old[k] *= factor
                    older[k] *= factor
        for k in range(_LANES):
            counts[start + k] = int(changes[k])


@numba.njit(cache=True, error_model="numpy")
def _resolvent_corner(
    alpha: NDArray[np.float64], beta: NDArray[np.float64], points: NDArray[np.float64], etas: NDArray[np.float64],
    first: NDArray[np.float64], corner: NDArray[np.float64],
) -> None:  # fmt: skip
    """Set first = -eta Im G_11 and corner = eta |G_1m| at points + i eta, by the continued fraction from the end."""
    x, eta = np.empty(_NARROW), np.empty(_NARROW)
    re, im = np.empty(_NARROW), np.empty(_NARROW)
    product, exponent = np.empty(_NARROW), np.empty(_NARROW)
    m = alpha.size
    for start in range(0, points.size, _NARROW):
        count = min(_NARROW, points.size - start)
        for k in range(_NARROW):
            x[k], eta[k] = points[start + min(k, count - 1)], etas[start + min(k, count - 1)]
            re[k], im[k], product[k], exponent[k] = 0.0, 0.0, 1.0, 0.0
        for i in range(m - 1, -1, -1):
            square = beta[i] ** 2 if i < m - 1 else 0.0
            factor = square if i < m - 1 else 1.0
            a = alpha[i]
            for k in range(_NARROW):
                real = x[k] - a - square * re[k]
                imaginary = eta[k] - square * im[k]
                size = 1.0 / (real * real + imaginary * imaginary)
                re[k] = real * size
                im[k] = -imaginary * size
                product[k] *= factor * size
            if i % _RESCALE == 0:
                for k in range(_NARROW):
                    exponent[k] += np.log(product[k])
                    product[k] = 1.0
        for k in range(count):
            first[start + k] = -eta[k] * im[k]
            corner[start + k] = eta[k] * np.exp(min(0.5 * exponent[k], 300.0))
