"""Any Pauli sum as a matrix-product vector over I, X, Y, Z, and as an MPO on spins or on operators."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.operators import PauliSum
from qthermo.tensor_network.canonical_chain import CanonicalChain
from qthermo.tensor_network.pauli_transfer import LETTERS, PAULI_MATRICES

__all__ = [
    "COMPRESSION",
    "LEFT_MULTIPLICATION",
    "build_mpo_tensors",
    "build_superoperator",
    "compress_pauli_vector",
    "pauli_vector",
    "real_form",
]

LEFT_MULTIPLICATION = np.einsum("aij,pjk,bki->pab", PAULI_MATRICES, PAULI_MATRICES, PAULI_MATRICES).round() / 2
"""P_p times an operator, in the Pauli basis: element (a, b) is Tr[P_a P_p P_b] / 2."""

COMPRESSION = 1e-26
"""Weight, relative to the squared norm, that the compression of one bond may discard."""

_REAL_MATRICES = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, 1], [-1, 0]], [[1, 0], [0, -1]]], np.float64)
"""I, X, iY, Z."""


def pauli_vector(operator: PauliSum, num_sites: int) -> list[NDArray[Any]]:
    """Return tensors (left, 4, right) of the coefficients c_P, exact and not compressed; real if every c_P is.

    A finite automaton: the states of a bond are `not begun`, `done`, and one for each distinct left half of the terms
    that cross it. For two-body terms the bond dimension is at most 3 * (sites on the left) + 2.
    """
    terms = [(string.letters, coefficient) for string, coefficient in operator.items()]
    dtype = np.float64 if operator.is_hermitian else np.complex128
    tensors = []
    begun: dict[tuple[tuple[int, str], ...], int] = {}
    for site in range(num_sites):
        crossing: dict[tuple[tuple[int, str], ...], int] = {}
        entries: dict[tuple[int, int, int], complex] = {(0, 0, 0): 1.0, (1, 0, 1): 1.0}
        for letters, coefficient in terms:
            _add_term(entries, letters, coefficient, site, begun, crossing)
        tensor = np.zeros((2 + len(begun), 4, 2 + len(crossing)), np.complex128)
        for place, value in entries.items():
            tensor[place] = value
        tensors.append(tensor if dtype is np.complex128 else tensor.real.copy())
        begun = crossing
    tensors[0] = tensors[0][:1]
    tensors[-1] = tensors[-1][:, :, 1:2]
    return tensors


def _add_term(
    entries: dict[tuple[int, int, int], complex],
    letters: dict[int, str],
    coefficient: complex,
    site: int,
    begun: dict[tuple[tuple[int, str], ...], int],
    crossing: dict[tuple[tuple[int, str], ...], int],
) -> None:
    """Enter one term at one site: begin it, carry it on, or end it with its coefficient."""
    sites = list(letters) or [0]
    if not sites[0] <= site <= sites[-1]:
        return
    left = tuple(item for item in letters.items() if item[0] < site)
    source = begun[left] if left else 0
    letter = LETTERS.index(letters.get(site, "I"))
    if site == sites[-1]:
        entries[source, letter, 1] = entries.get((source, letter, 1), 0.0) + coefficient
        return
    here = (*left, (site, letters[site])) if site in letters else left
    target = crossing.setdefault(here, 2 + len(crossing))
    entries[source, letter, target] = 1.0


def compress_pauli_vector(operator: PauliSum, num_sites: int, *, cutoff: float = COMPRESSION) -> CanonicalChain:
    """Return the coefficients with the least bond dimensions; `discarded_weight` is the squared relative error.

    Cost: one SVD per bond of the automaton's dimension.
    """
    tensors = pauli_vector(operator, num_sites)
    widest = max(tensor.shape[2] for tensor in tensors)
    return CanonicalChain.from_tensors(tensors, widest, cutoff)


def build_mpo_tensors(
    operator: PauliSum, num_sites: int, *, matrices: NDArray[Any] = PAULI_MATRICES
) -> tuple[list[NDArray[Any]], float]:
    """Return MPO tensors W[left, right, out, in] with the least bond dimension, and their relative error.

    Args:
        operator: the Pauli sum.
        num_sites: sites 0 .. num_sites - 1.
        matrices: what stands for I, X, Y, Z on a site, shape (4, d, d): by default the Pauli matrices;
            `LEFT_MULTIPLICATION` gives the map O -> H O on operators in the Pauli basis.

    The MPO of a real matrix has real tensors (pairs of Y become pairs of iY).
    """
    if operator.is_real and matrices is PAULI_MATRICES:
        operator, matrices = real_form(operator)
    chain = compress_pauli_vector(operator, num_sites)
    arrays = [np.einsum("lar,aij->lrij", tensor, matrices) for tensor in chain.tensors]
    return arrays, float(np.sqrt(chain.discarded_weight))


def real_form(operator: PauliSum) -> tuple[PauliSum, NDArray[np.float64]]:
    """Return coefficients and matrices of I, X, iY, Z that give the same real matrix: pairs of Y become pairs of iY."""
    signed = PauliSum([(string, c * (-1) ** (string.num_y // 2)) for string, c in operator.items()])
    return signed, _REAL_MATRICES


def build_superoperator(hamiltonian: PauliSum, num_sites: int, kind: str) -> list[NDArray[Any]]:
    """Return the MPO of a real map on operators in the Pauli basis, W[left, right, out, in], local dimension 4.

    `kind` is "commutator" for O -> i [H, O] or "anticommutator" for O -> {H, O}. With P_k O = (S_k + i K_k) O on each
    site, S and K real, i [H, O] = -2 sum c Im prod_k (S_k + i K_k) O and {H, O} = 2 sum c Re prod_k (S_k + i K_k) O.
    The bond carries real and imaginary part, so its dimension is twice that of H.
    """
    chain = compress_pauli_vector(hamiltonian, num_sites)
    arrays = []
    for tensor in chain.tensors:
        real = np.einsum("lar,aij->lrij", tensor, LEFT_MULTIPLICATION.real)
        imaginary = np.einsum("lar,aij->lrij", tensor, LEFT_MULTIPLICATION.imag)
        wide = np.array([[real, imaginary], [-imaginary, real]]).transpose(2, 0, 3, 1, 4, 5)
        arrays.append(wide.reshape(2 * tensor.shape[0], 2 * tensor.shape[2], 4, 4))
    part, weight = (1, -2.0) if kind == "commutator" else (0, 2.0)
    arrays[0] = arrays[0][:1]
    arrays[-1] = weight * arrays[-1][:, part : part + 1]
    return arrays
