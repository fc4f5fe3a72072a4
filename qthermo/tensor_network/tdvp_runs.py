"""What `TDVP` runs: observables from a product state, and the thermometer's correlator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.errors import UnsupportedError
from qthermo.models import Model, SpinModel
from qthermo.problems import Autocorrelation, Evolution, Problem, autocorrelation_answer, evolution_answer
from qthermo.progress import Progress
from qthermo.tensor_network.checked_runs import ASKED, CHECKS, Check, CheckedRuns, warn_if_lost
from qthermo.tensor_network.checkpoint import fingerprint, method_fields
from qthermo.tensor_network.entanglement_record import EntanglementRecord, add_entanglement, describe_operator
from qthermo.tensor_network.pauli_mpo import LEFT_MULTIPLICATION, build_mpo_tensors, build_superoperator
from qthermo.tensor_network.pauli_transfer import TIME_REVERSAL, letter_vector
from qthermo.tensor_network.sweep_environments import SweepEnvironments
from qthermo.tensor_network.sweep_evolution import SweepEvolution, product_tensors

if TYPE_CHECKING:
    from qthermo.tensor_network.tdvp import TDVP

__all__ = ["AMPLITUDES", "run_autocorrelation", "run_evolution"]

AMPLITUDES = {"0": (1.0, 0.0), "1": (0.0, 1.0), "+": (0.5**0.5, 0.5**0.5), "-": (0.5**0.5, -(0.5**0.5))}
"""Amplitudes of the letters of a product state."""


def _spins(model: Model) -> SpinModel:
    if not isinstance(model, SpinModel):
        raise UnsupportedError("TDVP needs a model of spins.")
    return model


def _checks(method: TDVP) -> tuple[Check, ...]:
    return CHECKS if method.estimate_errors else (ASKED,)


def _evolution(
    tensors: list[NDArray[Any]], mpo: list[NDArray[Any]], factor: complex, step: float, method: TDVP, check: Check
) -> SweepEvolution:
    """Return the run asked for, or one of its checks."""
    return SweepEvolution(
        SweepEnvironments(list(tensors), mpo),
        factor,
        step,
        check.bond(method.max_bond_dim),
        method.truncation_error * check.cutoff_factor,
        refinement=check.refinement,
        krylov_tolerance=method.krylov_tolerance,
    )


def _checked(
    problem: Problem, times: NDArray[np.float64], method: TDVP, runs: list[SweepEvolution]
) -> CheckedRuns[SweepEvolution]:
    return CheckedRuns(
        runs,
        2,
        method.tolerance,
        stop=method.stop_at_tolerance,
        checkpoint=method.checkpoint,
        key=fingerprint(problem, method, method_fields(method)),
        record=EntanglementRecord.start(times.size, runs[0].environments.num_sites) if method.record_entropy else None,
    )


def run_evolution(problem: Evolution, method: TDVP, progress: Progress) -> Answer:
    """Answer `Evolution`: one run measures every observable."""
    n = problem.model.num_sites
    mpo, _ = build_mpo_tensors(problem.model.hamiltonian, n)
    observables = [build_mpo_tensors(operator, n)[0] for operator in problem.observables.values()]
    state = product_tensors(np.array([AMPLITUDES[letter] for letter in problem.initial_state], np.complex128))
    runs = [_evolution(state, mpo, -1j, method.time_step, method, check) for check in _checks(method)]

    def measure(run: SweepEvolution) -> NDArray[np.float64]:
        return np.array([np.real(run.expectation(operator)) for operator in observables])

    checked = _checked(problem, problem.times, method, runs)
    values, errors = checked.measure(problem.times, measure, progress, shape=(len(observables),))
    worst = {name: error.max(axis=1) for name, error in errors.items()}
    warn_if_lost(problem.times, worst, method.tolerance, stopped=method.stop_at_tolerance, what="the expectation")
    answer = evolution_answer(problem, values, errors=errors, diagnostics=_diagnostics(checked))
    records = [checked.record] if checked.record is not None else []
    return add_entanglement(answer, records, of="the state", per_observable=False)


def run_autocorrelation(problem: Autocorrelation, method: TDVP, progress: Progress) -> Answer:
    """Answer `Autocorrelation` by evolving Z_0, or Z_0 sqrt(rho), as a vector in the Pauli basis."""
    model = _spins(problem.model)
    doubling = method.time_doubling and model.hamiltonian.is_real
    progress(0.0, f"cooling to beta {problem.beta:g}" if problem.beta else "building the generator")
    generator = build_superoperator(model.hamiltonian, model.num_sites, "commutator")
    runs, starts = [], {}
    for check in _checks(method):
        start = _thermal_start(model, problem.beta, method, check)
        factor = 1.0 if problem.beta == 0 else -1.0
        run = _evolution(start, generator, factor, method.time_step, method, check)
        runs.append(run)
        starts[id(run)] = start

    def measure(run: SweepEvolution) -> Any:
        if doubling:
            return _bilinear([tensor * TIME_REVERSAL[:, None] for tensor in run.tensors], run.tensors)
        return _bilinear([tensor.conj() for tensor in starts[id(run)]], run.tensors)

    times = problem.times / 2 if doubling else problem.times
    checked = _checked(problem, times, method, runs)
    values, errors = checked.measure(
        times,
        measure,
        progress,
        dtype=np.float64 if problem.beta == 0 else np.complex128,
    )
    warn_if_lost(problem.times, errors, method.tolerance, stopped=method.stop_at_tolerance, what="the correlator")
    diagnostics = {"time_doubling": doubling, **_diagnostics(checked)}
    answer = autocorrelation_answer(problem, values, errors=errors, diagnostics=diagnostics)
    records = [checked.record] if checked.record is not None else []
    return add_entanglement(answer, records, of=describe_operator(doubling), per_observable=False)


def _thermal_start(model: SpinModel, beta: float, method: TDVP, check: Check) -> list[NDArray[Any]]:
    """Return Z_0 at beta = 0, else Z_0 sqrt(rho), as normalised vectors in the Pauli basis."""
    n = model.num_sites
    if beta == 0:
        return product_tensors(np.array([letter_vector("Z")] + [letter_vector("I")] * (n - 1)))
    mpo = build_superoperator(model.hamiltonian, n, "anticommutator")
    identity = product_tensors(np.array([letter_vector("I")] * n))
    cooling = _evolution(identity, mpo, -0.25, method.thermal_step, method, check)
    pieces = max(1, int(np.ceil(beta / 0.5)))
    for k in range(pieces):
        cooling.advance(beta * (k + 1) / pieces)
        tensors = cooling.tensors
        tensors[0] = tensors[0] / np.linalg.norm(tensors[0])
    tensors = [tensor.astype(np.complex128) for tensor in cooling.tensors]
    tensors[0] = np.einsum("ab,lbr->lar", LEFT_MULTIPLICATION[3], tensors[0])
    return tensors


def _bilinear(left: list[NDArray[Any]], right: list[NDArray[Any]]) -> Any:
    """Return the sum of products of the entries of two vectors, without conjugation."""
    environment: NDArray[Any] = np.ones((1, 1))
    for mine, theirs in zip(left, right, strict=True):
        half = (environment @ theirs.reshape(theirs.shape[0], -1)).reshape(-1, theirs.shape[2])
        environment = mine.reshape(-1, mine.shape[2]).T @ half
    return environment[0, 0]


def _diagnostics(checked: CheckedRuns[SweepEvolution]) -> dict[str, Any]:
    run = checked.runs[0]
    return {
        "estimated_seconds": checked.estimated_seconds,
        "max_bond_dim_reached": run.max_bond,
        "discarded_weight": run.discarded_weight,
        "num_steps": run.num_steps,
        "num_applications": run.num_applications,
        "mpo_bond_dimension": max(W.shape[1] for W in run.environments.mpo),
        "bond_dimensions": run.environments.bond_dimensions,
    }
