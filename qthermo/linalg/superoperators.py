"""Superoperators in the form sum_k L_k X L_k^dag - K X - X K^dag, applied by two matrix products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

__all__ = ["JumpMap", "SparseMap"]


@dataclass(frozen=True, slots=True, eq=False)
class JumpMap:
    """X -> sum_k L_k X L_k^dag - K X - X K^dag.

    Args:
        jumps: L_k as one array of shape (D, number of jumps, D), index [i, k, j] = (L_k)_ij. This order makes both
            products plain GEMMs without any copy.
        decay: K, shape (D, D).
    """

    jumps: NDArray[Any]
    decay: NDArray[Any]

    @property
    def dimension(self) -> int:
        """D."""
        return int(self.jumps.shape[0])

    @property
    def is_real(self) -> bool:
        """Whether real matrices stay real."""
        return not (np.iscomplexobj(self.jumps) or np.iscomplexobj(self.decay))

    def apply(self, matrix: NDArray[Any]) -> NDArray[Any]:
        """Return the image of X, shape (D, D). Cost: 4 J D^3 operations for J jumps, real where all is real."""
        result: NDArray[Any] = self._sandwich(self.jumps, matrix) - self.decay @ matrix - matrix @ self.decay.conj().T
        return result

    def apply_adjoint(self, matrix: NDArray[Any]) -> NDArray[Any]:
        """Return the image of X under the Hilbert-Schmidt adjoint, sum_k L_k^dag X L_k - K^dag X - X K."""
        flipped = np.ascontiguousarray(self.jumps.conj().transpose(2, 1, 0))
        image = self._sandwich(flipped, matrix)
        result: NDArray[Any] = image - self.decay.conj().T @ matrix - matrix @ self.decay
        return result

    def _sandwich(self, jumps: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
        if np.iscomplexobj(matrix) and not np.iscomplexobj(jumps):
            real = self._sandwich(jumps, np.ascontiguousarray(matrix.real))
            both: NDArray[Any] = real + 1j * self._sandwich(jumps, np.ascontiguousarray(matrix.imag))
            return both
        dim, count, _ = jumps.shape
        left = jumps.reshape(dim * count, dim) @ matrix
        result: NDArray[Any] = left.reshape(dim, count * dim) @ jumps.reshape(dim, count * dim).conj().T
        return result

    def scale(self, factors: NDArray[Any]) -> JumpMap:
        """Return the map with every L_k and K multiplied element by element: a diagonal similarity of X."""
        return JumpMap(self.jumps * factors[:, None, :], self.decay * factors)

    def to_matrix(self) -> NDArray[Any]:
        """Return the D^2 x D^2 matrix on row-major vec(X)."""
        dim = self.dimension
        total = np.einsum("ikj,lkm->iljm", self.jumps, self.jumps.conj(), optimize=True).reshape(dim**2, dim**2)
        identity = np.eye(dim)
        result: NDArray[Any] = total - np.kron(self.decay, identity) - np.kron(identity, self.decay.conj())
        return result


@dataclass(frozen=True, slots=True, eq=False)
class SparseMap:
    """A map of D x D matrices given by a sparse D^2 x D^2 matrix on row-major vec(X)."""

    matrix: csr_array
    dimension: int

    @property
    def is_real(self) -> bool:
        """Whether real matrices stay real."""
        return not np.iscomplexobj(self.matrix.data)

    def apply(self, matrix: NDArray[Any]) -> NDArray[Any]:
        """Return the image of X. Cost: the number of stored elements."""
        result: NDArray[Any] = (self.matrix @ matrix.ravel()).reshape(matrix.shape)
        return result

    def apply_adjoint(self, matrix: NDArray[Any]) -> NDArray[Any]:
        """Return the image of X under the Hilbert-Schmidt adjoint."""
        result: NDArray[Any] = (self.matrix.conj().T @ matrix.ravel()).reshape(matrix.shape)
        return result

    def scale(self, factors: NDArray[Any]) -> SparseMap:
        """Return the map conjugated by the diagonal similarity that `JumpMap.scale` applies to jumps.

        `factors` must be an outer quotient f_i / f_j, as e^{beta (E_i - E_j) / 4} is.
        """
        outer = np.multiply.outer(factors[:, 0], factors[:, 0]).ravel()
        scaled = self.matrix.multiply(outer[:, None]).multiply(1 / outer[None, :])
        return SparseMap(csr_array(scaled), self.dimension)

    def to_matrix(self) -> NDArray[Any]:
        """Return the dense D^2 x D^2 matrix."""
        return self.matrix.toarray()
