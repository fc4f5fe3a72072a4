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


def test_pair_within_one_bin():
    """Two levels a hundredth of the mean spacing apart, one of them light: in one bin of a coarse grid."""
    rng = np.random.default_rng(3)
    levels = np.sort(rng.uniform(-1, 1, 200))
    levels[101] = levels[100] + 1e-4
    start = rng.standard_normal(200)
    start[100], start[101] = 1.0, 0.1
    start /= np.linalg.norm(start)
    diagonal, off = _tridiagonalise(levels, start)
    for negligible in (0.0, 1e-7):
        found = solve_weights(diagonal, off, num_levels=5, negligible=negligible)
        places = np.searchsorted(found.energies, levels[99:103] - 1e-8)
        assert_allclose(found.energies[places], levels[99:103], atol=1e-10)
        assert_allclose(found.weights[places], start[99:103] ** 2, rtol=1e-4)


def test_light_levels_may_be_left_out():
    """What is left out is missing in the sum of weights, and no heavy level is."""
    rng = np.random.default_rng(4)
    levels = np.sort(rng.uniform(-1, 1, 300))
    start = 10.0 ** rng.uniform(-5, 0, 300)
    start /= np.linalg.norm(start)
    diagonal, off = _tridiagonalise(levels, start)
    heavy = np.flatnonzero(start**2 > 1e-6)
    found = solve_weights(diagonal, off, num_levels=300, negligible=1e-6)
    places = np.searchsorted(found.energies, levels[heavy] - 1e-8)
    assert found.energies.size < 300
    assert_allclose(found.energies[places], levels[heavy], atol=1e-10)
    assert_allclose(found.weights[places], start[heavy] ** 2, rtol=1e-4, atol=3e-8)
    assert abs(found.weights.sum() - 1) < 300e-6


def _tridiagonalise(levels: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lanczos on a diagonal matrix with full reorthogonalisation, so that T has the levels and nothing else."""
    size = levels.size
    basis, diagonal, off = [start], np.empty(size), np.zeros(size)
    for k in range(size):
        new = levels * basis[-1]
        diagonal[k] = new @ basis[-1]
        for _ in range(2):
            new = new - np.array(basis).T @ (np.array(basis) @ new)
        if k < size - 1:
            off[k] = np.linalg.norm(new)
            basis.append(new / off[k])
    return diagonal, off
