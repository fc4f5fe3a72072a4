"""The ladder for band matrices: closed sums, the walk in its profile, and exact dynamics beside it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import qthermo as qt
from qthermo.models import band_matrix, sample_anderson_lattice, sample_band_matrix
from qthermo.theory.band_ladder import jump_probabilities


@pytest.mark.parametrize("time", [0.0, 0.01, 1.0, 30.0, 400.0])
def test_jump_probabilities_sum_to_one(time):
    assert jump_probabilities(time).sum() == pytest.approx(1, abs=1e-12)


def test_jumps_grow_as_16_over_3_pi():
    """Mean n / t -> 16/(3 pi); the kurtosis of the walk, 3 <n(n-1)>/<n>^2 at large t, -> 3.123."""
    shares = jump_probabilities(2000.0)
    n = np.arange(shares.size)
    assert (n @ shares) / 2000 == pytest.approx(16 / (3 * np.pi), rel=1e-3)
    assert 3 * (n**2 @ shares) / (n @ shares) ** 2 == pytest.approx(3.123, abs=2e-3)


@pytest.mark.parametrize("profile", ["box", "triangle", "gaussian"])
def test_profile_is_the_walk_of_its_steps(profile):
    model = sample_band_matrix(size=801, half_width=4, seed=1, profile=profile)
    with pytest.warns(qt.ValidityWarning, match="localisation"):
        data = qt.solve(qt.WavePacket(model, times=[0.0, 0.5, 8.0]), qt.BandLadder())
    r = np.arange(-4, 5)
    variance = model.variances @ r**2
    if profile == "box":
        assert variance == pytest.approx(4 * 5 / 3)
    for k, t in enumerate([0.0, 0.5, 8.0]):
        shares = jump_probabilities(t)
        assert float(data["msd"][k]) == pytest.approx(
            variance * (np.arange(shares.size) @ shares), rel=1e-10, abs=1e-10
        )
    walk, total = np.ones(1), np.zeros(801)
    for share in jump_probabilities(0.5):
        total[400 - walk.size // 2 : 401 + walk.size // 2] += share * walk
        walk = np.convolve(walk, model.variances)
    assert_allclose(data["profile"][1], total, atol=1e-14)


def test_short_times_are_exact_for_any_matrix():
    """msd = t^2 sum_r r^2 |H_(0,r)|^2 to lowest order, of which the ladder takes the mean over the ensemble."""
    model = sample_band_matrix(size=2001, half_width=32, seed=1)
    start = model.rows[1000]
    own = band_matrix(rows=model.rows)
    exact = qt.solve(qt.WavePacket(own, times=[0.01]), qt.Chebyshev())
    assert float(exact["msd"][0]) == pytest.approx(1e-4 * (np.abs(start) ** 2 @ np.arange(-32, 33) ** 2), rel=1e-3)


def test_other_models_are_refused_by_name():
    lattice = sample_anderson_lattice(shape=(9, 9), disorder=1.0, seed=1)
    with pytest.raises(qt.UnsupportedError, match=r"band matrix.*Dense, Chebyshev"):
        qt.solve(qt.WavePacket(lattice, times=[1.0]), qt.BandLadder())


def test_band_matrix_follows_the_ladder():
    """Hermitian, W = 32: msd / ladder = 1.00(5) for t = 1 .. 64; the kurtosis tends to 3.12."""
    times = 2.0 ** np.arange(7)
    models = [sample_band_matrix(size=2001, half_width=32, seed=1, realization=k) for k in range(16)]
    ladder = qt.solve(qt.WavePacket(models[0], times=times), qt.BandLadder())
    results = [qt.solve(qt.WavePacket(model, times=times), qt.Chebyshev()) for model in models]
    msd = np.mean([data["msd"].values for data in results], axis=0)
    assert_allclose(msd / ladder["msd"], 1, atol=0.05)
    assert np.mean([float(data["kurtosis"][-1]) for data in results]) == pytest.approx(3.12, abs=0.15)


def test_real_symmetric_matrices_fall_short_of_it():
    model = sample_band_matrix(size=2001, half_width=16, seed=1, hermitian=False)
    with pytest.warns(qt.ValidityWarning, match="35 %"):
        ladder = qt.solve(qt.WavePacket(model, times=[64.0]), qt.BandLadder())
    msd = [
        float(
            qt.solve(
                qt.WavePacket(
                    sample_band_matrix(size=2001, half_width=16, seed=1, hermitian=False, realization=k), times=[64.0]
                ),
                qt.Chebyshev(),
            )["msd"][0]
        )
        for k in range(12)
    ]
    assert np.mean(msd) / float(ladder["msd"][0]) == pytest.approx(0.68, abs=0.12)
