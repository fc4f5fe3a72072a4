"""Band chains: the matrix exponential, exact moments against sampling, Chebyshev against the spectrum."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from numpy.testing import assert_allclose

import qthermo as qt
from qthermo.models import sample_band_chain

TIMES = np.linspace(0.0, 8000.0, 9)


def small(**change):
    arguments = {"num_subunits": 3, "num_levels": 12, "band_width": 0.05, "coupling": 1e-3, "seed": 1}
    return sample_band_chain(**{**arguments, **change})


@pytest.mark.parametrize("initial", ["haar", "level", "product"])
def test_probabilities_are_those_of_the_exponential(initial):
    model = small()
    problem = qt.BandDynamics(model, times=TIMES, initial=initial, seed=4)
    data = qt.solve(problem, qt.Dense())
    state = problem.initial_states()[:, 0]
    assert np.linalg.norm(state) == pytest.approx(1)
    for k, t in enumerate(TIMES):
        evolved = scipy.linalg.expm(-1j * t * model.space.to_dense()) @ state
        expected = (np.abs(evolved) ** 2).reshape(3, 12).sum(axis=1)
        assert_allclose(data["probability"][k], expected, atol=1e-9)
    assert_allclose(data["probability"].sum("subunit"), 1, atol=1e-12)
    assert_allclose(data["energy"], data["probability"], atol=1e-12)
    assert float(data["probability"][0, 0]) == pytest.approx(1)


@pytest.mark.parametrize("weights", [None, [0.5, 0.3, 0.2]])
def test_exact_moments_are_those_of_many_states(weights):
    model = small()
    exact = qt.solve(qt.BandDynamics(model, times=TIMES, initial="average", weights=weights), qt.Dense())
    count = 600
    sampled = qt.solve(qt.BandDynamics(model, times=TIMES, weights=weights, num_states=count), qt.Dense())
    miss = (sampled["probability"] - exact["probability"]).values[1:] / sampled["stderr"].values[1:]
    assert np.abs(miss).max() < 5
    variance = sampled["sample"].var("state", ddof=1)
    assert_allclose(variance[1:] / exact["variance"][1:], 1, atol=8 * (2 / count) ** 0.5)
    assert_allclose(exact["probability"].sum("subunit"), 1, atol=1e-12)


def test_components_are_the_whole_space():
    """All energies at once, one component after the other, against the exponential of the whole H."""
    model = small(num_subunits=2, num_levels=[3, 2], coupling=0.01, all_energies=True)
    space = model.space
    parts = space.components
    assert sorted(k for part in parts for k in part) == list(range(9))
    assert sorted(len(part) for part in parts) == [1, 1, 2, 2, 3]
    weights = model.thermal_weights([0.8, 1.1])
    data = qt.solve(qt.BandDynamics(model, times=TIMES, initial="average", weights=weights), qt.Dense())
    mixed = np.diag(np.repeat(weights / space.block_dimensions, space.block_dimensions))
    excited = np.array(space.configurations) > 0
    for k, t in enumerate(TIMES):
        U = scipy.linalg.expm(-1j * t * space.to_dense())
        inside = np.diag(U @ mixed @ U.conj().T).real
        expected = [inside[part].sum() for part in space.slices]
        assert_allclose(data["band_probability"][k], expected, atol=1e-9)
        for mu in range(2):
            Q = U.conj().T @ np.diag(np.repeat(excited[:, mu], space.block_dimensions)) @ U
            total = 0.0
            for a, one in enumerate(space.slices):
                for b, other in enumerate(space.slices):
                    square = np.linalg.norm(Q[one, other]) ** 2
                    size = one.stop - one.start
                    if a == b:
                        spread = square / size - (np.trace(Q[one, one]).real / size) ** 2
                        total += weights[a] ** 2 * spread / (size + 1)
                    else:
                        total += weights[a] * weights[b] * square / (size * (other.stop - other.start))
            assert float(data["variance"][k, mu]) == pytest.approx(total, abs=1e-10)
    several = qt.solve(qt.BandDynamics(model, times=TIMES, weights=weights, num_states=40), qt.Dense())
    series = qt.solve(qt.BandDynamics(model, times=TIMES, weights=weights, num_states=40), qt.Chebyshev())
    assert_allclose(several["sample"], series["sample"], atol=1e-10)


@pytest.mark.parametrize("energy", [1.0, 2.0, None])
def test_chebyshev_is_the_spectrums_evolution(energy):
    model = small(
        num_levels=[2, 2] if energy is None else [6, 4], total_energy=energy or 1.0, all_energies=energy is None
    )
    problem = qt.BandDynamics(model, times=TIMES, num_states=3)
    exact, series = qt.solve(problem, qt.Dense()), qt.solve(problem, qt.Chebyshev())
    assert_allclose(series["sample"], exact["sample"], atol=1e-10)
    assert_allclose(series["band_probability"], exact["band_probability"], atol=1e-10)


def test_given_vector_is_evolved():
    model = small()
    rng = np.random.default_rng(0)
    vector = rng.standard_normal(model.dimension)
    vector /= np.linalg.norm(vector)
    problem = qt.BandDynamics(model, times=[0.0, 500.0], initial=vector)
    assert_allclose(problem.initial_weights, (vector**2).reshape(3, 12).sum(axis=1))
    assert_allclose(qt.solve(problem, qt.Dense())["probability"][0], problem.initial_weights, atol=1e-12)


def test_uncoupled_subunits_keep_their_energy():
    data = qt.solve(qt.BandDynamics(small(coupling=0.0), times=TIMES, initial="average"), qt.Dense())
    assert_allclose(data["probability"].values[:, 0], 1, atol=1e-12)
    assert_allclose(data["variance"], 0, atol=1e-12)


def test_bad_problems_are_refused():
    model = small()
    for change, words in (
        ({"initial": "thermal"}, "must be a vector or one of"),
        ({"initial": np.ones(model.dimension)}, "norm 1"),
        ({"initial": np.ones(3)}, "36 components"),
        ({"weights": [1.0, 1.0, 1.0]}, "sum to 1"),
        ({"weights": [1.0, 0.0, 0.0], "initial": "level"}, "left out"),
        ({"num_states": 3, "initial": "average"}, "must be 1 unless"),
    ):
        with pytest.raises(qt.InputError, match=words):
            qt.BandDynamics(model, times=TIMES, **change)
    with pytest.raises(qt.UnsupportedError, match="Dense"):
        qt.solve(qt.BandDynamics(model, times=TIMES, initial="average"), qt.Chebyshev())
