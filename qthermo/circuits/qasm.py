"""OpenQASM 3 files of bound circuits."""

from __future__ import annotations

from pathlib import Path

from qiskit import QuantumCircuit, qasm3

from qthermo.errors import InputError
from qthermo.files import write_atomically

__all__ = ["check_bound", "save_qasm", "write_atomically"]


def save_qasm(circuit: QuantumCircuit, path: str | Path) -> Path:
    """Write a circuit whose parameters are bound as OpenQASM 3 and return the path.

    The file is written beside its final place and renamed, so an interruption leaves the old file or the new one.

    Raises:
        InputError: a parameter is free, or an angle is not finite.
        FileError: the place cannot be written.
    """
    check_bound(circuit)
    return write_atomically(Path(path), qasm3.dumps(circuit).encode())


def check_bound(circuit: QuantumCircuit) -> None:
    """Raise unless every parameter is bound and every angle finite.

    Raises:
        InputError: naming the parameters, or the gate and its place.
    """
    if circuit.parameters:
        names = ", ".join(sorted(parameter.name for parameter in circuit.parameters))
        raise InputError(
            f"A circuit must have all parameters bound to be exported, but `{names}` is free; use assign_parameters."
        )
    for place, item in enumerate(circuit.data):
        for value in item.operation.params:
            if isinstance(value, float | int) and not abs(float(value)) < float("inf"):
                raise InputError(
                    f"Every angle must be finite, but instruction {place} (`{item.operation.name}`) has {value}."
                )
