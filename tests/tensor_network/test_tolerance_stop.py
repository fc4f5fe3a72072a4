"""The stop at the tolerance comes before the true error passes twice the tolerance, whatever the disorder."""

import warnings

import numpy as np
import pytest
from random_stops import NAMES, draw, error_over_tolerance
from reference_chain import reference_chain

import qthermo as qt


def stop_and_judge(problem, method):
    """Return the true errors, NaN after the stop."""
    exact = qt.solve(problem, qt.Dense())["correlator"].values
    with pytest.warns(qt.NotConvergedWarning, match="max_bond_dim"):
        data = qt.solve(problem, method)
    return np.abs(data["correlator"].values - exact)


@pytest.mark.parametrize("seed", [2, 3, 4])
@pytest.mark.parametrize("disorder", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("tolerance", [1e-3, 1e-2])
def test_chains_of_other_seeds_and_disorder(disorder, seed, tolerance):
    problem = qt.Autocorrelation(reference_chain(9, disorder, seed), times=np.linspace(0.5, 30, 60))
    bond = 16 if disorder < 4 else 4
    error = stop_and_judge(problem, qt.HeisenbergTEBD(max_bond_dim=bond, time_step=0.25, tolerance=tolerance))
    assert np.isnan(error[-1]), "the bond dimension does not suffice to the last time"
    assert np.nanmax(error) < 2 * tolerance


@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize(
    "method",
    [
        qt.HeisenbergTEBD(max_bond_dim=12, time_step=0.25, tolerance=3e-3, time_doubling=False),
        qt.TDVP(max_bond_dim=12, time_step=0.1, tolerance=3e-3),
    ],
    ids=["HeisenbergTEBD without doubling", "TDVP"],
)
def test_other_evolutions(method, seed):
    problem = qt.Autocorrelation(reference_chain(8, 1.0, seed), times=np.linspace(0.5, 10, 20))
    error = stop_and_judge(problem, method)
    assert np.isnan(error[-1])
    assert np.nanmax(error) < 2 * method.tolerance


@pytest.mark.parametrize("seed", [2, 3])
def test_at_finite_temperature(seed):
    problem = qt.Autocorrelation(reference_chain(8, 1.0, seed), times=np.linspace(0.5, 10, 20), beta=1.0)
    method = qt.PurifiedTEBD(max_bond_dim=12, time_step=0.25, tolerance=3e-3)
    error = stop_and_judge(problem, method)
    assert np.isnan(error[-1])
    assert np.nanmax(error) < 2 * method.tolerance


@pytest.mark.parametrize("seed", [2, 3, 5])
@pytest.mark.parametrize("doubling", [True, False])
def test_all_to_all_by_swaps(doubling, seed):
    problem = qt.Autocorrelation(
        qt.models.sample_all_to_all_ising(num_bath_sites=7, seed=seed), times=np.linspace(0.25, 5, 20)
    )
    method = qt.HeisenbergTEBD(max_bond_dim=16, time_step=0.25, tolerance=3e-3, time_doubling=doubling)
    error = stop_and_judge(problem, method)
    assert np.isnan(error[-1])
    assert np.nanmax(error) < 2 * method.tolerance


def worst_of(name, seeds, *, most_sites):
    """Return the largest error over the tolerance among trials, and how many were ended."""
    found = []
    for seed in seeds:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", qt.NotConvergedWarning)
            found.append(error_over_tolerance(draw(name, seed, most_sites=most_sites)))
    return max(ratio for ratio, _ in found), sum(ended for _, ended in found)


@pytest.mark.parametrize(("name", "count"), [("C(2t)", 5), ("C(t)", 6), ("Evolution", 2), ("PurifiedTEBD", 3)])
def test_random_models_bond_dimensions_and_tolerances(name, count):
    worst, ended = worst_of(name, range(count), most_sites=5)
    assert worst < 2
    assert ended > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_wide_sample(name):
    worst, ended = worst_of(name, range(1000, 1006 if name.startswith("TDVP") else 1024), most_sites=7)
    assert worst < 2
    assert ended > 2
