"""Compiled message passing on a sparse bipartite graph, many points at once, and products with powers of a matrix.

The edges of receivers k lie in compressed rows: edge e of row k, offsets[k] <= e < offsets[k+1], joins k to one sender
with weight weights[e]; the same edge seen from the other side has the number mirror[e]. Messages have one row per edge
and one column per point, and are stored where they are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "apply_powers",
    "count_resonant",
    "find_strong",
    "gather_edges",
    "send_cavity_edges",
    "send_ladder_edges",
]

_BLOCK = 128


def apply_powers(
    matrix: NDArray[Any], columns: Sequence[Sequence[NDArray[Any]]], *, transposed: bool
) -> list[list[NDArray[Any]]]:
    """Return M @ x for x in columns[0], (M * M) @ x for x in columns[1], and so on, powers taken elementwise.

    The powers are formed block by block and never stored; a complex x counts as two real columns.

    Args:
        matrix: M, real, shape (rows, cols).
        columns: for each power, arrays of shape (cols, c), real or complex.
        transposed: use the transpose of M; arrays then have shape (rows, c).

    Cost: rows * cols * (2 * real columns + one multiplication for each power above the first).
    """
    rows = matrix.shape[1] if transposed else matrix.shape[0]
    real = [[_as_real(x, matrix.dtype) for x in group] for group in columns]
    results = [[np.empty((rows, x.shape[1]), matrix.dtype) for x in group] for group in real]
    for first in range(0, rows, _BLOCK):
        part = slice(first, min(first + _BLOCK, rows))
        block = matrix[:, part] if transposed else matrix[part]
        power = block
        for order, (inputs, outputs) in enumerate(zip(real, results, strict=True)):
            if order:
                power = power * block
            left = power.T if transposed else power
            for x, out in zip(inputs, outputs, strict=True):
                np.matmul(left, x, out=out[part])
    return [
        [_as_given(out, x) for out, x in zip(outputs, group, strict=True)]
        for outputs, group in zip(results, columns, strict=True)
    ]


def _as_real(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if np.iscomplexobj(values):
        kind = np.complex64 if dtype == np.float32 else np.complex128
        return np.ascontiguousarray(values, kind).view(dtype)
    return np.ascontiguousarray(values, dtype)


def _as_given(values: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    if np.iscomplexobj(like):
        return values.view(np.complex64 if values.dtype == np.float32 else np.complex128)
    return values


@numba.njit(parallel=True, cache=True)
def find_strong(
    weights: NDArray[Any], row_sizes: NDArray[np.float64], column_sizes: NDArray[np.float64], threshold: float
) -> tuple[NDArray[np.int64], float]:
    """Return how many entries of each row have W[k, l] row_sizes[k] column_sizes[l] > threshold, and the largest."""
    counts = np.zeros(weights.shape[0], np.int64)
    largest = np.zeros(weights.shape[0])
    for k in numba.prange(weights.shape[0]):
        most = 0.0
        for l in range(weights.shape[1]):  # noqa: E741
            strength = weights[k, l] * row_sizes[k] * column_sizes[l]
            if strength > threshold:
                counts[k] += 1
            most = max(most, strength)
        largest[k] = most
    return counts, largest.max()


@numba.njit(parallel=True, cache=True)
def gather_edges(
    offsets: NDArray[np.int64], weights: NDArray[np.float64], messages: NDArray[Any], out: NDArray[Any]
) -> None:
    """Add sum_e weights[e] messages[e] to out[k], for every receiver k and every column."""
    for k in numba.prange(offsets.size - 1):
        for e in range(offsets[k], offsets[k + 1]):
            for p in range(messages.shape[1]):
                out[k, p] += weights[e] * messages[e, p]


@numba.njit(parallel=True, cache=True)
def send_cavity_edges(
    offsets: NDArray[np.int64], weights: NDArray[np.float64], mirror: NDArray[np.int64],
    messages: NDArray[np.complex128], rest: NDArray[np.complex128], out: NDArray[np.complex128],
) -> None:  # fmt: skip
    """Set out[mirror[e]] = 1 / (rest[k] - sum_{f != e} weights[f] messages[f]) for every edge e of every receiver k.

    The sums over all edges but one are made from the edges before and after, never by subtraction: with heavy-tailed
    weights one term can exceed the others by more than a double holds.
    """
    for k in numba.prange(offsets.size - 1):
        run = np.zeros(messages.shape[1], np.complex128)
        for e in range(offsets[k], offsets[k + 1]):
            for p in range(run.size):
                out[mirror[e], p] = rest[k, p] - run[p]
                run[p] += weights[e] * messages[e, p]
        run[:] = 0.0
        for e in range(offsets[k + 1] - 1, offsets[k] - 1, -1):
            for p in range(run.size):
                left = out[mirror[e], p] - run[p]
                norm = 1.0 / (left.real * left.real + left.imag * left.imag)
                out[mirror[e], p] = complex(left.real * norm, -left.imag * norm)
                run[p] += weights[e] * messages[e, p]


@numba.njit(parallel=True, cache=True)
def send_ladder_edges(
    offsets: NDArray[np.int64], weights: NDArray[np.float64], mirror: NDArray[np.int64],
    ladder: NDArray[Any], rest: NDArray[Any], factors: NDArray[Any], out: NDArray[Any],
) -> None:  # fmt: skip
    """Set out[m, c] = factors[m, c % p] (rest[k, c] + sum_{f != e} weights[f] ladder[f, c]), m = mirror[e].

    `factors` has p columns; the sums are made as in `send_cavity_edges`.
    """
    points = factors.shape[1]
    for k in numba.prange(offsets.size - 1):
        run = np.zeros(ladder.shape[1], ladder.dtype)
        for e in range(offsets[k], offsets[k + 1]):
            for c in range(run.size):
                out[mirror[e], c] = rest[k, c] + run[c]
                run[c] += weights[e] * ladder[e, c]
        run[:] = 0
        for e in range(offsets[k + 1] - 1, offsets[k] - 1, -1):
            m = mirror[e]
            for c in range(run.size):
                out[m, c] = factors[m, c % points] * (out[m, c] + run[c])
                run[c] += weights[e] * ladder[e, c]


@numba.njit(cache=True)
def count_resonant(
    weights: NDArray[np.float64], mirror: NDArray[np.int64],
    forth: NDArray[np.complex128], back: NDArray[np.complex128],
) -> NDArray[np.int64]:  # fmt: skip
    """Return for every column the number of edges with weight |forth back| > 1, back seen from the other side."""
    counts = np.zeros(forth.shape[1], np.int64)
    for e in range(weights.size):
        for p in range(forth.shape[1]):
            if weights[e] * abs(forth[e, p] * back[mirror[e], p]) > 1.0:
                counts[p] += 1
    return counts
