"""What `PurifiedTEBD` runs: correlators at finite temperature, and thermal energies."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from qthermo.answers import Answer
from qthermo.errors import NotConvergedWarning, UnsupportedError
from qthermo.models import SpinModel
from qthermo.problems import Autocorrelation, ThermalState, autocorrelation_answer, thermal_answer
from qthermo.progress import Progress
from qthermo.tensor_network.canonical_chain import CanonicalChain
from qthermo.tensor_network.checked_runs import ASKED, CHECKS, Check, CheckedRuns, warn_if_lost
from qthermo.tensor_network.checkpoint import fingerprint, method_fields
from qthermo.tensor_network.entanglement_record import EntanglementRecord, add_entanglement, describe_operator
from qthermo.tensor_network.heisenberg_evolution import OperatorEvolution
from qthermo.tensor_network.pauli_mpo import LEFT_MULTIPLICATION
from qthermo.tensor_network.pauli_transfer import TIME_REVERSAL, bond_generators, exponentiate
from qthermo.tensor_network.thermal_chain import ThermalChain
from qthermo.tensor_network.trotter_steps import GateCache

if TYPE_CHECKING:
    from qthermo.tensor_network.purified_tebd import PurifiedTEBD

__all__ = ["run_autocorrelation", "run_thermal_state"]

_Z0 = LEFT_MULTIPLICATION[3]


def _cold_chain(model: SpinModel, method: PurifiedTEBD, check: Check) -> ThermalChain:
    """Return the identity, ready to cool: for the run asked for, or for one of its checks."""
    return ThermalChain.at_infinite_temperature(
        model,
        step=method.thermal_step / check.refinement,
        max_bond_dim=check.bond(method.max_bond_dim),
        cutoff=method.thermal_truncation_error * check.cutoff_factor,
    )


def _start(
    model: SpinModel, beta: float, method: PurifiedTEBD, check: Check
) -> tuple[OperatorEvolution, CanonicalChain]:
    """Return Z_0 sqrt(rho), ready to advance, and a copy of it."""
    thermal = _cold_chain(model, method, check)
    thermal.cool(beta)
    chain = thermal.multiply_first_site(
        _Z0, max_bond_dim=thermal.chain.max_bond_dim, cutoff=method.truncation_error * check.cutoff_factor
    )
    evolution = OperatorEvolution(
        chain,
        GateCache(-bond_generators(model.hamiltonian, model.num_sites), exponentiate),
        method.trotter_order,
        method.time_step,
        refinement=check.refinement,
    )
    return evolution, chain.copy()


def _checks(method: PurifiedTEBD) -> tuple[Check, ...]:
    return CHECKS if method.estimate_errors else (ASKED,)


def run_autocorrelation(problem: Autocorrelation, method: PurifiedTEBD, progress: Progress) -> Answer:
    """Answer `Autocorrelation`."""
    model = problem.model
    if not isinstance(model, SpinModel):
        raise UnsupportedError("PurifiedTEBD needs a model of spins.")
    doubling = method.time_doubling and model.hamiltonian.is_real
    progress(0.0, f"cooling to beta {problem.beta:g}")
    pairs = [_start(model, problem.beta, method, check) for check in _checks(method)]
    starts = {id(run): start for run, start in pairs}
    runs = [run for run, _ in pairs]

    def measure(run: OperatorEvolution) -> Any:
        return run.chain.overlap(run.chain, TIME_REVERSAL) if doubling else starts[id(run)].overlap(run.chain)

    checked = CheckedRuns(
        runs,
        method.trotter_order,
        method.tolerance,
        stop=method.stop_at_tolerance,
        checkpoint=method.checkpoint,
        key=fingerprint(problem, method, method_fields(method)),
        record=EntanglementRecord.start(problem.times.size, model.num_sites) if method.record_entropy else None,
    )
    times = problem.times / 2 if doubling else problem.times
    values, errors = checked.measure(times, measure, progress, dtype=np.complex128)
    warn_if_lost(problem.times, errors, method.tolerance, stopped=method.stop_at_tolerance, what="the correlator")
    diagnostics = {
        "time_doubling": doubling,
        "estimated_seconds": checked.estimated_seconds,
        "max_bond_dim_reached": runs[0].chain.max_bond,
        "thermal_bond_dimension": pairs[0][1].max_bond,
        "discarded_weight": runs[0].chain.discarded_weight,
        "num_steps": runs[0].num_steps,
        "num_gates": runs[0].chain.num_gates,
        "bond_dimensions": runs[0].chain.bond_dimensions,
    }
    correlator = values.real if problem.beta == 0 else values
    answer = autocorrelation_answer(problem, correlator, errors=errors, diagnostics=diagnostics)
    records = [checked.record] if checked.record is not None else []
    return add_entanglement(answer, records, of=describe_operator(doubling), per_observable=False)


def run_thermal_state(problem: ThermalState, method: PurifiedTEBD, progress: Progress) -> Answer:
    """Answer `ThermalState` in one run through all betas."""
    model = problem.model
    if not isinstance(model, SpinModel):
        raise UnsupportedError("PurifiedTEBD needs a model of spins.")
    checks = (ASKED, CHECKS[-1]) if method.estimate_errors else (ASKED,)
    values = np.empty((len(checks), 2, problem.betas.size))
    chains = [_cold_chain(model, method, check) for check in checks]
    for k, beta in enumerate(problem.betas):
        progress(k / problem.betas.size, f"cooling to beta {beta:g}")
        for row, chain in enumerate(chains):
            chain.cool(float(beta))
            values[row, :, k] = chain.energy, chain.log_partition
    diagnostics: dict[str, Any] = {
        "bond_dimensions": chains[0].chain.bond_dimensions,
        "discarded_weight": chains[0].chain.discarded_weight,
    }
    if len(checks) > 1:
        error = float(np.abs(values[0, 0] - values[1, 0]).max())
        diagnostics["energy_error"] = error
        if error > method.tolerance * model.num_sites:
            warnings.warn(
                f"The energy must be known to tolerance = {method.tolerance:g} per site, but changes by {error:.2g} "
                "with half the bond dimension and step: raise max_bond_dim or shorten thermal_step.",
                NotConvergedWarning,
                stacklevel=2,
            )
    return thermal_answer(problem, values[0, 0], values[0, 1], diagnostics=diagnostics)
