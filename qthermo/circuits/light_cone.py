"""Dropping gates that cannot change C(t): those outside the light cones of the thermometer at either end."""

from __future__ import annotations

from qiskit import QuantumCircuit

__all__ = ["prune_light_cone"]


def prune_light_cone(circuit: QuantumCircuit, start: int, end: int) -> QuantumCircuit:
    """Return the circuit without the gates that Tr[Z_start U^dagger Z_end U] does not depend on.

    From the end, gates that touch no qubit of the growing support of Z_end cancel against their adjoints. From the
    beginning, gates that touch no qubit of the growing support of Z_start commute with it and cancel under the trace.
    What is left is exact at infinite temperature; it is another unitary.

    Args:
        circuit: an evolution without measurements.
        start: qubit whose Z is measured before it.
        end: qubit whose Z is measured after it.
    """
    index = {qubit: k for k, qubit in enumerate(circuit.qubits)}
    items = [
        (item, frozenset(index[qubit] for qubit in item.qubits))
        for item in circuit.data
        if item.operation.name != "barrier"
    ]
    for seed, reverse in ((end, True), (start, False)):
        live, kept = {seed}, []
        for item, support in reversed(items) if reverse else items:
            if not live.isdisjoint(support):
                live |= support
                kept.append((item, support))
        items = kept[::-1] if reverse else kept
    pruned = circuit.copy_empty_like()
    for item, _ in items:
        pruned.append(item)
    return pruned
