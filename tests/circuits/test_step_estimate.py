"""`trotter_error` against exact diagonalisation: random models, steps from safe to far too long, every order."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from reference_models import reference_chain

import qthermo as qt

STEPS = (1 / 2, 1 / 4, 1 / 8, 1 / 16)


def sample_model(rng: np.random.Generator, num_sites: int) -> qt.models.SpinModel:
    """A chain of W in .5 .. 8, an all-to-all bath of couplings .5 .. 4, or a Heisenberg chain in random fields."""
    disorder, seed = float(np.exp(rng.uniform(np.log(0.5), np.log(8)))), int(rng.integers(10**6))
    kind = rng.choice(["chain", "all to all", "heisenberg"])
    if kind == "chain":
        return qt.models.sample_imbrie_chain(num_bath_sites=num_sites - 1, disorder=disorder, seed=seed)
    if kind == "all to all":
        scale = max(disorder / 2, 0.5)
        return qt.models.sample_all_to_all_ising(num_bath_sites=num_sites - 1, seed=seed, coupling_scale=scale)
    fields = [(rng.uniform(-disorder, disorder), {k: "Z"}) for k in range(num_sites)]
    bonds = [(1.0, {k: letter, k + 1: letter}) for k in range(num_sites - 1) for letter in "XYZ"]
    return qt.models.spin_chain(hamiltonian=qt.PauliSum.from_letters(fields + bonds))


def compare(model, method, times) -> tuple[float, float, bool]:
    """The largest of true error / estimate over time, the last of estimate / true error, and whether it warned."""
    problem = qt.Autocorrelation(model, times=times)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", qt.NotConvergedWarning)
        data = qt.solve(problem, method)
    error = np.maximum.accumulate(np.abs(data["correlator"] - qt.solve(problem, qt.Dense())["correlator"]).values)
    estimate = data["trotter_error"].values
    return float(np.max(error / (estimate + 1e-7))), float(estimate[-1] / (error[-1] + 1e-7)), bool(caught)


def sample_ratios(num_cases: int, seed: int, num_sites: tuple[int, ...], last: float, **options) -> np.ndarray:
    """Rows of `compare` up to the time `last`; every third case asks for one time only."""
    rng = np.random.default_rng(seed)
    rows = []
    for case in range(num_cases):
        model = sample_model(rng, int(rng.choice(num_sites)))
        method = qt.TrotterCircuit(
            time_step=float(rng.choice(STEPS)), trotter_order=int(rng.choice([1, 2, 4])), **options
        )
        times = [float(rng.uniform(0.5, last))] if case % 3 == 0 else np.linspace(0, last, 13)
        rows.append(compare(model, method, times))
    return np.array(rows)


def test_estimates_bound_the_error_of_random_models():
    covered, excess, warned = sample_ratios(8, 1, (4, 5), 3.0).T
    assert np.all((covered < 1.5) | (warned == 1))
    assert np.median(excess) < 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "last", "options"),
    [(100, 6.0, {}), (30, 2.0, {"multi_product": (6, 12)}), (30, 2.0, {"multi_product": (4, 6, 10)})],
    ids=str,
)
def test_estimates_bound_the_error_of_many_random_models(count, last, options):
    """Six steps of a multi-product formula do not reach as far as steps of fixed length."""
    covered, excess, warned = sample_ratios(count, 2, (5, 6, 7, 8), last, **options).T
    assert np.mean(covered > 1.5) <= 0.01
    assert np.all((covered < 3) | (warned == 1))
    assert np.median(excess) < 2
    assert warned.mean() < 0.2


def test_steps_outside_the_power_law_are_warned_of():
    """Fields of 15 and unit steps: the error reaches 1, and neither half nor quarter steps are short enough."""
    for seed in (1, 2, 3):
        model = qt.models.sample_imbrie_chain(num_bath_sites=4, disorder=15.0, seed=seed)
        problem = qt.Autocorrelation(model, times=np.arange(1.0, 9.0))
        for options, knob in (({"time_step": 1.0}, "time_step"), ({"multi_product": (2, 3)}, "multi_product")):
            with pytest.warns(qt.NotConvergedWarning, match=knob):
                qt.solve(problem, qt.TrotterCircuit(**options))


@pytest.mark.parametrize("options", [{}, {"multi_product": (3, 6)}, {"noise_factors": (1, 3)}], ids=str)
def test_shot_noise_does_not_enter(options):
    """20 shots scatter by .2, and the estimate is that of the full trace."""
    problem = qt.Autocorrelation(reference_chain(2.0, 4), times=[1.0, 2.0])
    full = qt.solve(problem, qt.TrotterCircuit(time_step=0.25, **options))
    noisy = qt.solve(problem, qt.TrotterCircuit(time_step=0.25, protocol="shots", num_shots=20, **options))
    assert np.abs(noisy["correlator"] - full["correlator"]).max() > 0.01
    np.testing.assert_allclose(noisy["trotter_error"], full["trotter_error"], rtol=1e-9)


@pytest.mark.parametrize(("protocol", "beta"), [("haar", 0.0), ("exact", 0.0), ("exact", 0.7)])
def test_random_and_thermal_states_have_the_error_of_their_own_average(protocol, beta):
    """Against the same states with steps of 1/16 of the length."""
    problem = qt.Autocorrelation(reference_chain(2.0, 4), times=[1.0, 2.0, 3.0], beta=beta)
    coarse, fine = (
        qt.solve(problem, qt.TrotterCircuit(time_step=step, protocol=protocol, num_states=2, seed=4))
        for step in (0.25, 0.25 / 16)
    )
    error = np.maximum.accumulate(np.abs(coarse["correlator"] - fine["correlator"]).values)
    assert np.all(error < 1.1 * coarse["trotter_error"])
    assert np.all(coarse["trotter_error"] < 2 * error)


def test_beyond_what_a_state_vector_affords_nothing_is_claimed():
    """15 spins by shots: no estimate but a word in the diagnostics; a multi-product formula has its last correction."""
    problem = qt.Autocorrelation(reference_chain(2.0, 15), times=[0.25])
    options = {"protocol": "shots", "num_shots": 2, "time_step": 0.25}
    data = qt.solve(problem, qt.TrotterCircuit(**options))
    assert "trotter_error" not in data
    assert "not estimated" in json.loads(data.attrs["diagnostics"])["trotter_error"]
    data = qt.solve(problem, qt.TrotterCircuit(**options, multi_product=(1, 2)))
    assert "last correction" in json.loads(data.attrs["diagnostics"])["trotter_error"]
