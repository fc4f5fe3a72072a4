"""Angles of fractional gates: devices run rzz for angles in [0, pi/2] only."""

from __future__ import annotations

import math

from qiskit import QuantumCircuit

__all__ = ["fold_rzz_angles"]


def fold_rzz_angles(circuit: QuantumCircuit) -> QuantumCircuit:
    """Return the same operator with every bound rzz angle in [0, pi/2].

    rzz(t + 2 pi) = -rzz(t), rzz(t) = rzz(pi) rzz(t - pi) with rzz(pi) = -i Z Z, and rzz(-t) = X rzz(t) X on one qubit.
    Parameters are left alone: bind first.
    """
    if all(_is_folded(item.operation) for item in circuit.data):
        return circuit
    folded = circuit.copy_empty_like()
    phase = 0.0
    for item in circuit.data:
        if _is_folded(item.operation):
            folded._append(item)
            continue
        turns, angle = divmod(float(item.operation.params[0]) + math.pi, 2 * math.pi)
        angle -= math.pi
        phase += math.pi * turns
        if abs(angle) > math.pi / 2:
            flip = math.copysign(math.pi, angle)
            angle -= flip
            phase -= flip / 2
            for qubit in item.qubits:
                folded.rz(math.pi, qubit)
                phase += math.pi / 2
        if angle < 0:
            folded.x(item.qubits[0])
        folded.rzz(abs(angle), *item.qubits)
        if angle < 0:
            folded.x(item.qubits[0])
    folded.global_phase += phase
    return folded


def _is_folded(operation: object) -> bool:
    if getattr(operation, "name", "") != "rzz":
        return True
    angle = operation.params[0]  # type: ignore[attr-defined]
    return not isinstance(angle, float | int) or 0 <= angle <= math.pi / 2
