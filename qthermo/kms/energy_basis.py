"""The eigenbasis of H with its Gibbs state, and operators in it, real wherever physics allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.special import logsumexp

from qthermo.operators import PauliSum

__all__ = ["EnergyBasis", "diagonalise", "site_couplings", "stack_couplings", "to_real_matrix"]


@dataclass(frozen=True, slots=True, eq=False)
class EnergyBasis:
    """Eigenvalues and eigenvectors of H (real if H is), and the inverse temperature.

    Args:
        energies: E_i ascending, shape (D,).
        vectors: columns |i>, shape (D, D).
        beta: inverse temperature >= 0.
    """

    energies: NDArray[np.float64]
    vectors: NDArray[Any]
    beta: float

    @property
    def dimension(self) -> int:
        """D."""
        return self.energies.size

    @property
    def bohr_frequencies(self) -> NDArray[np.float64]:
        """nu_ij = E_i - E_j, shape (D, D)."""
        return self.energies[:, None] - self.energies[None, :]

    @property
    def log_partition(self) -> float:
        """ln Tr e^{-beta H}."""
        return float(logsumexp(-self.beta * self.energies))

    @property
    def populations(self) -> NDArray[np.float64]:
        """The diagonal of sigma = e^{-beta H} / Z."""
        weights: NDArray[np.float64] = np.exp(-self.beta * self.energies - self.log_partition)
        return weights

    @property
    def root_gibbs(self) -> NDArray[np.float64]:
        """sqrt(sigma) as a matrix of Frobenius norm 1, the ground state of every parent Hamiltonian."""
        return np.diag(np.sqrt(self.populations))

    def transform(self, operator: Any) -> NDArray[Any]:
        """Return <i|O|j> of a dense or sparse matrix given in the computational basis."""
        result: NDArray[Any] = self.vectors.conj().T @ (operator @ self.vectors)
        return result


def diagonalise(hamiltonian: PauliSum, num_sites: int, beta: float) -> EnergyBasis:
    """Return the eigenbasis of a Hamiltonian. Cost: D^3, memory 4 D^2 numbers, D = 2**num_sites."""
    matrix = hamiltonian.to_dense(num_sites)
    energies, vectors = scipy.linalg.eigh(matrix, driver="evd", overwrite_a=True, check_finite=False)
    return EnergyBasis(energies, vectors, beta)


def site_couplings(letters: str, num_sites: int) -> tuple[PauliSum, ...]:
    """Return these Pauli letters on every site, weight 1, site by site."""
    return tuple(PauliSum.pauli(letter, site) for site in range(num_sites) for letter in letters)


def to_real_matrix(coupling: PauliSum, num_sites: int) -> Any:
    """Return the sparse matrix of a coupling, an imaginary one times -i.

    A jump operator may carry any phase, so that Y becomes the real antisymmetric -iY and real Hamiltonians keep real
    generators.
    """
    if (-1j * coupling).is_real:
        return (-1j * coupling).to_sparse(num_sites)
    return coupling.to_sparse(num_sites)


def stack_couplings(basis: EnergyBasis, couplings: Sequence[PauliSum]) -> NDArray[Any]:
    """Return <i|A_a|j> as an array of shape (D, number of couplings, D), index [i, a, j]. Cost: 2 D^3 each."""
    num_sites = basis.dimension.bit_length() - 1
    return np.stack([basis.transform(to_real_matrix(a, num_sites)) for a in couplings], axis=1)
