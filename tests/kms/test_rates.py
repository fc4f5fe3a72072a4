"""Rates are balanced, and their smearing by a window is the integral it claims to be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from qthermo.kms.filters import FILTERS, even_filter
from qthermo.kms.rates import RATES, balanced_rate, even_rate, smeared_rate


@given(rate=st.sampled_from(RATES), nu=st.floats(-20, 20), beta=st.floats(0, 3), width=st.floats(0.5, 3))
def test_rates_are_balanced(rate: str, nu: float, beta: float, width: float):
    up, down = (float(balanced_rate(rate, np.array(x), beta, width)) for x in (nu, -nu))
    assert up == pytest.approx(np.exp(-beta * nu) * down, rel=1e-9, abs=1e-280)
    even = float(even_rate(rate, np.array(nu), beta, width))
    assert even == pytest.approx(np.exp(beta * nu / 2) * up, rel=1e-9, abs=1e-280)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("beta", "sigma", "shift"), [(1.0, 0.5, 0.0), (1.0, 1.0, 0.5), (2.0, 1.0, 1.0), (0.5, 2.0, 1.0)]
)
def test_smeared_rate_is_the_integral(rate: str, beta: float, sigma: float, shift: float):
    def integrand(w: float, nu: float) -> float:
        normal = np.exp(-((w - nu) ** 2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
        return float(balanced_rate(rate, np.array(w + shift), beta, 1.3)) * normal

    nu = np.array([-7.0, -1.3, 0.0, 0.4, 5.0])
    expected = [
        quad(integrand, x - 12 * sigma, x + 12 * sigma, args=(x,), points=[-shift], limit=400, epsabs=1e-14)[0]
        for x in nu
    ]
    found = smeared_rate(rate, nu, beta, energy_width=sigma, rate_width=1.3, shift=shift)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rate", RATES)
def test_the_shift_makes_the_smeared_rate_balanced_and_its_absence_does_not(rate: str):
    nu, beta, sigma = np.linspace(-4, 4, 9), 1.0, 1.0
    shifted = smeared_rate(rate, nu, beta, energy_width=sigma, shift=beta * sigma**2 / 2)
    np.testing.assert_allclose(shifted, np.exp(-beta * nu) * shifted[::-1], rtol=1e-9)
    plain = smeared_rate(rate, nu, beta, energy_width=sigma)
    assert np.abs(plain / (np.exp(-beta * nu) * plain[::-1]) - 1).max() > 0.1


def test_metropolis_does_not_overflow_far_out():
    values = smeared_rate("metropolis", np.array([-1e4, 1e4]), 3.0, energy_width=0.1, shift=0.015)
    np.testing.assert_allclose(values, [1.0, 0.0], atol=1e-12)


@pytest.mark.parametrize("name", FILTERS)
def test_filters_are_even_and_positive(name: str):
    nu = np.linspace(-10, 10, 41)
    values = even_filter(name, nu, 1.3)
    np.testing.assert_array_equal(values, values[::-1])
    assert (values > 0).all()


def test_filters_match_their_published_forms():
    beta, nu = 1.3, np.linspace(-5, 5, 11)
    x = beta * nu
    weight = np.exp(-x / 4)
    np.testing.assert_allclose(even_filter("gaussian", nu, beta) * weight, np.exp(-((x + 1) ** 2) / 8))
    smooth = np.exp(-(x + np.sqrt(1 + x**2)) / 4)
    np.testing.assert_allclose(even_filter("smooth_metropolis", nu, beta) * weight, smooth)
