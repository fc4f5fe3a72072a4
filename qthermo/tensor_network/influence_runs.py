"""What `InfluenceFunctional` runs: temporal states, and the thermometers that read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.errors import UnsupportedError
from qthermo.linalg.step_halving import step_error
from qthermo.models import SpinModel
from qthermo.operators import PauliSum
from qthermo.problems import Autocorrelation, autocorrelation_answer
from qthermo.progress import Progress
from qthermo.tensor_network.checked_runs import warn_if_lost
from qthermo.tensor_network.influence_functional import find_grid
from qthermo.tensor_network.journal import Journal
from qthermo.tensor_network.temporal_state import TemporalState, build_temporal_state
from qthermo.tensor_network.trotter_steps import count_steps

if TYPE_CHECKING:
    from qthermo.tensor_network.influence_functional import InfluenceFunctional

__all__ = ["run_autocorrelation", "run_splittings"]


def _contract(
    problem: Autocorrelation,
    method: InfluenceFunctional,
    journal: Journal,
    report: Callable[[int], None],
    *,
    coarse: bool = False,
    refinement: int = 1,
) -> tuple[TemporalState, float, NDArray[np.intp]]:
    """Return the temporal state, its step, and the step at which each time is reached."""
    if not isinstance(problem.model, SpinModel):
        raise UnsupportedError("InfluenceFunctional needs a chain of spins.")
    spacing, multiples = find_grid(problem.times)
    per_spacing = refinement * count_steps(spacing, method.time_step)
    num_steps = max(int(multiples[-1]) * per_spacing, 1)
    state = build_temporal_state(
        problem.model,
        spacing / per_spacing,
        num_steps,
        max_bond_dim=max(method.max_bond_dim // 2, 2) if coarse else method.max_bond_dim,
        cutoff=method.truncation_error * (100.0 if coarse else 1.0),
        journal=journal,
        name=f"{'coarse' if coarse else 'fine'} {refinement}",
        report=report,
    )
    return state, spacing / per_spacing, multiples * per_spacing


def run_autocorrelation(problem: Autocorrelation, method: InfluenceFunctional, progress: Progress) -> Answer:
    """Answer `Autocorrelation` at beta = 0."""
    if not isinstance(problem.model, SpinModel):
        raise UnsupportedError("InfluenceFunctional needs a chain of spins.")
    thermometer = problem.model.thermometer
    journal = Journal.open(problem, method)

    def report(share: float, words: str) -> Callable[[int], None]:
        return lambda bond: progress(share, f"{words}, bath spin {bond + 1}")

    state, step, places = _contract(problem, method, journal, report(0.0, "contracting the bath"))
    values = state.correlator(thermometer, step)[places]
    errors = {}
    if method.estimate_errors:
        coarse, _, _ = _contract(problem, method, journal, report(0.4, "with half the bond dimension"), coarse=True)
        fine, fine_step, fine_places = _contract(
            problem, method, journal, report(0.6, "with half the step"), refinement=2
        )
        truncation = np.abs(values - coarse.correlator(thermometer, step)[places])
        halved = fine.correlator(thermometer, fine_step)[fine_places]
        errors = {
            "truncation_error": np.maximum.accumulate(truncation),
            "trotter_error": np.maximum.accumulate(step_error([values, halved], 2)),
        }
        warn_if_lost(problem.times, errors, method.tolerance, stopped=False, what="the correlator")
    bonds = [tensor.shape[2] for tensor in state.tensors[:-1]]
    diagnostics = {
        "max_bond_dim_reached": max(bonds, default=1),
        "discarded_weight": state.discarded_weight,
        "num_steps": len(state.tensors) - 1,
        "bond_dimensions": bonds,
    }
    return autocorrelation_answer(problem, values, errors=errors, diagnostics=diagnostics)


def run_splittings(
    problem: Autocorrelation, method: InfluenceFunctional, splittings: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return C(t), shape (splitting, time), from one temporal state."""
    state, step, places = _contract(problem, method, Journal.open(problem, method), lambda _: None)
    thermometers = [PauliSum.pauli("Z", 0) * (splitting / 2) for splitting in splittings]
    return np.array([state.correlator(thermometer, step)[places] for thermometer in thermometers])
