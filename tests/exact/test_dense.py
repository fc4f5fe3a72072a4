"""Dense against matrices built by Kronecker products, published numbers and exact identities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_models import kron_matrix, kron_string, reference_chain
from scipy.integrate import quad
from scipy.linalg import expm

import qthermo as qt
from qthermo.models import MatrixModel

# C(t) at t = 1, 2, 5, 10, 20 and the ground-state energy of the reference chain, L = 10.
REFERENCE = {
    1.0: (-13.8540514156, [0.639889, 0.240208, 0.312976, 0.195655, 0.111583]),
    2.0: (-17.1688719148, [0.640514, 0.241316, 0.589039, 0.517695, 0.431871]),
    4.0: (-24.4072262597, [0.642444, 0.246869, 0.928106, 0.880717, 0.847209]),
    8.0: (-39.5998770360, [0.646214, 0.259718, 0.909610, 0.880154, 0.713105]),
}


@pytest.mark.parametrize("disorder", REFERENCE)
def test_reference_chain(disorder: float):
    energy, correlator = REFERENCE[disorder]
    model = reference_chain(disorder)
    data = qt.solve(qt.Autocorrelation(model, times=[1.0, 2.0, 5.0, 10.0, 20.0]), qt.Dense())
    assert_allclose(data["correlator"], correlator, atol=1e-6)
    ground = qt.solve(qt.GroundState(model), qt.Dense())
    assert float(ground["energy"]) == pytest.approx(energy, abs=1e-8)


def test_thermal_reference_chain():
    problem = qt.Autocorrelation(reference_chain(2.0), times=[1.0, 5.0, 20.0], beta=1.0)
    published = [0.648011 - 0.216813j, 0.996784 + 0.007274j, 0.964691 + 0.030204j]
    assert_allclose(qt.solve(problem, qt.Dense())["correlator"], published, atol=1e-6)


def dense_parts(model) -> tuple[np.ndarray, np.ndarray]:
    """H and the observable as full matrices, from Kronecker products or the matrix model's definition."""
    if isinstance(model, MatrixModel):
        n = model.eigenbasis.num_bath_states
        return model.eigenbasis.to_matrix(), np.kron(np.diag([1, -1]), np.eye(n))
    return kron_matrix(model.hamiltonian, model.num_sites), kron_string({0: "Z"}, model.num_sites)


@pytest.mark.parametrize("beta", [0.0, 0.7])
def test_correlator_is_the_trace_of_matrix_exponentials(sampler, beta: float):
    model = sampler(11)
    times = np.array([0.0, 0.3, 1.7])
    H, Z = dense_parts(model)
    rho = expm(-beta * H) / np.trace(expm(-beta * H))
    expected = [np.trace(rho @ expm(1j * H * t) @ Z @ expm(-1j * H * t) @ Z) for t in times]
    data = qt.solve(qt.Autocorrelation(model, times=times, beta=beta), qt.Dense())
    assert_allclose(data["correlator"], expected, atol=1e-10)


def test_propagator_is_the_sum_of_squared_green_functions(sampler):
    model = sampler(5)
    basis = model.to_bath_eigenbasis()
    n, d = basis.num_bath_states, basis.num_levels
    energies, laplace = [0.0, 0.7], [0.2, 1.5]
    data = qt.solve(qt.Propagator(model, energies=energies, laplace=laplace), qt.Dense())
    H = basis.to_matrix()
    for E in energies:
        for s in laplace:
            G = np.linalg.inv((E + 0.5j * s) * np.eye(d * n) - H)
            P = (np.abs(G) ** 2).reshape(d, n, d, n).sum(axis=(1, 3))
            at = data.sel(energy=E, laplace=s)
            assert_allclose(at["propagator"], P, rtol=1e-9)
            z = basis.level_values
            assert float(at["autocorrelation"]) == pytest.approx(z @ P @ z / P.sum(), rel=1e-9)
            gamma = (1 / np.diag(G)).imag - s / 2
            assert float(at["typical_broadening"]) == pytest.approx(np.exp(np.log(gamma).mean()), rel=1e-6)


def test_ward_identity(sampler):
    model = sampler(6)
    basis = model.to_bath_eigenbasis()
    s = 0.4
    data = qt.solve(qt.Propagator(model, energies=[0.1], laplace=[s]), qt.Dense())
    G = np.linalg.inv((0.1 + 0.5j * s) * np.eye(model.dimension) - basis.to_matrix())
    density = -np.diag(G).imag.reshape(basis.num_levels, -1).sum(axis=1)
    assert_allclose(data["propagator"].sum("final").squeeze(), 2 / s * density, rtol=1e-9)


def test_energy_integral_is_the_laplace_transform_of_the_correlator():
    model = qt.models.sample_levy_bath(dim=12, exponent=1.5, scale=0.3, seed=2, splitting=0.3)
    s, z = 0.8, np.array([1.0, -1.0])

    def signed(angle: float) -> float:
        E = np.tan(angle)  # maps the real axis to a finite interval; the tails fall as 1/E^2
        data = qt.solve(qt.Propagator(model, energies=[E], laplace=[s]), qt.Dense())
        return float(z @ data["propagator"].values[0, 0] @ z) / np.cos(angle) ** 2

    integral = quad(signed, -np.pi / 2, np.pi / 2, epsabs=1e-4, limit=200)[0] / (2 * np.pi) / model.dimension
    times = np.linspace(0, 40, 4001)
    correlator = qt.solve(qt.Autocorrelation(model, times=times), qt.Dense())["correlator"].values
    assert integral == pytest.approx(np.trapezoid(np.exp(-s * times) * correlator, times), abs=1e-3)


@given(seed=st.integers(0, 10_000), beta=st.floats(0, 3), disorder=st.floats(0, 5))
def test_correlator_starts_at_one_and_stays_within_one(seed: int, beta: float, disorder: float):
    model = qt.models.sample_imbrie_chain(num_bath_sites=3, disorder=disorder, seed=seed)
    data = qt.solve(qt.Autocorrelation(model, times=[0.0, 0.5, 3.0, 50.0], beta=beta), qt.Dense())
    assert complex(data["correlator"][0]) == pytest.approx(1, abs=1e-12)
    assert np.all(np.abs(data["correlator"]) <= 1 + 1e-12)


@given(seed=st.integers(0, 10_000), s=st.floats(0.01, 10), E=st.floats(-3, 3))
def test_propagator_of_a_real_hamiltonian_is_symmetric_and_positive(seed: int, s: float, E: float):
    model = qt.models.sample_levy_bath(dim=8, exponent=1.2, scale=0.5, seed=seed, splitting=0.5)
    P = qt.solve(qt.Propagator(model, energies=[E], laplace=[s]), qt.Dense())["propagator"].values[0, 0]
    assert np.all(P >= 0)
    assert_allclose(P, P.T, rtol=1e-8)


def test_complex_couplings_are_exact_too():
    rng = np.random.default_rng(3)
    V = rng.normal(size=(6, 6)) + 1j * rng.normal(size=(6, 6))
    model = qt.models.matrix_bath(bath_energies=rng.normal(size=6), coupling_matrix=V + V.conj().T, splitting=0.3)
    data = qt.solve(qt.Propagator(model, energies=[0.2], laplace=[0.5]), qt.Dense())
    G = np.linalg.inv((0.2 + 0.25j) * np.eye(12) - model.eigenbasis.to_matrix())
    assert_allclose(data["propagator"][0, 0], (np.abs(G) ** 2).reshape(2, 6, 2, 6).sum(axis=(1, 3)), rtol=1e-10)


def test_symmetries_split_the_work():
    model = qt.models.sample_all_to_all_ising(num_bath_sites=5, seed=1)
    data = qt.solve(qt.Autocorrelation(model, times=[1.0]), qt.Dense())
    assert '"block_dimensions": [32, 32]' in data.attrs["diagnostics"]
