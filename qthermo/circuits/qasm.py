"""OpenQASM files: writing ours, and reading anyone's with care."""

from __future__ import annotations

import math
import re
from pathlib import Path

from qiskit import QuantumCircuit, qasm2, qasm3

from qthermo.errors import FileError, InputError, first_line
from qthermo.files import write_atomically

__all__ = ["check_bound", "is_refusal", "load_qasm", "save_qasm", "to_portable"]

_MAX_BYTES = 20_000_000
_COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_INCLUDES = re.compile(r"\binclude\b\s*([^;]*)")
_STANDARD = {'"stdgates.inc"', '"qelib1.inc"'}


def save_qasm(circuit: QuantumCircuit, path: str | Path) -> Path:
    """Write a circuit whose parameters are bound as OpenQASM 3 and return the path.

    The file is written beside its final place and renamed, so an interruption leaves the old file or the new one.

    Raises:
        InputError: a parameter is free, or an angle is not finite.
        FileError: the place cannot be written.
    """
    check_bound(circuit)
    return write_atomically(Path(path), qasm3.dumps(circuit).encode())


def load_qasm(path: str | Path) -> QuantumCircuit:
    """Read an OpenQASM 2 or 3 file from anyone: no include but the standard gates, at most 20 MB.

    Raises:
        FileError: the file is missing, too large, includes another file, or is no OpenQASM.
        InputError: OpenQASM 3 is to be read, but qiskit-qasm3-import is not installed.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise FileError(f"An OpenQASM file must have at most {_MAX_BYTES} bytes, but {path} has {size}.")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise FileError(f"An OpenQASM file must be readable text, but {path} is not ({problem}).") from None
    bare = _COMMENTS.sub(" ", text)
    foreign = [name.strip() for name in _INCLUDES.findall(bare) if name.strip() not in _STANDARD]
    if foreign:
        raise FileError(f"An OpenQASM file must include standard gates only, but {path} includes {foreign[0]}.")
    is_two = re.match(r"\s*OPENQASM\s+2", bare) is not None
    try:
        return qasm2.loads(text, include_path=()) if is_two else _load_three(text)
    except InputError:
        raise
    except BaseException as problem:
        if not is_refusal(problem):
            raise
        raise FileError(f"{path} must be OpenQASM 2 or 3, but cannot be read as such: {first_line(problem)}.") from None


def is_refusal(problem: BaseException) -> bool:
    """Return whether a reader of qiskit refused its input; a panic of its compiled part is no `Exception`."""
    return isinstance(problem, Exception) or type(problem).__name__ == "PanicException"


def _load_three(text: str) -> QuantumCircuit:
    from qiskit.exceptions import MissingOptionalLibraryError

    try:
        return qasm3.loads(text)
    except MissingOptionalLibraryError:
        raise InputError(
            "Reading OpenQASM 3 needs qiskit-qasm3-import, which is missing; run: pip install 'qthermo[hardware]'."
        ) from None


def to_portable(circuit: QuantumCircuit) -> QuantumCircuit:
    """Return the circuit in gates of the original OpenQASM 2 standard file: no pair rotations and no roots of X."""
    return circuit.decompose(["rzz", "rxx", "ryy"]).decompose(["sx", "sxdg"])  # the second come from the first


def check_bound(circuit: QuantumCircuit) -> None:
    """Raise unless every parameter is bound and every angle finite.

    Raises:
        InputError: naming the parameters, or the gate and its place.
    """
    if circuit.num_parameters:
        names = ", ".join(sorted(parameter.name for parameter in circuit.parameters))
        raise InputError(
            f"A circuit must have all parameters bound to be exported, but `{names}` is free; use assign_parameters."
        )
    for place, item in enumerate(circuit.data):
        for value in item.params:
            if isinstance(value, float | int) and not math.isfinite(value):
                raise InputError(
                    f"Every angle must be finite, but instruction {place} (`{item.operation.name}`) has {value}."
                )
