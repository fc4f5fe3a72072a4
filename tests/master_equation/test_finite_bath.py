"""Weak coupling to the explicit finite bath of `examples/generators_compared.py` judges the master equations."""

from __future__ import annotations

import functools
import runpy
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import expm

import qthermo as qt

EXAMPLE = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "generators_compared.py"))
BETA, WIDTH, COUPLING = 0.5, 1.0, 0.25
TIMES = np.array([0.0, 4.0, 8.0, 16.0])


@functools.cache
def exact_polarisation() -> np.ndarray:
    """<Z>(t) of the spin, averaged over three baths."""
    bath = {"beta": BETA, "width": WIDTH, "coupling": COUPLING, "num_levels": 1200}
    state = np.mean([EXAMPLE["evolve_with_baths"](seed, TIMES, **bath) for seed in range(3)], axis=0)
    return (state[:, 0, 0] - state[:, 1, 1]).real


METHODS = {
    "coarse-grained": qt.CoarseGrained(
        energy_width=0.3, rate_width=WIDTH, shifted=False, coherent="lamb", coupling=COUPLING
    ),
    "balanced": qt.CoarseGrained(energy_width=0.3, rate_width=WIDTH, coupling=COUPLING),
}


@pytest.mark.parametrize("name", METHODS)
def test_the_master_equation_follows_the_finite_bath(name: str):
    problem = qt.Relaxation(
        qt.models.spin_chain(hamiltonian=EXAMPLE["SPIN"]), beta=BETA, times=TIMES, initial_state="1", couplings="X"
    )
    found = qt.solve(problem, METHODS[name])["polarisation"].values[:, 0]
    exact = exact_polarisation()
    assert np.abs(exact - exact[0]).max() > 0.3
    np.testing.assert_allclose(found, exact, atol=0.06)


def test_golden_rule_rates_of_the_bath_are_those_of_the_gaussian():
    """2 pi rho <B^2> = g^2(nu) e^{-beta nu / 2} at every bath energy, nu the energy that the spin gains."""
    levels, B = EXAMPLE["sample_bath"](np.random.default_rng(1), beta=BETA, width=WIDTH, num_levels=1500)
    here = np.abs(levels - 0.5) < 0.2
    for nu in (-1.0, 0.0, 1.0):
        there = np.abs(levels[:, None] - (levels[here] - nu)) < 0.1
        rate = 2 * np.pi * np.sum(B[:, here] ** 2 * there) / (0.2 * here.sum())
        assert rate == pytest.approx(np.exp(-((nu + BETA * WIDTH**2 / 2) ** 2) / (2 * WIDTH**2)), rel=0.06)


def test_two_baths_follow_the_dense_evolution_of_both():
    """Against the matrix exponential of H_S + sum_k (E_k + c X_k B_k) written out with kron products."""
    times, beta, width, coupling, n = np.array([0.0, 0.7, 2.0]), 0.4, 1.2, 0.5, 5
    options = {"beta": beta, "width": width, "coupling": coupling, "num_levels": n, "window": (-3.0, 3.0)}
    found = EXAMPLE["evolve_with_baths"](3, times, system=EXAMPLE["CHAIN"], bits="01", **options)
    rng = np.random.default_rng(3)
    (e, B), (f, C) = (EXAMPLE["sample_bath"](rng, beta=beta, width=width, num_levels=n) for _ in range(2))
    vectors = [rng.standard_normal(n) * (np.abs(levels) < 3.0) for levels in (e, f)]
    X, one, bath = np.array([[0, 1], [1, 0]]), np.eye(2), np.eye(n)
    total = np.kron(EXAMPLE["CHAIN"].to_dense(2), np.eye(n * n))
    total = total + np.kron(np.eye(4), np.kron(np.diag(e), bath) + np.kron(bath, np.diag(f)))
    total = total + coupling * np.kron(np.kron(X, one), np.kron(B, bath))
    total = total + coupling * np.kron(np.kron(one, X), np.kron(bath, C))
    start = np.kron(np.eye(4)[1], np.kron(*[v / np.linalg.norm(v) for v in vectors]))
    for time, rho in zip(times, found, strict=True):
        psi = (expm(-1j * time * total) @ start).reshape(4, -1)
        np.testing.assert_allclose(rho, psi @ psi.conj().T, atol=2e-5)
