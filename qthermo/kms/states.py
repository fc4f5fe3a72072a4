"""States in the eigenbasis of H, and what is seen of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from qthermo.kms.energy_basis import EnergyBasis

__all__ = ["build_initial_state", "observe_states", "site_polarisation"]


def build_initial_state(state: str | NDArray[Any] | None) -> NDArray[Any]:
    """Return the density matrix of bits (site 0 first, "1" being Z = -1), of a vector, or the matrix itself."""
    if isinstance(state, str):
        matrix = np.zeros((2 ** len(state),) * 2)
        matrix[int(state, 2), int(state, 2)] = 1.0
        return matrix
    array = np.asarray(state)
    return np.outer(array, array.conj()) if array.ndim == 1 else array


def site_polarisation(diagonal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return <Z_j> of every site from the diagonal of rho in the computational basis, shape (2**n,)."""
    num_sites = diagonal.size.bit_length() - 1
    tensor = diagonal.reshape((2,) * num_sites)
    values = []
    for site in range(num_sites):
        up, down = np.moveaxis(tensor, site, 0)
        values.append(up.sum() - down.sum())
    return np.array(values)


def observe_states(basis: EnergyBasis, state: NDArray[Any]) -> dict[str, Any]:
    """Return trace, trace distance and relative entropy to the Gibbs state, energy and polarisation of <i|rho|j>."""
    state = (state + state.conj().T) / 2
    populations = np.diag(state).real
    energy = float(populations @ basis.energies)
    weights = np.clip(np.linalg.eigvalsh(state), 0.0, None)
    entropy = -float(xlogy(weights, weights).sum())
    difference = np.linalg.eigvalsh(state - np.diag(basis.populations))
    vectors = basis.vectors
    diagonal = np.einsum("ai,ai->a", vectors @ state, vectors.conj()).real
    return {
        "trace": float(populations.sum()),
        "trace_distance": float(np.abs(difference).sum() / 2),
        "relative_entropy": max(basis.beta * energy + basis.log_partition - entropy, 0.0),
        "energy": energy,
        "polarisation": site_polarisation(diagonal),
    }
