"""Circuits: building, measuring, running and exporting; the only place that imports qiskit.

The names are loaded when first asked for, so that `import qthermo` stays free of qiskit.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qthermo.circuits.builder import build_trotter_circuit
    from qthermo.circuits.measurement import build_measured_circuit
    from qthermo.circuits.qasm import save_qasm
    from qthermo.circuits.qubit_order import from_qubit_order, to_qubit_order, to_sparse_pauli_op
    from qthermo.circuits.trotter_circuit import TrotterCircuit

__all__ = [
    "TrotterCircuit",
    "build_measured_circuit",
    "build_trotter_circuit",
    "from_qubit_order",
    "save_qasm",
    "to_qubit_order",
    "to_sparse_pauli_op",
]

_HOMES = {
    "TrotterCircuit": "trotter_circuit",
    "build_measured_circuit": "measurement",
    "build_trotter_circuit": "builder",
    "from_qubit_order": "qubit_order",
    "save_qasm": "qasm",
    "to_qubit_order": "qubit_order",
    "to_sparse_pauli_op": "qubit_order",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
