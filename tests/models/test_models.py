"""Every model: Hermitian, parts add up, reproducible from its seed, parameters recorded."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose
from reference_models import PAULI, kron_matrix
from scipy import stats

import qthermo as qt
from qthermo.models import MatrixModel, SpinModel, check_model


def test_sanity_of_every_family(sampler):
    model, again, other = sampler(7), sampler(7), sampler(8)
    check_model(model)
    basis, same, different = (m.to_bath_eigenbasis() for m in (model, again, other))
    H = basis.to_matrix()
    assert_allclose(H, H.conj().T, atol=1e-12)
    assert H.shape == (model.dimension, model.dimension)
    assert_allclose(same.to_matrix(), H, atol=0)
    assert not np.allclose(different.bath_energies, basis.bath_energies)
    assert model.parameters["seed"] == 7
    assert json.loads(json.dumps(dict(model.parameters))) == dict(model.parameters)


def test_bath_eigenbasis_has_the_spectrum_of_the_spin_hamiltonian(sampler):
    model = sampler(3)
    if isinstance(model, MatrixModel):
        basis = model.eigenbasis
        n = basis.num_bath_states
        V = basis.blocks[0, 1]
        H = np.kron(np.diag([0.2, -0.2]), np.eye(n)) + np.kron(np.eye(2), np.diag(basis.bath_energies))
        H = H + np.kron(PAULI["X"], V)
        assert_allclose(basis.to_matrix(), H, atol=1e-12)
    else:
        parts = [kron_matrix(part, model.num_sites) for part in (model.thermometer, model.bath, model.coupling)]
        H = kron_matrix(model.hamiltonian, model.num_sites)
        assert_allclose(sum(parts), H, atol=1e-12)
        rotated = model.to_bath_eigenbasis().to_matrix()
        assert_allclose(np.linalg.eigvalsh(rotated), np.linalg.eigvalsh(H), atol=1e-10)


def test_realizations_are_independent_streams_of_one_seed():
    models = [qt.models.sample_imbrie_chain(num_bath_sites=4, disorder=1.0, seed=5, realization=k) for k in range(3)]
    assert len({str(model.hamiltonian) for model in models}) == 3


def test_imbrie_chain_is_the_stated_hamiltonian():
    thermometer = qt.Thermometer(splitting=1.4, coupling=0.3, bath_operator="Z")
    model = qt.models.imbrie_chain(
        fields=[0.5, -0.25, 1.5], bonds=[0.9, 1.1], transverse_field=0.7, thermometer=thermometer
    )
    text = "0.7 Z0 + 0.3 X0 Z1 + 0.5 Z1 - 0.25 Z2 + 1.5 Z3 + 0.7 X1 + 0.7 X2 + 0.7 X3 + 0.9 Z1 Z2 + 1.1 Z2 Z3"
    assert model.hamiltonian == qt.PauliSum.from_text(text)


def test_parity_symmetric_chain_conserves_parity_and_has_odd_coupling():
    model = qt.models.sample_imbrie_chain(num_bath_sites=4, disorder=2.0, seed=1, parity_symmetric=True)
    parity = qt.PauliSum.pauli("ZZZZ", 1, 2, 3, 4)
    assert not model.bath.commutator(parity)
    basis = model.to_bath_eigenbasis()
    assert_allclose(np.diag(basis.blocks[0, 1]), 0, atol=1e-12)


def test_all_to_all_bath_parity_makes_the_diagonal_of_the_coupling_vanish():
    model = qt.models.sample_all_to_all_ising(num_bath_sites=4, seed=2)
    parity = qt.PauliSum.pauli("XXXX", 1, 2, 3, 4)
    assert not model.bath.commutator(parity)
    assert_allclose(np.diag(model.to_bath_eigenbasis().blocks[0, 1]), 0, atol=1e-12)


def test_all_to_all_is_the_stated_hamiltonian():
    J = np.array([[0, 0.5, -0.2], [0, 0, 0.9], [0, 0, 0]])
    expected = qt.PauliSum.from_text(
        "0.5 Z0 + 0.5 Z1 Z2 - 0.2 Z1 Z3 + 0.9 Z2 Z3 + 1.3 X1 + 1.3 X2 + 1.3 X3 + 0.1 X0 Z1 - 0.2 X0 Z2 + 0.3 X0 Z3"
    )
    thermometer = qt.Thermometer(coupling=1.0)
    for couplings in (J, J + J.T):
        model = qt.models.all_to_all_ising(
            couplings=couplings, transverse_field=1.3, thermometer_couplings=[0.1, -0.2, 0.3], thermometer=thermometer
        )
        assert model.hamiltonian == expected


def test_levy_entries_follow_the_pareto_law():
    n, mu, scale = 200, 1.5, 0.3
    V = qt.models.sample_levy_bath(dim=n, exponent=mu, scale=scale, seed=4).eigenbasis.blocks[0, 1]
    entries = V[np.triu_indices(n)]
    law = stats.pareto(mu, scale=scale * n ** (-1 / mu))
    assert stats.kstest(np.abs(entries), law.cdf).pvalue > 1e-3
    assert abs(np.sign(entries).mean()) < 4 / np.sqrt(entries.size)
    assert_allclose(V, V.T)


def test_imbrie_samples_follow_their_uniform_laws():
    model = qt.models.sample_imbrie_chain(num_bath_sites=400, disorder=3.0, seed=4)
    assert stats.kstest(model.parameters["fields"], stats.uniform(-3, 6).cdf).pvalue > 1e-3
    assert stats.kstest(model.parameters["bonds"], stats.uniform(0.8, 0.4).cdf).pvalue > 1e-3


def test_spin_chain_splits_the_users_hamiltonian():
    model = qt.models.spin_chain(hamiltonian=qt.PauliSum.from_text("Z0 + 0.3 X0 X1 + 0.2 Z1 + 0.4 Z1 Z2 + 0.1"))
    assert model.thermometer == qt.PauliSum.from_text("Z0")
    assert model.coupling == qt.PauliSum.from_text("0.3 X0 X1")
    assert model.bath == qt.PauliSum.from_text("0.2 Z1 + 0.4 Z1 Z2 + 0.1")
    attached = qt.models.spin_chain(hamiltonian=qt.PauliSum.from_text("Z1 Z2"), thermometer=qt.Thermometer())
    assert attached.hamiltonian == qt.PauliSum.from_text("0.5 Z0 + 0.5 X0 X1 + Z1 Z2")
    assert qt.models.spin_chain(hamiltonian=qt.PauliSum.from_text("Z0"), num_sites=3).num_sites == 3


BAD = {
    "NaN field": (lambda: qt.models.imbrie_chain(fields=[1.0, np.nan], bonds=[1.0]), "fields[1] = nan"),
    "bonds": (lambda: qt.models.imbrie_chain(fields=[1.0, 2.0], bonds=[1.0, 1.0]), "one value less"),
    "complex": (lambda: qt.models.imbrie_chain(fields=[1j], bonds=[]), "must be real"),
    "letter": (lambda: qt.Thermometer(bath_operator="Q"), "bath_operator"),
    "infinite splitting": (lambda: qt.Thermometer(splitting=np.inf), "splitting"),
    "non-Hermitian": (
        lambda: qt.models.matrix_bath(bath_energies=[0.0, 1.0], coupling_matrix=[[0, 1], [2, 0]]),
        "Hermitian",
    ),
    "shape": (lambda: qt.models.matrix_bath(bath_energies=[0.0], coupling_matrix=[[0, 1], [1, 0]]), "shape"),
    "number of sites": (lambda: qt.models.sample_imbrie_chain(num_bath_sites=0, disorder=1.0, seed=1), "at least 1"),
    "disorder": (lambda: qt.models.sample_imbrie_chain(num_bath_sites=2, disorder=-1.0, seed=1), "at least 0"),
    "seed": (lambda: qt.models.sample_imbrie_chain(num_bath_sites=2, disorder=1.0, seed=-1), "seed"),
    "exponent": (lambda: qt.models.sample_levy_bath(dim=4, exponent=0.0, scale=1.0, seed=1), "exponent"),
    "all-to-all shape": (
        lambda: qt.models.all_to_all_ising(couplings=np.zeros((2, 3)), thermometer_couplings=[1, 1]),
        "shape",
    ),
    "asymmetric": (
        lambda: qt.models.all_to_all_ising(couplings=[[0, 1], [2, 0]], thermometer_couplings=[1, 1]),
        "symmetric",
    ),
    "not a sum": (lambda: qt.models.spin_chain(hamiltonian="Z0"), "PauliSum"),
    "imaginary": (lambda: qt.models.spin_chain(hamiltonian=1j * qt.PauliSum.pauli("Z", 0)), "Hermitian"),
    "site 0": (
        lambda: qt.models.spin_chain(hamiltonian=qt.PauliSum.pauli("Z", 0), thermometer=qt.Thermometer()),
        "site 0",
    ),
    "misplaced part": (
        lambda: SpinModel(
            family="x",
            parameters={},
            thermometer=qt.PauliSum.pauli("Z", 1),
            bath=qt.PauliSum(),
            coupling=qt.PauliSum(),
            num_sites=2,
        ),
        "site 0 only",
    ),
}


@pytest.mark.parametrize(("make", "words"), BAD.values(), ids=BAD)
def test_bad_input_gets_one_sentence(make, words: str):
    with pytest.raises(ValueError) as caught:
        make()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_diagonal_thermometer_is_needed_for_the_eigenbasis():
    model = qt.models.spin_chain(hamiltonian=qt.PauliSum.from_text("X0 + Z0 Z1"))
    with pytest.raises(qt.InputError, match="diagonal"):
        model.to_bath_eigenbasis()


def test_a_thermometer_of_two_spins_is_the_same_hamiltonian():
    text = "0.4 Z0 - 0.3 Z1 + 0.2 Z0 Z1 + 0.5 X0 X2 + 0.7 X1 Z2 + 0.6 Z2 + 0.8 X2 X3 + 0.3 Z3 + 0.2 Z1 Z3"
    model = qt.models.spin_chain(hamiltonian=qt.PauliSum.from_text(text))
    matrices = model.to_matrix_model(thermometer_sites=2)
    basis = matrices.eigenbasis
    assert_allclose(basis.level_values, [1, 1, -1, -1])
    assert_allclose(basis.level_energies, [0.4 - 0.3 + 0.2, 0.4 + 0.3 - 0.2, -0.4 - 0.3 - 0.2, -0.4 + 0.3 + 0.2])
    assert_allclose(np.linalg.eigvalsh(basis.to_matrix()), np.linalg.eigvalsh(kron_matrix(model.hamiltonian, 4)))
    times = [0.5, 2.0]
    by_spins = qt.solve(qt.Autocorrelation(model, times=times), qt.Dense())["correlator"]
    by_matrices = qt.solve(qt.Autocorrelation(matrices, times=times), qt.Dense())["correlator"]
    assert_allclose(by_spins, by_matrices, atol=1e-10)
    with pytest.raises(qt.InputError, match="between 1 and 3"):
        model.to_matrix_model(thermometer_sites=4)
