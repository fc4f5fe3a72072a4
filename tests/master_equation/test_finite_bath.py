"""Weak coupling to an explicit finite bath judges the master equations.

The bath has levels of density proportional to e^{beta E} and a random coupling matrix B with
<B_nm^2> = g^2(E_n - E_m) / (2 pi sqrt(rho_n rho_m)), so that golden-rule rates at any bath energy are
g^2(nu) e^{-beta nu / 2}: the Gaussian rate of `CoarseGrained` for a Gaussian g. No approximation enters its evolution.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

import qthermo as qt
from qthermo.linalg.krylov_exponential import evolve_exponential

BETA, WIDTH, COUPLING, LEVELS = 0.5, 1.0, 0.25, 1800
TIMES = np.array([0.0, 4.0, 8.0, 16.0])
H = qt.PauliSum.from_text("0.45 Z0 + 0.25 X0")


def sample_bath(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return levels on [-3.5, 3.5] and B."""
    low, high = np.exp(BETA * -3.5), np.exp(BETA * 3.5)
    levels = np.log(low + (np.arange(LEVELS) + 0.5) / LEVELS * (high - low)) / BETA
    density = LEVELS * BETA * np.exp(BETA * levels) / (high - low)
    difference = levels[:, None] - levels[None, :]
    squared = np.exp(-(difference**2) / (2 * WIDTH**2) - (BETA * WIDTH) ** 2 / 8)
    noise = rng.standard_normal((LEVELS, LEVELS))
    noise = (noise + noise.T) / np.sqrt(2)
    return levels, noise * np.sqrt(squared / (2 * np.pi * np.sqrt(np.outer(density, density))))


@functools.cache
def exact_polarisation() -> np.ndarray:
    """<Z>(t) of the spin, the bath starting in a random superposition of levels near 0."""
    curves = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        levels, B = sample_bath(rng)
        system, X = H.to_dense(1), np.array([[0.0, 1.0], [1.0, 0.0]])
        start = rng.standard_normal(LEVELS) * (np.abs(levels) < 0.3)
        state = np.kron([0.0, 1.0], start / np.linalg.norm(start)).astype(complex)

        def apply(flat: np.ndarray, levels=levels, B=B, system=system, X=X) -> np.ndarray:
            psi = flat.reshape(2, -1)
            return -1j * (system @ psi + psi * levels + COUPLING * (X @ psi) @ B).ravel()

        points = evolve_exponential(apply, state, TIMES, tolerance=1e-5)
        halves = [np.abs(point.vector.reshape(2, -1)) ** 2 for point in points]
        curves.append([half[0].sum() - half[1].sum() for half in halves])
    return np.mean(curves, axis=0)


METHODS = {
    "coarse-grained": qt.CoarseGrained(
        energy_width=0.3, rate_width=WIDTH, shifted=False, coherent="lamb", coupling=COUPLING
    ),
    "balanced": qt.CoarseGrained(energy_width=0.3, rate_width=WIDTH, coupling=COUPLING),
}


@pytest.mark.parametrize("name", METHODS)
def test_the_master_equation_follows_the_finite_bath(name: str):
    problem = qt.Relaxation(
        qt.models.spin_chain(hamiltonian=H), beta=BETA, times=TIMES, initial_state="1", couplings="X"
    )
    found = qt.solve(problem, METHODS[name])["polarisation"].values[:, 0]
    exact = exact_polarisation()
    assert np.abs(exact - exact[0]).max() > 0.3
    np.testing.assert_allclose(found, exact, atol=0.06)
