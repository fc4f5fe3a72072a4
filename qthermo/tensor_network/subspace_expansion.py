"""Widening the bonds of a state by what the generator makes of it, so that no projection can lose it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.tensor_network.canonical_chain import CanonicalChain

__all__ = ["apply_mpo", "expand_basis", "expand_by_krylov"]

_WIDEST = 256


def apply_mpo(mpo: Sequence[NDArray[Any]], tensors: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return the tensors of MPO times vector, bond dimensions multiplied; cost chi^2 w^2 d^2."""
    product = []
    for W, tensor in zip(mpo, tensors, strict=True):
        joined = np.tensordot(W, tensor, (3, 1))
        w, v, d = W.shape[:3]
        left, _, right = tensor.shape
        product.append(joined.transpose(0, 3, 2, 1, 4).reshape(w * left, d, v * right))
    return product


def expand_by_krylov(
    tensors: Sequence[NDArray[Any]], mpo: Sequence[NDArray[Any]], *, max_bond_dim: int, cutoff: float, depth: int = 2
) -> list[NDArray[Any]]:
    """Return the same vector with bonds that also hold MPO v, MPO^2 v, ... as far as these are cheap to form.

    Args:
        tensors: v, right-orthonormal but for the first tensor.
        mpo: the generator.
        max_bond_dim: no bond grows beyond it.
        cutoff: squared weight, relative to the norm of MPO^k v, below which a direction is left out.
        depth: largest power of the MPO.

    Two-site updates alone never reach what needs two bonds opened at once, such as a coupling of distant sites.
    Reference: M. Yang, S. R. White, Phys. Rev. B 102, 094315 (2020), arXiv:2005.06104.
    """
    width = max(W.shape[1] for W in mpo)
    powers: list[CanonicalChain] = []
    current: Sequence[NDArray[Any]] = tensors
    for _ in range(depth):
        if width * max(tensor.shape[2] for tensor in current) > _WIDEST:
            break
        chain = CanonicalChain.from_tensors(apply_mpo(mpo, current), max_bond_dim, cutoff)
        norm = np.sqrt(chain.norm_squared)
        if norm == 0:
            break
        chain.tensors[0] = chain.tensors[0] / norm
        chain.weights[1:] = [weight / norm for weight in chain.weights[1:]]
        powers.append(chain)
        current = chain.tensors
    return expand_basis(tensors, powers, max_bond_dim, cutoff) if powers else list(tensors)


def expand_basis(
    tensors: Sequence[NDArray[Any]], others: Sequence[CanonicalChain], max_bond_dim: int, cutoff: float
) -> list[NDArray[Any]]:
    """Return v with right bases that also span those of the other vectors; v itself does not change."""
    centres = [tensors[-1], *[other.tensors[-1] for other in others]]
    expanded = list(tensors)
    for site in range(len(tensors) - 1, 0, -1):
        flat = [centre.reshape(centre.shape[0], -1) for centre in centres]
        weighted = [other.weights[site] @ rows for other, rows in zip(others, flat[1:], strict=True)]
        basis = _extend_rows(flat[0], np.concatenate(weighted), max_bond_dim, cutoff)
        expanded[site] = basis.reshape(basis.shape[0], tensors[site].shape[1], -1)
        sources = [tensors[site - 1], *[other.tensors[site - 1] for other in others]]
        centres = [tensor @ (rows @ basis.conj().T) for tensor, rows in zip(sources, flat, strict=True)]
    expanded[0] = centres[0]
    return expanded


def _extend_rows(basis: NDArray[Any], rows: NDArray[Any], max_rows: int, cutoff: float) -> NDArray[Any]:
    """Append to orthonormal rows the leading directions of other rows outside their span."""
    room = min(max_rows, basis.shape[1]) - basis.shape[0]
    if room <= 0:
        return basis
    for _ in range(2):
        rows = rows - (rows @ basis.conj().T) @ basis
    _, sigma, directions = np.linalg.svd(rows, full_matrices=False)
    extra = directions[:room][sigma[:room] ** 2 > cutoff]
    extra = extra - (extra @ basis.conj().T) @ basis
    return np.concatenate([basis, extra]) if extra.size else basis
