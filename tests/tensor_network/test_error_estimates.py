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
EARLY, LATE = np.exp(TIMES - 8) * 1e-2, np.exp(TIMES - 10) * 1e-2
"""Weights that two runs discarded: the first loses two units of time later."""


def runs(errors, coarse_errors):
    exact = np.cos(TIMES)
    return np.array([exact + errors, exact + coarse_errors, exact + coarse_errors, exact + coarse_errors])


def estimate_so_far(values, weights):
    """Return the estimates at every time, each the largest up to it."""
    found = [estimate_errors(values[:, : k + 1], weights[:, : k + 1], 4) for k in range(TIMES.size)]
    return {name: np.maximum.accumulate([errors[name] for errors in found]) for name in found[0]}


@pytest.mark.parametrize("power", [0.5, 1.0])
@pytest.mark.parametrize("constant", [1e-3, 1.0])
def test_runs_that_agree_by_accident_do_not_hide_the_error(power, constant):
    """The error is a power of the weight; from t = 7 on both runs happen to have the same one."""
    errors, coarse = constant * LATE**power, constant * EARLY**power
    coarse[TIMES > 7] = errors[TIMES > 7]
    estimate = estimate_so_far(runs(errors, coarse), np.array([LATE, EARLY]))["truncation_error"]
    assert np.all(errors < 2 * estimate)
    assert np.any(errors > 2 * np.maximum.accumulate(np.abs(errors - coarse))), "the change alone would not do"
    hidden = estimate_so_far(runs(errors, errors), np.zeros((2, TIMES.size)))["truncation_error"]
    assert np.all(hidden < 1e-12), "without weights there is nothing to tell the error by"


def test_errors_that_grow_with_the_weight_are_estimated_by_the_change_alone():
    errors, coarse = LATE, EARLY
    estimate = estimate_so_far(runs(errors, coarse), np.array([LATE, EARLY]))["truncation_error"]
    np.testing.assert_allclose(estimate, coarse - errors, rtol=1e-6)


def test_the_step_s_error_is_extrapolated_from_half_the_step():
    values = runs(np.zeros(100), np.zeros(100))
    values[2] += 16e-4 * TIMES
    values[3] += 1e-4 * TIMES
    errors = estimate_so_far(values, np.ones((2, 100)))
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
    with pytest.warns(qt.NotConvergedWarning, match="at time 8; values from there on are NaN: raise max_bond_dim"):
        data = qt.solve(problem, qt.HeisenbergTEBD(max_bond_dim=8, time_step=0.25))
    np.testing.assert_array_equal(np.isfinite(data["correlator"]), [True, False, False])
    errors = data["truncation_error"].values
    assert errors[0] < 1e-3 < errors[1]
    assert np.isnan(errors[2])


def test_the_first_time_is_always_answered():
    problem = qt.Autocorrelation(reference_chain(8, 1.0), times=[8.0, 9.0])
    with pytest.warns(qt.NotConvergedWarning, match="values after it are NaN"):
        data = qt.solve(problem, qt.HeisenbergTEBD(max_bond_dim=8, time_step=0.25))
    exact = qt.solve(problem, qt.Dense())["correlator"].values
    np.testing.assert_array_equal(np.isfinite(data["correlator"]), [True, False])
    assert abs(data["correlator"].values[0] - exact[0]) < data["truncation_error"].values[0]
