"""Clusters of a tridiagonal matrix: against diagonalisation, and with copies made on purpose."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from numpy.testing import assert_allclose

from qthermo.linalg.tridiagonal_weights import solve_weights


def test_random_tridiagonal_matrix():
    rng = np.random.default_rng(0)
    diagonal, off = rng.standard_normal(300), 0.3 + rng.random(300)
    values, vectors = scipy.linalg.eigh_tridiagonal(diagonal, off[:-1])
    found = solve_weights(diagonal, off, num_levels=300)
    clear = np.flatnonzero(np.diff(values, prepend=-np.inf, append=np.inf)[:-1] > 1e-4)
    clear = clear[np.isin(clear + 1, clear) | (clear == 299)]
    places = np.searchsorted(found.energies, values[clear] - 1e-9)
    assert_allclose(found.energies[places], values[clear], atol=1e-10)
    assert_allclose(found.weights[places], vectors[0, clear] ** 2, atol=1e-6)
    assert_allclose(found.weights.sum(), 1, atol=1e-4)


def test_part_of_the_spectrum():
    rng = np.random.default_rng(1)
    diagonal, off = rng.standard_normal(200), 0.3 + rng.random(200)
    values = scipy.linalg.eigvalsh_tridiagonal(diagonal, off[:-1])
    found = solve_weights(diagonal, off, num_levels=200, low=-0.5, high=0.5)
    assert found.energies.size == np.sum(np.abs(values) < 0.5)


def test_copies_count_once():
    """Lanczos run far beyond the dimension repeats the levels; the weights stay those of the start vector."""
    rng = np.random.default_rng(2)
    levels = np.sort(rng.uniform(-1, 1, 60))
    levels[30] = levels[29] + 3e-5
    start = rng.standard_normal(60)
    start /= np.linalg.norm(start)
    current, previous, beta = start, np.zeros(60), 0.0
    alphas, betas = [], []
    for _ in range(240):
        new = levels * current - beta * previous
        alphas.append(new @ current)
        new -= alphas[-1] * current
        beta = np.linalg.norm(new)
        betas.append(beta)
        previous, current = current, new / beta
    found = solve_weights(np.array(alphas), np.array(betas), num_levels=60)
    assert found.energies.size > 60
    kept = found.is_level & (found.weights > 1e-12)
    assert_allclose(found.energies[kept], levels, atol=1e-10)
    assert_allclose(found.weights[kept], start**2, rtol=1e-4, atol=1e-9)
    assert_allclose((found.weights**2).sum(), (start**4).sum(), rtol=1e-5)
    assert found.residuals[kept].max() < 1e-10
