import numpy as np
import pytest
import scipy.linalg
from reference_chain import reference_chain
from step_halving import halving_ratio

import qthermo as qt

TIMES = np.array([1.0, 2.0, 5.0, 10.0])
# C(t) at t = 1, 2, 5, 10 of the reference instance, L = 10, by independent exact diagonalisation
EXACT = {
    1: (0.639889, 0.240208, 0.312976, 0.195655),
    2: (0.640514, 0.241316, 0.589039, 0.517695),
    4: (0.642444, 0.246869, 0.928106, 0.880717),
    8: (0.646214, 0.259718, 0.909610, 0.880154),
}


def correlator(model, times, **options):
    return qt.solve(qt.Autocorrelation(model, times=times), qt.HeisenbergTEBD(**options))["correlator"].values


@pytest.mark.parametrize("disorder", [1, 2, 4, 8])
def test_reference_instance_at_bond_dimension_64(disorder):
    reach = 4 if disorder >= 4 else 3
    data = correlator(reference_chain(10, disorder), TIMES[:reach], max_bond_dim=64)
    np.testing.assert_allclose(data, EXACT[disorder][:reach], atol=2e-4)


@pytest.mark.parametrize(("order", "low", "high"), [(2, 3.7, 4.3), (4, 14, 18)])
@pytest.mark.parametrize("time_doubling", [True, False])
def test_trotter_error_falls_with_the_power_of_the_order(order, low, high, time_doubling):
    assert low < halving_ratio(reference_chain(6, 2.0), 0.1, order, time_doubling=time_doubling) < high


def test_complex_hamiltonians_are_evolved_without_doubling():
    H = qt.PauliSum.from_text("0.5 Z0 + 0.5 X0 X1 + 0.7 Y1 + 0.3 Z1 + 0.9 Y1 Z2 - 0.4 X2 + 0.6 X2 Y3 + 0.2 Y3")
    problem = qt.Autocorrelation(qt.models.spin_chain(hamiltonian=H), times=np.linspace(0, 3, 7))
    data = qt.solve(problem, qt.HeisenbergTEBD(time_step=0.1))
    assert '"time_doubling": false' in data.attrs["diagnostics"]
    np.testing.assert_allclose(data["correlator"], qt.solve(problem, qt.Dense())["correlator"], atol=1e-5)


def test_any_grid_of_times_is_met():
    model = reference_chain(7, 2.0)
    times = np.array([0.0, 0.013, 0.7, 0.71, np.pi])
    exact = qt.solve(qt.Autocorrelation(model, times=times), qt.Dense())["correlator"]
    np.testing.assert_allclose(correlator(model, times), exact, atol=5e-5)
    assert correlator(model, [0.0]) == pytest.approx([1.0], abs=1e-14)


def test_spins_outside_the_light_cone_do_not_matter():
    rng = np.random.default_rng(5)
    fields, bonds = rng.uniform(-4, 4, 59), rng.uniform(0.8, 1.2, 58)
    times = [0.5, 1.0, 1.5]
    short = qt.models.imbrie_chain(fields=fields[:9], bonds=bonds[:8])
    exact = qt.solve(qt.Autocorrelation(short, times=times), qt.Dense())["correlator"]
    data = qt.solve(
        qt.Autocorrelation(qt.models.imbrie_chain(fields=fields, bonds=bonds), times=times),
        qt.HeisenbergTEBD(time_step=0.125),
    )
    np.testing.assert_allclose(data["correlator"], exact, atol=1e-5)


def test_estimates_follow_the_true_errors_and_stop_the_run():
    model = reference_chain(10, 1.0)
    problem = qt.Autocorrelation(model, times=np.linspace(0.5, 16, 32))
    exact = qt.solve(problem, qt.Dense())["correlator"].values
    with pytest.warns(qt.NotConvergedWarning, match="max_bond_dim"):
        data = qt.solve(problem, qt.HeisenbergTEBD(max_bond_dim=32, tolerance=1e-3))
    error = np.abs(data["correlator"].values - exact)
    assert np.isnan(error[-1])
    assert np.nanmax(error) < 2e-3
    estimate = data["truncation_error"].values + data["trotter_error"].values
    known = np.isfinite(error)
    assert np.all(error[known] < 2 * estimate[known] + 2e-5)


def test_the_operator_is_handed_back_as_a_quimb_mpo():
    model = reference_chain(5, 2.0)
    H, Z = model.hamiltonian.to_dense(5), model.observable.to_dense(5)
    U = scipy.linalg.expm(-1j * H)
    mpo = qt.HeisenbergTEBD(time_step=0.05, truncation_error=1e-14).evolve_operator(model, time=1.0)
    np.testing.assert_allclose(mpo.to_dense(), U.conj().T @ Z @ U, atol=1e-6)


@pytest.mark.parametrize("options", [{"max_bond_dim": 1}, {"time_step": 0.0}, {"trotter_order": 3}, {"tolerance": 0}])
def test_bad_options_are_named(options):
    with pytest.raises(qt.InputError, match=next(iter(options))):
        qt.HeisenbergTEBD(**options)


def test_what_it_cannot_answer_is_refused_with_names():
    chain = reference_chain(4, 1.0)
    with pytest.raises(qt.UnsupportedError, match="Dense"):
        qt.solve(qt.Autocorrelation(chain, times=[1.0], beta=1.0), qt.HeisenbergTEBD())
    levy = qt.models.sample_levy_bath(dim=5, exponent=1.5, scale=0.3, seed=1)
    with pytest.raises(qt.UnsupportedError, match="spins"):
        qt.solve(qt.Autocorrelation(levy, times=[1.0]), qt.HeisenbergTEBD())
