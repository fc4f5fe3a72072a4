"""The broadened spectrum of a bath operator from the bath's eigenvalues."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qthermo.exact.spectrum import diagonalise
from qthermo.problems import StructureFactor

__all__ = ["exact_structure_factor"]

_CHUNK = 256


def exact_structure_factor(problem: StructureFactor) -> NDArray[np.float64]:
    """Return v(omega) = sum_mn |B_mn|^2 / D * sqrt(2 pi)/r exp(-(omega - E_n + E_m)^2 / (2 r^2)), shape (frequency,).

    Cost: one eigendecomposition of the bath and D^2 per frequency.
    """
    n = problem.model.num_bath_sites
    energies, vectors = diagonalise(problem.bath_hamiltonian.to_dense(n))
    strengths = np.abs(vectors.conj().T @ (problem.bath_operator.to_sparse(n) @ vectors)) ** 2 / energies.size
    total = np.zeros(problem.frequencies.size)
    for start in range(0, energies.size, _CHUNK):
        rows = slice(start, start + _CHUNK)
        gaps = energies[None, :] - energies[rows, None]
        for k, frequency in enumerate(problem.frequencies):
            kernel = np.exp(-((frequency - gaps) ** 2) / (2 * problem.resolution**2))
            total[k] += float((strengths[rows] * kernel).sum())
    total *= np.sqrt(2 * np.pi) / problem.resolution
    return total
