"""Pauli-string symmetries of a Hamiltonian and the sectors they define."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from qthermo.operators.pauli_matrices import basis_mask, string_signs
from qthermo.operators.pauli_sum import PauliString, PauliSum

__all__ = ["find_symmetries", "sector_isometries"]


def find_symmetries(operators: Iterable[PauliSum], num_sites: int) -> tuple[PauliString, ...]:
    """Return independent, mutually commuting Pauli strings that commute with every term of every operator.

    Only strings with a real matrix are returned, so that real Hamiltonians keep real blocks. The search is linear
    algebra over GF(2): the strings that commute with all terms form a vector space, in which a symplectic
    Gram-Schmidt pass keeps a mutually commuting set. Cost: num_sites^2 * number of terms bit operations.
    """
    full = (1 << num_sites) - 1
    constraints = {string.z | string.x << num_sites for operator in operators for string in operator}
    null_space = [PauliString(v & full, v >> num_sites) for v in _null_space(constraints, 2 * num_sites)]
    candidates = [string for string in null_space if string.num_y % 2 == 0]
    chosen: list[PauliString] = []
    while candidates:
        first = candidates.pop(0)
        chosen.append(first)
        partner = next((string for string in candidates if not first.commutes_with(string)), None)
        if partner is None:
            continue
        candidates.remove(partner)
        repaired = [_make_commuting(string, first, partner) for string in candidates]
        candidates = [string for string in repaired if string.num_y % 2 == 0]
    return tuple(chosen)


def _make_commuting(string: PauliString, first: PauliString, partner: PauliString) -> PauliString:
    x, z = string.x, string.z
    if not string.commutes_with(first):
        x, z = x ^ partner.x, z ^ partner.z
    if not string.commutes_with(partner):
        x, z = x ^ first.x, z ^ first.z
    return PauliString(x, z)


def _null_space(rows: Iterable[int], num_bits: int) -> list[int]:
    """Return a basis of {v : |row & v| even for every row} over GF(2)."""
    pivots: dict[int, int] = {}
    for row in sorted(rows):
        reduced = row
        for pivot, pivot_row in pivots.items():
            if reduced >> pivot & 1:
                reduced ^= pivot_row
        if reduced:
            pivot = reduced.bit_length() - 1
            for other, other_row in pivots.items():
                if other_row >> pivot & 1:
                    pivots[other] = other_row ^ reduced
            pivots[pivot] = reduced
    basis = []
    for free in range(num_bits):
        if free not in pivots:
            vector = 1 << free
            for pivot, row in pivots.items():
                if row >> free & 1:
                    vector |= 1 << pivot
            basis.append(vector)
    return basis


def sector_isometries(symmetries: Sequence[PauliString], num_sites: int) -> list[csr_array]:
    """Return one real isometry per common eigenspace of commuting Pauli strings.

    The columns of each matrix, shape (2**num_sites, dimension), are an orthonormal basis of the eigenspace; together
    they span the whole space. With no symmetry the identity is the only one.

    Cost: 2**num_sites * 2**(number of strings that flip spins) stored numbers in all.
    """
    flips, diagonals = _echelon(symmetries)
    masks = [(basis_mask(s.x, num_sites), basis_mask(s.z, num_sites), (1j**s.num_y).real) for s in flips]
    pivots = 0
    for string in flips:
        pivots |= 1 << (num_sites - 1 - _pivot(string.x))
    indices = np.arange(2**num_sites, dtype=np.int64)
    starts = indices[(indices & pivots) == 0]
    sectors = []
    for values in product((1.0, -1.0), repeat=len(diagonals)):
        kept = starts
        for value, string in zip(values, diagonals, strict=True):
            kept = kept[string_signs(basis_mask(string.z, num_sites), kept) == value]
        sectors += [_orbit_basis(kept, masks, signs, 2**num_sites) for signs in product((1.0, -1.0), repeat=len(masks))]
    return [sector for sector in sectors if sector.shape[1]]


def _pivot(mask: int) -> int:
    return mask.bit_length() - 1


def _echelon(symmetries: Sequence[PauliString]) -> tuple[list[PauliString], list[PauliString]]:
    """Return equivalent generators: those with distinct pivots in x (each pivot in one string only), and diagonal ones.

    Signs of the products are dropped: they only relabel the sectors.
    """
    flips: list[PauliString] = []
    diagonals: list[PauliString] = []
    for string in symmetries:
        for other in flips:
            if string.x >> _pivot(other.x) & 1:
                string = PauliString(string.x ^ other.x, string.z ^ other.z)
        if not string.x:
            diagonals.append(string)
            continue
        pivot = _pivot(string.x)
        flips = [PauliString(o.x ^ string.x, o.z ^ string.z) if o.x >> pivot & 1 else o for o in flips]
        flips.append(string)
    return flips, diagonals


def _orbit_basis(
    starts: NDArray[np.int64], masks: list[tuple[int, int, float]], signs: tuple[float, ...], dim: int
) -> csr_array:
    """Return columns sum_e prod_k (sign_k P_k)^(e_k) |start> / sqrt(2^r) for the r flipping strings P_k."""
    rows: list[NDArray[Any]] = [starts]
    amplitudes: list[NDArray[Any]] = [np.full(starts.size, 2.0 ** (-len(masks) / 2))]
    for (x, z, phase), sign in zip(masks, signs, strict=True):
        for row, amplitude in list(zip(rows, amplitudes, strict=True)):
            rows.append(row ^ x)
            amplitudes.append(amplitude * sign * phase * string_signs(z, row))
    columns = np.tile(np.arange(starts.size), len(rows))
    entries = (np.concatenate(amplitudes), (np.concatenate(rows), columns))
    return csr_array(entries, shape=(dim, starts.size))
