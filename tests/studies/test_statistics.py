"""Means, standard errors and bootstrap intervals against closed formulas."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from qthermo.studies.statistics import (
    bootstrap_interval,
    combine_sampling_errors,
    count_finite,
    mean_of,
    stderr_of,
)


def test_mean_and_standard_error_are_the_textbook_ones():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(50, 3, 2))
    assert_allclose(mean_of(samples), samples.mean(axis=0))
    assert_allclose(stderr_of(samples), samples.std(axis=0, ddof=1) / np.sqrt(50))
    complex_samples = samples[..., 0] + 1j * samples[..., 1]
    expected = np.sqrt((samples[..., 0].var(axis=0, ddof=1) + samples[..., 1].var(axis=0, ddof=1)) / 50)
    assert_allclose(stderr_of(complex_samples), expected)


def test_lost_entries_are_counted():
    samples = np.array([[1.0, np.nan], [3.0, np.nan], [np.inf, 5.0]])
    assert count_finite(samples).tolist() == [2, 1]
    assert mean_of(samples).tolist() == [2.0, 5.0]
    assert stderr_of(samples)[0] == pytest.approx(1.0)
    assert np.isnan(stderr_of(samples)[1])
    assert np.isnan(mean_of(np.full((2, 1), np.nan)))


def test_sampling_errors_of_independent_numbers_add_in_squares():
    assert combine_sampling_errors(np.array([[3.0], [4.0]])) == pytest.approx(2.5)
    assert combine_sampling_errors(np.full((100, 1), 0.2)) == pytest.approx(0.02)


def test_bootstrap_interval_of_normal_samples_is_the_normal_one():
    samples = np.random.default_rng(1).normal(size=(400, 5))
    low, high = bootstrap_interval(samples, num_samples=4000, confidence=0.95, rng=np.random.default_rng(2))
    mean, stderr = samples.mean(axis=0), samples.std(axis=0) / np.sqrt(400)
    assert_allclose(high - mean, 1.96 * stderr, rtol=0.1)
    assert_allclose(mean - low, 1.96 * stderr, rtol=0.1)


def test_bootstrap_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(300):
        samples = rng.exponential(size=(60, 1))
        low, high = bootstrap_interval(samples, num_samples=400, confidence=0.8, rng=rng)
        inside += bool(low[0] <= 1.0 <= high[0])
    assert 0.7 < inside / 300 < 0.86


def test_bootstrap_leaves_lost_entries_out():
    samples = np.column_stack(
        [np.arange(40.0), np.where(np.arange(40) < 20, np.arange(40.0), np.nan), np.full(40, np.nan)]
    )
    low, high = bootstrap_interval(samples, num_samples=500, confidence=0.9, rng=np.random.default_rng(4))
    assert low[0] < 19.5 < high[0]
    assert low[1] < 9.5 < high[1] < 15
    assert np.isnan(low[2])
    assert np.isnan(high[2])
