"""The error of a step from its halves: exact for a power law, a bound where two steps agree by chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from qthermo.linalg.step_halving import find_slow_halving, step_error

NUMBERS = st.floats(-1, 1)


def halves(error, num_levels: int = 3) -> np.ndarray:
    """Values 0.3 + error(h) at h = 1, 1/2, .., shape (level, time)."""
    return np.array([np.atleast_1d(0.3 + error(0.5**k)) for k in range(num_levels)])


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("num_levels", [2, 3, 4])
def test_a_power_law_is_found_exactly(order, num_levels):
    curve = np.array([0.1, -0.2, 0.4j])
    values = halves(lambda h: curve * h**order, num_levels)
    assert_allclose(step_error(values, order), np.abs(curve), rtol=1e-13)


def test_every_entry_has_its_own_error():
    errors = np.array([[1.0, 0.0], [-3.0, 1.0], [2.0, 0.5]])
    assert_allclose(step_error(halves(lambda h: errors * h**2), 2), np.abs(errors), rtol=1e-13, atol=1e-15)


def test_two_steps_that_agree_by_chance():
    """The error -5/4 h^2 + h^4 is the same at 1 and 1/2, so two steps see none of it; three do."""

    def error(h):
        return -1.25 * h**2 + h**4

    assert step_error(halves(error, 2), 2)[0] == pytest.approx(0, abs=1e-15)
    assert 0.25 < 1.5 * step_error(halves(error), 2)[0] < 0.5


@given(NUMBERS, NUMBERS, NUMBERS, st.sampled_from([1, 2, 4]))
def test_never_less_than_the_error_down_to_the_last_step(first, second, third, order):
    estimate = step_error(np.array([[first], [second], [third]]), order)[0]
    assert abs(first) <= estimate + abs(third) + 1e-15


@pytest.mark.parametrize("order", [1, 2, 4])
def test_slow_halving_is_found(order):
    assert find_slow_halving(halves(lambda h: h**order), order) is None
    assert find_slow_halving(halves(lambda h: np.array([h**order, 0.0])), order) is None
    former, last = find_slow_halving(halves(lambda h: h**0.1), order)
    assert (former, last) == pytest.approx((1 - 0.5**0.1, 0.5**0.1 - 0.25**0.1))
    assert find_slow_halving(np.zeros((3, 0)), order) is None
