"""Histograms of weights over energy differences, and the statistics of level spacings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["fold_weights", "mean_gap_ratio", "nearest_levels"]


def nearest_levels(energies: NDArray[np.float64], target: float, count: int) -> NDArray[np.intp]:
    """Return the indices of the `count` energies nearest to the target, the nearest first."""
    return np.argsort(np.abs(energies - target), kind="stable")[:count]


def fold_weights(
    differences: NDArray[np.float64], weights: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the density sum_j weights_j delta(omega - differences_j) averaged over each bin, shape (bins,)."""
    counts, _ = np.histogram(differences, bins=edges, weights=weights)
    density: NDArray[np.float64] = counts / np.diff(edges)
    return density


def mean_gap_ratio(energies: NDArray[np.float64]) -> float:
    """Return <min(s_k, s_(k+1)) / max(s_k, s_(k+1))> over neighbouring spacings of ascending levels.

    Poisson levels have 0.3863, GOE 0.5307, GUE 0.5996.

    Reference: Y. Y. Atas et al., Phys. Rev. Lett. 110, 084101 (2013), doi:10.1103/PhysRevLett.110.084101.
    """
    gaps = np.diff(energies)
    small, large = np.minimum(gaps[1:], gaps[:-1]), np.maximum(gaps[1:], gaps[:-1])
    return float(np.mean(small / np.maximum(large, 1e-300)))
