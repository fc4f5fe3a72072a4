"""Chains and brute-force generators that the tests of thermalisation share."""

from __future__ import annotations

import numpy as np
import scipy.linalg

import qthermo as qt


def tilted_ising(num_sites: int) -> qt.PauliSum:
    """H = -sum ZZ - 0.9045 sum X - 0.8090 sum Z on an open chain."""
    terms = [(-1.0, {j: "Z", j + 1: "Z"}) for j in range(num_sites - 1)]
    terms += [(-0.9045, {j: "X"}) for j in range(num_sites)] + [(-0.8090, {j: "Z"}) for j in range(num_sites)]
    return qt.PauliSum.from_letters(terms)


def imbrie(num_sites: int) -> qt.PauliSum:
    """The disordered chain h = .91, -.37, .58, -.76, g = .4, J = .83, 1.12, .95."""
    fields, bonds = (0.91, -0.37, 0.58, -0.76)[:num_sites], (0.83, 1.12, 0.95)[: num_sites - 1]
    terms = [(h, {j: "Z"}) for j, h in enumerate(fields)] + [(0.4, {j: "X"}) for j in range(num_sites)]
    return qt.PauliSum.from_letters(terms + [(J, {j: "Z", j + 1: "Z"}) for j, J in enumerate(bonds)])


def complex_chain(num_sites: int) -> qt.PauliSum:
    """A chain whose matrix is not real."""
    return imbrie(num_sites) + qt.PauliSum.from_letters(
        [(0.3, {0: "Y"})] + [(0.5, {j: "X", j + 1: "Y"}) for j in range(num_sites - 1)]
    )


CHAINS = {"tilted_ising": tilted_ising, "imbrie": imbrie, "complex": complex_chain}


def gibbs_matrix(hamiltonian: np.ndarray, beta: float) -> np.ndarray:
    """The Gibbs state by matrix exponential."""
    state = scipy.linalg.expm(-beta * (hamiltonian - np.eye(len(hamiltonian)) * np.trace(hamiltonian).real))
    return state / np.trace(state)


def kernel_superoperator(energies: np.ndarray, couplings: np.ndarray, kernel) -> np.ndarray:
    """sum_a alpha(nu_ik, nu_jl) A_ik conj(A_jl) - {N, .}/2 - i[G, .] written out, G by its definition."""
    dim = len(energies)
    nu = energies[:, None] - energies[None, :]
    alpha = kernel(nu[:, None, :, None], nu[None, :, None, :])
    total = np.zeros((dim,) * 4, complex)
    decay = np.zeros((dim, dim), complex)
    for a in range(couplings.shape[1]):
        A = couplings[:, a, :]
        jump = alpha * A[:, None, :, None] * A.conj()[None, :, None, :]
        total += jump
        decay += np.einsum("iikl->lk", jump)
    return total.reshape(dim**2, dim**2), decay


def add_decay(transitions: np.ndarray, decay: np.ndarray, coherent: np.ndarray) -> np.ndarray:
    """Transitions - {N, .}/2 - i[G, .] on row-major vec."""
    one = np.eye(len(decay))
    K = decay / 2 + 1j * coherent
    return transitions - np.kron(K, one) - np.kron(one, K.conj())
