"""Matrix-product operators with sites of any dimension: blocks of spins, and grains given as dense matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qthermo.checks import check_finite_array, check_integer
from qthermo.errors import InputError
from qthermo.operators import PauliSum
from qthermo.tensor_network.canonical_chain import CanonicalChain
from qthermo.tensor_network.pauli_mpo import COMPRESSION, pauli_vector, real_form
from qthermo.tensor_network.pauli_transfer import PAULI_MATRICES

__all__ = ["build_block_tensors"]


def build_block_tensors(
    operator: PauliSum,
    block_sizes: Sequence[int],
    *,
    dense_terms: Mapping[int, ArrayLike] | None = None,
    cutoff: float = COMPRESSION,
) -> tuple[list[NDArray[Any]], float]:
    """Return MPO tensors W[left, right, out, in] whose sites are blocks of neighbouring spins, and the relative error.

    Args:
        operator: the Pauli sum; its sites 0 .. sum(block_sizes) - 1 fall to the blocks in order.
        block_sizes: number of spins of each block; a block of k spins is one site of dimension 2^k, its first spin
            the leftmost Kronecker factor.
        dense_terms: a matrix (2^k, 2^k) to add on a block, by the block's number: a grain given as a matrix.
        cutoff: weight that one bond may discard, relative to the squared norm.

    Bonds have the least dimension; tensors are real where the operator and the matrices are.

    Raises:
        InputError: a size is below 1, the operator reaches beyond the blocks, or a matrix does not fit its block.

    Cost: 4^k numbers for each pair of bond states; one SVD per bond.
    """
    sizes = [check_integer(f"block_sizes[{k}]", size, minimum=1) for k, size in enumerate(block_sizes)]
    if not sizes or operator.num_sites > sum(sizes):
        raise InputError(
            f"Argument `block_sizes` must cover the operator's {operator.num_sites} sites, but covers {sum(sizes)}."
        )
    dense = _check_dense_terms(dense_terms or {}, sizes)
    matrices: NDArray[Any] = PAULI_MATRICES
    if operator.is_real and all(np.isrealobj(matrix) for matrix in dense.values()):
        operator, matrices = real_form(operator)
    tensors = pauli_vector(operator, sum(sizes))
    ends = np.cumsum(sizes)
    blocks = [_merge_block(tensors[end - size : end], matrices) for end, size in zip(ends, sizes, strict=True)]
    if dense:
        blocks = _add_dense_terms(blocks, dense)
    widest = max(tensor.shape[3] for tensor in blocks)
    flat = [tensor.reshape(tensor.shape[0], -1, tensor.shape[3]) for tensor in blocks]
    chain = CanonicalChain.from_tensors(flat, widest, cutoff)
    arrays = [
        tensor.reshape(tensor.shape[0], 2**size, 2**size, tensor.shape[2]).transpose(0, 3, 1, 2)
        for tensor, size in zip(chain.tensors, sizes, strict=True)
    ]
    return arrays, float(np.sqrt(chain.discarded_weight))


def _merge_block(tensors: Sequence[NDArray[Any]], matrices: NDArray[Any]) -> NDArray[Any]:
    """Return the matrices of a block of spins, shape (left, out, in, right)."""
    merged: NDArray[Any] = np.eye(tensors[0].shape[0]).reshape(tensors[0].shape[0], 1, 1, -1)
    for tensor in tensors:
        site = np.einsum("lar,aij->lijr", tensor, matrices)
        merged = np.einsum("lpqm,mijr->lpiqjr", merged, site)
        merged = merged.reshape(merged.shape[0], merged.shape[1] * 2, -1, merged.shape[5])
    return merged


def _check_dense_terms(terms: Mapping[int, ArrayLike], sizes: list[int]) -> dict[int, NDArray[Any]]:
    checked = {}
    for block, term in terms.items():
        if not 0 <= block < len(sizes):
            raise InputError(f"Argument `dense_terms` must name blocks 0 .. {len(sizes) - 1}, but names {block!r}.")
        name, side = f"dense_terms[{block}]", 2 ** sizes[block]
        matrix = check_finite_array(name, term, ndim=2, complex_allowed=True)
        if matrix.shape != (side, side):
            raise InputError(f"Argument `{name}` must have shape ({side}, {side}), but has {matrix.shape}.")
        checked[block] = matrix
    return checked


def _add_dense_terms(blocks: list[NDArray[Any]], terms: dict[int, NDArray[Any]]) -> list[NDArray[Any]]:
    """Return the MPO plus the matrices: two more bond states, `not begun` and `done`, joined by the matrix."""
    last = len(blocks) - 1
    dtype = np.result_type(*blocks, *terms.values())
    wider = []
    for k, tensor in enumerate(blocks):
        left, side, _, right = tensor.shape
        identity = np.eye(side)
        extra = np.zeros((2, side, side, 2), dtype)
        extra[0, :, :, 0] = extra[1, :, :, 1] = identity
        extra[0, :, :, 1] = terms.get(k, 0.0 * identity)
        extra = extra[:1] if k == 0 else extra
        extra = extra[:, :, :, 1:] if k == last else extra
        both = np.zeros((left + extra.shape[0], side, side, right + extra.shape[3]), dtype)
        both[:left, :, :, :right], both[left:, :, :, right:] = tensor, extra
        both = both.sum(axis=0, keepdims=True) if k == 0 else both
        wider.append(both.sum(axis=3, keepdims=True) if k == last else both)
    return wider
