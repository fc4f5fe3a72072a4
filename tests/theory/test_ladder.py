"""The split solver (messages for strong pairs, matrix products for the rest) against plain messages and Dense."""

import numpy as np
import plain_messages as messages
import pytest

import qthermo as qt
from qthermo.linalg import strong_pairs
from qthermo.theory.averaged_closure import LevelSums
from qthermo.theory.cavity_equation import solve_cavity
from qthermo.theory.ladder import pair_up, solve_ladder
from qthermo.theory.split_couplings import split_couplings
from qthermo.theory.stationary import stationary_state

LAPLACE = np.array([0.1, 0.3, 1.0, 3.0])


@pytest.fixture(scope="module", params=[1.5, 1.0])
def basis(request):
    return qt.models.sample_levy_bath(dim=400, exponent=request.param, scale=0.3, seed=2, splitting=0.5).eigenbasis


def split_solution(basis, dtype=np.float64, tolerance=1e-9):
    points = 0.2 + 0.5j * LAPLACE
    couplings = split_couplings(basis, points, threshold=0.01, dtype=dtype)
    cavity = solve_cavity(couplings, points, tolerance=tolerance, max_iterations=200)
    where = np.arange(LAPLACE.size)
    pairs = pair_up(cavity, where, where, LAPLACE)
    sums = LevelSums.from_cavity(pairs.products, pairs.partial, pairs.s)
    ladder = solve_ladder(couplings, pairs, sums, np.eye(2), tolerance=tolerance, max_iterations=500)
    return couplings, cavity, ladder


def test_split_solver_agrees_with_messages(basis):
    couplings, cavity, ladder = split_solution(basis)
    assert 0 < couplings.num_strong < 0.3 * 400**2
    reference = messages.Couplings.from_eigenbasis(basis)
    for p, s in enumerate(LAPLACE):
        plain = messages.solve_cavity_messages(reference, 0.2 + 0.5j * s, tolerance=1e-11, max_iterations=500)
        np.testing.assert_allclose(cavity.green[:, :, p], plain.green, rtol=1e-6)
        assert cavity.count_resonant(couplings)[p] == messages.count_resonant_pairs(reference, plain)
        joint, _, _ = messages.solve_ladder_messages(reference, plain, s, tolerance=1e-11, max_iterations=2000)
        np.testing.assert_allclose(ladder.propagator[p], joint, rtol=1e-6)


def test_single_precision_holds_to_1e_5(basis):
    double, single = split_solution(basis), split_solution(basis, np.float32, 1e-5)
    np.testing.assert_allclose(single[2].propagator, double[2].propagator, rtol=2e-5)


def test_error_falls_with_the_cube_of_the_threshold():
    """The series is cut at x^3: ten times the threshold, about a thousand times the error."""
    basis = qt.models.sample_levy_bath(dim=300, exponent=1.5, scale=0.3, seed=5).eigenbasis
    points = np.array([0.5j])
    exact = messages.solve_cavity_messages(
        messages.Couplings.from_eigenbasis(basis), 0.5j, tolerance=1e-13, max_iterations=500
    )
    errors = []
    for threshold in (0.003, 0.03):
        couplings = split_couplings(basis, points, threshold=threshold)
        green = solve_cavity(couplings, points, tolerance=1e-13, max_iterations=500).green[..., 0]
        errors.append(np.abs(green / exact.green - 1).max())
    assert 100 < errors[1] / errors[0] < 10000


def test_complex_laplace_follows_exact_diagonalisation():
    model = qt.models.sample_levy_bath(dim=400, exponent=1.5, scale=0.3, seed=2, splitting=0.5)
    problem = qt.Propagator(model, energies=[0.2], laplace=[0.4 + 0.7j, 1.0 + 3.0j])
    exact, edge = qt.solve(problem, qt.Dense()), qt.solve(problem, qt.CavityDiffuson())
    scale = np.abs(exact["propagator"]).max()
    assert np.abs(edge["propagator"] - exact["propagator"]).max() < 0.01 * scale


def test_complex_laplace_obeys_wards_identity_and_meets_the_real_axis():
    model = qt.models.sample_levy_bath(dim=200, exponent=1.5, scale=0.3, seed=3)
    real = qt.solve(qt.Propagator(model, energies=[0.1], laplace=[0.5]), qt.CavityDiffuson())["propagator"].values
    tilted = qt.solve(qt.Propagator(model, energies=[0.1], laplace=[0.5 + 1e-9j]), qt.CavityDiffuson())
    np.testing.assert_allclose(tilted["propagator"].values, real, rtol=1e-5)
    assert '"ward_violation"' in tilted.attrs["diagnostics"]


def test_products_with_elementwise_powers():
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(150, 90))
    x, y = rng.normal(size=(90, 3)), rng.normal(size=(90, 2)) + 1j * rng.normal(size=(90, 2))
    (first,), (second, other), (third,) = strong_pairs.apply_powers(matrix, [[y], [x, y], [x]], transposed=False)
    np.testing.assert_allclose(first, matrix @ y, atol=1e-12)
    np.testing.assert_allclose(second, matrix**2 @ x, atol=1e-12)
    np.testing.assert_allclose(other, matrix**2 @ y, atol=1e-12)
    np.testing.assert_allclose(third, matrix**3 @ x, atol=1e-11)
    ((back,),) = strong_pairs.apply_powers(matrix, [[rng.normal(size=(150, 1))]], transposed=True)
    assert back.shape == (90, 1)


def test_stationary_state_is_the_left_zero_mode():
    """Two levels, all rates given: pi T = pi has the closed solution pi_0 : pi_1 = T_10 : T_01 at s -> 0."""
    flows = np.array([[[0.0, 2.0], [3.0, 0.0]]])
    sums = LevelSums(np.array([[2.0, 3.0]]), np.array([[4.0, 5.0]]), flows, np.array([[[0.0, 1.0], [1.0, 0.0]]]))
    found = stationary_state(sums, np.array([0.5, -0.5]))
    transfer = np.array([[0, 2 / 3], [3 / 2, 0]])
    left = np.array([transfer[1, 0], 1.0])
    np.testing.assert_allclose(left @ transfer, left)
    expected = left * [4, 5] / (left @ [4, 5])
    np.testing.assert_allclose(found["stationary_population"][0], expected)
    np.testing.assert_allclose(found["conservation"], 0, atol=1e-12)
    np.testing.assert_allclose(found["thermal_population"][0], [0.4, 0.6])
    np.testing.assert_allclose(found["inverse_temperature"], np.log(3 / 2))
    np.testing.assert_allclose(found["rate_balance_violation"], 0, atol=1e-12)


def test_gaussian_bath_is_thermal_and_balanced():
    """Populations follow the bath's density of states, the mean rates balance (arXiv:2603.12234, eq. 31)."""
    rng = np.random.default_rng(3)
    n = 2000
    V = 0.3 * rng.standard_normal((n, n)) / np.sqrt(n)
    model = qt.models.matrix_bath(
        bath_energies=rng.standard_normal(n), coupling_matrix=(V + V.T) / np.sqrt(2), splitting=1.0
    )
    data = qt.solve(qt.Propagator(model, energies=[0.3], laplace=[0.001]), qt.CavityDiffuson())
    assert data["balance_violation"].item() < 1e-3
    assert data["rate_balance_violation"].item() < 1e-3
    assert data["conservation"].item() < 0.01
    density = np.exp(-0.5 * (0.3 - np.array([0.5, -0.5])) ** 2)  # of the bath at E - E_a
    np.testing.assert_allclose(data["thermal_population"].values[0, 0], density / density.sum(), atol=0.02)


def test_three_levels_follow_exact_diagonalisation():
    rng = np.random.default_rng(3)
    n, mu = 250, 1.5
    couplings = {}
    for pair in ((0, 1), (0, 2), (1, 2)):
        V = np.triu(0.3 * n ** (-1 / mu) * (1 + rng.pareto(mu, (n, n))) * rng.choice([-1, 1], (n, n)))
        couplings[pair] = V + np.triu(V, 1).T
    model = qt.models.matrix_bath(bath_energies=rng.standard_normal(n), levels=[-0.5, 0.1, 0.7], couplings=couplings)
    problem = qt.Propagator(model, energies=[0.0], laplace=[1.0])
    exact, edge = (qt.solve(problem, m)["propagator"].values[0, 0] for m in (qt.Dense(), qt.CavityDiffuson()))
    difference = edge / edge.sum(axis=1, keepdims=True) - exact / exact.sum(axis=1, keepdims=True)
    assert np.abs(difference).max() <= 0.012


def test_energy_window_averages_the_propagator():
    model = qt.models.sample_levy_bath(dim=60, exponent=1.5, scale=0.3, seed=1)
    window = qt.solve(qt.Propagator(model, energies=[0.1], laplace=[0.5], energy_window=0.2), qt.Dense())
    energies = 0.1 + np.linspace(-1.2, 1.2, 241)
    weights = np.exp(-0.5 * ((energies - 0.1) / 0.2) ** 2)
    single = qt.solve(qt.Propagator(model, energies=energies, laplace=[0.5]), qt.Dense())["propagator"].values[:, 0]
    expected = np.einsum("eab,e->ab", single, weights / weights.sum())
    np.testing.assert_allclose(window["propagator"].values[0, 0], expected, rtol=1e-3)
    theory = qt.solve(qt.Propagator(model, energies=[0.1], laplace=[0.5], energy_window=0.2), qt.CavityDiffuson())
    assert abs(theory["autocorrelation"].item() - window["autocorrelation"].item()) < 0.02


def test_distribution_of_broadenings_is_that_of_exact_diagonalisation():
    model = qt.models.sample_levy_bath(dim=500, exponent=1.5, scale=0.3, seed=1)
    problem = qt.Propagator(model, energies=[0.0], laplace=[0.5])
    exact, theory = qt.solve(problem, qt.Dense()), qt.solve(problem, qt.CavityDiffuson())
    for name in ("broadening_quantile", "typical_broadening", "mean_broadening"):
        np.testing.assert_allclose(theory[name], exact[name], rtol=0.05)
    width = np.diff(theory["log10_broadening"])[0]
    assert theory["broadening_histogram"].sum().item() * width == pytest.approx(1)


def test_thermalisation_time_is_that_of_the_rates_where_broadenings_average_themselves():
    rng = np.random.default_rng(4)
    n = 600
    V = rng.normal(size=(n, n)) * 0.35 / np.sqrt(n)
    energies = rng.normal(size=n)
    for splitting in (0.0, 0.8):
        model = qt.models.matrix_bath(
            bath_energies=energies, coupling_matrix=(V + V.T) / np.sqrt(2), splitting=splitting
        )
        data = qt.solve(qt.Propagator(model, energies=[0.0], laplace=[0.05]), qt.CavityDiffuson())
        rates = data["rate"].values[0, 0]
        relaxation = 1 / (rates[0, 1] + rates[1, 0])
        assert float(data["thermalisation_time"][0, 0]) == pytest.approx(relaxation, rel=0.05)
    symmetric = 1 / (4 * float(data["typical_broadening"][0, 0]))
    assert relaxation == pytest.approx(symmetric, rel=0.1)
