"""Parent Hamiltonians of thermalising Lindbladians as MPOs on sites of dimension four, (ket, bra)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.kms.parent import ParentTerm

__all__ = ["build_jump_mpo", "build_parent_mpo", "compress_mpo", "split_operator"]

_EXACT = 1e-14


@dataclass(frozen=True, slots=True, eq=False)
class _LocalMPO:
    """Tensors W[left, right, out, in] on neighbouring sites from `first` on; the outer bonds have dimension 1."""

    first: int
    tensors: list[NDArray[Any]]


def split_operator(matrix: NDArray[Any], num_sites: int) -> list[NDArray[Any]]:
    """Return tensors W[left, right, out, in] whose product is the matrix, the first site the leftmost factor."""
    order = [axis for k in range(num_sites) for axis in (k, num_sites + k)]
    rest = matrix.reshape((2,) * (2 * num_sites)).transpose(order).reshape(1, -1)
    tensors = []
    for _ in range(num_sites - 1):
        left = rest.shape[0]
        u, s, v = np.linalg.svd(rest.reshape(left * 4, -1), full_matrices=False)
        kept = s > _EXACT * s[0]
        tensors.append((u[:, kept] * np.sqrt(s[kept])).reshape(left, 2, 2, -1).transpose(0, 3, 1, 2))
        rest = np.sqrt(s[kept])[:, None] * v[kept]
    tensors.append(rest.reshape(-1, 2, 2, 1).transpose(0, 3, 1, 2))
    return tensors


def build_parent_mpo(terms: Sequence[ParentTerm], num_sites: int) -> list[NDArray[Any]]:
    """Return W[left, right, out, in] of sum_a (K_a x 1 + 1 x K_a^* - M_a x M_a^*), compressed to relative 1e-11.

    Args:
        terms: on patches of neighbouring sites.
        num_sites: n.

    Cost: the cube of the sum of all bonds of the terms that cross one bond, about 250 for radii 1 and 2.
    """
    jumps = [(term.sites, term.jump) for term in terms]
    mpo = build_jump_mpo(jumps, [(term.outer_sites, term.decay) for term in terms], num_sites)
    mpo[0] = -mpo[0]
    return mpo


def build_jump_mpo(
    jumps: Sequence[tuple[tuple[int, ...], NDArray[Any]]],
    decays: Sequence[tuple[tuple[int, ...], NDArray[Any]]],
    num_sites: int,
) -> list[NDArray[Any]]:
    """Return W[left, right, out, in] of X -> sum_a L_a X L_a^dag - K X - X K^dag from operators on patches."""
    total: dict[tuple[int, ...], NDArray[Any]] = {}
    pieces = []
    for sites, decay in decays:
        total[sites] = total[sites] + decay if sites in total else decay
    for sites, jump in jumps:
        tensors = split_operator(jump, len(sites))
        pieces.append(_LocalMPO(sites[0], [_double(tensor, tensor.conj()) for tensor in tensors]))
    one = np.eye(2)[None, None]
    for sites, decay in total.items():
        tensors = split_operator(-decay, len(sites))
        pieces.append(_LocalMPO(sites[0], [_double(tensor, one) for tensor in tensors]))
        pieces.append(_LocalMPO(sites[0], [_double(one, tensor.conj()) for tensor in tensors]))
    return compress_mpo(_sum_local(pieces, num_sites))


def _double(ket: NDArray[Any], bra: NDArray[Any]) -> NDArray[Any]:
    """Return the tensor of an operator on ket and one on bra, physical index (ket, bra)."""
    joined: NDArray[Any] = np.einsum("abij,cdkl->acbdikjl", ket, bra)
    a, c, b, d = joined.shape[:4]
    return joined.reshape(a * c, b * d, 4, 4)


def _sum_local(pieces: Sequence[_LocalMPO], num_sites: int) -> list[NDArray[Any]]:
    """Return the sum as a finite automaton: bond states `not begun`, `done`, and the bonds of terms that cross."""
    offsets: dict[int, int] = {}
    width, tensors = 1, []
    for site in range(num_sites):
        crossing: dict[int, int] = {}
        next_width = 2
        for k, piece in enumerate(pieces):
            if piece.first <= site < piece.first + len(piece.tensors) - 1:
                crossing[k] = next_width
                next_width += piece.tensors[site - piece.first].shape[1]
        tensor = np.zeros((max(width, 2), next_width, 4, 4), np.result_type(*(p.tensors[0] for p in pieces)))
        tensor[0, 0] = tensor[1, 1] = np.eye(4)
        for k, piece in enumerate(pieces):
            place = site - piece.first
            if 0 <= place < len(piece.tensors):
                part = piece.tensors[place]
                row, column = offsets.get(k, 0), crossing.get(k, 1)
                tensor[row : row + part.shape[0], column : column + part.shape[1]] += part
        tensors.append(tensor)
        offsets, width = crossing, next_width
    tensors[0] = tensors[0][:1]
    tensors[-1] = tensors[-1][:, 1:2]
    return tensors


def compress_mpo(tensors: Sequence[NDArray[Any]], *, tolerance: float = 1e-11) -> list[NDArray[Any]]:
    """Return the MPO with singular values below `tolerance` of the largest left out; cost: bond^3 d^2."""
    chain = [tensor.transpose(0, 2, 3, 1) for tensor in tensors]
    shapes = [tensor.shape[1:3] for tensor in chain]
    carry: NDArray[Any] = np.ones((1, 1))
    for k, tensor in enumerate(chain):
        matrix = np.tensordot(carry, tensor, (1, 0))
        left = matrix.shape[0]
        q, carry = np.linalg.qr(matrix.reshape(-1, tensor.shape[3]))
        chain[k] = q.reshape(left, *shapes[k], -1)
    chain[-1] = np.tensordot(chain[-1], carry, (3, 0))
    for k in range(len(chain) - 1, 0, -1):
        tensor = chain[k]
        u, s, v = np.linalg.svd(tensor.reshape(tensor.shape[0], -1), full_matrices=False)
        kept = s > tolerance * s[0]
        chain[k] = v[kept].reshape(-1, *shapes[k], tensor.shape[3])
        chain[k - 1] = np.tensordot(chain[k - 1], u[:, kept] * s[kept], (3, 0))
    return [np.ascontiguousarray(tensor.transpose(0, 3, 1, 2)) for tensor in chain]
