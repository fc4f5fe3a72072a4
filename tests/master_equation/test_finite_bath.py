"""Weak coupling to the explicit finite bath of `examples/generators_compared.py` judges the master equations."""

from __future__ import annotations

import functools
import runpy
from pathlib import Path

import numpy as np
import pytest

import qthermo as qt

EXAMPLE = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "generators_compared.py"))
BETA, WIDTH, COUPLING = 0.5, 1.0, 0.25
TIMES = np.array([0.0, 4.0, 8.0, 16.0])


@functools.cache
def exact_polarisation() -> np.ndarray:
    """<Z>(t) of the spin, averaged over three baths."""
    bath = {"beta": BETA, "width": WIDTH, "coupling": COUPLING, "num_levels": 1200}
    state = np.mean([EXAMPLE["evolve_with_bath"](seed, TIMES, **bath) for seed in range(3)], axis=0)
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
