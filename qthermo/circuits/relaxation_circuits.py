"""The circuits of `CollisionCircuit` and `DilationCircuit` one by one, and the polarisation each must give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from qiskit import ClassicalRegister, QuantumCircuit, transpile

from qthermo.circuits.collision_builder import build_collision_circuit
from qthermo.circuits.collision_circuit import CollisionCircuit
from qthermo.circuits.collisions import build_scheme, spin_model
from qthermo.circuits.compilation import ignore_old_plugin
from qthermo.circuits.dilation_circuit import DilationCircuit
from qthermo.circuits.dilations import build_dilation_circuit, build_sweep
from qthermo.circuits.layers import order_groups
from qthermo.kms.collision_channel import collide, step_unitary
from qthermo.kms.collisions import Collisions
from qthermo.kms.dilations import apply_sweep
from qthermo.kms.energy_basis import site_couplings
from qthermo.kms.states import build_initial_state, site_polarisation
from qthermo.problems import Relaxation
from qthermo.seeds import Stream, sample_generator

__all__ = ["RelaxationRun", "list_runs"]

_EXACT_SITES = 6
_BASIS = ["rz", "sx", "x", "cx", "reset", "measure"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RelaxationRun:
    """One circuit to be run.

    Args:
        sequence: which random sequence of collisions; 0 for dilations.
        time: index of the time in the problem.
        num_rounds: collisions, or sweeps of dilations.
        circuit: site k on qubit k, the ancilla last; site k is measured into z_final[k].
        polarisation: exact <Z_j> at its end by dense matrices, up to 6 sites, else None.
    """

    sequence: int
    time: int
    num_rounds: int
    circuit: QuantumCircuit = field(repr=False)
    polarisation: NDArray[np.float64] | None


def list_runs(problem: Relaxation, method: CollisionCircuit | DilationCircuit) -> Iterator[RelaxationRun]:
    """Yield the circuit of each sequence and time, as `solve(problem, method)` runs them on Aer.

    Cost: one Python call per gate; exact values 8^n operations per kick or jump.
    """
    return _collisions(problem, method) if isinstance(method, CollisionCircuit) else _dilations(problem, method)


def _collisions(problem: Relaxation, method: CollisionCircuit) -> Iterator[RelaxationRun]:
    model, scheme = spin_model(problem), build_scheme(method, problem.beta)
    couplings = site_couplings(problem.couplings, model.num_sites)
    counts = np.rint(problem.times / scheme.time_per_collision(len(couplings))).astype(int)
    order, bits, step = method.trotter_order, str(problem.initial_state), None
    if model.num_sites <= _EXACT_SITES:
        groups = order_groups(model.hamiltonian)
        step = step_unitary(model.hamiltonian, model.num_sites, scheme.spacing, groups=groups, order=order)
    for sequence in range(method.num_sequences):
        rng = sample_generator(method.seed, Stream.CIRCUIT, sequence)
        drawn = scheme.sample(rng, int(counts[-1]), len(couplings))
        for time, count in enumerate(counts):
            part = Collisions(couplings=drawn.couplings[:count], frequencies=drawn.frequencies[:count])
            circuit = build_collision_circuit(model, scheme, part, couplings, initial_bits=bits, trotter_order=order)
            state = None if step is None else collide(_start(bits), part, scheme, step, couplings)
            yield _run(sequence, time, int(count), circuit, state)


def _dilations(problem: Relaxation, method: DilationCircuit) -> Iterator[RelaxationRun]:
    model, bits = spin_model(problem), str(problem.initial_state)
    sweep = build_sweep(method, problem)
    for time, count in enumerate(np.rint(problem.times / method.time_step).astype(int)):
        dense = build_dilation_circuit(model, sweep, int(count), initial_bits=bits)
        with ignore_old_plugin():
            circuit = transpile(dense, basis_gates=_BASIS, optimization_level=1, seed_transpiler=0)
        state = None
        if model.num_sites <= _EXACT_SITES:
            state = _start(bits)
            for _ in range(count):
                state = apply_sweep(state, sweep)
        yield _run(0, time, int(count), circuit, state)


def _start(bits: str) -> NDArray[np.complex128]:
    return build_initial_state(bits).astype(np.complex128)


def _run(
    sequence: int, time: int, num_rounds: int, circuit: QuantumCircuit, state: NDArray[np.complex128] | None
) -> RelaxationRun:
    num_sites = circuit.num_qubits - 1
    register = ClassicalRegister(num_sites, "z_final")
    circuit.add_register(register)
    circuit.measure(range(num_sites), register)
    values = None if state is None else site_polarisation(np.diag(state).real.copy())
    return RelaxationRun(sequence=sequence, time=time, num_rounds=num_rounds, circuit=circuit, polarisation=values)
