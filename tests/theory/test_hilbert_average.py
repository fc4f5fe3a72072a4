"""The Hilbert-space average: kappa, its conditions, the rate equation, and the Schroedinger equation beside it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from numpy.testing import assert_allclose

import qthermo as qt
from qthermo.models import Band, band_chain, sample_band_chain
from qthermo.theory.band_rates import build_rates, check_criteria, decay_constant
from qthermo.theory.hilbert_average import fit_time_scale, mean_square_deviation

PAPER = {"num_levels": 500, "band_width": 0.05, "coupling": 5e-5}
KAPPA = 2 * np.pi * 5e-5**2 * 500 / 0.05


def chain(num_subunits=3, **change):
    return sample_band_chain(**{"num_subunits": num_subunits, "seed": 1, **PAPER, **change})


def answer(problem):
    """The rate equation's answer; conditions that do not hold are another test's subject."""
    return qt.solve(problem, qt.RateEquation())


def test_kappa_of_the_paper():
    model = chain(num_levels=50, coupling=5e-5 * 10**0.5)
    assert pytest.approx(1.5707963e-4, rel=1e-7) == KAPPA
    assert decay_constant(model) == pytest.approx(KAPPA, rel=1e-12)


def test_one_excitation_diffuses_along_the_chain():
    model = chain(5, num_levels=20)
    kappa = decay_constant(model)
    laplacian = np.diag([-1.0, -2, -2, -2, -1]) + np.eye(5, k=1) + np.eye(5, k=-1)
    assert_allclose(build_rates(model).generator, kappa * laplacian, rtol=1e-12, atol=1e-20)
    start = np.array([0.1, 0.5, 0.2, 0.2, 0.0])
    times = np.array([0.0, 0.3, 2.0]) / kappa
    expected = [scipy.linalg.expm(kappa * laplacian * t) @ start for t in times]
    assert_allclose(build_rates(model).evolve(start, times), expected, atol=1e-13)


def test_rates_between_unequal_bands_are_overlaps_of_densities():
    """rho of (1, 1) is a triangle of width 2 delta, that of (2, 0) a box: both integrals in closed form."""
    delta, coupling = 0.1, 0.01
    model = sample_band_chain(
        num_subunits=2, num_levels=[4, 6], band_width=delta, coupling=coupling, seed=1, total_energy=2.0
    )
    rates = build_rates(model)
    names = {c: k for k, c in enumerate(model.space.configurations)}
    boxes = 2 * np.pi * coupling**2 * 6 * 6 / delta
    triangle = 2 * np.pi * coupling**2 * 16 * 6 / delta * 0.75  # mean of the triangle's density over the box
    assert rates.strengths[names[2, 0], names[0, 2]] == pytest.approx(boxes)
    assert rates.strengths[names[2, 0], names[1, 1]] == pytest.approx(triangle)
    late = rates.evolve(np.array([1.0, 0, 0]), np.array([1e6]))[0]
    assert_allclose(late, model.space.block_dimensions / model.dimension, rtol=1e-9)


@pytest.mark.parametrize(
    ("change", "dense", "weak"),
    [
        ({}, "marginal", "satisfied"),
        ({"num_levels": 400}, "violated", "satisfied"),
        ({"coupling": 1e-4}, "satisfied", "satisfied"),
        ({"coupling": 1e-3}, "satisfied", "marginal"),
        ({"coupling": 4e-3}, "satisfied", "violated"),
    ],
)
def test_conditions_are_judged(change, dense, weak):
    values = {**PAPER, **change}
    bands = (Band(energy=0.0, num_levels=1), Band(energy=1.0, num_levels=values["num_levels"], width=0.05))
    block = np.ones((values["num_levels"],) * 2)
    model = band_chain(bands=bands, blocks=[{((0, 1), (1, 0)): block}], coupling=values["coupling"], total_energy=1.0)
    criteria = check_criteria(model)
    n, strength = values["num_levels"], values["coupling"]
    assert criteria["dense"].value == pytest.approx(strength * n / 0.05)
    assert criteria["weak"].value == pytest.approx(strength**2 * n / 0.05**2)
    assert (criteria["dense"].verdict, criteria["weak"].verdict) == (dense, weak)
    problem = qt.BandDynamics(model, times=[0.0, 1.0])
    if "violated" in (dense, weak):
        with pytest.warns(qt.ValidityWarning, match="band_width"):
            answer(problem)
    else:
        diagnostics = answer(problem).attrs["diagnostics"]
        assert f'"verdict": "{dense}"' in diagnostics


def test_single_level_is_outside_typicality_and_deviates():
    model = chain(3, num_levels=60, coupling=5e-5 * (500 / 60) ** 0.5 * 3)
    end = 5 / decay_constant(model)
    times = np.linspace(0, end, 101)
    with pytest.warns(qt.ValidityWarning, match="typical states"):
        theory = answer(qt.BandDynamics(model, times=times, initial="level"))
    assert '"outside typicality"' in theory.attrs["diagnostics"]
    misses = {}
    for initial in ("level", "haar"):
        exact = qt.solve(qt.BandDynamics(model, times=times, initial=initial), qt.Dense())
        misses[initial] = mean_square_deviation(exact, theory, relaxation_time=end / 5).item()
    assert misses["level"] > 3 * misses["haar"]
    assert '"typical"' in answer(qt.BandDynamics(model, times=times)).attrs["diagnostics"]


def test_sampled_deviation_is_that_of_the_trace_formula():
    model = chain(2, num_levels=100, coupling=2.5e-4)
    times = np.linspace(0, 5 / decay_constant(model), 61)
    theory = answer(qt.BandDynamics(model, times=times))
    exact = qt.solve(qt.BandDynamics(model, times=times, initial="average"), qt.Dense())
    states = qt.solve(qt.BandDynamics(model, times=times, num_states=400), qt.Dense())
    tau = 1 / decay_constant(model)
    predicted = mean_square_deviation(exact, theory, relaxation_time=tau).item()
    sampled = mean_square_deviation(states, theory, relaxation_time=tau)
    assert abs(sampled.mean() - predicted) < 4 * sampled.std() / 20
    with pytest.raises(qt.InputError, match="5 tau"):
        mean_square_deviation(exact, theory, relaxation_time=2 * tau)


@pytest.mark.slow
def test_kappa_fitted_to_the_schroedinger_equation():
    """kappa_fit / kappa = 1.00(5) for two subunits of 500 levels."""
    ratios = []
    for seed in range(3):
        model = chain(2, seed=seed)
        times = np.linspace(0, 5, 61) / KAPPA
        exact = qt.solve(qt.BandDynamics(model, times=times, initial="average"), qt.Dense())
        window = (0.05 / KAPPA, 0.8 / KAPPA)
        ratios.append(
            fit_time_scale(times, exact["band_probability"].values, build_rates(model), [1, 0], window=window)[0]
        )
    assert np.mean(ratios) == pytest.approx(1, abs=0.05)


@pytest.mark.slow
def test_deviation_falls_as_one_over_the_number_of_levels():
    """n D^2 = .079(6) for N = 3, n = 400 at lambda n / band_width = 1/2."""
    values = []
    for seed in range(4):
        model = chain(3, num_levels=400, coupling=0.5 * 0.05 / 400, seed=seed)
        tau = 1 / decay_constant(model)
        times = np.linspace(0, 5 * tau, 41)
        exact = qt.solve(qt.BandDynamics(model, times=times, initial="average"), qt.Dense())
        values.append(
            400 * mean_square_deviation(exact, answer(qt.BandDynamics(model, times=times)), relaxation_time=tau)
        )
    assert np.mean(values) == pytest.approx(0.079, abs=0.006)


def test_chains_without_a_continuum_are_refused():
    model = sample_band_chain(num_subunits=2, num_levels=1, band_width=0.1, coupling=0.1, seed=1)
    with pytest.raises(qt.InputError, match="band of levels"):
        answer(qt.BandDynamics(model, times=[0.0, 1.0]))
    long = sample_band_chain(num_subunits=14, num_levels=2, band_width=0.1, coupling=0.1, seed=1, all_energies=True)
    with pytest.raises(qt.UnsupportedError, match="4096 configurations"):
        answer(qt.BandDynamics(long, times=[0.0], initial="product"))
