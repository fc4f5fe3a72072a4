"""Trotter operators by dense exponentials, written without any of the package's circuit code."""

from functools import reduce

import numpy as np
from reference_models import kron_matrix


def trotter_operator(groups, num_sites, time_step, num_steps, order):
    """Strang or Suzuki step from the definition S2 = e^{A/2} .. e^{A/2}, S4 = S2(p) S2(p) S2(1-4p) S2(p) S2(p)."""
    matrices = [kron_matrix(group, num_sites) for group in groups]
    spectra = [np.linalg.eigh(matrix if np.any(matrix.imag) else matrix.real) for matrix in matrices]

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
    """C = Tr[Z_0 U^dagger Z_0 U] / D."""
    z = np.kron([1.0, -1.0], np.ones(2 ** (num_sites - 1)))
    return float(z @ np.abs(operator) ** 2 @ z) / 2**num_sites
