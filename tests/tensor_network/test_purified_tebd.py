import numpy as np
import pytest
from reference_chain import reference_chain

import qthermo as qt


@pytest.mark.parametrize("disorder", [1, 2, 4])
@pytest.mark.parametrize("beta", [0.5, 2.0])
def test_correlator_agrees_with_dense(disorder, beta):
    problem = qt.Autocorrelation(reference_chain(9, disorder), times=np.linspace(0, 6, 7), beta=beta)
    data = qt.solve(problem, qt.PurifiedTEBD(max_bond_dim=64))
    np.testing.assert_allclose(data["correlator"], qt.solve(problem, qt.Dense())["correlator"], atol=2e-4)
    assert data["truncation_error"].max() < 1e-3


def test_reference_numbers_at_beta_one():
    # L = 10, W = 2, beta = 1: t = 1, 5 by independent exact diagonalisation
    problem = qt.Autocorrelation(reference_chain(10, 2.0), times=[1.0, 5.0], beta=1.0)
    values = qt.solve(problem, qt.PurifiedTEBD())["correlator"].values
    np.testing.assert_allclose(values, [0.648011 - 0.216813j, 0.996784 + 0.007274j], atol=2e-4)


def test_complex_hamiltonian_and_no_doubling():
    H = qt.PauliSum.from_text("0.5 Z0 + 0.5 X0 X1 + 0.7 Y1 + 0.3 Z1 + 0.9 Y1 Z2 - 0.4 X2 + 0.6 X2 Y3 + 0.2 Y3")
    problem = qt.Autocorrelation(qt.models.spin_chain(hamiltonian=H), times=[0.0, 0.5, 1.7], beta=0.8)
    exact = qt.solve(problem, qt.Dense())["correlator"]
    np.testing.assert_allclose(qt.solve(problem, qt.PurifiedTEBD(time_step=0.1))["correlator"], exact, atol=1e-5)


def test_infinite_temperature_is_real_and_meets_the_heisenberg_picture():
    problem = qt.Autocorrelation(reference_chain(8, 2.0), times=[0.5, 2.0])
    values = qt.solve(problem, qt.PurifiedTEBD())["correlator"]
    assert np.isrealobj(values.values)
    np.testing.assert_allclose(values, qt.solve(problem, qt.HeisenbergTEBD())["correlator"], atol=1e-6)


def test_thermal_energies_and_free_energies_agree_with_dense():
    problem = qt.ThermalState(reference_chain(9, 2.0), betas=[0.1, 0.5, 1.0, 2.0])
    exact = qt.solve(problem, qt.Dense())
    data = qt.solve(problem, qt.PurifiedTEBD())
    np.testing.assert_allclose(data["energy"], exact["energy"], atol=1e-4)
    np.testing.assert_allclose(data["free_energy"], exact["free_energy"], atol=1e-4)


def test_error_of_cooling_falls_with_the_fourth_power_of_the_step():
    problem = qt.ThermalState(reference_chain(5, 1.0), betas=[1.0])
    exact = qt.solve(problem, qt.Dense())["free_energy"].values[0]
    errors = [
        abs(
            qt.solve(problem, qt.PurifiedTEBD(thermal_step=step, thermal_truncation_error=1e-18))["free_energy"].values[
                0
            ]
            - exact
        )
        for step in (0.5, 0.25)
    ]
    assert 13 < errors[0] / errors[1] < 19


def test_free_energy_of_independent_spins_has_a_closed_form():
    H = qt.PauliSum.from_letters((0.3 * (k + 1), {k: "Z"}) for k in range(16))
    betas = np.array([0.5, 3.0, 8.0])
    data = qt.solve(qt.ThermalState(qt.models.spin_chain(hamiltonian=H), betas=betas), qt.PurifiedTEBD())
    fields = 0.3 * np.arange(1, 17)
    logs = np.logaddexp(np.outer(betas, fields), -np.outer(betas, fields)).sum(axis=1)
    np.testing.assert_allclose(data["free_energy"], -logs / betas, rtol=1e-10)
    np.testing.assert_allclose(data["energy"], -(fields * np.tanh(np.outer(betas, fields))).sum(axis=1), rtol=1e-10)


def test_a_tight_bond_dimension_warns_and_stops():
    problem = qt.Autocorrelation(reference_chain(9, 1.0), times=np.linspace(1, 12, 12), beta=0.5)
    with pytest.warns(qt.NotConvergedWarning, match="max_bond_dim"):
        data = qt.solve(problem, qt.PurifiedTEBD(max_bond_dim=16))
    assert np.isnan(data["correlator"].values[-1])


def test_resuming_gives_the_same_numbers(tmp_path):
    problem = qt.Autocorrelation(reference_chain(6, 1.0), times=[0.5, 1.0, 1.5], beta=0.5)
    path = str(tmp_path / "run.npz")

    def interrupt(fraction, _words):
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        qt.solve(problem, qt.PurifiedTEBD(checkpoint=path), progress=interrupt)
    resumed = qt.solve(problem, qt.PurifiedTEBD(checkpoint=path))["correlator"].values
    np.testing.assert_array_equal(resumed, qt.solve(problem, qt.PurifiedTEBD())["correlator"].values)


def test_one_run_scans_the_temperatures():
    model, times, betas = reference_chain(8, 2.0), np.linspace(0, 3, 4), np.array([0.0, 0.5, 2.0])
    values = qt.PurifiedTEBD(time_step=0.1).scan_betas(model, times=times, betas=betas)
    for row, beta in zip(values, betas, strict=True):
        exact = qt.solve(qt.Autocorrelation(model, times=times, beta=beta), qt.Dense())["correlator"].values
        np.testing.assert_allclose(row, exact, atol=2e-4)
