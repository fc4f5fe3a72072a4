"""MPOs for users: any Pauli sum, with spins or blocks of spins as sites, as a quimb object and its error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from qthermo.checks import check_integer, check_real
from qthermo.errors import InputError
from qthermo.operators import PauliSum

if TYPE_CHECKING:
    from quimb.tensor import MatrixProductOperator

__all__ = ["CompressedMPO", "build_mpo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressedMPO:
    """An operator as a matrix product, and what its compression cost.

    Args:
        operator: the quimb MatrixProductOperator, of real tensors where the operator is a real matrix.
        dimensions: dimension of every site.
        bond_dimensions: dimension of every bond between neighbouring sites.
        relative_error: |MPO - O| / |O| in the Frobenius norm, as the compression counted it: to 1e-8 where
            `truncation_error` is 1e-13 or more, else to rounding.
    """

    operator: MatrixProductOperator
    dimensions: tuple[int, ...]
    bond_dimensions: tuple[int, ...]
    relative_error: float


def build_mpo(
    operator: PauliSum,
    *,
    num_sites: int | None = None,
    block_sizes: Sequence[int] | None = None,
    dense_terms: Mapping[int, ArrayLike] | None = None,
    truncation_error: float = 1e-26,
) -> CompressedMPO:
    """Return `operator`, plus matrices on blocks, as an MPO of the least bond dimension.

    O = sum_k c_k P_k + sum_b 1 (x) D_b (x) 1, with D_b a matrix on block b. Terms may act on any number of sites, near
    or far. Bonds follow from singular values, so that they are the least that `truncation_error` allows: 3 for the
    Imbrie chain, N/2 + 2 for all-to-all couplings.

    Args:
        operator: the Pauli sum, Hermitian or not.
        num_sites: number of spins, by default one more than the last that the operator acts on.
        block_sizes: number of spins of each block, by default one block for every spin. A block of k neighbouring
            spins is one site of dimension 2^k, its first spin the leftmost Kronecker factor: an ergodic grain among
            single spins is `[1, 6, 1, 1]`.
        dense_terms: a matrix (2^k, 2^k) to add on a block, by the block's number: a grain given as a matrix.
        truncation_error: weight that one bond may discard, relative to the squared Frobenius norm.

    Raises:
        InputError: the blocks do not cover the operator or do not add up to `num_sites`, or a matrix does not fit.

    Example:
        >>> import qthermo as qt
        >>> mpo = qt.tensor_network.build_mpo(qt.PauliSum.from_text("Z0 + 0.5 X0 X1 + 0.2 Z1 Z2"))
        >>> mpo.bond_dimensions
        (3, 2)

    Cost: one SVD per bond of an automaton with as many states as distinct left halves of terms cross the bond; a block
    of k spins takes 4^k numbers for each pair of bond states.
    Reference: C. Hubig, I. P. McCulloch, U. Schollwoeck, arXiv:1611.02498.
    """
    from qthermo.tensor_network.block_mpo import build_block_tensors
    from qthermo.tensor_network.quimb_door import to_quimb_mpo

    sizes = _check_sizes(operator, num_sites, block_sizes)
    cutoff = check_real("truncation_error", truncation_error, minimum=0)
    tensors, error = build_block_tensors(operator, sizes, dense_terms=dense_terms, cutoff=cutoff)
    return CompressedMPO(
        operator=to_quimb_mpo(tensors),
        dimensions=tuple(tensor.shape[2] for tensor in tensors),
        bond_dimensions=tuple(tensor.shape[1] for tensor in tensors[:-1]),
        relative_error=error,
    )


def _check_sizes(operator: PauliSum, num_sites: int | None, block_sizes: Sequence[int] | None) -> list[int]:
    if not isinstance(operator, PauliSum):
        raise InputError(f"Argument `operator` must be a PauliSum, but is a {type(operator).__name__}.")
    if block_sizes is None:
        least = max(operator.num_sites, 1)
        return [1] * (least if num_sites is None else check_integer("num_sites", num_sites, minimum=least))
    sizes = [check_integer(f"block_sizes[{k}]", size, minimum=1) for k, size in enumerate(block_sizes)]
    if num_sites is not None and sum(sizes) != num_sites:
        raise InputError(
            f"Argument `block_sizes` must add up to num_sites = {num_sites}, but adds up to {sum(sizes)}: "
            "give one of the two, or mend it."
        )
    return sizes
