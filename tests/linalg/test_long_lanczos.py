"""Inner eigenvectors and moments of a split operator against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import qthermo as qt
from qthermo.linalg.long_lanczos import find_states, find_weights
from qthermo.linalg.spectral_moments import chebyshev_moments, smooth_moments, spectral_interval


def silent(fraction: float, words: str) -> None:
    assert 0 <= fraction <= 1
    assert words


@pytest.mark.parametrize("kind", ["goe", "gue", "local", "single_spin"])
def test_states_nearest_to_a_target(kind: str):
    size = {"goe": 5, "gue": 4, "local": 7, "single_spin": None}[kind]
    model = qt.models.sample_ergodic_grain(
        kind=kind, num_grain_spins=size, num_lioms=7 if kind == "single_spin" else 3, seed=3
    )
    operator, _ = model.to_split_operator()
    values, vectors = np.linalg.eigh(operator.to_matrix())
    order = np.argsort(np.abs(values - 0.4))[:3]
    rng = np.random.default_rng(0)
    start = rng.standard_normal(operator.shape) * (1 + 0j if kind == "gue" else 1)
    found = find_states(
        operator, start, target=0.4, num_states=3, tolerance=1e-9, max_steps_per_level=8, report=silent
    )  # fmt: skip
    assert_allclose(found.energies, values[order], atol=1e-11)
    assert found.residuals.max() < 1e-9
    overlaps = [abs(np.vdot(vectors[:, k], v)) for k, v in zip(order, found.vectors, strict=True)]
    assert_allclose(overlaps, 1, atol=1e-11)


def test_weights_of_any_vector():
    model = qt.models.sample_ergodic_grain(kind="goe", num_grain_spins=5, num_lioms=3, seed=3)
    operator, _ = model.to_split_operator()
    _, vectors = np.linalg.eigh(operator.to_matrix())
    start = np.random.default_rng(1).standard_normal(operator.shape)
    start /= np.linalg.norm(start)
    found, doubt, steps = find_weights(operator, start, tolerance=1e-6, max_steps_per_level=8, report=silent)
    assert doubt <= 1e-6
    assert steps >= 256
    assert_allclose((found.weights**2).sum(), (np.abs(vectors.T @ start.ravel()) ** 4).sum(), rtol=1e-5)


def test_moments_are_traces_of_chebyshev_polynomials():
    model = qt.models.sample_ergodic_grain(kind="gue", num_grain_spins=3, num_lioms=2, seed=1)
    operator, _ = model.to_split_operator()
    values, vectors = np.linalg.eigh(operator.to_matrix())
    rng = np.random.default_rng(2)
    start = rng.standard_normal(operator.shape) + 1j * rng.standard_normal(operator.shape)
    start /= np.linalg.norm(start)
    centre, radius, spread = spectral_interval(operator, start)
    assert centre - radius < values[0] < values[-1] < centre + radius
    assert 0.3 * radius < spread < radius
    moments = chebyshev_moments(operator, start, num_moments=41, centre=centre, radius=radius, report=silent)
    angles = np.arccos((values - centre) / radius)
    weights = np.abs(vectors.conj().T @ start.ravel()) ** 2
    assert_allclose(moments, [weights @ np.cos(n * angles) for n in range(41)], atol=1e-12)
    nodes = np.cos((np.arange(400) + 0.5) * np.pi / 400)
    density = smooth_moments(moments, nodes)
    assert density.min() > -1e-12
    assert_allclose((density * np.sqrt(1 - nodes**2)).mean() * np.pi, 1, atol=1e-9)
