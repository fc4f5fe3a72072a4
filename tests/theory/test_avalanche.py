"""The avalanche's formulas: closed values, conservation of weight, limits, and what they predict for a real grain."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

import qthermo as qt
from qthermo.exact.hybridisation import structure_factor_histogram
from qthermo.theory import avalanche as theory

GRID = np.linspace(-200, 200, 20001)
STEP = GRID[1] - GRID[0]


def test_two_lorentzians_convolve_to_one_of_the_summed_width():
    width = 0.4
    k = theory.lorentzian(GRID, width)
    assert_allclose(k.sum() * STEP, 1, atol=2e-3)
    assert_allclose(k[10000] / k[10000 + 20], 2, rtol=1e-6)  # half height at omega = w
    twice = np.convolve(k, k, mode="same") * STEP
    middle = np.abs(GRID) < 5
    assert_allclose(twice[middle], theory.lorentzian(GRID, 2 * width)[middle], rtol=5e-3)


def test_new_structure_factor_is_broadened_and_keeps_its_weight():
    v = np.exp(-(GRID**2) / 8) / math.sqrt(8 * math.pi)
    broad = theory.broaden(v, GRID, 0.05)
    assert_allclose(broad.sum() * STEP, 1, atol=1e-3)
    assert_allclose(theory.broaden(v, GRID, 1e-9), v, atol=1e-6)
    line = np.zeros(GRID.size)
    line[10000] = 1 / STEP
    middle = np.abs(GRID) < 5
    assert_allclose(theory.broaden(line, GRID, 0.5)[middle], theory.lorentzian(GRID, 1.0)[middle], rtol=1e-3)


def test_spin_structure_factor_is_equation_8():
    """It follows from equation 6 with two delta peaks for v, and integrates to <X X> = 1."""
    lines = np.zeros(GRID.size)
    lines[[10000 - 100, 10000 + 100]] = 0.5 / STEP  # at +-2h, h = 1
    expected = theory.broaden(lines, GRID, 0.3)
    middle = np.abs(GRID) < 10
    assert_allclose(theory.spin_structure_factor(GRID, 1.0, 0.3)[middle], expected[middle], rtol=2e-3)


def test_back_reaction_moves_weight_into_two_peaks():
    v = np.exp(-(GRID**2) / 8) / math.sqrt(8 * math.pi)
    options = {"coupling": 0.3, "field": 1.0, "width": 0.02, "bandwidth": 2.0}
    new = theory.add_back_reaction(v, GRID, **options)
    weight = theory.back_reaction_weight(0.3, 1.0, 2.0)
    assert_allclose(weight, 0.15**2)
    assert_allclose(new.sum() * STEP, 1, atol=2e-3)
    assert_allclose(theory.back_reaction_weight(0.3, 4.0, 2.0), 0.075**2)
    peak = new[10100] - (1 - 2 * weight) * theory.broaden(v, GRID, 0.02)[10100]
    assert_allclose(peak, weight / (math.pi * 0.04), rtol=1e-2)


def test_lengths_of_the_crossover():
    assert_allclose(theory.CRITICAL_DECAY, 0.70711, atol=1e-5)
    assert theory.crossover_length(8, 0.5) == pytest.approx(8, rel=1e-12)
    assert math.isinf(theory.crossover_length(8, theory.CRITICAL_DECAY))
    assert math.isinf(theory.crossover_length(8, 0.75))
    assert theory.crossover_length(8, 0.6) == pytest.approx(8 * math.log(2) / (-2 * math.log(0.6) - math.log(2)))


def test_flow_of_the_coupling_stops_where_the_length_says():
    """G_l = e^{-a l} G_1; with G ~ 2^{l_b / 2} it passes 1 at l_c."""
    assert_allclose(theory.flow_coupling(1.0, 0.75), math.exp(0.05889), rtol=1e-4)
    for decay in (0.3, 0.5, 0.65):
        length = theory.crossover_length(10, decay)
        steps = np.arange(200)
        flow = np.array([theory.flow_coupling(2 ** (10 / 2), decay, int(k)) for k in steps])
        assert np.sum(flow > 1 + 1e-9) == math.ceil(length - 1e-9)


@pytest.mark.parametrize("dimension", [2, 3])
def test_shells_outgrow_every_exponential(dimension: int):
    volume = {2: math.pi, 3: 4 * math.pi / 3}[dimension]
    for grain, decay in ((0.02, 0.05), (0.1, 0.001)):
        length = theory.shell_length(grain, decay, dimension)
        assert math.isfinite(length)
        radius = grain + length
        assert volume * radius**dimension * math.log(2) == pytest.approx(-2 * math.log(decay) * length, rel=1e-9)
    assert math.isinf(theory.shell_length(3.0, 0.05, dimension))
    assert theory.shell_length(0.0, 0.5, dimension) < 1e-12
    assert theory.shell_length(8, 0.5, 1) == pytest.approx(8)


def test_widths_along_a_chain_follow_the_recursion():
    """Equation 21: fields that differ by h/2 shrink the width by (g/h)^2 per spin, up to its stated prefactor."""
    g, h = 0.05, 1.0
    fields = h * (1 + 0.5 * (np.arange(7) % 2))
    widths = theory.chain_widths(fields, g, first_structure_factor=0.25)
    ratios = widths[1:] / widths[:-1]
    assert_allclose(ratios, (g / h) ** 2, rtol=0.1)
    assert_allclose(widths[0], math.pi * g**2 / 4)


def test_recursion_of_the_widths_has_the_stated_prefactor():
    """w_i / w_(i-1) = (g/2)^2 [1/(h_i - h_(i-1))^2 + 1/(h_i + h_(i-1))^2] up to (w / (h_i - h_(i-1)))^2."""
    g, h = 0.02, np.array([1.0, 1.4, 0.7, 1.9, 1.1])
    before, after = h[:-1], h[1:]
    expected = (g / 2) ** 2 * ((after - before) ** -2 + (after + before) ** -2)
    widths = theory.chain_widths(h, g, first_structure_factor=0.25)
    assert_allclose(widths[1:] / widths[:-1], expected, rtol=1e-5)


def test_paths_to_the_tail_of_a_spin_interfere():
    """Exact diagonalisation of a grain and one spin: amplitudes add between and beyond the peaks at 2h = 2."""
    g, centres = 0.15, np.array([0.0, 1.0, 3.0])
    edges = np.sort(np.concatenate([centres - 0.3, centres + 0.3]))
    options = {"edges": edges, "num_states": 20}
    spin, bath = [], []
    for k in range(8):
        model = qt.models.sample_ergodic_grain(
            kind="goe", num_grain_spins=8, num_lioms=1, bandwidth=10.0, coupling=g, field_spread=0.0, seed=21,
            realization=k,
        )  # fmt: skip
        spin.append(structure_factor_histogram(model, "liom:1", **options)[::2])
        bath.append(structure_factor_histogram(model.bare, "boundary", **options)[::2])
    ratio = np.array(spin) / np.mean(bath, axis=0)
    mean, stderr = ratio.mean(axis=0), ratio.std(axis=0, ddof=1) / np.sqrt(len(ratio))
    points = centres[:, None] + np.linspace(-0.3, 0.3, 61)
    width = math.pi * g**2
    expected = theory.spin_structure_factor_tail(points, 1.0, width).mean(axis=1)
    assert np.all(np.abs(mean - expected) < 4 * stderr + 0.1 * expected)
    assert np.all(stderr < 0.1 * expected)
    independent = theory.spin_structure_factor(points, 1.0, width / 1e6).mean(axis=1) * 1e6
    lack = theory.spin_structure_factor_tail(points, 1.0, width) - width / math.pi * 2 / (4 - points**2)
    assert_allclose(lack.mean(axis=1), independent, rtol=1e-9)
    assert np.all(np.abs(mean - independent) > 4 * stderr)


def test_spread_of_a_spin_is_that_of_its_structure_factor():
    density, width = 500.0, 0.2
    v = theory.spin_structure_factor(GRID, 3.0, width)
    for is_real in (True, False):
        whole = theory.log_ipr_of_structure_factor(v, GRID, density, is_real=is_real)
        assert_allclose(whole, theory.log_ipr_of_spin(width, density, is_real=is_real), atol=2e-2)
    assert_allclose(theory.gaussian_factor(is_real=True), math.log(3))
    assert_allclose(theory.gaussian_factor(is_real=False), math.log(2))


def test_hybridisation_parameter_and_width_are_tied():
    """w rho = pi G^2."""
    G, w = theory.hybridisation_parameter(0.3, 0.2, 50.0), theory.hybridisation_width(0.3, 0.2)
    assert_allclose(w * 50.0, math.pi * G**2)


@pytest.mark.parametrize("kind", ["goe", "gue"])
def test_prediction_for_a_bare_random_matrix(kind: str):
    values = [
        float(qt.solve(qt.OperatorSpread(qt.models.sample_ergodic_grain(kind=kind, num_grain_spins=8, num_lioms=0,
              seed=1, realization=k)), qt.AvalancheTheory())["log_ipr"][0])
        for k in range(6)
    ]  # fmt: skip
    assert np.mean(values) == pytest.approx(math.log(256 / (3 if kind == "goe" else 2)), abs=0.15)


def test_prediction_follows_exact_diagonalisation():
    """Each thermalised spin adds log 2 inside the grain; the theory gives 0.1 too much at G = 0.3."""
    deviations = []
    for realization in range(8):
        model = qt.models.sample_ergodic_grain(kind="goe", num_lioms=3, seed=2, realization=realization)
        problem = qt.OperatorSpread(model, operators=("grain", "liom:1"))
        theory_data, exact = qt.solve(problem, qt.AvalancheTheory()), qt.solve(problem, qt.Dense())
        deviations.append((theory_data["log_ipr"] - exact["log_ipr"]).values)
        assert theory_data["coupling_parameter"].dims == ("liom",)
        assert np.all(theory_data["width"] > 0)
    mean = np.mean(deviations, axis=0)
    assert abs(mean[0]) < 0.5
    assert abs(mean[1]) < 1.0


def test_prediction_walks_far_beyond_exact_diagonalisation():
    spread = {
        n: float(
            qt.solve(
                qt.OperatorSpread(qt.models.sample_ergodic_grain(kind="goe", num_lioms=n, seed=1, field_spread=0.0)),
                qt.AvalancheTheory(),
            )["log_ipr"][0]
        )
        for n in (5, 6, 30)
    }
    assert spread[6] - spread[5] == pytest.approx(math.log(2), abs=0.02)
    assert spread[30] - spread[6] == pytest.approx(24 * math.log(2), abs=0.1)
    stopped = qt.models.sample_ergodic_grain(kind="goe", num_lioms=30, seed=1, decay=0.4)
    data = qt.solve(qt.OperatorSpread(stopped, operators=("grain", "liom:30")), qt.AvalancheTheory())
    assert float(data["log_ipr"][1]) == 0.0
    assert "num_thermalised" in data.attrs["diagnostics"]
    chain = qt.models.sample_ergodic_grain(kind="local", num_lioms=30, seed=1, layout="spins", decay=1.0)
    spins = qt.solve(qt.OperatorSpread(chain, operators=("liom:1", "liom:30")), qt.AvalancheTheory())
    assert spins["log_ipr"][0] > 2
    assert spins["log_ipr"][1] < spins["log_ipr"][0]


def test_what_the_prediction_cannot_do():
    spins = qt.models.sample_ergodic_grain(kind="local", num_grain_spins=3, num_lioms=4, seed=1).to_spin_model()
    large = qt.models.sample_ergodic_grain(kind="local", num_grain_spins=13, num_lioms=1, seed=1)
    for problem, words in (
        (qt.OperatorSpread(spins, operators=("X0",)), "LanczosSpread"),
        (qt.OperatorSpread(large), "12 spins"),
    ):
        with pytest.raises(qt.UnsupportedError, match=words):
            qt.solve(problem, qt.AvalancheTheory())
    with pytest.raises(qt.InputError, match="threshold"):
        qt.AvalancheTheory(threshold=0.0)
    with pytest.raises(qt.InputError, match="decay"):
        theory.crossover_length(3, 0.0)
