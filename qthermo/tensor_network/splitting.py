"""Splitting a two-site tensor: the right basis of a matrix, truncated, by subspace iteration or by its full spectrum.

Only the right basis is needed. A chain in Hastings' form keeps right-orthonormal tensors and, on each bond, a matrix
`w` whose Gram matrix `w^dag w` is that of the left half; the left basis itself never appears.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.linalg import lapack

__all__ = ["Split", "orthonormal_rows", "split_full", "split_warm", "triangular_factor"]

_BLOCK = 32


@dataclass(frozen=True, slots=True)
class Split:
    """`theta ~ (theta basis^dag) basis` with orthonormal rows in `basis`.

    Args:
        basis: shape (rank, columns of theta).
        weight: shape (rank, rank), with the Gram matrix of `theta basis^dag`.
        discarded: the squared Frobenius norm of theta outside the basis.
    """

    basis: NDArray[Any]
    weight: NDArray[Any]
    discarded: float


def orthonormal_rows(matrix: NDArray[Any]) -> NDArray[Any]:
    """Return orthonormal rows that span the rows of a C-ordered matrix, which is overwritten (Householder QR)."""
    geqrf, orgqr = _qr_routines(matrix)
    workspace = _BLOCK * matrix.shape[0]
    factored, tau, _, info = geqrf(matrix.T, lwork=workspace, overwrite_a=1)
    basis, _, info_q = orgqr(factored, tau, lwork=workspace, overwrite_a=1)
    if info or info_q:
        raise scipy.linalg.LinAlgError("LAPACK refused a QR decomposition: a number is not finite.")
    return basis.T  # type: ignore[no-any-return]


def triangular_factor(matrix: NDArray[Any]) -> NDArray[Any]:
    """Return R of `matrix = Q R`, shape (min(shape), columns)."""
    geqrf, _ = _qr_routines(matrix)
    factored, _, _, _ = geqrf(matrix, lwork=_BLOCK * matrix.shape[1])
    return np.triu(factored[: min(matrix.shape)])


def _qr_routines(matrix: NDArray[Any]) -> tuple[Any, Any]:
    if np.iscomplexobj(matrix):
        return lapack.zgeqrf, lapack.zungqr
    return lapack.dgeqrf, lapack.dorgqr


def split_full(theta: NDArray[Any], max_rank: int, cutoff: float) -> Split:
    """Return the best basis of rank `max_rank` or of discarded weight `cutoff * |theta|^2`, whichever is smaller.

    The spectrum is that of the Gram matrix of the shorter side; singular values below 1e-7 of the largest, squared
    1e-14 of the weight, are where the Gram matrix loses them, so a finer cutoff takes the singular values themselves.

    Cost: one Hermitian eigenproblem of the shorter side.
    """
    if cutoff < 1e-13:
        return _split_svd(theta, max_rank, cutoff)
    rows, columns = theta.shape
    adjoint = theta.conj().T
    values, vectors = scipy.linalg.eigh(
        adjoint @ theta if columns <= rows else theta @ adjoint, driver="evd", overwrite_a=True, check_finite=False
    )
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    rank, discarded = _choose_rank(values, max_rank, cutoff)
    sigma = np.sqrt(values[:rank])
    if columns <= rows:
        return Split(np.ascontiguousarray(vectors[:, :rank].conj().T), np.diag(sigma), discarded)
    basis = orthonormal_rows(np.ascontiguousarray(vectors[:, :rank].conj().T @ theta))
    weight = triangular_factor(theta @ basis.conj().T)
    return Split(basis, weight, discarded)


def _split_svd(theta: NDArray[Any], max_rank: int, cutoff: float) -> Split:
    _, sigma, right = scipy.linalg.svd(theta, full_matrices=False, check_finite=False)
    rank, discarded = _choose_rank(sigma**2, max_rank, cutoff)
    return Split(np.ascontiguousarray(right[:rank]), np.diag(sigma[:rank]), discarded)


def _choose_rank(weights: NDArray[np.float64], max_rank: int, cutoff: float) -> tuple[int, float]:
    """Return the rank and what it discards, for weights in descending order."""
    tails = np.cumsum(weights[::-1])[::-1]
    rank = int(np.count_nonzero(tails > cutoff * tails[0])) if tails[0] > 0 else 1
    rank = max(1, min(rank, max_rank))
    return rank, float(tails[rank]) if rank < weights.size else 0.0


def split_warm(
    theta: NDArray[Any], guess: NDArray[Any], extra: NDArray[np.float64] | None, max_rank: int, cutoff: float
) -> Split | None:
    """Return a split by one step of subspace iteration from `guess`, or None where the full spectrum is needed.

    The rows of `guess` (the bond's old right basis) are carried through theta^dag theta and orthonormalised. With as
    many rows as `max_rank` nothing else is needed. With fewer, `extra @ theta` widens the subspace, whose spectrum
    then decides the rank; None says that the subspace was too narrow for the cutoff.

    Cost: two products with theta and a QR of `max_rank` rows: for spins in the Pauli basis a seventh of an SVD.
    Reference: J. Unfried, J. Hauschild, F. Pollmann, arXiv:2212.09782.
    """
    seeds = theta @ guess.conj().T
    block = seeds.conj().T @ theta
    if extra is not None:
        block = np.concatenate([block, extra @ theta])
    basis = orthonormal_rows(block)
    projected = theta @ basis.conj().T
    total, kept = _norm_squared(theta), _norm_squared(projected)
    outside = max(total - kept, 0.0)
    if extra is None:
        return Split(basis, triangular_factor(projected), outside)
    if outside > cutoff * total:
        return None
    values, vectors = scipy.linalg.eigh(
        projected.conj().T @ projected, driver="evd", overwrite_a=True, check_finite=False
    )
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    rank, discarded = _choose_rank(values, max_rank, max(cutoff - outside / total, 0.0))
    return Split(vectors[:, :rank].conj().T @ basis, np.diag(np.sqrt(values[:rank])), discarded + outside)


def _norm_squared(matrix: NDArray[Any]) -> float:
    return float(np.vdot(matrix, matrix).real)
