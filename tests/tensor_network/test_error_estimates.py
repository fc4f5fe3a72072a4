"""The estimate itself, on numbers whose errors are known, and the times at which it is made."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_chain import reference_chain

import qthermo as qt
from qthermo.tensor_network.error_estimates import estimate_errors, mark_times
from qthermo.tensor_network.run_estimate import count_all_steps

TIMES = np.linspace(0.1, 10, 100)


def runs(errors, coarse_errors):
    exact = np.cos(TIMES)
    return np.array([exact + errors, exact + coarse_errors, exact + coarse_errors, exact + coarse_errors])


@pytest.mark.parametrize("power", [0.5, 1.0])
@pytest.mark.parametrize("ratio", [1.1, 2.0, 10.0])
def test_errors_are_not_hidden_by_runs_that_have_lost_alike(power, ratio):
    """The errors are a power of the weight; the coarser run lost `ratio` times as much."""
    weight = np.exp(TIMES - 12)
    errors, coarse = 0.3 * weight**power, 0.3 * (ratio * weight) ** power
    estimate = estimate_errors(runs(errors, coarse), np.array([weight, ratio * weight]), 4)["truncation_error"]
    assert np.all(estimate > 2 * errors)
    if ratio < 2:
        assert np.all(np.abs(coarse - errors) < 0.2 * errors), "the change alone would not do"


def test_the_error_of_the_coarser_run_is_the_estimate_while_the_finer_is_exact():
    weight = 1e-3 * TIMES
    estimate = estimate_errors(runs(0 * TIMES, weight), np.array([1e-4 * weight, weight]), 4)["truncation_error"]
    np.testing.assert_allclose(estimate, weight, rtol=1e-9)
    untouched = estimate_errors(runs(0 * TIMES, weight), np.zeros((2, TIMES.size)), 4)["truncation_error"]
    np.testing.assert_allclose(untouched, weight, rtol=1e-9)


def test_a_least_error_follows_the_discarded_weight():
    weight = 1e-3 * TIMES
    weights = np.array([weight, 100 * weight])
    estimate = estimate_errors(runs(0 * TIMES, 0 * TIMES), weights, 4, error_of_weight=4.0)["truncation_error"]
    np.testing.assert_allclose(estimate, 4 * weight, rtol=1e-9)


def test_the_step_s_error_is_extrapolated_from_half_the_step():
    values = runs(np.zeros(100), np.zeros(100))
    values[2] += 16e-4 * TIMES
    values[3] += 1e-4 * TIMES
    errors = estimate_errors(values, np.ones((2, 100)), 4)
    np.testing.assert_allclose(errors["trotter_error"], 16e-4 * TIMES, rtol=1e-9)


@given(
    st.lists(st.floats(0.0, 30.0), min_size=1, max_size=6, unique=True), st.sampled_from([0.01, 0.1, 0.125, 0.25, 1.0])
)
def test_marks_keep_the_requested_times_and_the_number_of_steps(times, step):
    times = np.sort(times)
    marks, places = mark_times(times, step)
    np.testing.assert_array_equal(marks[places], times)
    assert np.all(np.diff(np.concatenate([[0.0], marks])) < 4 * step * (1 + 1e-9))
    assert np.all(np.diff(marks) > 0)
    assert count_all_steps(0.0, marks, step) == count_all_steps(0.0, times, step)


def test_a_loss_between_two_times_ends_the_values_and_shows_at_the_later():
    problem = qt.Autocorrelation(reference_chain(8, 1.0), times=[0.5, 8.0, 16.0])
    with pytest.warns(
        qt.NotConvergedWarning, match="at time 8; values from there on are NaN unless .*: raise max_bond_dim"
    ):
        data = qt.solve(problem, qt.HeisenbergTEBD(max_bond_dim=8, time_step=0.25))
    np.testing.assert_array_equal(np.isfinite(data["correlator"]), [True, False, False])
    errors = data["truncation_error"].values
    assert errors[0] < 1e-3 < errors[1]
    assert np.isnan(errors[2])


def test_a_loss_before_the_first_time_is_told_and_the_values_are_there_on_request():
    problem = qt.Autocorrelation(reference_chain(8, 1.0), times=[8.0])
    options = {"max_bond_dim": 8, "time_step": 0.25}
    with pytest.warns(qt.NotConvergedWarning, match="at time 8; values from there on are NaN unless stop_at_tolerance"):
        data = qt.solve(problem, qt.HeisenbergTEBD(**options))
    assert np.isnan(data["correlator"].values[0])
    assert data["truncation_error"].values[0] > 1e-3
    with pytest.warns(qt.NotConvergedWarning, match="at time 8: raise max_bond_dim"):
        data = qt.solve(problem, qt.HeisenbergTEBD(**options, stop_at_tolerance=False))
    exact = qt.solve(problem, qt.Dense())["correlator"].values
    assert np.abs(data["correlator"].values - exact)[0] < 2 * data["truncation_error"].values[0]
