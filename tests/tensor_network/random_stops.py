"""Random problems for which a small bond dimension does not suffice, each with a method that has to notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import qthermo as qt

TIMES = np.arange(1, 21) * 0.25
NAMES = ("C(2t)", "C(t)", "Evolution", "jumps", "PurifiedTEBD", "TDVP C(t)", "TDVP Evolution")


def nearest(rng: np.random.Generator, n: int, disorder: float) -> qt.models.SpinModel:
    fields = disorder * rng.uniform(-1, 1, n - 1)
    return qt.models.imbrie_chain(fields=fields, bonds=rng.uniform(0.8, 1.2, n - 2))


def complex_chain(rng: np.random.Generator, n: int, disorder: float) -> qt.models.SpinModel:
    return extended(nearest(rng, n, disorder), [(rng.uniform(-0.7, 0.7), {i: "X", i + 1: "Y"}) for i in range(n - 1)])


def three_sites(rng: np.random.Generator, n: int, disorder: float) -> qt.models.SpinModel:
    return extended(nearest(rng, n, disorder), [(0.3, {k: "Z", k + 1: "X", k + 2: "Z"}) for k in range(n - 2)])


def all_to_all(rng: np.random.Generator, n: int, _disorder: float) -> qt.models.SpinModel:
    return qt.models.sample_all_to_all_ising(num_bath_sites=n - 1, seed=int(rng.integers(1 << 20)))


def power_law(rng: np.random.Generator, n: int, disorder: float) -> qt.models.SpinModel:
    """Random fields and couplings that fall as a power of the distance, commuting or not."""
    letters, power = rng.choice(["Z", "XY", "XYZ"]), rng.uniform(1, 3)
    terms = [(0.5, {0: "Z"})] + [(disorder * rng.uniform(-1, 1), {i: "Z"}) for i in range(1, n)]
    terms += [(1.0, {i: "X"}) for i in range(1, n)] + [(0.5 / j**power, {0: "X", j: "Z"}) for j in range(1, n)]
    for i in range(1, n):
        for j in range(i + 1, n):
            strength = rng.uniform(0.5, 1.2) / (j - i) ** power
            terms += [(strength, {i: letter, j: letter}) for letter in letters]
    return qt.models.spin_chain(hamiltonian=qt.PauliSum.from_letters(terms))


def extended(model: qt.models.SpinModel, terms: list[Any]) -> qt.models.SpinModel:
    return qt.models.spin_chain(hamiltonian=model.hamiltonian + qt.PauliSum.from_letters(terms))


MODELS: tuple[Callable[..., qt.models.SpinModel], ...] = (nearest, complex_chain, all_to_all, power_law, three_sites)


@dataclass(frozen=True, slots=True)
class Trial:
    """A problem, a method whose bond dimension is too small for it, and the exact answer."""

    problem: Any
    method: Any
    exact: np.ndarray


def draw(name: str, seed: int, *, most_sites: int = 6) -> Trial:
    """Return one trial: 4 to `most_sites` spins, W from .5 to 8, chi from 2 (states) or 4 (operators) up."""
    rng = np.random.default_rng([NAMES.index(name), seed])
    n, disorder = int(rng.integers(4, most_sites + 1)), float(np.exp(rng.uniform(np.log(0.5), np.log(8.0))))
    choices = MODELS[:2] if name == "PurifiedTEBD" else MODELS
    model = choices[rng.integers(len(choices))](rng, n, disorder)
    widest = (2 if name == "TDVP Evolution" else 4) ** (n // 2)
    bonds = [bond for bond in (2, 3, 4, 5, 6, 8, 12, 16, 24, 32) if bond < widest]
    options = {
        "max_bond_dim": int(rng.choice([bond for bond in bonds if bond >= 4] or bonds)),
        "time_step": 0.25 if disorder < 3 else 0.125,
        "tolerance": float(rng.choice([1e-3, 3e-3, 1e-2, 3e-2])),
    }
    problem, method = _build(name, rng, model, options)
    variable = "correlator" if isinstance(problem, qt.Autocorrelation) else "expectation"
    return Trial(problem, method, qt.solve(problem, qt.Dense())[variable].values)


def _build(name: str, rng: np.random.Generator, model: qt.models.SpinModel, options: dict[str, Any]) -> tuple[Any, Any]:
    if name.startswith("TDVP"):
        options["time_step"] = 0.125
    if name in ("Evolution", "jumps", "TDVP Evolution"):
        n = model.num_sites
        observables = {"Z0": qt.PauliSum.pauli("Z", 0), "sum": qt.PauliSum.from_text("Z0 + 0.5 X1 + 0.5 Z1 Z2")}
        sites = range(n) if name == "jumps" else ()
        lower = [0.5 * qt.PauliSum.pauli("X", k) + 0.5j * qt.PauliSum.pauli("Y", k) for k in sites]
        problem = qt.Evolution(
            model, times=TIMES, initial_state="".join(rng.choice(list("01+-"), n)), observables=observables,
            jump_operators=tuple((rng.uniform(0.02, 0.3), jump) for jump in lower),
        )  # fmt: skip
        return problem, (qt.TDVP if name.startswith("TDVP") else qt.HeisenbergTEBD)(**options)
    beta = float(rng.choice([0.25, 0.5, 1.0, 2.0])) if name == "PurifiedTEBD" else 0.0
    method: Any = {"PurifiedTEBD": qt.PurifiedTEBD, "TDVP C(t)": qt.TDVP}.get(name, qt.HeisenbergTEBD)
    doubling = name == "C(2t)" or (name != "C(t)" and bool(rng.random() < 0.5))
    return qt.Autocorrelation(model, times=TIMES, beta=beta), method(**options, time_doubling=doubling)


def error_over_tolerance(trial: Trial) -> tuple[float, bool]:
    """Return the largest true error among the answered values over the tolerance, and whether the run was ended."""
    data = qt.solve(trial.problem, trial.method)
    values = data["correlator" if "correlator" in data else "expectation"].values
    error = np.abs(values - trial.exact)
    worst = float(np.nanmax(error)) if np.isfinite(error).any() else 0.0
    return worst / trial.method.tolerance, bool(np.isnan(error[-1]).any())
