"""Classical diffusion, and the localisation length against closed formulas."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import qthermo as qt
from qthermo.models import sample_anderson_lattice
from qthermo.theory.localisation_length import localisation_length
from qthermo.theory.random_walk import gaussian_profile, simple_walk


def test_walk_is_the_convolution_of_its_steps():
    x, p = simple_walk(6)
    steps = np.ones(1)
    for _ in range(6):
        steps = np.convolve(steps, [0.5, 0, 0.5])
    assert_allclose(p, steps, atol=1e-15)
    assert p @ x**2 == pytest.approx(6)
    assert simple_walk(0)[1] == pytest.approx([1.0])


def test_walk_tends_to_the_gaussian():
    x, p = simple_walk(1000)
    even = (x % 2 == 0) & (np.abs(x) < 60)
    assert_allclose(p[even] / 2, gaussian_profile(x[even], 1000.0), rtol=2e-3)
    with pytest.raises(qt.InputError, match="greater than 0"):
        gaussian_profile([0.0], 0.0)


@pytest.mark.parametrize(("energy", "disorder"), [(0.0, 0.5), (1.3, 0.2), (3.0, 1.0)])
def test_lorentzian_disorder_has_thouless_length(energy, disorder):
    found = localisation_length(
        disorder=disorder, energy=energy, distribution="lorentzian", num_sites=100_000, num_chains=8, seed=1
    )
    exact = np.arccosh((abs(2 + energy + 1j * disorder) + abs(2 - energy + 1j * disorder)) / 4)
    assert abs(found.lyapunov_exponent - exact) < 4 * found.lyapunov_stderr
    assert found.lyapunov_stderr < 0.01 * exact
    assert found.length == pytest.approx(1 / found.lyapunov_exponent)


def test_weak_box_disorder_has_the_length_of_perturbation_theory():
    found = localisation_length(disorder=0.6, energy=0.7, num_sites=300_000, num_chains=8, seed=2)
    assert found.length == pytest.approx(24 * (4 - 0.49) / 0.36, rel=0.05)
    centre = localisation_length(disorder=0.6, energy=0.0, num_sites=300_000, num_chains=8, seed=2)
    assert centre.length == pytest.approx(105.2 / 0.36, rel=0.05)


def test_wave_packets_stop_at_the_localisation_length():
    """Box disorder W = 4: length 6.6 at E = 0; the packet's rms displacement stays of that order, 6 to 8 sites."""
    length = localisation_length(disorder=4.0, num_sites=100_000, seed=1).length
    msd = np.mean(
        [
            qt.solve(
                qt.WavePacket(
                    sample_anderson_lattice(shape=(301,), disorder=4.0, seed=3, realization=k), times=[100.0, 300.0]
                ),
                qt.Chebyshev(),
            )["msd"].values
            for k in range(40)
        ],
        axis=0,
    )
    assert 0.6 < np.sqrt(msd[-1]) / length < 1.4
    assert msd[1] / msd[0] == pytest.approx(1, abs=0.25)
