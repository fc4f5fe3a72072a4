"""Purified thermal states of small systems, and C(t) in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qthermo.circuits.qubit_order import to_qubit_order
from qthermo.models import SpinModel

__all__ = ["kicked_states", "projected_states", "purify_thermal"]


def purify_thermal(model: SpinModel, beta: float) -> NDArray[np.complex128]:
    """Return sum_ij sqrt(rho)_ij |i> |j>, rho = e^(-beta H) / Z, in qiskit's index order, sites first.

    Cost: a diagonalisation of H and 4^num_sites amplitudes.
    """
    energies, vectors = np.linalg.eigh(model.hamiltonian.to_dense(model.num_sites))
    weights = np.exp(-beta * (energies - energies[0]) / 2)
    root = (vectors * (weights / np.linalg.norm(weights))) @ vectors.conj().T
    state: NDArray[np.complex128] = to_qubit_order(root).T.astype(np.complex128).ravel()
    return state


def projected_states(state: NDArray[np.complex128]) -> list[tuple[float, NDArray[np.complex128]]]:
    """Return (w, P psi / norm) for Z_0 = +1 and -1 with signed weights w: sum of w <Z_0(t)> is Re C(t)."""
    bits = np.arange(state.size) & 1
    parts = [(sign, np.where(bits == (sign < 0), state, 0j).astype(np.complex128)) for sign in (1, -1)]
    norms = [float(np.linalg.norm(part)) for _, part in parts]
    return [(sign * norm**2, part / norm) for (sign, part), norm in zip(parts, norms, strict=True) if norm > 0]


def kicked_states(state: NDArray[np.complex128]) -> list[tuple[float, NDArray[np.complex128]]]:
    """Return (w, e^(-i phi Z_0 / 2) psi) for phi = +-pi/2 with w = +-1/2: the sum of w <Z_0(t)> is Im C(t)."""
    signs = 1 - 2 * (np.arange(state.size) & 1)
    return [(sign / 2, np.exp(-0.25j * np.pi * sign * signs) * state) for sign in (1, -1)]
