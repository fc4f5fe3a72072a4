"""Band chains on qubits: the matrix, and its circuit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import qthermo as qt
from qthermo.models import sample_band_chain
from qthermo.operators import decompose_matrix


def test_decomposed_matrices_are_themselves():
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((8, 8)) + 1j * rng.standard_normal((8, 8))
    assert_allclose(decompose_matrix(matrix, (0, 1, 2)).to_dense(3), matrix, atol=1e-14)
    moved = decompose_matrix(matrix[:4, :4], (1, 2)).to_dense(3)
    assert_allclose(moved, np.kron(np.eye(2), matrix[:4, :4]), atol=1e-14)
    assert decompose_matrix(matrix + matrix.conj().T, (0, 1, 2)).is_hermitian


@pytest.mark.parametrize("num_levels", [1, 3, [1, 2]])
def test_qubits_hold_the_same_hamiltonian(num_levels):
    model = sample_band_chain(
        num_subunits=3, num_levels=num_levels, band_width=0.1, coupling=0.2, seed=1, all_energies=True
    )
    d = model.local_dimension
    total = sum(np.kron(np.kron(np.eye(d**k), np.diag(model.local_levels)), np.eye(d ** (2 - k))) for k in range(3))
    total = total + np.kron(model.bond_hamiltonian(0), np.eye(d)) + np.kron(np.eye(d), model.bond_hamiltonian(1))
    spins = model.to_spin_model()
    assert_allclose(spins.hamiltonian.to_dense(spins.num_sites), total, atol=1e-13)
    with pytest.raises(qt.InputError, match="2, 4, 8"):
        sample_band_chain(num_subunits=2, num_levels=2, band_width=0.1, coupling=0.2, seed=1).to_spin_model()


def test_circuit_evolves_the_chain():
    spins = sample_band_chain(num_subunits=2, num_levels=3, band_width=0.3, coupling=0.3, seed=1).to_spin_model()
    problem = qt.Autocorrelation(spins, times=[0.5, 1.5])
    exact, circuit = qt.solve(problem, qt.Dense()), qt.solve(problem, qt.TrotterCircuit(time_step=0.05))
    assert_allclose(circuit["correlator"], exact["correlator"], atol=2e-3)
