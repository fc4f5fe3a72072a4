"""Matrices of Pauli sums: sparse and matrix-free, site 0 the leftmost Kronecker factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator

from qthermo.errors import InputError
from qthermo.memory import check_memory

if TYPE_CHECKING:
    from qthermo.operators.pauli_sum import PauliSum

__all__ = ["basis_mask", "string_signs", "to_linear_operator", "to_sparse"]

_MAX_BITS = 40


def basis_mask(mask: int, num_sites: int) -> int:
    """Return the mask over basis indices that belongs to a mask over sites: site j is bit num_sites - 1 - j."""
    return int(f"{mask:0{num_sites}b}"[::-1], 2) if num_sites else 0


def string_signs(mask: int, indices: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (-1)^|b & mask| for every basis index b."""
    parity: NDArray[np.float64] = 1.0 - 2.0 * (np.bitwise_count(indices & mask) & 1)
    return parity


def _grouped(pauli_sum: PauliSum, num_sites: int) -> tuple[dict[int, list[tuple[int, complex]]], type[Any]]:
    """Group the terms by flip mask: `P |b> = weight (-1)^|b & z| |b ^ x>` with weight = c i^num_y."""
    groups: dict[int, list[tuple[int, complex]]] = {}
    for string, coefficient in pauli_sum.items():
        weight = coefficient * 1j ** (string.num_y % 4)
        groups.setdefault(basis_mask(string.x, num_sites), []).append((basis_mask(string.z, num_sites), weight))
    return groups, np.float64 if pauli_sum.is_real else np.complex128


def _cast(weights: NDArray[np.complex128], dtype: type[Any]) -> NDArray[Any]:
    return weights.real.copy() if dtype is np.float64 else weights


def to_sparse(pauli_sum: PauliSum, num_sites: int) -> csr_array:
    """Return the CSR matrix, shape (2**num_sites,) * 2; cost: one stored number per row and distinct flip pattern."""
    groups, dtype = _grouped(pauli_sum, num_sites)
    itemsize = np.dtype(dtype).itemsize + 8
    check_memory(
        2.0**num_sites * max(len(groups), 1) * itemsize * 1.5,
        what=f"A sparse matrix of {num_sites} spins with {len(groups)} entries per row",
        remedy="use to_linear_operator, which stores no matrix.",
    )
    rows = np.arange(2**num_sites, dtype=np.int64)
    flips = sorted(groups)
    data = np.empty((rows.size, len(flips)), dtype)
    columns = np.empty((rows.size, len(flips)), np.int64)
    for k, flip in enumerate(flips):
        columns[:, k] = rows ^ flip
        values = np.zeros(rows.size, np.complex128)
        for sign_mask, weight in groups[flip]:
            values += weight * string_signs(sign_mask, columns[:, k])
        data[:, k] = _cast(values, dtype)
    offsets = np.arange(rows.size + 1, dtype=np.int64) * len(flips)
    matrix = csr_array((data.ravel(), columns.ravel(), offsets), shape=(rows.size, rows.size))
    matrix.eliminate_zeros()
    return matrix


def to_linear_operator(pauli_sum: PauliSum, num_sites: int) -> LinearOperator:
    """Return a matrix-free operator that acts on vectors of length 2**num_sites with a threaded compiled kernel."""
    if num_sites > _MAX_BITS:
        raise InputError(f"A matrix-free operator must act on at most {_MAX_BITS} sites, but got {num_sites}.")
    apply = _build_apply(pauli_sum, num_sites)
    apply_adjoint = apply if pauli_sum.is_hermitian else _build_apply(pauli_sum.adjoint(), num_sites)
    dtype = np.dtype(np.float64 if pauli_sum.is_real else np.complex128)
    return LinearOperator((2**num_sites,) * 2, matvec=apply, rmatvec=apply_adjoint, dtype=dtype)


def _build_apply(pauli_sum: PauliSum, num_sites: int) -> Callable[[NDArray[Any]], NDArray[Any]]:
    from qthermo.linalg.pauli_kernels import apply_flips

    groups, dtype = _grouped(pauli_sum, num_sites)
    flips = np.array(sorted(groups), np.int64)
    terms = [term for flip in flips for term in groups[int(flip)]]
    offsets = np.cumsum([0] + [len(groups[int(flip)]) for flip in flips]).astype(np.int64)
    signs = np.array([sign for sign, _ in terms], np.int64)
    weights = _cast(np.array([weight for _, weight in terms], np.complex128), dtype)

    def apply(vector: NDArray[Any]) -> NDArray[Any]:
        flat = np.ascontiguousarray(vector).ravel()
        out = np.zeros(flat.size, np.result_type(dtype, flat.dtype, np.float64))
        if flips.size:
            apply_flips(flips, offsets, signs, weights, flat.astype(out.dtype), out)
        return out

    return apply
