"""Compiled sums over random parents, the inner step of population dynamics."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["sum_over_parents"]


@numba.njit(parallel=True, fastmath=True, cache=True)
def sum_over_parents(
    weights: NDArray[np.float64], parents: NDArray[np.int64], values: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Add sum_k weights[m, k] values[parents[m, k]] to out[m]; all columns at once. Cost: M K columns."""
    for m in numba.prange(weights.shape[0]):
        for k in range(weights.shape[1]):
            weight, parent = weights[m, k], parents[m, k]
            for c in range(values.shape[1]):
                out[m, c] += weight * values[parent, c]
