"""Every pair of model and method that should agree does, within the method's own stated error."""

from __future__ import annotations

import numpy as np
import pytest
from reference_models import MODELS, reference_chain

import qthermo as qt
from qthermo.solve import METHODS, find_methods
from qthermo.studies.compare import compare_correlators, compare_propagators

CHAINS = {"imbrie", "imbrie_parity", "imbrie_one_bath_spin"}
SPINS = CHAINS | {"all_to_all"}
TIMES = [0.0, 0.5, 1.0, 2.5]
# One row per configured method: what makes it, and the models of which it answers C(t) at infinite temperature.
CORRELATOR_METHODS = {
    "HeisenbergTEBD": (qt.HeisenbergTEBD(), SPINS),
    "HeisenbergTEBD order 2": (qt.HeisenbergTEBD(trotter_order=2, time_step=0.05), SPINS),
    "PurifiedTEBD": (qt.PurifiedTEBD(), CHAINS),
    "TDVP": (qt.TDVP(time_step=0.05, max_bond_dim=128), SPINS),
    "TrotterCircuit exact": (qt.TrotterCircuit(time_step=0.05), SPINS),
    "TrotterCircuit order 4": (qt.TrotterCircuit(time_step=0.2, trotter_order=4), SPINS),
    "TrotterCircuit haar": (qt.TrotterCircuit(protocol="haar", seed=3), SPINS),
    "TrotterCircuit shots": (qt.TrotterCircuit(protocol="shots", num_shots=2000, seed=3), SPINS),
}
# Largest deviation of D(O): rounding for Lanczos, the stated bias of a plateau for the moments.
SPREAD_METHODS = {qt.LanczosSpread(): 1e-4, qt.KPMSpread(): 0.15}
# Largest relative deviation of c(0, s) for s = 0.5 .. 3 that the theory is known to have on small baths.
CLOSURES = {"edge": 0.2, "averaged": 0.25}


@pytest.mark.parametrize("method", CORRELATOR_METHODS)
@pytest.mark.parametrize("model", MODELS)
def test_correlators_agree_with_exact_diagonalisation(model: str, method: str):
    how, answered = CORRELATOR_METHODS[method]
    problem = qt.Autocorrelation(MODELS[model](seed=21), times=TIMES)
    if model not in answered:
        with pytest.raises(qt.UnsupportedError, match="Dense"):
            qt.solve(problem, how)
        return
    data = qt.solve(problem, how)
    judge = qt.solve(problem, qt.Dense())
    line = compare_correlators(data, judge)
    assert line.verdict == "agrees", line
    assert float(data["correlator"][0]) == pytest.approx(1, abs=1e-9)
    assert np.all(np.abs(data["correlator"]) <= 1 + 1e-9)


@pytest.mark.parametrize("closure", CLOSURES)
@pytest.mark.parametrize("disorder", [0.5, 1.0])
def test_theory_follows_the_chain_at_weak_disorder(disorder: float, closure: str):
    problem = qt.Propagator(reference_chain(disorder), energies=[0.0], laplace=[0.5, 1.0, 3.0])
    data = qt.solve(problem, qt.CavityDiffuson(closure=closure))
    line = compare_propagators(data, qt.solve(problem, qt.Dense()), label=closure)
    assert float(line.verdict.split()[1]) < 100 * CLOSURES[closure], line


@pytest.mark.parametrize("model", MODELS)
def test_the_methods_named_for_a_problem_answer_it(model: str):
    problem = qt.Autocorrelation(MODELS[model](seed=2), times=[0.5])
    named = find_methods(problem)
    assert qt.Dense in named
    for cls in named:
        assert np.isfinite(qt.solve(problem, cls())["correlator"]).all()


@pytest.mark.parametrize("disorder", [1.0, 4.0])
def test_ground_states_agree(disorder: float):
    problem = qt.GroundState(reference_chain(disorder, num_sites=8))
    exact = float(qt.solve(problem, qt.Dense())["energy"])
    assert float(qt.solve(problem, qt.DMRG())["energy"]) == pytest.approx(exact, abs=1e-7)


@pytest.mark.parametrize("beta", [0.5, 1.5])
@pytest.mark.parametrize("method", [qt.PurifiedTEBD(), qt.TDVP()], ids=lambda method: type(method).__name__)
def test_thermal_correlators_agree(method, beta: float):
    problem = qt.Autocorrelation(reference_chain(2.0, num_sites=6), times=[0.0, 0.5, 1.0], beta=beta)
    line = compare_correlators(qt.solve(problem, method), qt.solve(problem, qt.Dense()))
    assert line.verdict == "agrees", line


@pytest.mark.parametrize("method", SPREAD_METHODS, ids=lambda method: type(method).__name__)
@pytest.mark.parametrize("kind", ["goe", "gue", "local"])
def test_spreads_agree_with_exact_diagonalisation(kind: str, method):
    model = qt.models.sample_ergodic_grain(kind=kind, num_grain_spins=5, num_lioms=3, seed=21)
    problem = qt.OperatorSpread(model, operators=("grain", "boundary"))
    data, judge = qt.solve(problem, method), qt.solve(problem, qt.Dense())
    deviation = np.abs(data["log_ipr"] - judge["log_ipr"])
    assert np.all(deviation < SPREAD_METHODS[method])
    assert float(data["state_energy"]) == pytest.approx(float(judge["state_energy"]), abs=1e-9)


def band_chain(initial: str) -> qt.BandDynamics:
    model = qt.models.sample_band_chain(num_subunits=3, num_levels=5, band_width=0.4, coupling=0.1, seed=21)
    return qt.BandDynamics(model, times=[0.0, 1.0, 3.0], initial=initial, seed=4)


# One row per problem of the seeds on diffusion, and one entry per method with the deviation it may have.
DIFFUSION = {
    "band chain, any state": (band_chain("haar"), "probability", {qt.Chebyshev: 1e-10, qt.RateEquation: 0.4}),
    "band chain, product": (band_chain("product"), "probability", {qt.Chebyshev: 1e-10, qt.TDVP: 1e-4}),
    "lattice": (
        qt.WavePacket(qt.models.sample_anderson_lattice(shape=(9, 10), disorder=8.0, seed=2), times=[0.5, 1.5]),
        "msd",
        {qt.Chebyshev: 1e-10},
    ),
    "band matrix": (
        qt.WavePacket(qt.models.sample_band_matrix(size=301, half_width=16, seed=2), times=[0.5, 1.5]),
        "msd",
        {qt.Chebyshev: 1e-10, qt.BandLadder: 60.0},
    ),
}


@pytest.mark.filterwarnings("ignore::qthermo.ValidityWarning")
@pytest.mark.parametrize("row", DIFFUSION)
def test_every_method_named_for_diffusion_agrees_with_exact_diagonalisation(row: str):
    problem, name, allowed = DIFFUSION[row]
    exact = qt.solve(problem, qt.Dense())[name]
    named = find_methods(problem)
    assert set(allowed) <= set(named)
    for cls in named:
        deviation = float(np.abs(qt.solve(problem, cls())[name] - exact).max())
        assert deviation <= allowed.get(cls, 1e-12 if cls is qt.Dense else 0.5), cls.__name__


def test_every_method_stands_in_a_table():
    elsewhere = {"Davies", "CoarseGrained", "KMSJumps", "CollisionCircuit", "DilationCircuit"}  # tests/kms
    elsewhere |= {"PopulationDynamics", "GoldenRule", "Krylov", "AvalancheTheory"}  # tests/theory, tests/exact
    elsewhere |= {"Chebyshev", "RateEquation", "BandLadder"}  # tests/exact, tests/theory
    judged = {type(how).__name__ for how, _ in CORRELATOR_METHODS.values()}
    judged |= {type(how).__name__ for how in SPREAD_METHODS}
    judged |= {
        "CavityDiffuson",
        "Dense",
        "DMRG",
        "DMRGX",
        "InfluenceFunctional",
        "LightConeContraction",
        "PurifiedTEBD",
        "TDVP",
        *elsewhere,
    }
    assert {cls.__name__ for cls in METHODS} <= judged
