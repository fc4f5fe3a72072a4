"""Relaxation against closed forms and matrix exponentials, and the laws every path obeys."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from kms_reference import CHAINS, gibbs_matrix, imbrie, tilted_ising
from reference_models import kron_matrix

import qthermo as qt

METHODS = [
    qt.Davies(),
    qt.CoarseGrained(rate="glauber"),
    qt.CoarseGrained(coherent="lamb", coupling=0.4),
    qt.KMSJumps(),
    qt.KMSJumps(patch_radius=1, coupling=0.7),
]


@pytest.mark.parametrize("splitting", [0.6, 2.0])
def test_one_spin_follows_its_bloch_equation(splitting: float):
    """<Z>(t) = z + (z_0 - z) e^{-2 t}, z = -tanh(beta w / 2)."""
    model = qt.models.spin_chain(hamiltonian=splitting / 2 * qt.PauliSum.pauli("Z", 0))
    times = np.linspace(0, 3, 7)
    data = qt.solve(qt.Relaxation(model, beta=1.0, times=times, initial_state="0"), qt.Davies())
    rest = -np.tanh(splitting / 2)
    np.testing.assert_allclose(data["polarisation"].values[:, 0], rest + (1 - rest) * np.exp(-2 * times), atol=1e-10)
    np.testing.assert_allclose(data["gibbs_polarisation"].values, rest, atol=1e-14)
    np.testing.assert_allclose(data["trace_distance"], (1 - rest) / 2 * np.exp(-2 * times), atol=1e-10)


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("method", METHODS, ids=str)
def test_paths_equal_the_exponential_of_the_superoperator(chain: str, method):
    model = qt.models.spin_chain(hamiltonian=CHAINS[chain](3))
    vector = np.random.default_rng(7).standard_normal(8) + 1j * np.random.default_rng(8).standard_normal(8)
    vector /= np.linalg.norm(vector)
    problem = qt.Relaxation(model, beta=0.9, times=[0.0, 0.4, 3.0], initial_state=vector)
    data = qt.solve(problem, method)
    generator = method.build_generator(problem)
    H, V = kron_matrix(model.hamiltonian, 3), generator.basis.vectors
    sigma = gibbs_matrix(H, 0.9)
    start = (V.conj().T @ np.outer(vector, vector.conj()) @ V).ravel()
    for k, time in enumerate(problem.times):
        rho = (scipy.linalg.expm(time * generator.map.to_matrix()) @ start).reshape(8, 8)
        rho = V @ rho @ V.conj().T
        distance = np.abs(np.linalg.eigvalsh(rho - sigma)).sum() / 2
        assert float(data["trace_distance"][k]) == pytest.approx(distance, abs=1e-8)
        assert float(data["energy"][k]) == pytest.approx(np.trace(rho @ H).real, abs=1e-8)
        z = [np.trace(rho @ kron_matrix(qt.PauliSum.pauli("Z", j), 3)).real for j in range(3)]
        np.testing.assert_allclose(data["polarisation"][k], z, atol=1e-8)
    late = (scipy.linalg.logm(rho) - scipy.linalg.logm(sigma)) @ rho
    assert float(data["relative_entropy"][-1]) == pytest.approx(np.trace(late).real, abs=1e-7)


@pytest.mark.parametrize("method", [qt.Davies(), qt.CoarseGrained(), qt.KMSJumps(coupling=0.5)], ids=str)
def test_distance_and_relative_entropy_to_the_fixed_point_only_fall(method):
    model = qt.models.spin_chain(hamiltonian=imbrie(4))
    data = qt.solve(qt.Relaxation(model, beta=1.0, times=np.linspace(0, 10, 21), initial_state="0110"), method)
    for name in ("trace_distance", "relative_entropy"):
        assert (np.diff(data[name]) <= 1e-10).all()
    assert float(data["relative_entropy"][-1]) >= 2 * float(data["trace_distance"][-1]) ** 2 - 1e-12


def test_late_relaxation_is_exponential_at_the_gap():
    model = qt.models.spin_chain(hamiltonian=tilted_ising(4))
    gap = float(qt.solve(qt.MixingGap(model, beta=1.0), qt.KMSJumps())["gap"])
    data = qt.solve(qt.Relaxation(model, beta=1.0, times=[8.0, 12.0], initial_state="0100"), qt.KMSJumps())
    early, late = data["trace_distance"].values
    assert np.log(early / late) / 4 == pytest.approx(gap, rel=0.01)


def test_bits_vectors_and_matrices_are_the_same_state():
    model = qt.models.spin_chain(hamiltonian=imbrie(3))
    vector = np.zeros(8)
    vector[0b110] = 1.0
    states = ["110", vector, np.diag(vector)]
    results = [
        qt.solve(qt.Relaxation(model, beta=1.0, times=[0.0, 1.0], initial_state=s), qt.KMSJumps()) for s in states
    ]
    for data in results:
        np.testing.assert_allclose(data["polarisation"][0], [-1, -1, 1], atol=1e-12)
        np.testing.assert_allclose(data["energy"], results[0]["energy"], atol=1e-12)


def test_all_spins_point_down_by_default():
    model = qt.models.sample_imbrie_chain(num_bath_sites=2, disorder=1.0, seed=3)
    data = qt.solve(qt.Relaxation(model, beta=1.0, times=[0.0]), qt.Davies())
    np.testing.assert_allclose(data["polarisation"][0], -1, atol=1e-12)


def test_the_thermometer_reaches_the_temperature_of_its_environment():
    """A thermometer of splitting w hardly coupled to its bath polarises as -tanh(beta w / 2)."""
    weak = qt.Thermometer(splitting=1.4, coupling=1e-3)
    model = qt.models.sample_imbrie_chain(num_bath_sites=2, disorder=1.0, seed=3, thermometer=weak)
    data = qt.solve(qt.Relaxation(model, beta=1.5, times=[30.0]), qt.KMSJumps())
    assert float(data["polarisation"][0, 0]) == pytest.approx(-np.tanh(1.5 * 0.7), abs=1e-4)
