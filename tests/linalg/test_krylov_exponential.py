"""The Krylov exponential against scipy's, and the application of local operators against Kronecker products."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from kms_reference import kron_matrix

import qthermo as qt
from qthermo.linalg.krylov_exponential import evolve_exponential
from qthermo.linalg.local_operators import apply_local


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("size", [4, 80])
def test_it_equals_the_dense_exponential_at_every_time(dtype: type, size: int):
    rng = np.random.default_rng(4)
    matrix = rng.standard_normal((size, size)) - 3 * np.diag(np.arange(size) / 4)
    if dtype is complex:
        matrix = matrix + 5j * rng.standard_normal((size, size))
    start = rng.standard_normal(size).astype(dtype)
    times = np.array([0.0, 0.1, 0.11, 0.7, 2.0])
    for time, point in zip(times, evolve_exponential(lambda v: matrix @ v, start, times), strict=True):
        exact = scipy.linalg.expm(time * matrix) @ start
        assert np.linalg.norm(point.vector - exact) <= 1e-8 * np.abs(exact).max() + 1e-9
    assert point.num_products >= min(size, 30)


def test_its_error_estimate_bounds_the_error():
    rng = np.random.default_rng(5)
    matrix = rng.standard_normal((60, 60))
    matrix = matrix - matrix.T - np.diag(np.linspace(0, 20, 60))
    start = rng.standard_normal(60)
    for tolerance in (1e-3, 1e-6, 1e-9):
        *_, last = evolve_exponential(lambda v: matrix @ v, start, np.array([3.0]), tolerance=tolerance, krylov_dim=12)
        error = np.linalg.norm(last.vector - scipy.linalg.expm(3 * matrix) @ start)
        assert error <= tolerance * np.linalg.norm(start)
        assert last.error <= tolerance * np.linalg.norm(start)


@pytest.mark.parametrize("sites", [(1,), (0, 2), (1, 2, 3)])
def test_local_operators_act_on_their_sites(sites: tuple[int, ...]):
    letters = dict(zip(sites, "XYZ", strict=False))
    small = kron_matrix(qt.PauliSum.pauli("".join(letters.values()), *range(len(sites))), len(sites))
    large = kron_matrix(qt.PauliSum.pauli("".join(letters.values()), *sites), 4)
    array = np.random.default_rng(6).standard_normal((16, 3))
    np.testing.assert_allclose(apply_local(small, sites, array), large @ array, atol=1e-14)
