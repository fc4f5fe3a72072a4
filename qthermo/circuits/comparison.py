"""What the checks of all hardware bundles share: reading, comparing gate by gate, random product states."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit, qpy

from qthermo.circuits.qasm import is_refusal
from qthermo.errors import FileError, first_line
from qthermo.seeds import Stream, sample_generator

__all__ = [
    "TOLERANCE",
    "check_deviation",
    "compare_gates",
    "list_measurements",
    "load_qpy",
    "prepare_circuit",
    "sample_angles",
]

TOLERANCE = 1e-9


def load_qpy(path: Path) -> QuantumCircuit:
    """Return the one circuit of a QPY file.

    That a newer qiskit wrote it is no reason to warn: what cannot be read raises, and the circuit is compared anyway.

    Raises:
        FileError: the file holds something else.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The qiskit version used to generate the provided QPY")
            (circuit,) = qpy.load(io.BytesIO(path.read_bytes()))
    except BaseException as problem:
        if not is_refusal(problem):
            raise
        raise FileError(f"{path} must hold one circuit in QPY, but cannot be read: {_reason(problem)}.") from None
    return circuit


def _reason(problem: BaseException) -> str:
    """Return qiskit's own sentence: the reader puts a backtrace in colours around it, written with escapes."""
    words = re.sub(r"\\x1b\[\d*m|\x1b\[\d*m", "", str(problem)).replace("\\n", "\n")
    _, _, sentence = words.rpartition("Error: ")
    return first_line(problem, sentence).rstrip(".")


def compare_gates(found: QuantumCircuit, expected: QuantumCircuit, path: Path) -> float:
    """Compare gate by gate: names, qubits, and angles."""
    if len(found.data) != len(expected.data):
        raise FileError(f"{path} must have {len(expected.data)} instructions, but has {len(found.data)}.")
    deviation = 0.0
    for place, (one, other) in enumerate(zip(found.data, expected.data, strict=True)):
        qubits = [[c.find_bit(q).index for q in item.qubits] for c, item in ((found, one), (expected, other))]
        if one.operation.name != other.operation.name or qubits[0] != qubits[1]:
            raise FileError(f"{path} must be the logical circuit, but differs from it at instruction {place}.")
        angles = [[float(value) for value in item.operation.params] for item in (one, other)]
        deviation = max(deviation, *(abs(a - b) for a, b in zip(*angles, strict=True)), 0.0)
    return check_deviation(deviation, TOLERANCE, path)


def list_measurements(circuit: QuantumCircuit) -> list[tuple[int, int]]:
    """Return which qubit is measured into which bit of the two registers, in order."""
    return [
        (circuit.find_bit(item.qubits[0]).index, circuit.find_bit(item.clbits[0]).index)
        for item in circuit.data
        if item.operation.name == "measure"
    ]


def sample_angles(num_qubits: int) -> NDArray[np.float64]:
    """Return polar angles and azimuths of a product state, always the same, shape (num_qubits, 2)."""
    rng = sample_generator(0, Stream.STATES)
    angles: NDArray[np.float64] = rng.uniform(0.2, 2.9, (num_qubits, 2))
    return angles


def prepare_circuit(circuit: QuantumCircuit, angles: NDArray[np.float64], qubits: Sequence[int]) -> QuantumCircuit:
    """Return the circuit without measurements, after rotations that make a random product state."""
    prepared = QuantumCircuit(circuit.num_qubits, name=circuit.name)
    for qubit, (polar, azimuth) in zip(qubits, angles, strict=True):
        prepared.ry(float(polar), qubit)
        prepared.rz(float(azimuth), qubit)
    index = {qubit: k for k, qubit in enumerate(circuit.qubits)}
    for item in circuit.data:
        if item.operation.name not in ("measure", "barrier"):
            prepared.append(item.operation, [index[qubit] for qubit in item.qubits])
    return prepared


def check_deviation(deviation: float, tolerance: float, path: Path) -> float:
    """Return the deviation.

    Raises:
        FileError: it is above the tolerance, or no number.
    """
    if not deviation <= tolerance:
        raise FileError(f"{path} must agree with the bundle to {tolerance:g}, but deviates by {deviation:.3g}.")
    return max(deviation, 0.0)
