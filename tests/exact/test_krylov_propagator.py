"""Krylov against Dense: within its standard errors, which shrink as 1/sqrt(vectors)."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from reference_models import kron_matrix, reference_chain

import qthermo as qt
from qthermo.linalg.lanczos_resolvent import apply_resolvents


def test_resolvents_are_those_of_the_inverse():
    rng = np.random.default_rng(0)
    H = kron_matrix(reference_chain(2.0, num_sites=7).hamiltonian, 7).real
    vector = rng.standard_normal(128)
    points = np.array([0.3 + 0.05j, -2.0 + 1.0j, 4.0 + 0.2j])
    solved, size, residual = apply_resolvents(lambda x: H @ x, vector, points, tolerance=1e-10, max_dim=2000)
    for x, z in zip(solved, points, strict=True):
        assert_allclose((z * np.eye(128) - H) @ x, vector, atol=1e-7)
    assert residual <= 1e-10
    assert size <= 2000


def test_residual_that_is_reported_is_the_true_one():
    rng = np.random.default_rng(1)
    H = kron_matrix(reference_chain(2.0, num_sites=8).hamiltonian, 8).real
    vector = rng.standard_normal(256)
    z = np.array([0.1 + 0.05j])
    solved, _, residual = apply_resolvents(lambda x: H @ x, vector, z, tolerance=1e-12, max_dim=150)
    true = np.linalg.norm((z[0] * np.eye(256) - H) @ solved[0] - vector) / np.linalg.norm(vector)
    assert residual == pytest.approx(true, rel=1e-6)


@pytest.mark.parametrize("disorder", [1.0, 4.0])
def test_propagator_agrees_with_dense_within_its_standard_error(disorder: float):
    problem = qt.Propagator(reference_chain(disorder), energies=[0.0, 1.0], laplace=[0.2, 1.0, 3.0])
    exact = qt.solve(problem, qt.Dense())
    data = qt.solve(problem, qt.Krylov(num_vectors=24, seed=5))
    for name in ("autocorrelation", "propagator"):
        deviation = abs(data[name] - exact[name]) / data[f"{name}_stderr"]
        assert float(deviation.max()) < 5
        assert float(deviation.mean()) < 1.6
    assert float(data["autocorrelation_stderr"].max()) < 0.05


def test_same_seed_same_numbers_and_more_vectors_less_error():
    problem = qt.Propagator(reference_chain(1.0, num_sites=8), energies=[0.0], laplace=[0.5])
    few, again = (qt.solve(problem, qt.Krylov(num_vectors=16, seed=1)) for _ in range(2))
    many = qt.solve(problem, qt.Krylov(num_vectors=144, seed=2))
    assert few["autocorrelation"].equals(again["autocorrelation"])
    assert float(few["propagator_stderr"].mean() / many["propagator_stderr"].mean()) == pytest.approx(3, rel=0.4)


def test_it_refuses_what_it_cannot_do():
    model = reference_chain(1.0, num_sites=4)
    with pytest.raises(qt.NotConvergedError, match="max_dim"):
        qt.solve(qt.Propagator(model, energies=[0.0], laplace=[0.01]), qt.Krylov(max_dim=4))
    matrix = qt.models.sample_levy_bath(dim=8, exponent=1.5, scale=0.3, seed=1)
    with pytest.raises(qt.UnsupportedError, match="Dense"):
        qt.solve(qt.Propagator(matrix, energies=[0.0], laplace=[1.0]), qt.Krylov())
    with pytest.raises(qt.InputError, match="num_vectors"):
        qt.Krylov(num_vectors=1)
