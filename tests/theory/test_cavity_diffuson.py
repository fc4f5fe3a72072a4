import json

import numpy as np
import pytest

import qthermo as qt
from qthermo.models import BathEigenbasis, MatrixModel

LAPLACE = np.array([0.1, 0.3, 1.0, 3.0])


def tree_model(blocks, *, levels=(0.3, -0.2), bath=(0.1, -0.4)):
    basis = BathEigenbasis(
        level_energies=np.array(levels),
        level_values=np.linspace(1, -1, len(levels)),
        bath_energies=np.array(bath),
        blocks=blocks,
    )
    return MatrixModel(family="tree", parameters={}, eigenbasis=basis)


TREES = {
    "pair": tree_model({(0, 1): np.array([[0.7]])}, bath=(0.1,)),
    "path": tree_model({(0, 1): np.array([[0.7, 0.4], [0.4, 0.0]])}),
    "complex path": tree_model({(0, 1): np.array([[0.7, 0.4j], [-0.4j, 0.0]])}),
    "three-level star": tree_model(
        {(0, 1): np.array([[0.7]]), (0, 2): np.array([[1.1]])}, levels=(-0.5, 0.1, 0.7), bath=(0.2,)
    ),
}


@pytest.mark.parametrize("name", TREES)
def test_edge_closure_is_exact_on_a_tree(name):
    problem = qt.Propagator(TREES[name], energies=[-0.2, 0.4], laplace=[0.05, 0.5, 2.0])
    exact = qt.solve(problem, qt.Dense())
    edge = qt.solve(problem, qt.CavityDiffuson(closure="edge", tolerance=1e-12))
    np.testing.assert_allclose(edge["propagator"], exact["propagator"], rtol=1e-9)
    np.testing.assert_allclose(edge["typical_broadening"], exact["typical_broadening"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("exponent", [1.0, 1.5])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_levy_bath_follows_exact_diagonalisation(exponent, seed):
    model = qt.models.sample_levy_bath(dim=1000, exponent=exponent, scale=0.3, seed=seed)
    problem = qt.Propagator(model, energies=[0.0], laplace=LAPLACE)
    exact = qt.solve(problem, qt.Dense())["autocorrelation"]
    edge = qt.solve(problem, qt.CavityDiffuson(closure="edge", tolerance=1e-6))["autocorrelation"]
    averaged = qt.solve(problem, qt.CavityDiffuson(closure="averaged", tolerance=1e-6))["autocorrelation"]
    assert np.abs(edge - exact).max() <= 0.004
    assert np.abs(averaged - exact).max() <= 0.045


def test_edge_closure_obeys_wards_identity():
    """sum_b P_ab = (2/s) sum_i -Im G_(ia), the right side from the cavity equation solved here on its own."""
    model = qt.models.sample_levy_bath(dim=60, exponent=1.5, scale=0.3, seed=4, splitting=0.7)
    laplace = np.array([0.2, 1.0])
    data = qt.solve(qt.Propagator(model, energies=[0.3], laplace=laplace), qt.CavityDiffuson())
    for s, values in zip(laplace, data["propagator"].values[0], strict=True):
        density = -plain_cavity(model.eigenbasis, 0.3 + 0.5j * s).imag.sum(axis=1)
        np.testing.assert_allclose(values.sum(axis=1), 2 / s * density, rtol=1e-6)


def plain_cavity(basis, z):
    """Messages for the whole graph at once, damped, straight from the formula."""
    matrix = basis.to_matrix()
    energies = basis.energies.ravel()
    weights = np.abs(matrix - np.diag(np.diag(matrix))) ** 2
    messages = np.full(weights.shape, 1 / (z + 0.5j))
    for _ in range(3000):
        terms = weights * messages.T
        total = z - energies - terms.sum(axis=1)
        messages = 0.5 * messages + 0.5 / (total[:, None] + terms)
    return (1 / (z - energies - (weights * messages.T).sum(axis=1))).reshape(basis.energies.shape)


def test_all_to_all_ising_within_ten_percent():
    """Nine bath spins at coupling 1, splitting 2; the theory is approximate here, exact diagonalisation the judge."""
    thermometer = qt.Thermometer(splitting=2.0, coupling=1.0)
    model = qt.models.sample_all_to_all_ising(num_bath_sites=9, seed=1, thermometer=thermometer)
    problem = qt.Propagator(model, energies=[0.0], laplace=[0.3, 1.0, 3.0])
    exact = qt.solve(problem, qt.Dense())["autocorrelation"]
    edge = qt.solve(problem, qt.CavityDiffuson())["autocorrelation"]
    np.testing.assert_allclose(edge, exact, rtol=0.1)


def test_self_averaging_bath_relaxes_at_one_rate():
    """Equal couplings |V|^2 = v/N and one bath energy: the cavity equation is a quadratic, c = s / (s + 4 Gamma)."""
    n, v, s = 400, 0.2, 0.5
    model = qt.models.matrix_bath(bath_energies=np.zeros(n), coupling_matrix=np.full((n, n), np.sqrt(v / n)))
    data = qt.solve(qt.Propagator(model, energies=[0.0], laplace=[s]), qt.CavityDiffuson(closure="averaged"))
    z = 0.5j * s
    green = (z - np.sqrt(z * z - 4 * v)) / (2 * v)
    green = green if green.imag < 0 else (z + np.sqrt(z * z - 4 * v)) / (2 * v)
    broadening = -v * green.imag
    assert data["typical_broadening"].item() == pytest.approx(broadening, rel=3 / n)
    assert data["autocorrelation"].item() == pytest.approx(s / (s + 4 * broadening), rel=3 / n)


def test_stopping_short_names_the_knob():
    model = qt.models.sample_levy_bath(dim=50, exponent=1.5, scale=0.3, seed=1)
    problem = qt.Propagator(model, energies=[0.0], laplace=[0.1])
    with pytest.raises(qt.NotConvergedError, match="max_iterations"):
        qt.solve(problem, qt.CavityDiffuson(max_iterations=2))


def test_couplings_inside_a_level_are_reported_and_refused_when_they_dominate():
    inner, outer = np.array([[0.2, 0.0], [0.0, 0.1]]), np.array([[0.3, 0.4], [0.4, 0.2]])
    problem = qt.Propagator(tree_model({(0, 0): inner, (0, 1): outer}), energies=[0.0], laplace=[1.0])
    data = qt.solve(problem, qt.CavityDiffuson())
    assert '"diagonal_block_weight": 0.052' in data.attrs["diagnostics"]  # .05 / (.05 + 2 * .45)
    strong = qt.Propagator(tree_model({(0, 0): 10 * inner, (0, 1): outer}), energies=[0.0], laplace=[1.0])
    with pytest.raises(qt.UnsupportedError, match="rotate the thermometer"):
        qt.solve(strong, qt.CavityDiffuson())
    with pytest.raises(qt.UnsupportedError, match="different thermometer levels"):
        qt.solve(qt.Propagator(tree_model({(0, 0): inner}), energies=[0.0], laplace=[1.0]), qt.CavityDiffuson())


def test_a_run_that_does_not_fit_is_refused(monkeypatch):
    model = qt.models.sample_levy_bath(dim=200, exponent=1.5, scale=0.3, seed=1)
    monkeypatch.setenv("QTHERMO_MEMORY_LIMIT", "300000")
    with pytest.raises(qt.MemoryRefusedError):
        qt.solve(qt.Propagator(model, energies=[0.0], laplace=[1.0]), qt.CavityDiffuson())


@pytest.mark.parametrize("options", [{"closure": "half"}, {"tolerance": 0.0}, {"max_iterations": 0}])
def test_bad_options_are_refused(options):
    with pytest.raises(qt.InputError):
        qt.CavityDiffuson(**options)


def test_vanishing_broadening_is_reported_and_right():
    """Exponent 1/2: couplings span fifteen decades, states are localised, and Gamma_typ falls with s as in `Dense`."""
    model = qt.models.sample_levy_bath(dim=300, exponent=0.5, scale=0.3, seed=2)
    problem = qt.Propagator(model, energies=[0.0], laplace=[0.03, 0.1, 0.3])
    theory = qt.solve(problem, qt.CavityDiffuson())
    exact = qt.solve(problem, qt.Dense())
    np.testing.assert_allclose(theory["typical_broadening"], exact["typical_broadening"], rtol=0.02)
    diagnostics = json.loads(theory.attrs["diagnostics"])
    assert diagnostics["localised"]
    assert 0.5 < diagnostics["broadening_slope"] < 1.05


def test_thermal_bath_is_not_called_localised():
    model = qt.models.sample_levy_bath(dim=300, exponent=1.5, scale=0.3, seed=2)
    data = qt.solve(qt.Propagator(model, energies=[0.0], laplace=[0.1, 0.3]), qt.CavityDiffuson())
    diagnostics = json.loads(data.attrs["diagnostics"])
    assert not diagnostics["localised"]
    assert abs(diagnostics["broadening_slope"]) < 0.2
