"""Compiled inner loops of Chebyshev recursions: sums of terms, nearest-neighbour hopping, banded matrices."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["accumulate", "step_banded", "step_lattice"]

_CHUNK = 2048


@numba.njit(parallel=True, cache=True, fastmath=True)
def accumulate(sums: NDArray[np.float64], coefficients: NDArray[np.float64], terms: NDArray[np.float64]) -> None:
    """Add coefficients @ terms[:number of columns] to the sums, shape (time, component), chunk by chunk in cache."""
    size = sums.shape[1]
    num_times, num_terms = coefficients.shape
    for chunk in numba.prange((size + _CHUNK - 1) // _CHUNK):
        first = chunk * _CHUNK
        last = min(first + _CHUNK, size)
        for t in range(num_times):
            k = 0
            while k + 4 <= num_terms:
                a, b = coefficients[t, k], coefficients[t, k + 1]
                c, d = coefficients[t, k + 2], coefficients[t, k + 3]
                for i in range(first, last):
                    sums[t, i] += a * terms[k, i] + b * terms[k + 1, i] + c * terms[k + 2, i] + d * terms[k + 3, i]
                k += 4
            while k < num_terms:
                a = coefficients[t, k]
                for i in range(first, last):
                    sums[t, i] += a * terms[k, i]
                k += 1


@numba.njit(parallel=True, cache=True, fastmath=True)
def step_lattice(
    current: NDArray[np.float64], previous: NDArray[np.float64], out: NDArray[np.float64],
    potential: NDArray[np.float64], scale: float, shift: float,
) -> None:  # fmt: skip
    """Set out = scale (H - shift) current - previous for H = potential - sum of the nearest neighbours on a torus.

    All arrays have shape (x, y, z); along an axis of length 1 there is no hopping. Cost: one pass over memory.
    """
    nx, ny, nz = current.shape
    hops_x, hops_y = nx > 1, ny > 1
    for row in numba.prange(nx * ny):
        x, y = row // ny, row % ny
        here, before, result, v = current[x, y], previous[x, y], out[x, y], potential[x, y]
        for z in range(nz):
            result[z] = scale * (v[z] - shift) * here[z] - before[z]
        for z in range(1, nz - 1):
            result[z] -= scale * (here[z - 1] + here[z + 1])
        if nz > 1:
            result[0] -= scale * (here[nz - 1] + here[1])
            result[nz - 1] -= scale * (here[nz - 2] + here[0])
        if hops_x:
            left, right = current[x - 1 if x > 0 else nx - 1, y], current[x + 1 if x < nx - 1 else 0, y]
            for z in range(nz):
                result[z] -= scale * (left[z] + right[z])
        if hops_y:
            left, right = current[x, y - 1 if y > 0 else ny - 1], current[x, y + 1 if y < ny - 1 else 0]
            for z in range(nz):
                result[z] -= scale * (left[z] + right[z])


@numba.njit(parallel=True, cache=True, fastmath=True)
def step_banded(
    current: NDArray[Any], previous: NDArray[Any], out: NDArray[Any],
    rows: NDArray[Any], padded: NDArray[Any], scale: float, shift: float,
) -> None:  # fmt: skip
    """Set out = scale (H - shift) current - previous for a banded matrix on a ring, rows[x, r] = H[x, x + r - W].

    `padded` is room for `current` with W components repeated at each end. Cost: (2W + 1) multiplications per row.
    """
    size, width = rows.shape
    half = width // 2
    padded[half : half + size] = current
    padded[:half] = current[size - half :]
    padded[half + size :] = current[:half]
    for x in numba.prange(size):
        total = rows[x, 0] * padded[x]
        for r in range(1, width):
            total += rows[x, r] * padded[x + r]
        out[x] = scale * (total - shift * current[x]) - previous[x]
