"""Chebyshev recursions against the matrix exponential, and the bound of the spectrum."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from numpy.testing import assert_allclose
from scipy.special import jv

from qthermo.linalg.chebyshev import Interval, bound_spectrum, count_terms, evolve_chebyshev


def hermitian(size: int, *, real: bool, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((size, size)) + (0 if real else 1j * rng.standard_normal((size, size)))
    return (a + a.conj().T) / 2


def dense_step(matrix: np.ndarray):
    def step(current, previous, out, scale, shift):
        out[...] = scale * (matrix @ current - shift * current) - previous

    return step


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("columns", [None, 3])
def test_states_at_all_times_are_those_of_the_exponential(real, columns):
    matrix = hermitian(40, real=real)
    rng = np.random.default_rng(1)
    shape = (40,) if columns is None else (40, columns)
    start = rng.standard_normal(shape) + (0 if real else 1j * rng.standard_normal(shape))
    times = np.array([0.0, 0.01, 0.7, 5.0, 40.0])
    step = dense_step(matrix)
    bounds = bound_spectrum(step, rng.standard_normal(shape).astype(start.dtype), num_steps=40)
    evolution = evolve_chebyshev(step, start, times, bounds, tolerance=1e-13)
    for k, t in enumerate(times):
        exact = scipy.linalg.expm(-1j * matrix * t) @ start
        assert_allclose(evolution.state(k), exact, atol=2e-11)
        assert_allclose(evolution.weights(k), np.abs(exact) ** 2, atol=1e-10)
    assert evolution.norm_error < 1e-12


def test_bound_holds_the_spectrum_and_is_tight():
    for seed in range(10):
        matrix = hermitian(400, real=True, seed=seed)
        start = np.random.default_rng(seed + 100).standard_normal(400)
        bounds, values = bound_spectrum(dense_step(matrix), start, num_steps=32), np.linalg.eigvalsh(matrix)
        assert bounds.lower <= values[0]
        assert bounds.upper >= values[-1]
        assert bounds.radius < 1.15 * (values[-1] - values[0]) / 2


def test_too_small_a_bound_shows_in_the_norm():
    matrix = hermitian(30, real=True)
    top = np.linalg.eigvalsh(matrix)[-1]
    evolution = evolve_chebyshev(
        dense_step(matrix), np.ones(30), np.array([10.0]), Interval(-top / 2, top / 2), tolerance=1e-12
    )
    assert evolution.norm_error > 1


@pytest.mark.parametrize("phase", [0.0, 0.1, 3.0, 200.0, 5000.0])
def test_terms_left_out_stay_below_the_tolerance(phase):
    count = count_terms(phase, 1e-12)
    assert 2 * np.abs(jv(np.arange(count, count + 400), phase)).sum() < 1e-12
    assert count < phase + 20 * (phase + 1) ** (1 / 3) + 20
