"""Thermometer and bath in the eigenbasis of H_T + H_B, the view that the theory and the propagator share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.checks import check_finite_array, check_hermitian, frozen
from qthermo.errors import InputError
from qthermo.memory import check_memory
from qthermo.operators import PauliSum, find_symmetries, sector_isometries

__all__ = ["BathEigenbasis", "diagonalise_bath"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BathEigenbasis:
    """H = H_T + H_B + V with thermometer levels a = 0..d-1 and bath eigenstates i = 0..N-1.

    The basis state (i, a) has energy bath_energies[i] + level_energies[a] and index a*N + i. The coupling has matrix
    elements V_{(ia),(jb)} = blocks[a, b][i, j]; blocks are given for a <= b, the rest follows from Hermiticity.

    Args:
        level_energies: E_a, shape (d,).
        level_values: z_a, the value of the thermometer observable in level a, shape (d,).
        bath_energies: e_i, shape (N,).
        blocks: map from (a, b), a <= b, to a real or complex matrix of shape (N, N); missing blocks are zero.

    Raises:
        InputError: a shape does not fit, an entry is not finite, or a diagonal block is not Hermitian.
    """

    level_energies: NDArray[np.float64]
    level_values: NDArray[np.float64]
    bath_energies: NDArray[np.float64]
    blocks: Mapping[tuple[int, int], NDArray[Any]]

    def __post_init__(self) -> None:
        for name in ("level_energies", "level_values", "bath_energies"):
            object.__setattr__(self, name, check_finite_array(name, getattr(self, name), ndim=1))
        if self.level_values.shape != self.level_energies.shape:
            raise InputError(
                f"Argument `level_values` must have the shape {self.level_energies.shape} of `level_energies`, "
                f"but has {self.level_values.shape}."
            )
        blocks = {}
        for (a, b), matrix in self.blocks.items():
            name = f"blocks[{a}, {b}]"
            if not 0 <= a <= b < self.num_levels:
                raise InputError(f"Block indices must obey 0 <= a <= b < {self.num_levels}, but got ({a}, {b}).")
            checked = check_finite_array(name, matrix, ndim=2, complex_allowed=True)
            if checked.shape != (self.num_bath_states,) * 2:
                raise InputError(
                    f"Argument `{name}` must be {self.num_bath_states} square, but has shape {checked.shape}."
                )
            if a == b:
                check_hermitian(name, checked)
            blocks[a, b] = checked
        object.__setattr__(self, "blocks", MappingProxyType(blocks))

    @property
    def num_levels(self) -> int:
        """The number d of thermometer levels."""
        return int(self.level_energies.size)

    @property
    def num_bath_states(self) -> int:
        """The number N of bath states."""
        return int(self.bath_energies.size)

    @property
    def energies(self) -> NDArray[np.float64]:
        """Energies e_i + E_a of the uncoupled states, shape (d, N)."""
        total: NDArray[np.float64] = self.level_energies[:, None] + self.bath_energies[None, :]
        return total

    @property
    def is_real(self) -> bool:
        """Whether every coupling block is real."""
        return not any(np.iscomplexobj(block) for block in self.blocks.values())

    def to_matrix(self) -> NDArray[Any]:
        """Return H, shape (d*N, d*N), index a*N + i."""
        n, d = self.num_bath_states, self.num_levels
        matrix = np.zeros((d, n, d, n), np.float64 if self.is_real else np.complex128)
        for (a, b), block in self.blocks.items():
            matrix[a, :, b, :] += block
            if a != b:
                matrix[b, :, a, :] += block.conj().T
        flat = matrix.reshape(d * n, d * n)
        flat[np.diag_indices(d * n)] += self.energies.ravel()
        return flat


def diagonalise_bath(
    thermometer: PauliSum, bath: PauliSum, coupling: PauliSum, num_sites: int, *, thermometer_sites: int = 1
) -> BathEigenbasis:
    """Rotate a spin model (thermometer on the first sites) to the bath's eigenbasis, symmetry sector by sector.

    Args:
        thermometer: H_T, diagonal (only Z letters), on sites below `thermometer_sites`.
        bath: H_B, on the other sites.
        coupling: V.
        num_sites: number of sites in all.
        thermometer_sites: number of thermometer spins; z_a is Z_0.

    Raises:
        InputError: H_T is not diagonal in the Z basis.
        MemoryRefusedError: the dense bath matrices do not fit.

    Cost: one eigendecomposition per sector of the bath's Pauli-string symmetries, plus one product of two matrices
    of size 2**num_bath_sites per operator in V.
    """
    if any(string.x for string in thermometer):
        raise InputError(f"The thermometer's Hamiltonian must be diagonal in the Z basis, but is {thermometer}.")
    bath_sites, d = num_sites - thermometer_sites, 2**thermometer_sites
    dim = 2**bath_sites
    parts = _split_coupling(coupling, thermometer_sites)
    check_memory(
        8.0 * dim * dim * (4 + len(parts)) * (1 if bath.is_real and coupling.is_real else 2),
        what=f"The eigenbasis of a bath of {bath_sites} spins",
        remedy="take a smaller bath, or a method that needs no eigenbasis.",
    )
    energies, vectors = _eigenbasis(bath.shift_sites(-thermometer_sites), bath_sites)
    blocks: dict[tuple[int, int], NDArray[Any]] = {}
    for left, operator in parts.items():
        elements = left.to_dense(thermometer_sites)
        rotated = vectors.conj().T @ (operator.to_sparse(bath_sites) @ vectors)
        for a in range(d):
            for b in range(a, d):
                if elements[a, b] != 0:
                    blocks[a, b] = blocks.get((a, b), 0.0) + elements[a, b] * rotated
    blocks = {place: _drop_imaginary_zero(block) for place, block in blocks.items()}
    for place in [place for place in blocks if place[0] == place[1]]:
        blocks[place] = (blocks[place] + blocks[place].conj().T) / 2
    levels = np.real(np.diag(thermometer.to_dense(thermometer_sites)))
    values = np.real(np.diag(PauliSum.pauli("Z", 0).to_dense(thermometer_sites)))
    return BathEigenbasis(level_energies=levels, level_values=values, bath_energies=energies, blocks=blocks)


def _split_coupling(coupling: PauliSum, thermometer_sites: int) -> dict[PauliSum, PauliSum]:
    """Write V as a sum of (string on the thermometer) x (operator on the bath, its sites counted from 0)."""
    mask = (1 << thermometer_sites) - 1
    parts: dict[PauliSum, PauliSum] = {}
    for string, coefficient in coupling.items():
        left = PauliSum([(type(string)(string.x & mask, string.z & mask), 1.0)])
        right = PauliSum([(type(string)(string.x >> thermometer_sites, string.z >> thermometer_sites), coefficient)])
        parts[left] = parts.get(left, PauliSum()) + right
    return parts


def _eigenbasis(bath: PauliSum, num_sites: int) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return eigenvalues and eigenvectors (columns), sector by sector, sorted by energy."""
    matrix = bath.to_sparse(num_sites)
    energies, vectors = [], []
    for sector in sector_isometries(find_symmetries([bath], num_sites), num_sites):
        values, columns = np.linalg.eigh((sector.T @ matrix @ sector).toarray())
        energies.append(values)
        vectors.append(sector @ columns)
    flat = np.concatenate(energies)
    order = np.argsort(flat, kind="stable")
    return flat[order], np.concatenate(vectors, axis=1)[:, order]


def _drop_imaginary_zero(block: NDArray[Any]) -> NDArray[Any]:
    return frozen(block.real) if np.iscomplexobj(block) and not np.any(block.imag) else block
