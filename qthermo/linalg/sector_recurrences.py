"""Three-term recurrences of a split operator whose flips share one X on the core: half the product, compiled whole."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from qthermo.linalg.recurrences import ThreeTermSteps
from qthermo.linalg.split_operator import SplitOperator

__all__ = ["SectorRecurrences"]


class SectorRecurrences(ThreeTermSteps):
    """Products with H and Lanczos steps in the eigenbasis of X, the string of core bits that the flips move.

    There the flips are diagonal on the core, +-1 on its two halves. Bases of the halves may still be chosen, and are so
    that each diagonal block of the core is diagonal: the core is then (a, B; B^+, c) with a, c diagonal, half the
    multiplications of a full matrix. Vectors are arrays (half, row, half the core).

    Args:
        operator: H with a dense core.
        mask: the core bits that every flip moves, or none of them.
    """

    __slots__ = ("_back", "_basis", "_diagonal", "_forth", "_levels", "_masks", "_product", "_weights")

    def __init__(self, operator: SplitOperator, mask: int) -> None:
        core: NDArray[Any] = np.asarray(operator.core)
        rows, size = operator.shape
        half = size // 2
        first = np.flatnonzero(np.arange(size) & (mask & -mask) == 0)
        halves, levels = [], []
        for sign in (1.0, -1.0):
            columns = np.zeros((size, half))
            columns[first, np.arange(half)] = np.sqrt(0.5)
            columns[first ^ mask, np.arange(half)] = sign * np.sqrt(0.5)
            values, vectors = scipy.linalg.eigh(columns.T @ core @ columns)
            halves.append(columns @ vectors)
            levels.append(values)
        block = halves[0].conj().T @ core @ halves[1]
        self._basis = np.stack(halves)
        self._levels = np.stack(levels)
        self._forth = np.ascontiguousarray(block.T)
        self._back = np.ascontiguousarray(block.conj())
        self._diagonal = np.ascontiguousarray(operator.diagonal)
        self._masks = np.array([flip.row_mask for flip in operator.flips], np.int64)
        weights = np.array([flip.weight for flip in operator.flips])
        signs = np.where([flip.core_mask for flip in operator.flips], -1.0, 1.0)
        self._weights = np.stack([weights, weights * signs])
        self._product = np.empty((2, rows, half), operator.dtype)

    def enter(self, vector: NDArray[Any]) -> NDArray[Any]:
        """Return a vector (rows, core) in the layout of these recurrences."""
        return np.ascontiguousarray(vector @ self._basis.conj())

    def leave(self, vector: NDArray[Any]) -> NDArray[Any]:
        """Return a vector (rows, core) from the layout of these recurrences."""
        image: NDArray[Any] = (vector @ self._basis.transpose(0, 2, 1)).sum(axis=0)
        return image

    def lanczos_steps(
        self, current: NDArray[Any], previous: NDArray[Any], scales: NDArray[np.float64], alpha: NDArray[np.float64],
        beta: NDArray[np.float64], first: int, kept: NDArray[Any],
    ) -> tuple[NDArray[Any], NDArray[Any]]:  # fmt: skip
        """Fill alpha and beta from row `first` on, and `kept` with the basis vectors met; return v_k and v_(k-1).

        `scales` are factors that v_k and v_(k-1) still wait for; both arrays are overwritten.
        """
        _lanczos_steps(
            current, previous, scales, alpha, beta, first, kept, self._product, self._forth, self._back, self._levels,
            self._diagonal, self._masks, self._weights,
        )  # fmt: skip
        return (previous, current) if (alpha.size - first) % 2 else (current, previous)

    def _project(self, vector: NDArray[Any], previous: NDArray[Any], beta: float, out: NDArray[Any]) -> float:
        """Set out = H v - beta u and return <v|out>."""
        return float(
            _project(
                vector, 1.0, previous, beta, out, self._product, self._forth, self._back, self._levels, self._diagonal,
                self._masks, self._weights,
            )
        )  # fmt: skip


@numba.njit(cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def _project(
    vector: NDArray[Any], scale: float, previous: NDArray[Any], beta: float, out: NDArray[Any], product: NDArray[Any],
    forth: NDArray[Any], back: NDArray[Any], levels: NDArray[np.float64], diagonal: NDArray[np.float64],
    masks: NDArray[np.int64], weights: NDArray[np.float64],
) -> float:  # fmt: skip
    """Set out = scale H v - beta u and return Re <v|out>."""
    np.dot(vector[1], forth, product[0])
    np.dot(vector[0], back, product[1])
    total = 0.0
    whole = masks.size // 4 * 4
    for h in range(2):
        for r in range(diagonal.size):
            here = diagonal[r]
            source, target, old = vector[h, r], out[h, r], previous[h, r]
            for c in range(source.size):
                target[c] = scale * (product[h, r, c] + (levels[h, c] + here) * source[c]) - beta * old[c]
            for k in range(0, whole, 4):  # four at a time: the row is read and written less often
                w0, w1 = scale * weights[h, k], scale * weights[h, k + 1]
                w2, w3 = scale * weights[h, k + 2], scale * weights[h, k + 3]
                v0, v1 = vector[h, r ^ masks[k]], vector[h, r ^ masks[k + 1]]
                v2, v3 = vector[h, r ^ masks[k + 2]], vector[h, r ^ masks[k + 3]]
                for c in range(source.size):
                    target[c] += (w0 * v0[c] + w1 * v1[c]) + (w2 * v2[c] + w3 * v3[c])
            for k in range(whole, masks.size):
                weight, other = scale * weights[h, k], vector[h, r ^ masks[k]]
                for c in range(source.size):
                    target[c] += weight * other[c]
            for c in range(source.size):
                total += source[c].real * target[c].real + source[c].imag * target[c].imag
    return total


@numba.njit(cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def _lanczos_steps(
    current: NDArray[Any], previous: NDArray[Any], scales: NDArray[np.float64], alpha: NDArray[np.float64],
    beta: NDArray[np.float64], first: int, kept: NDArray[Any], product: NDArray[Any], forth: NDArray[Any],
    back: NDArray[Any], levels: NDArray[np.float64], diagonal: NDArray[np.float64], masks: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> None:  # fmt: skip
    """Run Lanczos steps; a vector's norm is divided out when it is next used, which saves a pass over it."""
    scale, old_scale = scales[0], scales[1]
    for k in range(first, alpha.size):
        if kept.shape[0] > 0:
            basis, flat = kept[k - first], current.ravel()
            for i in range(flat.size):
                basis[i] = scale * flat[i]
        before = beta[k - 1] if k > 0 else 0.0
        alpha[k] = scale * _project(
            current, scale, previous, before * old_scale, previous, product, forth, back, levels, diagonal, masks,
            weights,
        )  # fmt: skip
        out, vector = previous.ravel(), current.ravel()
        factor, square = alpha[k] * scale, 0.0
        for i in range(out.size):
            value = out[i] - factor * vector[i]
            out[i] = value
            square += value.real * value.real + value.imag * value.imag
        beta[k] = np.sqrt(square)
        old_scale = scale
        scale = 1.0 / beta[k] if beta[k] > 0.0 else 1.0
        current, previous = previous, current
    scales[0], scales[1] = scale, old_scale
