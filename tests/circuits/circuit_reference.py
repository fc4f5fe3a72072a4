"""Trotter operators by dense exponentials, written without any of the package's circuit code."""

from functools import reduce

import numpy as np

PAULI = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1.0, -1.0]),
}


def kron_string(letters, num_sites):
    return reduce(np.kron, [PAULI[letters.get(site, "I")] for site in range(num_sites)])


def dense_sum(pauli_sum, num_sites):
    total = np.zeros((2**num_sites,) * 2, complex)
    for string, coefficient in pauli_sum.items():
        total += coefficient * kron_string(string.letters, num_sites)
    return total if np.any(total.imag) else total.real


def trotter_operator(groups, num_sites, time_step, num_steps, order):
    """Strang or Suzuki step from the definition S2 = e^{A/2} .. e^{A/2}, S4 = S2(p) S2(p) S2(1-4p) S2(p) S2(p)."""
    spectra = [np.linalg.eigh(dense_sum(group, num_sites)) for group in groups]

    def exponentials(tau):
        return [(vectors * np.exp(-1j * tau * energies)) @ vectors.conj().T for energies, vectors in spectra]

    def strang(tau):
        halves = exponentials(0.5 * tau)
        return reduce(lambda left, right: right @ left, [*halves, *halves[::-1]])

    if order == 1:
        step = reduce(lambda left, right: right @ left, exponentials(time_step))
    elif order == 2:
        step = strang(time_step)
    else:
        p = 1 / (4 - 4 ** (1 / 3))
        outer = strang(p * time_step)
        step = outer @ outer @ strang((1 - 4 * p) * time_step) @ outer @ outer
    return np.linalg.matrix_power(step, num_steps)


def correlator(operator, num_sites):
    z = np.kron([1.0, -1.0], np.ones(2 ** (num_sites - 1)))
    return float(z @ np.abs(operator) ** 2 @ z) / 2**num_sites


def reference_chain(num_sites, disorder):
    """The chain of the reference instance: fields drawn first, then bonds, from default_rng(1)."""
    import qthermo as qt

    rng = np.random.default_rng(1)
    fields = disorder * rng.uniform(-1, 1, num_sites - 1)
    return qt.models.imbrie_chain(fields=fields, bonds=rng.uniform(0.8, 1.2, num_sites - 2))
