"""Compiled message passing on complete bipartite graphs: sums over incoming messages, and the messages sent back.

A block of the graph joins senders l to receivers k with weights W[k, l]. A message is stored where it is read: entry
[k, l] of an incoming array came from l and goes to k. Real and imaginary parts lie in separate arrays, so that the
inner loops vectorise; they may be float32 or float64.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["gather_cavity", "gather_ladder", "measure_resonance", "send_cavity", "send_ladder"]

_TILE = 64


@numba.njit(parallel=True, fastmath=True, cache=True)
def gather_cavity(weights: NDArray[Any], real: NDArray[Any], imag: NDArray[Any], out: NDArray[np.complex128]) -> None:
    """Set out[k] = sum_l W[k, l] g[k, l], the self-energy of receiver k. Cost: one pass over three arrays."""
    for k in numba.prange(weights.shape[0]):
        total_real, total_imag = 0.0, 0.0
        for l in range(weights.shape[1]):  # noqa: E741
            total_real += weights[k, l] * real[k, l]
            total_imag += weights[k, l] * imag[k, l]
        out[k] = complex(total_real, total_imag)


@numba.njit(parallel=True, fastmath=True, cache=True)
def send_cavity(
    weights: NDArray[Any], real: NDArray[Any], imag: NDArray[Any], inverse: NDArray[np.complex128],
    out_real: NDArray[Any], out_imag: NDArray[Any],
) -> None:  # fmt: skip
    """Set out[l, k] = 1 / (inverse[k] + W[k, l] g[k, l]): what k sends to l when the term of l is left out of 1/G_k.

    Tiles keep both the row reads and the transposed writes in cache. Cost: one pass over five arrays.
    """
    rows, columns = weights.shape
    for tile in numba.prange((rows + _TILE - 1) // _TILE):
        first = tile * _TILE
        height = min(_TILE, rows - first)
        buffer_real = np.empty((_TILE, _TILE), weights.dtype)
        buffer_imag = np.empty((_TILE, _TILE), weights.dtype)
        for left in range(0, columns, _TILE):
            width = min(_TILE, columns - left)
            for i in range(height):
                k = first + i
                base_real, base_imag = inverse[k].real, inverse[k].imag
                for j in range(width):
                    x = base_real + weights[k, left + j] * real[k, left + j]
                    y = base_imag + weights[k, left + j] * imag[k, left + j]
                    norm = 1.0 / (x * x + y * y)
                    buffer_real[i, j] = x * norm
                    buffer_imag[i, j] = -y * norm
            for j in range(width):
                for i in range(height):
                    out_real[left + j, first + i] = buffer_real[i, j]
                    out_imag[left + j, first + i] = buffer_imag[i, j]


@numba.njit(parallel=True, fastmath=True, cache=True)
def gather_ladder(weights: NDArray[Any], ladder: NDArray[Any], out: NDArray[np.float64]) -> None:
    """Set out[k] = sum_l W[k, l] X[k, l]. Cost: one pass over two arrays."""
    for k in numba.prange(weights.shape[0]):
        total = 0.0
        for l in range(weights.shape[1]):  # noqa: E741
            total += weights[k, l] * ladder[k, l]
        out[k] = total


@numba.njit(parallel=True, fastmath=True, cache=True)
def send_ladder(
    weights: NDArray[Any], ladder: NDArray[Any], sums: NDArray[np.float64],
    real: NDArray[Any], imag: NDArray[Any], out: NDArray[Any],
) -> None:  # fmt: skip
    """Set out[l, k] = |g[l, k]|^2 (sums[k] - W[k, l] X[k, l]), g the cavity message from k to l.

    Cost: one pass over five arrays.
    """
    rows, columns = weights.shape
    for tile in numba.prange((rows + _TILE - 1) // _TILE):
        first = tile * _TILE
        height = min(_TILE, rows - first)
        buffer = np.empty((_TILE, _TILE), weights.dtype)
        for left in range(0, columns, _TILE):
            width = min(_TILE, columns - left)
            for i in range(height):
                k = first + i
                for j in range(width):
                    buffer[i, j] = sums[k] - weights[k, left + j] * ladder[k, left + j]
            for j in range(width):
                for i in range(height):
                    x, y = real[left + j, first + i], imag[left + j, first + i]
                    out[left + j, first + i] = (x * x + y * y) * buffer[i, j]


@numba.njit(parallel=True, fastmath=True, cache=True)
def measure_resonance(
    weights: NDArray[Any], real: NDArray[Any], imag: NDArray[Any],
    back_real: NDArray[Any], back_imag: NDArray[Any],
) -> int:  # fmt: skip
    """Return the number of resonant pairs, W[k, l] |g_{l->k} g_{k->l}| > 1; back[l, k] holds what k sends to l."""
    count = 0
    for k in numba.prange(weights.shape[0]):
        found = 0
        for l in range(weights.shape[1]):  # noqa: E741
            forth = real[k, l] ** 2 + imag[k, l] ** 2
            back = back_real[l, k] ** 2 + back_imag[l, k] ** 2
            if weights[k, l] ** 2 * forth * back > 1.0:
                found += 1
        count += found
    return count
