"""What `HeisenbergTEBD` runs: the thermometer's correlator, or observables from a product state."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.errors import NotConvergedError, UnsupportedError
from qthermo.models import AnyModel, SpinModel
from qthermo.operators import PauliSum
from qthermo.problems import (
    Autocorrelation,
    Evolution,
    Problem,
    StructureFactor,
    autocorrelation_answer,
    evolution_answer,
    structure_factor_answer,
)
from qthermo.progress import Progress
from qthermo.tensor_network.checked_runs import ASKED, CHECKS, KNOBS, Check, CheckedRuns, warn_if_lost
from qthermo.tensor_network.checkpoint import fingerprint, method_fields
from qthermo.tensor_network.entanglement_record import EntanglementRecord, add_entanglement, describe_operator
from qthermo.tensor_network.heisenberg_evolution import OperatorEvolution
from qthermo.tensor_network.heisenberg_tebd import choose_route
from qthermo.tensor_network.operator_readout import component, doubled, mean_in_product, overlap_with
from qthermo.tensor_network.pauli_mpo import compress_pauli_vector
from qthermo.tensor_network.pauli_transfer import bond_generators, exponentiate
from qthermo.tensor_network.string_evolution import StringEvolution
from qthermo.tensor_network.swap_network import SwapEvolution
from qthermo.tensor_network.trotter_steps import GateCache

if TYPE_CHECKING:
    from qthermo.tensor_network.heisenberg_tebd import HeisenbergTEBD

__all__ = ["BLOCH_VECTORS", "run_autocorrelation", "run_evolution", "run_structure_factor", "start_evolution"]

HeisenbergRun = OperatorEvolution | SwapEvolution | StringEvolution
_WINDOW = 5.5
_ERROR_OF_WEIGHT = 0.1, 4.0
"""Error of C(t) over the weight discarded under terms of longer range, without and with doubling: largest measured."""
BLOCH_VECTORS = {"0": (1, 0, 0, 1), "1": (1, 0, 0, -1), "+": (1, 1, 0, 0), "-": (1, -1, 0, 0)}
"""<I>, <X>, <Y>, <Z> of the letters of a product state."""


def start_evolution(
    model: AnyModel,
    operator: PauliSum,
    method: HeisenbergTEBD,
    *,
    check: Check = ASKED,
    jumps: Sequence[tuple[float, PauliSum]] = (),
) -> HeisenbergRun:
    """Return O(0), ready to advance: the run asked for, or one of its checks."""
    if not isinstance(model, SpinModel):
        raise UnsupportedError("HeisenbergTEBD needs a model of spins.")
    route = choose_route(model.hamiltonian, model.num_sites, has_jumps=bool(jumps))
    chain = compress_pauli_vector(operator, max(operator.num_sites, 1) if route == "bonds" else model.num_sites)
    chain.max_bond_dim = check.bond(method.max_bond_dim)
    chain.cutoff = check.cutoff_factor * method.truncation_error
    if route == "strings":
        return StringEvolution.from_terms(
            chain, operator, model.hamiltonian, jumps,
            order=method.trotter_order, time_step=method.time_step, refinement=check.refinement,
        )  # fmt: skip
    if route == "swaps":
        return SwapEvolution.from_terms(
            chain, model.hamiltonian, jumps,
            order=method.trotter_order, time_step=method.time_step, refinement=check.refinement,
        )  # fmt: skip
    return OperatorEvolution(
        chain,
        GateCache(bond_generators(model.hamiltonian, model.num_sites, jumps), exponentiate),
        method.trotter_order,
        method.time_step,
        refinement=check.refinement,
        is_unitary=not jumps,
    )


def _prepare(
    problem: Problem, operator: PauliSum, method: HeisenbergTEBD, jumps: Sequence[tuple[float, PauliSum]] = ()
) -> list[HeisenbergRun]:
    checks = CHECKS if method.estimate_errors else (ASKED,)
    return [start_evolution(problem.model, operator, method, check=check, jumps=jumps) for check in checks]


def _checked(
    problem: Problem, times: NDArray[np.float64], method: HeisenbergTEBD, runs: list[HeisenbergRun], suffix: str = ""
) -> CheckedRuns[HeisenbergRun]:
    return CheckedRuns(
        runs,
        method.trotter_order,
        method.tolerance,
        stop=method.stop_at_tolerance,
        checkpoint=None if method.checkpoint is None else f"{method.checkpoint}{suffix}",
        key=fingerprint(problem, method, method_fields(method)),
        record=EntanglementRecord.start(times.size, runs[0].num_sites) if method.record_entropy else None,
    )


def run_autocorrelation(problem: Autocorrelation, method: HeisenbergTEBD, progress: Progress) -> Answer:
    """Answer `Autocorrelation` at beta = 0, through C(2t) where H is real."""
    model = problem.model
    doubling = method.time_doubling and isinstance(model, SpinModel) and model.hamiltonian.is_real
    runs = _prepare(problem, PauliSum.pauli("Z", 0), method)
    times = problem.times / 2 if doubling else problem.times
    checked = _checked(problem, times, method, runs)
    if not isinstance(runs[0], OperatorEvolution):
        checked.error_of_weight = _ERROR_OF_WEIGHT[doubling]
    values, errors = checked.measure(
        times,
        (lambda run: doubled(run.ordered)) if doubling else (lambda run: component(run.ordered, "Z")),
        progress,
    )
    warn_if_lost(problem.times, errors, method.tolerance, stopped=method.stop_at_tolerance, what="the correlator")
    diagnostics = {"time_doubling": doubling, **_diagnostics(checked)}
    answer = autocorrelation_answer(problem, values, errors=errors, diagnostics=diagnostics)
    records = [checked.record] if checked.record is not None else []
    return add_entanglement(answer, records, of=describe_operator(doubling), per_observable=False)


def run_evolution(problem: Evolution, method: HeisenbergTEBD, progress: Progress) -> Answer:
    """Answer `Evolution`: each observable evolves backwards from its time to the product state."""
    vectors = np.array([BLOCH_VECTORS[letter] for letter in problem.initial_state], np.float64)
    columns, diagnostics, records = [], {}, []
    for k, (name, operator) in enumerate(problem.observables.items()):
        runs = _prepare(problem, operator, method, problem.jump_operators)
        share = _share(progress, k, len(problem.observables), name)
        checked = _checked(problem, problem.times, method, runs, "" if len(problem.observables) == 1 else f".{k}")
        values, errors = checked.measure(problem.times, lambda run: mean_in_product(run.ordered, vectors), share)
        warn_if_lost(problem.times, errors, method.tolerance, stopped=method.stop_at_tolerance, what=f"`{name}`")
        columns.append((values, errors))
        diagnostics[name] = _diagnostics(checked)
        records += [checked.record] if checked.record is not None else []
    errors_found = {error: np.array([errors[error] for _, errors in columns]).T for error in columns[0][1]}
    expectation: NDArray[np.float64] = np.array([values for values, _ in columns]).T
    answer = evolution_answer(problem, expectation, errors=errors_found, diagnostics=diagnostics)
    return add_entanglement(answer, records, of="the observable at t", per_observable=True)


def run_structure_factor(problem: StructureFactor, method: HeisenbergTEBD, progress: Progress) -> Answer:
    """Answer `StructureFactor` by the trapezoidal sum of the bath's correlator, Gaussian window and phase."""
    bath = SpinModel(
        family="bath",
        parameters={},
        thermometer=PauliSum([(s, c) for s, c in problem.bath_hamiltonian.items() if s.sites == (0,)]),
        coupling=PauliSum([(s, c) for s, c in problem.bath_hamiltonian.items() if len(s.sites) > 1 and 0 in s.sites]),
        bath=PauliSum([(s, c) for s, c in problem.bath_hamiltonian.items() if 0 not in s.sites]),
        num_sites=problem.model.num_bath_sites,
    )
    operator = problem.bath_operator
    doubling = method.time_doubling and bath.hamiltonian.is_real and operator.is_real
    checks = CHECKS if method.estimate_errors else (ASKED,)
    runs = [start_evolution(bath, operator, method, check=check) for check in checks]
    starts = {id(run): run.chain.copy() for run in runs}
    times = np.arange(0.0, _WINDOW / problem.resolution, method.time_step)
    checked = _checked(problem, times, dataclasses.replace(method, record_entropy=False), runs)
    if not isinstance(runs[0], OperatorEvolution):
        checked.error_of_weight = _ERROR_OF_WEIGHT[doubling] * runs[0].chain.norm_squared
    values, errors = checked.measure(
        times / 2 if doubling else times,
        (lambda run: doubled(run.ordered)) if doubling else (lambda run: overlap_with(starts[id(run)], run.ordered)),
        progress,
    )
    scale = float(values[0])
    for name, error in errors.items():
        weighted = np.nan_to_num(error, nan=np.inf) * np.exp(-((problem.resolution * times) ** 2) / 2) / scale
        if float(weighted.max()) > method.tolerance:
            raise NotConvergedError(
                f"The {name} of the bath's correlator must stay below tolerance = {method.tolerance:g} times its start "
                f"within the window, but passes it at time {times[int(np.argmax(weighted > method.tolerance))]:g}: "
                f"{KNOBS[name]} or widen resolution = {problem.resolution:g}."
            )
    weights = np.where(times == 0, 0.5, 1.0) * np.exp(-((problem.resolution * times) ** 2) / 2) * values
    spectrum = 2 * method.time_step * np.cos(np.outer(problem.frequencies, times)) @ weights
    return structure_factor_answer(problem, spectrum, diagnostics={"time_doubling": doubling, **_diagnostics(checked)})


def _share(progress: Progress, index: int, count: int, name: str) -> Progress:
    """Return the part of a progress bar that belongs to one of several observables."""
    return lambda fraction, words: progress((index + fraction) / count, f"{name}: {words}")


def _diagnostics(checked: CheckedRuns[HeisenbergRun]) -> dict[str, Any]:
    run = checked.runs[0]
    return {
        "estimated_seconds": checked.estimated_seconds,
        "max_bond_dim_reached": run.chain.max_bond,
        "discarded_weight": run.chain.discarded_weight,
        "num_steps": run.num_steps,
        "num_gates": run.chain.num_gates,
        "light_cone": run.chain.num_sites,
        "num_swap_passes": run.num_passes if isinstance(run, SwapEvolution) else 0,
        "bond_dimensions": run.chain.bond_dimensions,
    }
