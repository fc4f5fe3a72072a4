"""Three-term recurrences w = H v - ... of a split operator, compiled: the inner loop of Lanczos and Chebyshev."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from qthermo.linalg.split_operator import SplitOperator

__all__ = ["Recurrences", "ThreeTermSteps"]


class ThreeTermSteps(ABC):
    """What follows from out = H v - beta u alone, whatever the layout of the vectors."""

    __slots__ = ()

    def multiply(self, vector: NDArray[Any], out: NDArray[Any]) -> None:
        """Set out = H vector."""
        self._project(vector, vector, 0.0, out)

    def chebyshev_step(
        self, vector: NDArray[Any], previous: NDArray[Any], centre: float, radius: float, out: NDArray[Any]
    ) -> tuple[float, float]:
        """Set out = 2 (H - centre)/radius v - u; return <v|v> and <v|out>. `previous` may not be `out`."""
        self._project(vector, previous, radius / 2, out)
        square, overlap = _rescale(out, vector, -centre, 2 / radius)
        return square, overlap

    @abstractmethod
    def _project(self, vector: NDArray[Any], previous: NDArray[Any], beta: float, out: NDArray[Any]) -> float:
        """Set out = H v - beta u and return <v|out>."""


class Recurrences(ThreeTermSteps):
    """Products with H, Lanczos steps and Chebyshev steps on arrays of shape (rows, core dimension)."""

    __slots__ = ("_accumulator", "_bits", "_core", "_diagonal", "_is_dense", "_masks", "_offsets", "_weights")

    def __init__(self, operator: SplitOperator) -> None:
        flips = sorted(operator.flips, key=lambda flip: flip.core_mask)
        bits = sorted({flip.core_mask for flip in flips})
        ends = [sum(flip.core_mask <= bit for flip in flips) for bit in bits]
        self._bits = np.array(bits, np.int64)
        self._offsets = np.array([0, *ends], np.int64)
        self._masks = np.array([flip.row_mask for flip in flips], np.int64)
        self._weights = np.array([flip.weight for flip in flips], np.float64)
        self._diagonal = np.ascontiguousarray(operator.diagonal)
        self._is_dense = isinstance(operator.core, np.ndarray)
        self._core: Any = np.ascontiguousarray(operator.core.T) if self._is_dense else operator.core
        self._accumulator = np.empty(operator.shape[1], operator.dtype)

    def enter(self, vector: NDArray[Any]) -> NDArray[Any]:
        """Return a copy of a vector (rows, core) in the layout of these recurrences, here the same."""
        return vector.copy()

    def leave(self, vector: NDArray[Any]) -> NDArray[Any]:
        """Return a vector (rows, core) from the layout of these recurrences."""
        return vector

    def lanczos_steps(
        self, current: NDArray[Any], previous: NDArray[Any], scales: NDArray[np.float64], alpha: NDArray[np.float64],
        beta: NDArray[np.float64], first: int, kept: NDArray[Any],
    ) -> tuple[NDArray[Any], NDArray[Any]]:  # fmt: skip
        """Fill alpha and beta from row `first` on, and `kept` with the basis vectors met; return v_k and v_(k-1).

        `scales` are factors that v_k and v_(k-1) still wait for, here always 1; both arrays are overwritten.
        """
        for k in range(first, alpha.size):
            if kept.size:
                kept[k - first] = current.ravel()
            alpha[k] = self._project(current, previous, beta[k - 1] if k else 0.0, previous)
            beta[k] = _orthonormalise(previous, current, alpha[k])
            current, previous = previous, current
        return current, previous

    def _project(self, vector: NDArray[Any], previous: NDArray[Any], beta: float, out: NDArray[Any]) -> float:
        """Set out = H v - beta u and return <v|out>."""
        if self._is_dense:
            product = np.matmul(vector, self._core)
        else:
            product = (self._core @ vector.ravel()).reshape(vector.shape)
        return float(
            _add_flips(
                vector, previous, product, beta, self._diagonal, self._bits, self._offsets, self._masks,
                self._weights, self._accumulator, out,
            )
        )  # fmt: skip


@numba.njit(cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def _add_flips(
    vector: NDArray[Any], previous: NDArray[Any], product: NDArray[Any], beta: float, diagonal: NDArray[np.float64],
    bits: NDArray[np.int64], offsets: NDArray[np.int64], masks: NDArray[np.int64], weights: NDArray[np.float64],
    accumulator: NDArray[Any], out: NDArray[Any],
) -> float:  # fmt: skip
    """Set out = product + flips + diagonal v - beta u, row by row, and return Re <v|out>."""
    rows, core = vector.shape
    total = 0.0
    for r in range(rows):
        for c in range(core):
            out[r, c] = product[r, c] + diagonal[r] * vector[r, c] - beta * previous[r, c]
        for group in range(bits.size):
            bit = bits[group]
            first, last = offsets[group], offsets[group + 1]
            for c in range(core):
                accumulator[c] = 0.0
            whole = first + (last - first) // 4 * 4
            for k in range(first, whole, 4):  # four at a time: the accumulator is read and written less often
                s0, s1, s2, s3 = r ^ masks[k], r ^ masks[k + 1], r ^ masks[k + 2], r ^ masks[k + 3]
                w0, w1, w2, w3 = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
                for c in range(core):
                    accumulator[c] += (w0 * vector[s0, c] + w1 * vector[s1, c]) + (
                        w2 * vector[s2, c] + w3 * vector[s3, c]
                    )
            for k in range(whole, last):
                source, weight = r ^ masks[k], weights[k]
                for c in range(core):
                    accumulator[c] += weight * vector[source, c]
            run = bit & -bit if bit else core
            for start in range(0, core, run):
                other = start ^ bit
                for c in range(run):
                    out[r, start + c] += accumulator[other + c]
        for c in range(core):
            total += vector[r, c].real * out[r, c].real + vector[r, c].imag * out[r, c].imag
    return total


@numba.njit(cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def _orthonormalise(out: NDArray[Any], vector: NDArray[Any], alpha: float) -> float:
    """Set out = (out - alpha v) / norm and return the norm."""
    flat, other = out.ravel(), vector.ravel()
    square = 0.0
    for i in range(flat.size):
        value = flat[i] - alpha * other[i]
        flat[i] = value
        square += value.real * value.real + value.imag * value.imag
    norm = np.sqrt(square)
    if norm > 0.0:
        inverse = 1.0 / norm
        for i in range(flat.size):
            flat[i] *= inverse
    return float(norm)


@numba.njit(cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")
def _rescale(out: NDArray[Any], vector: NDArray[Any], shift: float, factor: float) -> tuple[float, float]:
    """Set out = factor (out + shift v) and return <v|v> and Re <v|out>."""
    flat, other = out.ravel(), vector.ravel()
    square = overlap = 0.0
    for i in range(flat.size):
        value = factor * (flat[i] + shift * other[i])
        flat[i] = value
        square += other[i].real * other[i].real + other[i].imag * other[i].imag
        overlap += other[i].real * value.real + other[i].imag * value.imag
    return square, overlap
