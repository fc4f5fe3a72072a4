import json

import numpy as np
import pytest

import qthermo as qt

# Independent runs of 20000 members, scale 0.3, normal energies, E = Omega = 0: c(0, s), its error, typical Gamma.
TABLE = {
    1.5: (
        [3.0, 1.0, 0.3, 0.1],
        [0.7445, 0.4688, 0.2179, 0.0901],
        [4e-4, 4e-4, 1e-3, 5e-4],
        [0.2633, 0.3806, 0.4276, 0.4336],
    ),
    1.0: (
        [3.0, 1.0, 0.3, 0.1],
        [0.7934, 0.6284, 0.4443, 0.2967],
        [4e-4, 8e-4, 7e-4, 1e-3],
        [0.1982, 0.2703, 0.2581, 0.2150],
    ),
}


def levy(exponent, **kwargs):
    return qt.models.sample_levy_bath(dim=4, exponent=exponent, scale=0.3, seed=1, **kwargs)


@pytest.mark.parametrize("exponent", TABLE)
def test_reference_table(exponent):
    laplace, expected, stderr, typical = TABLE[exponent]
    problem = qt.Propagator(levy(exponent), energies=[0.0], laplace=laplace)
    data = qt.solve(problem, qt.PopulationDynamics(num_members=10000, num_sweeps=64, seed=2))
    combined = np.hypot(stderr, data["autocorrelation_stderr"].values[0])
    assert np.all(np.abs(data["autocorrelation"].values[0] - expected) <= 3 * combined)
    np.testing.assert_allclose(data["typical_broadening"].values[0], typical, rtol=0.03)
    assert json.loads(data.attrs["diagnostics"])["localised"] is False


def test_self_averaging_bath_follows_its_scalar_equation():
    """For mu > 2 every broadening obeys g = <1/(z - e - v g)>, v = scale^2 mu/(mu - 2); P from the 2 x 2 ladder."""
    z, v = 0.25j, 0.3**2 * 4 / 2
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    green = -1j
    for _ in range(2000):
        green = (weights / weights.sum()) @ (1 / (z - nodes - v * green)) * 0.5 + 0.5 * green
    square = (weights / weights.sum()) @ np.abs(1 / (z - nodes - v * green)) ** 2
    expected = (1 - v * square) / (1 + v * square)  # X_a = S (f_a + v X_b), f = (1, -1) against (1, 1)
    problem = qt.Propagator(levy(4.0), energies=[0.0], laplace=[0.5])
    data = qt.solve(problem, qt.PopulationDynamics(num_members=4000, seed=3))
    error = data["autocorrelation_stderr"].item()
    assert abs(data["autocorrelation"].item() - expected) <= 5 * error + 1e-3


def test_localised_side_is_named():
    problem = qt.Propagator(levy(0.5), energies=[0.0], laplace=[0.03, 0.1])
    with pytest.warns(qt.ValidityWarning, match="localised"):
        data = qt.solve(problem, qt.PopulationDynamics(num_members=1000, num_sweeps=16, seed=1))
    assert json.loads(data.attrs["diagnostics"])["localised"] is True


def test_same_seed_same_numbers_and_convergence_report():
    problem = qt.Propagator(levy(1.5, splitting=0.5), energies=[0.2], laplace=[1.0])
    method = qt.PopulationDynamics(num_members=500, num_sweeps=16, seed=5, check_convergence=True)
    first, second = qt.solve(problem, method), qt.solve(problem, method)
    np.testing.assert_array_equal(first["propagator"], second["propagator"])
    report = json.loads(first.attrs["diagnostics"])
    assert 0 < report["change_on_halving_neighbours"] < 0.05
    assert 0 < report["change_on_halving_members"] < 0.05


def test_bath_energies_are_drawn_from_the_given_samples():
    """Shifting the bath's density of states and E by the same energy changes nothing."""
    method = qt.PopulationDynamics(num_members=2000, num_sweeps=32, seed=1)
    here = qt.solve(qt.Propagator(levy(1.5), energies=[0.0], laplace=[0.5]), method)
    shifted = 2 + np.random.default_rng(0).standard_normal(100_000)
    other = qt.PopulationDynamics(num_members=2000, num_sweeps=32, seed=2, bath_energies=shifted)
    there = qt.solve(qt.Propagator(levy(1.5), energies=[2.0], laplace=[0.5]), other)
    error = np.hypot(here["autocorrelation_stderr"].item(), there["autocorrelation_stderr"].item())
    assert abs(here["autocorrelation"].item() - there["autocorrelation"].item()) < 5 * error


@pytest.mark.parametrize(
    "model", [qt.models.sample_imbrie_chain(num_bath_sites=3, disorder=1.0, seed=1), levy(2.0)], ids=["spins", "mu = 2"]
)
def test_models_out_of_reach_are_refused(model):
    with pytest.raises(qt.UnsupportedError, match="PopulationDynamics needs"):
        qt.solve(qt.Propagator(model, energies=[0.0], laplace=[1.0]), qt.PopulationDynamics())
