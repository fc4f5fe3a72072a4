"""Compiled action of Pauli strings, given as bit masks, on state vectors."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["apply_flips"]


@numba.njit(parallel=True, cache=True)
def apply_flips(
    flips: NDArray[np.int64], offsets: NDArray[np.int64], signs: NDArray[np.int64], weights: NDArray[Any],
    vector: NDArray[Any], out: NDArray[Any],
) -> None:  # fmt: skip
    """Set out[b] = sum_f d_f(b) vector[b ^ flips[f]], d_f(b) = sum_{k in group f} weights[k] (-1)^|b & signs[k]|.

    Group f holds the terms offsets[f] <= k < offsets[f+1]. The sign is that of the column b ^ flips[f], which the
    caller folds into the weights. Cost: len(signs) * len(vector).
    """
    for b in numba.prange(vector.size):
        total = 0 * out[0]
        for f in range(flips.size):
            column = b ^ flips[f]
            diagonal = 0 * weights[0]
            for k in range(offsets[f], offsets[f + 1]):
                bits = column & signs[k]
                bits ^= bits >> 32
                bits ^= bits >> 16
                bits ^= bits >> 8
                bits ^= bits >> 4
                bits ^= bits >> 2
                bits ^= bits >> 1
                diagonal += -weights[k] if bits & 1 else weights[k]
            total += diagonal * vector[column]
        out[b] = total
