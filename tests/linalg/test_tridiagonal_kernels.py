"""Sweeps over a tridiagonal matrix against its eigenvalues and its inverse."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from numpy.testing import assert_allclose, assert_array_equal

from qthermo.linalg.tridiagonal_kernels import TridiagonalSweeps


def random_rows(size: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(size)
    return 0.4 * rng.uniform(-1, 1, size), 0.3 * rng.random(size - 1)


@pytest.mark.parametrize("size", [2, 5, 8, 9, 41, 1200])
def test_counts(size: int):
    alpha, beta = random_rows(size)
    values = scipy.linalg.eigvalsh_tridiagonal(alpha, beta)
    points = np.sort(np.random.default_rng(0).uniform(-1, 1, 75))
    points = points[np.abs(points[:, None] - values).min(axis=1) > 1e-12]
    counts = TridiagonalSweeps.from_rows(alpha, beta).count_below(points)
    assert_array_equal(counts, np.searchsorted(values, points))


@pytest.mark.parametrize("size", [2, 5, 8, 9, 41])
def test_corners_of_the_resolvent(size: int):
    alpha, beta = random_rows(size)
    rng = np.random.default_rng(1)
    points, etas = rng.uniform(-1, 1, 40), 10 ** rng.uniform(-6, -1, 40)
    weight, step, corner = TridiagonalSweeps.from_rows(alpha, beta).resolve(points, etas)
    matrix = np.diag(alpha) + np.diag(beta, 1) + np.diag(beta, -1)
    for k, z in enumerate(points + 1j * etas):
        exact = np.linalg.inv(z * np.eye(size) - matrix)
        assert_allclose(weight[k], -etas[k] * exact[0, 0].imag, rtol=1e-6)
        assert_allclose(step[k], etas[k] * exact[0, 0].real / exact[0, 0].imag, rtol=1e-6)
        assert_allclose(corner[k], np.log(etas[k] * abs(exact[0, -1])), rtol=1e-6, atol=1e-9)


def test_last_component_far_below_the_range_of_doubles():
    """The free chain: G_1m = sin(theta) / sin((m + 1) theta) / b with x = 2 b cos(theta), beyond the band."""
    m, b, z = 6001, 0.25, 0.9 + 1e-9j
    theta = np.arccos(z / (2 * b))
    expected = np.log(abs(np.sin(theta) / b)) + np.log(2) - (m + 1) * abs(theta.imag) + np.log(z.imag)
    sweeps = TridiagonalSweeps.from_rows(np.zeros(m), np.full(m - 1, b))
    assert_allclose(sweeps.resolve(np.array([z.real]), np.array([z.imag]))[2], expected, rtol=1e-11)
    assert expected < -5000
