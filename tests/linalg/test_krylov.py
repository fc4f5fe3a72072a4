import numpy as np
import pytest
import scipy.linalg

from qthermo.linalg.krylov import apply_exponential, find_lowest


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
