"""Hybridisation curves, structure factors, widths and G: sums, exact cases, published numbers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import qthermo as qt
from qthermo.exact.hybridisation import (
    estimate_coupling_parameter,
    fit_width,
    hybridisation_curve,
    mean_gap_ratio,
    structure_factor_by_moments,
    structure_factor_histogram,
)
from qthermo.linalg.spectral_histograms import fold_weights

sample = qt.models.sample_ergodic_grain


def curves(spins: int, bandwidth: float, g: float, edges: np.ndarray, count: int) -> np.ndarray:
    return np.array(
        [
            hybridisation_curve(
                sample(kind="goe", num_grain_spins=spins, num_lioms=1, bandwidth=bandwidth, coupling=g,
                       field_spread=0.0, seed=9, realization=k),
                edges=edges, num_states=10,
            )
            for k in range(count)
        ]
    )  # fmt: skip


def test_curve_is_normalised_and_sharp_without_coupling():
    model = sample(kind="goe", num_grain_spins=5, num_lioms=1, seed=1, coupling=0.0)
    edges = np.linspace(-20.05, 20.05, 402)
    k = hybridisation_curve(model, edges=edges, num_states=4)
    assert_allclose(k.sum() * 0.1, 1)
    assert np.flatnonzero(k > 1e-9).tolist() == [200]


def test_curve_against_a_direct_sum():
    model = sample(kind="gue", num_grain_spins=3, num_lioms=2, seed=1, coupling=0.5)
    edges = np.linspace(-6, 6, 25)
    free = model.attach(fields=model.fields, couplings=[model.couplings[0], 0.0])
    old, before = np.linalg.eigh(free.to_matrix())
    new, after = np.linalg.eigh(model.to_matrix())
    chosen = np.argsort(np.abs(new - 0.3))[:2]
    expected = np.mean(
        [fold_weights(old - new[n], np.abs(before.conj().T @ after[:, n]) ** 2, edges) for n in chosen], axis=0
    )
    assert_allclose(hybridisation_curve(model, edges=edges, energy=0.3, num_states=2), expected, atol=1e-10)


def test_width_of_a_lorentzian_is_found():
    rng = np.random.default_rng(0)
    edges = np.linspace(-3, 3, 61)
    exact = np.diff(np.arctan(edges / 0.23)) / np.pi / np.diff(edges)
    fit = fit_width(edges, exact * (1 + 0.05 * rng.standard_normal((30, 60))))
    assert abs(fit.width - 0.23) < 4 * fit.stderr
    assert 0 < fit.stderr < 0.01


def test_width_follows_the_golden_rule():
    """w bandwidth / g^2 = 3.15(20) at g = 0.8, h = 1, for two sizes and two bandwidths."""
    edges = np.linspace(-2.025, 2.025, 82)
    ratios = []
    for spins, bandwidth in ((6, 10.0), (7, 10.0), (7, 20.0)):
        fit = fit_width(edges, curves(spins, bandwidth, 0.8, edges, 16))
        ratios.append((fit.width * bandwidth / 0.64, fit.stderr * bandwidth / 0.64))
    for ratio, stderr in ratios:
        assert ratio == pytest.approx(3.15, abs=0.2 + 3 * stderr)


@pytest.mark.slow
def test_width_at_three_sizes_three_bandwidths_and_three_couplings():
    edges = np.linspace(-2.025, 2.025, 82)
    for spins, bandwidth in ((7, 10.0), (8, 10.0), (9, 10.0), (7, 5.12), (8, 10.24), (9, 20.48)):
        fit = fit_width(
            edges * max(1, 10 / bandwidth), curves(spins, bandwidth, 0.8, edges * max(1, 10 / bandwidth), 24)
        )
        ratio = fit.width * bandwidth / 0.64
        assert ratio == pytest.approx(3.15, abs=0.2 + 2 * fit.stderr * bandwidth / 0.64)
    widths = [fit_width(edges, curves(9, 10.0, g, edges, 24)).width for g in (0.4, 0.57, 0.8)]
    exponent = np.polyfit(np.log([0.4, 0.57, 0.8]), np.log(widths), 1)[0]
    assert exponent == pytest.approx(2, abs=0.15)


def test_structure_factor_has_the_weight_of_its_operator():
    model = sample(kind="local", num_grain_spins=5, num_lioms=2, seed=1)
    edges = np.linspace(-40.5, 40.5, 82)
    for operator in ("grain", "boundary", "liom:1"):
        v = structure_factor_histogram(model, operator, edges=edges, num_states=4)
        assert_allclose(v.sum(), 1)
    free = model.attach(fields=[0.8], couplings=[0.0])
    v = structure_factor_histogram(free, "liom:1", edges=np.linspace(-4.05, 4.05, 82), num_states=8)
    centres = np.linspace(-4, 4, 81)
    assert set(np.round(centres[v > 1e-9], 3)) <= {-1.6, 1.6}


def test_moments_give_the_same_structure_factor():
    model = sample(kind="goe", num_grain_spins=6, num_lioms=3, seed=1)
    edges = np.linspace(-3.25, 3.25, 14)
    centres = (edges[1:] + edges[:-1]) / 2
    exact = structure_factor_histogram(model, "grain", edges=edges)
    fine = np.linspace(-3.25, 3.25, 1301)
    moments = structure_factor_by_moments(model, "grain", frequencies=fine, num_moments=400)
    binned = np.array([moments[np.abs(fine - c) < 0.25].mean() for c in centres])
    assert_allclose(binned, exact, atol=0.03)
    assert_allclose(binned.sum() / exact.sum(), 1, atol=0.02)


def test_level_statistics_tell_grain_from_localised_spins():
    """Atas et al.: 0.3863 Poisson, 0.5307 GOE."""
    thermal = [
        mean_gap_ratio(np.linalg.eigvalsh(sample(kind="goe", num_lioms=2, seed=1, realization=k, coupling=0.5,
                                                 decay=1.0).to_matrix())[64:192])
        for k in range(16)
    ]  # fmt: skip
    localised = [
        mean_gap_ratio(np.linalg.eigvalsh(sample(kind="single_spin", num_lioms=7, seed=1, realization=k).to_matrix()))
        for k in range(8)
    ]
    assert np.mean(thermal) == pytest.approx(0.5307, abs=0.03)
    assert np.mean(localised) < 0.43


def test_joint_reading_gives_the_published_coupling_parameter():
    """The reference quotes G = 0.67 for the first spin on its chain of 9, g = 0.2; the other reading is sqrt 2 less."""
    values = {"joint": [], "opposite": []}
    for reading, found in values.items():
        for k in range(10):
            model = sample(kind="local", num_lioms=1, seed=5, realization=k)
            found.append(estimate_coupling_parameter(model, reading=reading).value)
    mean = {reading: np.mean(found) for reading, found in values.items()}
    stderr = np.std(values["joint"], ddof=1) / np.sqrt(10)
    assert mean["joint"] == pytest.approx(0.67, abs=max(3 * stderr, 0.05))
    assert mean["joint"] / mean["opposite"] == pytest.approx(np.sqrt(2), rel=0.1)


def test_coupling_parameter_of_a_flat_random_matrix():
    """|<b|X|b'>|^2 = 1/D in the mean, so G = g rho sqrt(M) = g rho / sqrt(D) for the bath's own density."""
    values = [
        estimate_coupling_parameter(
            sample(kind="goe", num_grain_spins=8, num_lioms=1, bandwidth=9.2, seed=1, realization=k), reading="opposite"
        )
        for k in range(8)
    ]
    expected = 0.2 * np.mean([v.density for v in values]) / 16
    assert np.mean([v.value for v in values]) == pytest.approx(expected, rel=0.15)
    assert np.mean([v.density for v in values]) == pytest.approx(256 / 9.2, rel=0.1)


def test_uncoupled_spins_counted_as_bath_multiply_the_coupling_parameter():
    """n uncoupled spins: 2^n times as many levels, of which only one in 2^n is reached; G is 2^(n/2) times larger."""
    values = []
    for num_uncoupled in (0, 3):
        options = {"num_lioms": num_uncoupled + 1, "coupling": 0.0, "last_coupling": 0.2}
        models = [sample(kind="local", num_grain_spins=6, seed=3, realization=k, **options) for k in range(24)]
        values.append([estimate_coupling_parameter(model).value for model in models])
    (few, many), (error, other) = np.mean(values, axis=1), np.std(values, axis=1, ddof=1) / np.sqrt(24)
    assert many / few == pytest.approx(np.sqrt(8), abs=3 * np.sqrt(8) * np.hypot(error / few, other / many))
    assert np.hypot(error / few, other / many) < 0.2


def test_bad_input_is_named():
    model = sample(kind="goe", num_grain_spins=3, num_lioms=1, seed=1)
    for call, words in (
        (lambda: hybridisation_curve(model.bare, edges=[0, 1]), "at least one localised"),
        (lambda: hybridisation_curve(model, edges=[1, 0]), "ascending"),
        (lambda: hybridisation_curve(model, edges=[0, 1], num_states=99), "num_states"),
        (lambda: fit_width([0, 1], np.ones((1, 1))), "two curves"),
        (lambda: estimate_coupling_parameter(model, reading="third"), "reading"),
        (lambda: structure_factor_histogram(model, "liom:3", edges=[0, 1]), "liom:3"),
    ):
        with pytest.raises(qt.InputError, match=words):
            call()
    with pytest.raises(qt.NotConvergedError, match="width"):
        fit_width(np.linspace(0, 1, 11), np.zeros((2, 10)))
