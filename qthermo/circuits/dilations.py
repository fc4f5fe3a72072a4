"""Circuits of dilated patch jumps, and how `DilationCircuit` answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit, QuantumRegister
from qiskit.circuit.library import UnitaryGate

from qthermo.answers import Answer
from qthermo.circuits.builder import named_registers
from qthermo.circuits.collision_runs import run_with_snapshots, save_snapshot
from qthermo.circuits.collisions import path_answer, spin_model
from qthermo.circuits.qubit_order import to_qubit_order
from qthermo.kms.dilations import Dilation, apply_sweep, dilate
from qthermo.kms.energy_basis import site_couplings
from qthermo.kms.lost_gap import warn_of_lost_gap
from qthermo.kms.patches import patch_jumps
from qthermo.kms.states import build_initial_state
from qthermo.linalg.threads import limit_threads
from qthermo.models import SpinModel
from qthermo.problems import Relaxation
from qthermo.progress import Progress

if TYPE_CHECKING:
    from qthermo.circuits.dilation_circuit import DilationCircuit

__all__ = ["answer_dilations", "append_sweep", "build_dilation_circuit", "build_sweep"]


def append_sweep(circuit: QuantumCircuit, sweep: Sequence[Dilation], num_sites: int) -> None:
    """Append every dilation once; the ancilla is qubit `num_sites` and is reset after each."""
    for dilation in sweep:
        qubits = [num_sites, *dilation.sites]
        circuit.append(UnitaryGate(to_qubit_order(dilation.unitary), label="jump"), qubits)
        circuit.reset(num_sites)
        if dilation.coherent is not None:
            circuit.append(UnitaryGate(to_qubit_order(dilation.coherent), label="coherent"), list(dilation.sites))


def build_dilation_circuit(
    model: SpinModel, sweep: Sequence[Dilation], num_sweeps: int, *, initial_bits: str | None = None
) -> QuantumCircuit:
    """Return the circuit of `num_sweeps` sweeps; site k is qubit k, the ancilla the last qubit.

    Args:
        model: a spin model.
        sweep: see `qthermo.kms.dilate`.
        num_sweeps: how often.
        initial_bits: the initial state, site 0 first; all 0 by default.

    Cost: the unitaries are synthesised when the circuit is transpiled.
    """
    circuit = QuantumCircuit(*named_registers(model.num_sites), QuantumRegister(1, "ancilla"), name="dilations")
    for site, bit in enumerate(initial_bits or ""):
        if bit == "1":
            circuit.x(site)
    for _ in range(num_sweeps):
        append_sweep(circuit, sweep, model.num_sites)
    return circuit


def build_sweep(method: DilationCircuit, problem: Relaxation) -> tuple[Dilation, ...]:
    """Return the dilations of one sweep, a patch's jumps at each coupling."""
    model = spin_model(problem)
    patches = patch_jumps(
        model.hamiltonian,
        site_couplings(problem.couplings, model.num_sites),
        beta=problem.beta,
        filter_name=method.filter,
        radius=method.patch_radius,
    )
    return dilate(patches, method.time_step, coherent=method.coherent)


def answer_dilations(method: DilationCircuit, problem: Relaxation, progress: Progress) -> Answer:
    """Answer `Relaxation` by sweeps."""
    model = spin_model(problem)
    warn_of_lost_gap(
        model.hamiltonian, model.num_sites, beta=problem.beta, letters=problem.couplings, filter_name=method.filter
    )
    sweep = build_sweep(method, problem)
    counts = np.rint(problem.times / method.time_step).astype(int)
    diagnostics = {"num_sweeps": counts.tolist()}
    if method.protocol == "density_matrix":
        circuit = build_dilation_circuit(model, sweep, 0, initial_bits=str(problem.initial_state))
        done = 0
        for label, count in enumerate(counts):
            for _ in range(count - done):
                append_sweep(circuit, sweep, model.num_sites)
            done = int(count)
            save_snapshot(circuit, model, label, exact=True)
        progress(0.5, "density matrix")
        saved = run_with_snapshots(circuit, method.protocol, 1, 0)
        return path_answer(problem, [saved[f"{k}"] for k in range(counts.size)], diagnostics)
    state = build_initial_state(problem.initial_state).astype(np.complex128)
    states, done = [], 0
    with limit_threads(model.dimension):
        for count in counts:
            progress(done / max(int(counts[-1]), 1), f"sweep {done}")
            for _ in range(count - done):
                state = apply_sweep(state, sweep)
            done = int(count)
            states.append(state)
    return path_answer(problem, states, diagnostics)
