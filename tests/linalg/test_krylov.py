import numpy as np
import pytest
import scipy.linalg

from qthermo.linalg.krylov import apply_exponential, evolve_exponential, find_lowest


@pytest.mark.parametrize("kind", ["hermitian", "antisymmetric", "general"])
@pytest.mark.parametrize("length", [0.1, 3.0, 40.0])
def test_exponential_agrees_with_the_dense_one(kind, length):
    rng = np.random.default_rng(1)
    matrix = rng.standard_normal((60, 60)) / 8
    if kind == "hermitian":
        matrix = matrix + matrix.T
    if kind == "antisymmetric":
        matrix = matrix - matrix.T
    factor = -1j * length if kind == "hermitian" else length / (1 if kind == "antisymmetric" else 10)
    vector = rng.standard_normal(60)
    found = apply_exponential(lambda v: matrix @ v, vector, factor, tolerance=1e-11)
    exact = scipy.linalg.expm(factor * matrix) @ vector
    np.testing.assert_allclose(found.vector, exact, atol=1e-8 * np.linalg.norm(exact))
    assert np.isrealobj(found.vector) == (kind != "hermitian")


def test_exponential_in_an_invariant_subspace_is_exact():
    matrix = np.diag([1.0, 1.0, 2.0, 2.0])
    found = apply_exponential(lambda v: matrix @ v, np.array([1.0, 0.0, 1.0, 0.0]), -1j)
    np.testing.assert_allclose(found.vector, [np.exp(-1j), 0, np.exp(-2j), 0], atol=1e-14)
    assert found.num_applications <= 3


def test_lowest_eigenpair():
    rng = np.random.default_rng(2)
    matrix = rng.standard_normal((80, 80))
    matrix = matrix + matrix.T
    found = find_lowest(lambda v: matrix @ v, rng.standard_normal(80), tolerance=1e-10, max_dim=80)
    assert found.value == pytest.approx(np.linalg.eigvalsh(matrix)[0], abs=1e-10)
    np.testing.assert_allclose(matrix @ found.vector, found.value * found.vector, atol=1e-8)


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
