"""Scatter of single states around the rate equation: closed formulas, random unitaries, and the exact trace formula."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import qthermo as qt
from qthermo.models import sample_band_chain
from qthermo.theory.band_fluctuations import state_variance
from qthermo.theory.band_rates import decay_constant

WIDTH = 0.05


def chain(num_subunits, num_levels, seed=1, ratio=0.5):
    return sample_band_chain(
        num_subunits=num_subunits,
        num_levels=num_levels,
        band_width=WIDTH,
        coupling=ratio * WIDTH / num_levels,
        seed=seed,
    )


def test_two_subunits_in_closed_form():
    model = chain(2, 20)
    x = np.linspace(0, 5, 31)
    found = state_variance(model, np.array([1.0, 0.0]), x / decay_constant(model))
    expected = ((1 - np.exp(-4 * x)) / 8 - x / 2 * np.exp(-4 * x)) / 20
    assert_allclose(found, np.stack([expected] * 2, axis=1), atol=1e-15)


@pytest.mark.parametrize(
    ("model", "weights"),
    [
        (chain(4, 20), [1.0, 0, 0, 0]),
        (chain(4, 20), [0.1, 0.5, 0.2, 0.2]),
        (
            sample_band_chain(
                num_subunits=2, num_levels=[5, 8], band_width=WIDTH, coupling=1e-3, seed=1, total_energy=2.0
            ),
            [0.3, 0.7, 0.0],
        ),
    ],
)
def test_late_variance_is_that_of_random_unitaries(model, weights):
    """Var = f (1 - f) tr(rho^2) / D' : the share f of the space, and purity of the mean state less its average."""
    space = model.space
    sizes = space.block_dimensions.astype(float)
    late = state_variance(model, np.array(weights), np.array([1e7]))[0]
    share = (sizes / sizes.sum()) @ (np.array(space.configurations) > 0)
    # sum_ab p_a p_b |A_ab|^2 / (d_a d_b) less the mean part, for a projector of rank f D turned by a random unitary
    purity = sum(
        p * q * share * (1 - share) / sizes.sum() for p, q in np.array(np.meshgrid(weights, weights)).reshape(2, -1).T
    )
    assert_allclose(late, purity, rtol=1e-9)


def test_deviation_of_the_paper_without_a_simulation():
    """Time average of n Var P_1 up to 5/kappa: .076 for N = 3, from exact diagonalisation at n = 400."""
    model = chain(3, 20)
    times = np.linspace(0, 5, 201) / decay_constant(model)
    found = 20 * np.trapezoid(state_variance(model, np.eye(3)[0], times)[:, 0], times) / times[-1]
    assert found == pytest.approx(0.076, abs=0.001)


@pytest.mark.parametrize("num_subunits", [2, 3])
def test_exact_variance_tends_to_it(num_subunits):
    ratios = []
    for seed in range(4):
        model = chain(num_subunits, 60, seed=seed)
        problem = qt.BandDynamics(model, times=np.linspace(0, 4, 9) / decay_constant(model), initial="average")
        exact, theory = qt.solve(problem, qt.Dense()), qt.solve(problem, qt.RateEquation())
        ratios.append((exact["variance"][3:] / theory["variance"][3:]).values)
    assert np.mean(ratios) == pytest.approx(1, abs=0.06)


def test_chains_with_subunits_that_stand_by_have_no_closed_variance():
    model = sample_band_chain(num_subunits=3, num_levels=4, band_width=WIDTH, coupling=0.01, seed=1, total_energy=2.0)
    with pytest.raises(qt.UnsupportedError, match="third subunit"):
        state_variance(model, np.eye(3)[0], np.array([1.0]))
    problem = qt.BandDynamics(model, times=[0.0, 1.0], initial="average")
    assert "variance" not in qt.solve(problem, qt.RateEquation())
