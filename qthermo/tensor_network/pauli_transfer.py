"""Operators as real vectors in the Pauli basis: generators and gates of the Heisenberg equation, bond by bond.

Site basis: I, X, Y, Z, each divided by sqrt(2), in this order. A Hermitian operator O = sum_P o_P P is the real vector
o_P, and its evolution under H and jump operators, dO/dt = i[H, O] + sum_k r_k (L_k^dag O L_k - {L_k^dag L_k, O}/2), is
a real linear map; without jumps it is orthogonal.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from qthermo.operators import PauliSum, group_bonds

__all__ = [
    "LETTERS",
    "PAULI_MATRICES",
    "TIME_REVERSAL",
    "bond_generators",
    "cooling_generators",
    "exponentiate",
    "letter_vector",
    "local_generator",
]

LETTERS = "IXYZ"
PAULI_MATRICES = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], np.complex128)
TIME_REVERSAL = np.array([1.0, 1.0, -1.0, 1.0])
"""Signs that complex conjugation of the matrix gives to I, X, Y, Z."""


@cache
def _pair_basis() -> NDArray[np.complex128]:
    """Return the 16 products P_a (x) P_b, shape (16, 4, 4), index 4 a + b."""
    pairs = [np.einsum("ij,kl->ikjl", a, b).reshape(4, 4) for a in PAULI_MATRICES for b in PAULI_MATRICES]
    return np.array(pairs)


def letter_vector(letter: str) -> NDArray[np.float64]:
    """Return the unit vector of a Pauli letter."""
    vector: NDArray[np.float64] = np.eye(4)[LETTERS.index(letter)]
    return vector


def bond_generators(
    hamiltonian: PauliSum, num_sites: int, jumps: Sequence[tuple[float, PauliSum]] = ()
) -> NDArray[np.float64]:
    """Return the generators G_k of dO/dt = sum_k G_k O on the bonds (k, k+1), shape (num_sites - 1, 16, 16).

    Args:
        hamiltonian: at most nearest-neighbour terms.
        num_sites: length of the chain.
        jumps: pairs of rate (1/time) and jump operator on one site or two neighbouring sites.

    Raises:
        InputError: a term or a jump operator reaches beyond neighbouring sites.
    """
    paulis = _pair_basis()
    bonds = group_bonds(hamiltonian, num_sites)
    generators = np.array([_commutator_map(_bond_matrix(bond, k), paulis) for k, bond in enumerate(bonds)])
    for rate, jump in jumps:
        k = min(jump.sites[0], num_sites - 2) if jump.sites else 0
        generators[k] += rate * _dissipator_map(_bond_matrix(jump, k), paulis)
    return generators


def local_generator(
    hamiltonian: PauliSum, sites: tuple[int, ...], jumps: Sequence[tuple[float, PauliSum]] = ()
) -> NDArray[np.float64]:
    """Return the generator of dO/dt from terms and jumps on one site or on a pair, wherever these are."""
    paulis = PAULI_MATRICES if len(sites) == 1 else _pair_basis()
    places = {site: place for place, site in enumerate(sites)}

    def matrix(operator: PauliSum) -> NDArray[Any]:
        return PauliSum.from_letters(
            (coefficient, {places[site]: letter for site, letter in string.letters.items()})
            for string, coefficient in operator.items()
        ).to_dense(len(sites))

    generator = _commutator_map(matrix(hamiltonian), paulis)
    for rate, jump in jumps:
        generator = generator + rate * _dissipator_map(matrix(jump), paulis)
    return generator


def cooling_generators(hamiltonian: PauliSum, num_sites: int) -> NDArray[np.float64]:
    """Return the generators of dR/d beta = -{H, R}/4, so that R(beta) = e^{-beta H / 2}, on the bonds (k, k+1)."""
    paulis = _pair_basis()
    matrices = [_bond_matrix(bond, k) for k, bond in enumerate(group_bonds(hamiltonian, num_sites))]
    return np.array([_expand(-(H @ paulis + paulis @ H) / 4, paulis) for H in matrices])


def _bond_matrix(operator: PauliSum, bond: int) -> NDArray[Any]:
    return operator.shift_sites(-bond).to_dense(2)


def _expand(images: NDArray[np.complex128], paulis: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Return the matrix elements Tr[P_a image_b] / Tr[1]."""
    elements: NDArray[np.float64] = np.einsum("aij,bji->ab", paulis, images).real / paulis.shape[1]
    return elements


def _commutator_map(H: NDArray[Any], paulis: NDArray[np.complex128]) -> NDArray[np.float64]:
    return _expand(1j * (H @ paulis - paulis @ H), paulis)


def _dissipator_map(L: NDArray[Any], paulis: NDArray[np.complex128]) -> NDArray[np.float64]:
    adjoint = L.conj().T
    decay = adjoint @ L
    return _expand(adjoint @ paulis @ L - (decay @ paulis + paulis @ decay) / 2, paulis)


def exponentiate(generators: NDArray[Any], step: float) -> NDArray[Any]:
    """Return exp(step G_k) for every bond."""
    gates: NDArray[Any] = scipy.linalg.expm(step * generators)
    return gates
