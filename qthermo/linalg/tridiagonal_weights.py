"""Eigenvalues and first components of a long tridiagonal matrix whose eigenvalues come in rounding copies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qthermo.linalg.tridiagonal_kernels import TridiagonalSweeps

__all__ = ["ClusterWeights", "solve_weights"]

_WIDTH = 1e-12
_ETA = 4e-10
_CENTRED = 2e-3
_MARGIN = 0.5
_SPREAD = 30.0
_MERGE = 4e-8
_GRID = 2
_FINE = 256
_ZOOM = 64
_POLISHES = 6
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
    high: float = np.inf, negligible: float = 0.0,
) -> ClusterWeights:  # fmt: skip
    """Return the clusters of T with their weights.

    Lanczos without reorthogonalisation repeats eigenvalues in T within rounding; the copies share the weight of one
    eigenvector of the big matrix, or carry none while they form. Sturm sequences find narrow bins with eigenvalues;
    Newton steps of 1 / G_11, which sees the copies as one pole, find the cluster in each; the weight is
    w = -eta Im G_11(lambda + i eta), which sums over the copies: eta lies far above their spread and far below the
    spacing of distinct levels. What a bin holds besides is searched in the same way unless its weight, at most
    -2 eta Im G_11 for a bin of width 2 eta, is negligible. The residual is beta_m eta |G_1m| / sqrt(w).

    Args:
        diagonal: alpha_1 .. alpha_m.
        off: beta_1 .. beta_m; the last one only enters the residuals.
        num_levels: dimension of the big matrix; sets the first grid.
        low: clusters below it are left out.
        high: clusters above it are left out.
        negligible: weight below which a cluster may be left out; the sum of weights tells what that made.

    Errors: levels nearer than 4e-8 of the spectral width count as one. Beside a heavy cluster, of weight W at the
    distance d, a light one of weight w appears lighter by about w (eta W / w d)^2, eta = 4e-10 of the spectral width.
    Cost: about 11 Sturm sequences and 6 Newton steps of m rows for each cluster, of 0.1 and 0.25 ns a row; without
    `negligible` up to 30 of both for those of little weight.

    Reference: J. Cullum, R. A. Willoughby, Lanczos Algorithms for Large Symmetric Eigenvalue Computations (1985);
    J. Barth, R. Martin, J. Wilkinson, Numer. Math. 9, 386 (1967), for the Sturm sequences.
    """
    scale = _spectral_bound(diagonal, off)
    sweeps = TridiagonalSweeps.from_rows(diagonal / scale, off[:-1] / scale)
    bins = _narrow_bins(sweeps, max(low / scale, -1.0), min(high / scale, 1.0), num_levels)
    found: list[NDArray[np.float64]] = [np.empty((2, 0))]
    while bins.left.size:
        clusters, bins = _polish(sweeps, bins, negligible)
        found.append(clusters)
    energies, etas = _merge(np.concatenate(found, axis=1))
    weights, _, corner = sweeps.resolve(energies, etas)
    size = off[-1] * np.exp(np.minimum(corner - 0.5 * np.log(np.maximum(weights, 1e-300)), 300.0))
    return ClusterWeights(energies * scale, weights, size, _ETA * scale)


@dataclass(frozen=True, slots=True, eq=False)
class _Bins:
    """Intervals, and how many eigenvalues of T lie below their ends."""

    left: NDArray[np.float64]
    right: NDArray[np.float64]
    below: NDArray[np.int64]
    above: NDArray[np.int64]

    def select(self, chosen: NDArray[np.bool_]) -> _Bins:
        return _Bins(self.left[chosen], self.right[chosen], self.below[chosen], self.above[chosen])

    def halve(self, sweeps: TridiagonalSweeps) -> _Bins:
        """Return the halves that hold eigenvalues."""
        middle = (self.left + self.right) / 2
        inside = sweeps.count_below(middle)
        return _join(_Bins(self.left, middle, self.below, inside), _Bins(middle, self.right, inside, self.above))


def _join(*parts: _Bins) -> _Bins:
    """Return those of all bins that hold eigenvalues, ascending."""
    left = np.concatenate([part.left for part in parts])
    right = np.concatenate([part.right for part in parts])
    below, above = (np.concatenate([getattr(part, name) for part in parts]) for name in ("below", "above"))
    order = np.argsort(left, kind="stable")
    order = order[(above > below)[order]]
    return _Bins(left[order], right[order], below[order], above[order])


def _narrow_bins(sweeps: TridiagonalSweeps, low: float, high: float, num_levels: int) -> _Bins:
    """Return bins with eigenvalues, no wider than the mean spacing / 256."""
    if high <= low:
        return _Bins(np.empty(0), np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64))
    edges = np.linspace(low, high, max(2, int(_GRID * num_levels * (high - low) / 2)) + 1)
    counts = sweeps.count_below(edges)
    bins = _join(_Bins(edges[:-1], edges[1:], counts[:-1], counts[1:]))
    while bins.left.size and bins.right[0] - bins.left[0] > 2 / (_FINE * num_levels):
        bins = bins.halve(sweeps)
    return bins


def _polish(sweeps: TridiagonalSweeps, bins: _Bins, negligible: float) -> tuple[NDArray[np.float64], _Bins]:
    """Return energies and weights of the clusters that Newton steps find, and the bins that may hold more."""
    centre, half = (bins.left + bins.right) / 2, (bins.right - bins.left) / 2
    bound, step, _ = sweeps.resolve(centre, np.maximum(half, _ETA))
    kept = 2 * bound >= negligible
    bins, centre, half, bound, step = bins.select(kept), centre[kept], half[kept], bound[kept], step[kept]
    energy, weight, settled = _newton(sweeps, centre, half, step)
    tail = weight * half**2 / (half**2 + (energy - centre) ** 2)
    alone = (bins.above - bins.below == 1) | (2 * (bound - tail) <= negligible)
    rest = [bins.select(~settled & (2 * half > _WIDTH)).halve(sweeps).halve(sweeps)]
    tight = ~settled & (2 * half <= _WIDTH)
    if np.any(settled & ~alone):
        rest += _split(sweeps, bins.select(settled & ~alone), energy[settled & ~alone])
    energy[tight], weight[tight] = centre[tight], bound[tight]
    found = settled | tight
    return np.stack([energy[found], weight[found]]), _join(*rest)


def _newton(
    sweeps: TridiagonalSweeps, centre: NDArray[np.float64], half: NDArray[np.float64], step: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return where Newton steps lead from the centres, the weight there, and which of them settled in their bin."""
    energy, weight, settled = centre.copy(), np.zeros(centre.size), np.zeros(centre.size, bool)
    moved = centre + step
    active = np.flatnonzero(np.abs(step) <= half + _MARGIN * _ETA)
    for k in range(1, _POLISHES):
        if active.size == 0:
            break
        eta = np.maximum(half[active] / _ZOOM, _ETA) if k == 1 else np.full(active.size, _ETA)
        energy[active] = moved[active]
        weight[active], step[active], _ = sweeps.resolve(energy[active], eta)
        settled[active] = (np.abs(step[active]) <= _CENTRED * _ETA) & (eta == _ETA)
        moved[active] = energy[active] + step[active]
        inside = np.abs(moved[active] - centre[active]) <= half[active] + _MARGIN * _ETA
        active = active[inside & ~settled[active]]
    return energy, weight, settled


def _split(sweeps: TridiagonalSweeps, bins: _Bins, energy: NDArray[np.float64]) -> list[_Bins]:
    """Return what lies in the bins on either side of a cluster."""
    inner, outer = np.maximum(energy - _ETA, bins.left), np.minimum(energy + _ETA, bins.right)
    counts = sweeps.count_below(np.concatenate([inner, outer]))
    lower, upper = np.maximum(counts[: energy.size], bins.below), np.minimum(counts[energy.size :], bins.above)
    return [_Bins(bins.left, inner, bins.below, lower), _Bins(outer, bins.right, upper, bins.above)]


def _merge(found: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return one energy for all clusters of a level, that of the heaviest, and an eta above their spread."""
    found = found[:, np.argsort(found[0], kind="stable")]
    values, weights = found
    if values.size == 0:
        return values, values
    starts = np.concatenate([[0], np.flatnonzero(np.diff(values) > _MERGE) + 1])
    ends = np.append(starts[1:], values.size)
    heaviest = np.array([a + np.argmax(weights[a:b]) for a, b in zip(starts, ends, strict=True)])
    return values[heaviest], np.maximum(_ETA, _SPREAD * (values[ends - 1] - values[starts]))


def _spectral_bound(diagonal: NDArray[np.float64], off: NDArray[np.float64]) -> float:
    inner = np.concatenate([[0.0], off[:-1], [0.0]])
    return float(np.max(np.abs(diagonal) + inner[:-1] + inner[1:]) * (1 + 1e-12))
