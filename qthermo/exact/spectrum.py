"""Spectra of models, block by block: Pauli-string symmetries for spins, connected components for matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from qthermo.models import MatrixModel, Model, SpinModel
from qthermo.operators import find_symmetries, sector_isometries
from qthermo.progress import Progress

__all__ = [
    "Block",
    "block_dimensions",
    "diagonalise",
    "diagonalise_blocks",
    "find_components",
    "ground_energy",
    "thermal_sums",
]

_NEGLIGIBLE = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Eigenvalues of one block of H, and the thermometer observable in its eigenbasis."""

    energies: NDArray[np.float64]
    observable: NDArray[Any]


def diagonalise(matrix: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return eigenvalues and eigenvectors of a Hermitian matrix, which is overwritten."""
    values, vectors = scipy.linalg.eigh(matrix, driver="evd", overwrite_a=True, check_finite=False)
    return values, vectors


def find_components(matrix: NDArray[Any]) -> list[NDArray[np.intp]]:
    """Return the index sets between which the matrix has only elements below 1e-13 of its largest one."""
    linked = csr_array(np.abs(matrix) > _NEGLIGIBLE * np.abs(matrix).max(initial=0.0))
    count, labels = connected_components(linked, directed=False)
    return [np.flatnonzero(labels == label) for label in range(count)]


def block_dimensions(model: Model) -> list[int]:
    """Return the dimensions of the blocks that symmetry alone guarantees, without building any matrix."""
    if isinstance(model, MatrixModel):
        return [model.dimension]
    strings = find_symmetries([model.hamiltonian, model.observable], model.num_sites)
    return [2 ** (model.num_sites - len(strings))] * 2 ** len(strings)


def diagonalise_blocks(model: Model, progress: Progress) -> list[Block]:
    """Return the spectrum of H with Z_0 in its eigenbasis, one block per sector."""
    parts = _spin_blocks(model) if isinstance(model, SpinModel) else _matrix_blocks(model)
    blocks = []
    for k, (matrix, observable) in enumerate(parts):
        progress(k / len(parts), f"diagonalising block {k + 1} of {len(parts)}")
        energies, vectors = diagonalise(matrix)
        blocks.append(Block(energies, vectors.conj().T @ (observable @ vectors)))
    return blocks


def ground_energy(model: Model) -> float:
    """Return the lowest eigenvalue of H."""
    parts = _spin_blocks(model) if isinstance(model, SpinModel) else _matrix_blocks(model)
    return min(
        float(scipy.linalg.eigh(matrix, eigvals_only=True, subset_by_index=[0, 0], check_finite=False)[0])
        for matrix, _ in parts
    )


def thermal_sums(model: Model, betas: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Tr[H e^{-beta H}] / Z and ln Z for every beta."""
    parts = _spin_blocks(model) if isinstance(model, SpinModel) else _matrix_blocks(model)
    energies = np.concatenate([scipy.linalg.eigh(matrix, eigvals_only=True) for matrix, _ in parts])
    ground = float(energies.min())
    weights = np.exp(-np.outer(betas, energies - ground))
    partition = weights.sum(axis=1)
    return weights @ energies / partition, np.log(partition) - betas * ground


def _spin_blocks(model: SpinModel) -> list[tuple[NDArray[Any], csr_array]]:
    hamiltonian = model.hamiltonian.to_sparse(model.num_sites)
    observable = model.observable.to_sparse(model.num_sites)
    strings = find_symmetries([model.hamiltonian, model.observable], model.num_sites)
    sectors = sector_isometries(strings, model.num_sites)
    return [((s.T @ hamiltonian @ s).toarray(), s.T @ observable @ s) for s in sectors]


def _matrix_blocks(model: MatrixModel) -> list[tuple[NDArray[Any], csr_array]]:
    basis = model.eigenbasis
    matrix = basis.to_matrix()
    values = np.repeat(basis.level_values, basis.num_bath_states)
    return [
        (matrix[np.ix_(part, part)], csr_array((values[part], (range(part.size), range(part.size)))))
        for part in find_components(matrix)
    ]
