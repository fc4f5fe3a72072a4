"""Wave packets: closed formulas, Dense against Chebyshev, conservation, and the watch over periodic images."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import qthermo as qt
from qthermo.models import sample_anderson_lattice, sample_band_matrix

MODELS = {
    "chain": sample_anderson_lattice(shape=(120,), disorder=3.0, seed=1),
    "square, lorentzian": sample_anderson_lattice(shape=(15, 16), disorder=1.0, seed=1, distribution="lorentzian"),
    "cube": sample_anderson_lattice(shape=(7, 8, 9), disorder=6.0, seed=1),
    "hermitian band": sample_band_matrix(size=201, half_width=8, seed=1),
    "symmetric band": sample_band_matrix(size=201, half_width=8, seed=1, hermitian=False, profile="triangle"),
}


@pytest.mark.parametrize(("side", "dim", "end"), [(601, 1, 100.0), (101, 2, 14.0), (48, 3, 5.0)])
def test_free_particle_spreads_as_2dt2(side, dim, end):
    """<x^2> = 2 t^2 along every axis on the infinite lattice: velocities are 2 sin k, uniform in k."""
    model = sample_anderson_lattice(shape=(side,) * dim, disorder=0.0, seed=1)
    times = np.linspace(end / 5, end, 5)
    data = qt.solve(qt.WavePacket(model, times=times), qt.Chebyshev())
    assert_allclose(data["msd"] / (2 * dim * times**2), 1, rtol=1e-12)
    assert_allclose(data["exponent"].values[1:-1], 2, rtol=1e-9)


@pytest.mark.filterwarnings("ignore::qthermo.ValidityWarning")
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_chebyshev_is_the_spectrums_evolution(model):
    problem = qt.WavePacket(model, times=[0.0, 0.5, 2.0, 7.0])
    exact, series = qt.solve(problem, qt.Dense()), qt.solve(problem, qt.Chebyshev())
    for name in exact.data_vars:
        assert_allclose(series[name], exact[name], rtol=1e-9, atol=1e-10, err_msg=name)
    assert_allclose(series["profile"].sum("displacement"), 1, atol=1e-12)
    assert float(series["msd"][0]) == 0
    assert float(series["participation_ratio"][0]) == pytest.approx(1)


def test_moments_are_those_of_the_profile_seen_from_the_origin():
    model = sample_anderson_lattice(shape=(90,), disorder=2.0, seed=3)
    data = qt.solve(qt.WavePacket(model, times=[1.0, 3.0], origin=(20,)), qt.Chebyshev())
    x, p = data["displacement"].values, data["profile"].values
    assert_allclose(data["msd"], p @ x**2, rtol=1e-12)
    assert_allclose(data["kurtosis"], (p @ x**4) / (p @ x**2) ** 2, rtol=1e-12)
    assert_allclose(data["participation_ratio"], 1 / (p**2).sum(axis=1), rtol=1e-12)
    assert_allclose(data["diffusion_constant"], data["msd"] / (2 * np.array([1.0, 3.0])), rtol=1e-14)


def test_periodic_images_are_watched():
    model = sample_anderson_lattice(shape=(31,), disorder=0.0, seed=1)
    with pytest.warns(qt.ValidityWarning, match="periodic images, but at t = 9"):
        data = qt.solve(qt.WavePacket(model, times=[1.0, 9.0]), qt.Chebyshev())
    assert data["edge_probability"][0] < 1e-6 < 1e-3 < data["edge_probability"][1]


def test_bound_that_misses_the_spectrum_is_an_error():
    model = sample_anderson_lattice(shape=(400,), disorder=8.0, seed=1)
    with pytest.raises(qt.NotConvergedError, match="raise bound_steps above 2"):
        qt.solve(qt.WavePacket(model, times=[200.0]), qt.Chebyshev(bound_steps=2))


def test_bad_packets_are_refused():
    model = sample_anderson_lattice(shape=(5, 5), disorder=1.0, seed=1)
    for change, words in (
        ({"origin": (1,)}, "2 indices"),
        ({"origin": (1, 7)}, "between 0 and 4"),
        ({"times": [1, 0]}, "ascend"),
    ):
        with pytest.raises(qt.InputError, match=words):
            qt.WavePacket(model, **{"times": [1.0], **change})
    with pytest.raises(qt.InputError, match="Anderson lattice"):
        qt.WavePacket(qt.models.sample_imbrie_chain(num_bath_sites=2, disorder=1.0, seed=1), times=[1.0])
    large = sample_anderson_lattice(shape=(60, 60, 60), disorder=1.0, seed=1)
    with pytest.raises(qt.MemoryRefusedError, match="Chebyshev"):
        qt.solve(qt.WavePacket(large, times=[1.0]), qt.Dense())


@pytest.mark.slow
def test_cube_of_80_at_disorder_6_diffuses():
    """Local exponent 1.02(3) for t >= 10: the metallic side of the transition at W = 16.5."""
    times = np.geomspace(10, 30, 7)
    msd = np.mean(
        [
            qt.solve(
                qt.WavePacket(
                    sample_anderson_lattice(shape=(80,) * 3, disorder=6.0, seed=1, realization=k), times=times
                ),
                qt.Chebyshev(),
            )["msd"].values
            for k in range(4)
        ],
        axis=0,
    )
    assert np.polyfit(np.log(times), np.log(msd), 1)[0] == pytest.approx(1.02, abs=0.03)
