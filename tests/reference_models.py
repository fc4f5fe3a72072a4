"""Pieces that tests of all folders share: independent matrices, the reference instance, every sampled family."""

from __future__ import annotations

import functools

import numpy as np

import qthermo as qt

PAULI = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}


def kron_string(letters: dict[int, str], num_sites: int) -> np.ndarray:
    """The matrix of a Pauli string by Kronecker products, site 0 leftmost."""
    return functools.reduce(np.kron, [PAULI[letters.get(site, "I")] for site in range(num_sites)])


def kron_matrix(pauli_sum: qt.PauliSum, num_sites: int) -> np.ndarray:
    """The matrix of a Pauli sum by Kronecker products."""
    total = np.zeros((2**num_sites,) * 2, complex)
    for string, coefficient in pauli_sum.items():
        total += coefficient * kron_string(string.letters, num_sites)
    return total


def reference_chain(disorder: float, num_sites: int = 10, seed: int = 1) -> qt.models.SpinModel:
    """Imbrie chain with fields drawn before bonds from numpy's default generator; splitting 1, coupling 1/2."""
    rng = np.random.default_rng(seed)
    fields = disorder * rng.uniform(-1, 1, num_sites - 1)
    bonds = rng.uniform(0.8, 1.2, num_sites - 2)
    return qt.models.imbrie_chain(fields=fields, bonds=bonds)


MODELS = {
    "imbrie": lambda seed: qt.models.sample_imbrie_chain(num_bath_sites=5, disorder=2.0, seed=seed),
    "imbrie_parity": lambda seed: qt.models.sample_imbrie_chain(
        num_bath_sites=5, disorder=2.0, seed=seed, parity_symmetric=True
    ),
    "imbrie_one_bath_spin": lambda seed: qt.models.sample_imbrie_chain(num_bath_sites=1, disorder=1.0, seed=seed),
    "all_to_all": lambda seed: qt.models.sample_all_to_all_ising(num_bath_sites=5, seed=seed),
    "levy": lambda seed: qt.models.sample_levy_bath(dim=24, exponent=1.5, scale=0.3, seed=seed, splitting=0.4),
}
