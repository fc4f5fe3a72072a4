import numpy as np
import pytest

import qthermo as qt
from qthermo.theory.fast_pairs import find_fast_pairs
from qthermo.theory.time_domain import Contour, invert_cosine


@pytest.mark.parametrize("rate", [0.05, 0.5, 2.0])
def test_inverse_transform_of_a_known_function(rate):
    """1/(s + r) is the transform of e^{-rt}; cos(wt) e^{-rt} that of (s + r) / ((s + r)^2 + w^2)."""
    times = np.array([0.0, 0.5, 2.0, 8.0, 20.0])
    contour = Contour(shift=1.5 / 20, cutoff=60.0, centre=0.0, width=1.0, reach=9.0, nodes=(16, 201))
    s = contour.laplace
    mixed = 0.5 / (s + rate) + 0.5 * (s + rate) / ((s + rate) ** 2 + 1)
    values = invert_cosine(contour, mixed - 1 / s, times, 1)
    expected = 0.5 * np.exp(-rate * times) * (1 + np.cos(times))
    np.testing.assert_allclose(values, expected, atol=0.01)


def test_tree_gives_rabi_oscillations():
    """One bath state: C(t) = cos(2 V t) exactly, and the edge closure is exact on this tree."""
    model = qt.models.matrix_bath(bath_energies=[0.0], coupling_matrix=[[0.7]])
    times = np.linspace(0, 6, 13)
    method = qt.CavityDiffuson(energy_nodes=128, frequency_nodes=97)
    data = qt.solve(qt.Autocorrelation(model, times=times), method)
    np.testing.assert_allclose(data["correlator"], np.cos(1.4 * times), atol=0.02)
    assert np.all(np.abs(data["correlator"] - np.cos(1.4 * times)) <= 3 * data["laplace_error"] + 2e-3)


def test_levy_bath_follows_exact_diagonalisation():
    model = qt.models.sample_levy_bath(dim=150, exponent=1.5, scale=0.3, seed=1)
    times = np.array([0.5, 1.0, 2.0, 4.0])
    problem = qt.Autocorrelation(model, times=times)
    theory = qt.solve(problem, qt.CavityDiffuson(energy_nodes=64, frequency_nodes=49, laplace_tolerance=0.05))
    assert np.abs(theory["correlator"] - qt.solve(problem, qt.Dense())["correlator"]).max() < 0.05


def test_fast_pairs_are_the_lines_of_the_exact_spectrum():
    """Z has matrix elements between exact eigenstates; those beyond the cutoff are the pairs' lines."""
    model = qt.models.sample_levy_bath(dim=120, exponent=1.2, scale=0.3, seed=3, splitting=0.4)
    basis = model.to_bath_eigenbasis()
    cutoff = 12.0
    energies, states = np.linalg.eigh(basis.to_matrix())
    elements = (states.T * np.repeat(basis.level_values, basis.num_bath_states)) @ states
    gaps = energies[:, None] - energies[None, :]
    chosen = (gaps > cutoff) & (elements**2 > 0.5)
    fast = find_fast_pairs(basis, cutoff)
    order = np.argsort(gaps[chosen])
    assert fast.weights.size == chosen.sum() > 2
    np.testing.assert_allclose(np.sort(fast.frequencies), gaps[chosen][order], rtol=1e-3)
    by_frequency = fast.weights[np.argsort(fast.frequencies)]
    np.testing.assert_allclose(by_frequency, 2 * elements[chosen][order] ** 2 / energies.size, rtol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_larger_levy_bath_within_two_percent(seed: int):
    model = qt.models.sample_levy_bath(dim=500, exponent=1.5, scale=0.3, seed=seed)
    problem = qt.Autocorrelation(model, times=np.array([0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 16.0, 20.0]))
    theory = qt.solve(problem, qt.CavityDiffuson(laplace_tolerance=0.1))
    assert np.abs(theory["correlator"] - qt.solve(problem, qt.Dense())["correlator"]).max() <= 0.02


def test_too_few_nodes_warn():
    model = qt.models.sample_levy_bath(dim=40, exponent=1.5, scale=0.3, seed=1)
    problem = qt.Autocorrelation(model, times=np.array([1.0, 10.0]))
    with pytest.warns(qt.NotConvergedWarning, match="frequency_nodes"):
        qt.solve(problem, qt.CavityDiffuson(energy_nodes=16, frequency_nodes=17, laplace_tolerance=1e-4))


def test_finite_temperature_is_refused():
    model = qt.models.sample_levy_bath(dim=10, exponent=1.5, scale=0.3, seed=1)
    with pytest.raises(qt.UnsupportedError, match="beta = 0"):
        qt.solve(qt.Autocorrelation(model, times=[1.0], beta=0.5), qt.CavityDiffuson())
