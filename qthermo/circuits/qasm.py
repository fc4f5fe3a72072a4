"""OpenQASM files: written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from qiskit import QuantumCircuit, qasm3

from qthermo.errors import FileError, InputError

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


def write_atomically(path: Path, content: bytes) -> Path:
    """Write `content` beside `path`, sync, and rename.

    Raises:
        FileError: the place cannot be written; nothing there was changed.
    """
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        temporary = None
    except OSError as problem:
        raise FileError(
            f"The file must go to a writable place, but {path} cannot be written: {problem}; nothing was changed."
        ) from None
    finally:
        if temporary is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
    return path
