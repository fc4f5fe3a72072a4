"""Noise models of devices, cut to the qubits that a compiled circuit uses."""

from __future__ import annotations

from typing import Any

from qiskit import QuantumCircuit, QuantumRegister
from qiskit.transpiler import Target

__all__ = ["build_noise_model", "compact_circuit", "cut_target"]


def build_noise_model(target: Target, qubits: list[int]) -> Any:
    """Return Aer's NoiseModel of the given physical qubits, renumbered 0, 1, ..

    Gate errors with thermal relaxation during the gate, and readout errors, from the target's own numbers. Idle times
    between gates are free of noise.

    Args:
        target: the device.
        qubits: physical qubits, in the order of the compact circuit.

    Limits: no crosstalk, no leakage, no idle noise.
    """
    from qiskit_aer.noise import NoiseModel
    from qiskit_aer.noise.device import basic_device_gate_errors, basic_device_readout_errors

    cut = cut_target(target, qubits)
    model = NoiseModel(basis_gates=[name for name in cut.operation_names if name not in ("measure", "delay")])
    for name, places, error in basic_device_gate_errors(target=cut):
        if error is not None:
            model.add_quantum_error(error, name, places)
    for places, error in basic_device_readout_errors(target=cut):
        model.add_readout_error(error, places)
    return model


def cut_target(target: Target, qubits: list[int]) -> Target:
    """Return the target on `qubits` only, renumbered in their order; instructions without fixed qubits are dropped."""
    place = {old: new for new, old in enumerate(qubits)}
    properties = target.qubit_properties
    cut = Target(
        num_qubits=len(qubits),
        dt=target.dt,
        qubit_properties=None if properties is None else [properties[qubit] for qubit in qubits],
    )
    for name in target.operation_names:
        table = target[name] or {}
        kept = {
            tuple(place[q] for q in key): value
            for key, value in table.items()
            if key is not None and all(q in place for q in key)
        }
        if kept:
            cut.add_instruction(target.operation_from_name(name), kept, name=name)
    return cut


def compact_circuit(circuit: QuantumCircuit, first: list[int]) -> tuple[QuantumCircuit, list[int]]:
    """Return the circuit on the qubits it uses, `first` leading, and the list of their old indices.

    Classical registers keep their names; barriers and delays are left out.
    """
    index = {qubit: k for k, qubit in enumerate(circuit.qubits)}
    kept = [item for item in circuit.data if item.operation.name not in ("barrier", "delay")]
    used = {index[qubit] for item in kept for qubit in item.qubits}
    order = [*first, *sorted(used - set(first))]
    place = {old: new for new, old in enumerate(order)}
    register = QuantumRegister(len(order), "q")
    compact = QuantumCircuit(register, *circuit.cregs, name=circuit.name, global_phase=circuit.global_phase)
    for item in kept:
        compact.append(item.operation, [register[place[index[qubit]]] for qubit in item.qubits], item.clbits)
    return compact, order
