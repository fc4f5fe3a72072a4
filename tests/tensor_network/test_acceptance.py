"""Long comparisons with exact diagonalisation at L = 12, other seeds of the reference instance."""

import numpy as np
import pytest
from reference_chain import reference_chain

import qthermo as qt

TIMES = np.linspace(0.5, 10, 20)


def error(problem, method):
    data = qt.solve(problem, method)
    exact = qt.solve(problem, qt.Dense())["correlator"].values
    return np.abs(data["correlator"].values - exact), data


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize(
    ("disorder", "max_bond_dim", "bound"), [(4, 64, 2e-4), (8, 64, 2e-4), (1, 256, 3e-4), (2, 256, 3e-4)]
)
def test_infinite_temperature(seed, disorder, max_bond_dim, bound):
    problem = qt.Autocorrelation(reference_chain(12, disorder, seed), times=TIMES)
    assert error(problem, qt.HeisenbergTEBD(max_bond_dim=max_bond_dim))[0].max() < bound


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("disorder", [1, 2, 4, 8])
@pytest.mark.parametrize("beta", [0.5, 2.0])
def test_finite_temperature(seed, disorder, beta):
    problem = qt.Autocorrelation(reference_chain(12, disorder, seed), times=TIMES[:12], beta=beta)
    assert error(problem, qt.PurifiedTEBD(max_bond_dim=64))[0].max() < 2e-4


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize(("disorder", "tolerance"), [(1, 1e-3), (1, 1e-2), (2, 1e-3)])
def test_the_run_stops_before_the_error_passes_twice_the_tolerance(seed, disorder, tolerance):
    problem = qt.Autocorrelation(reference_chain(12, disorder, seed), times=np.linspace(0.5, 20, 40))
    with pytest.warns(qt.NotConvergedWarning, match="max_bond_dim"):
        found, _ = error(problem, qt.HeisenbergTEBD(max_bond_dim=32, tolerance=tolerance))
    assert np.isnan(found[-1])
    assert np.nanmax(found) < 2 * tolerance
