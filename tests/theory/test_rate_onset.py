"""Onset of the rates: closed integrals, an ODE solver, exact second order, and the lag that it explains."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad, solve_ivp
from scipy.special import sici

import qthermo as qt
from qthermo.models import Band, band_chain, sample_band_chain
from qthermo.theory.band_rates import build_rates, decay_constant
from qthermo.theory.hilbert_average import fit_time_scale
from qthermo.theory.rate_onset import build_onset_rates, onset_time

WIDTH = 0.05


def single_band(num_levels):
    """The rates of two subunits need no random blocks."""
    bands = (Band(energy=0.0, num_levels=1), Band(energy=1.0, num_levels=num_levels, width=WIDTH))
    block = np.ones((num_levels,) * 2)
    coupling = 0.5 * WIDTH / num_levels
    return band_chain(bands=bands, blocks=[{((0, 1), (1, 0)): block}], coupling=coupling, total_energy=1.0)


def test_two_equal_boxes_in_closed_form():
    """g = (2/pi) (Si(x) - (1 - cos x) / x), x = delta t; late by (2 / pi delta) (ln x + 1 + Euler's constant)."""
    times = np.array([0.0, 1.0, 30.0, 400.0])

    def onset(t):
        x = WIDTH * t
        return 2 / np.pi * (sici(x)[0] - (1 - np.cos(x)) / x) if t > 0 else 0.0

    expected = [quad(onset, 0, t, limit=500)[0] for t in times]
    assert_allclose(onset_time((WIDTH, WIDTH), 400.0)(times), expected, rtol=1e-6)
    late = np.array([1e5, 1e9])  # the second one beyond the table
    lag = late - onset_time((WIDTH, WIDTH), 1e9)(late)
    predicted = 2 / (np.pi * WIDTH) * (np.log(WIDTH * late) + 1 + np.euler_gamma)
    assert lag[0] == pytest.approx(predicted[0], rel=1e-3)
    assert lag[1] < predicted[1] < 1e-6 * late[1]


def test_unequal_boxes_by_an_ode_solver():
    """Bands of unequal widths: parts with different onsets, which do not commute."""
    bands = tuple(Band(energy=float(e), num_levels=n, width=w) for e, n, w in ((0, 1, 0.0), (1, 4, 0.05), (2, 6, 0.02)))
    rng = np.random.default_rng(1)
    blocks = {
        ((0, 2), (1, 1)): rng.standard_normal((6, 16)),
        ((0, 2), (2, 0)): rng.standard_normal((6, 6)),
        ((1, 1), (2, 0)): rng.standard_normal((16, 6)),
    }
    model = band_chain(bands=bands, blocks=[blocks], coupling=0.004, total_energy=2.0)
    rates = build_onset_rates(model)
    assert len(rates.parts) == 2
    assert_allclose(sum(part.strengths for part in rates.parts), build_rates(model).strengths, rtol=1e-12)
    grid = np.linspace(0, 120, 4001)
    clocks = [onset_time(widths, 120.0)(grid) for widths in rates.widths]
    slopes = [np.gradient(clock, grid, edge_order=2) for clock in clocks]

    def flow(t, P):
        parts = zip(slopes, rates.parts, strict=True)
        return sum(np.interp(t, grid, slope) * part.generator for slope, part in parts) @ P

    start, times = np.array([0.7, 0.2, 0.1]), np.array([0.0, 20.0, 60.0, 120.0])
    expected = solve_ivp(flow, (0, 120), start, t_eval=times, rtol=1e-9, atol=1e-12, max_step=1.0).y.T
    found = rates.evolve(start, times)
    assert_allclose(found, expected, atol=2e-5)
    assert np.abs(found - build_rates(model).evolve(start, times)).max() > 0.02


def test_onset_is_the_exact_second_order():
    """For |v_ij| = 1 the loss per lambda^2 does not depend on the phases: no average is needed."""
    coupling = 1e-7
    model = sample_band_chain(
        num_subunits=2, num_levels=120, band_width=WIDTH, coupling=coupling, seed=1, ensemble="phases"
    )
    times = np.array([0.0, 5.0, 50.0, 500.0])
    problem = qt.BandDynamics(model, times=times, initial="average")
    with pytest.warns(qt.ValidityWarning, match="lambda n"):
        theory = qt.solve(problem, qt.RateEquation(onset=True))["probability"][:, 1]
    exact = qt.solve(problem, qt.Dense())["probability"][:, 1]
    assert_allclose(theory[1:] / exact[1:], 1, atol=2e-3)


@pytest.mark.parametrize(("num_levels", "measured"), [(200, 0.93), (500, 0.969)])
def test_lag_of_the_rates_is_the_shift_of_the_fitted_constant(num_levels, measured):
    """kappa fitted to the onset alone, in the window of the fits to exact dynamics, which gave these ratios."""
    model = single_band(num_levels)
    kappa = decay_constant(model)
    times = np.linspace(0, 1, 13) / kappa
    late = build_onset_rates(model).evolve(np.array([1.0, 0.0]), times)
    window = (0.05 / kappa, 0.8 / kappa)
    assert fit_time_scale(times, late, build_rates(model), [1, 0], window=window)[0] == pytest.approx(
        measured, abs=0.01
    )


def test_exact_mean_is_nearer_to_the_rates_with_onset():
    misses = {False: [], True: []}
    for seed in range(3):
        model = sample_band_chain(num_subunits=2, num_levels=80, band_width=WIDTH, coupling=0.6 * WIDTH / 80, seed=seed)
        problem = qt.BandDynamics(model, times=np.linspace(0, 1, 9) / decay_constant(model), initial="average")
        exact = qt.solve(problem, qt.Dense())["probability"]
        for onset, found in misses.items():
            found.append(float(np.abs(qt.solve(problem, qt.RateEquation(onset=onset))["probability"] - exact).max()))
    assert np.mean(misses[True]) < np.mean(misses[False]) / 2
    with pytest.raises(qt.InputError, match="True or False"):
        qt.RateEquation(onset=1)
