"""Circuits: building, measuring, running and exporting; the only place that imports qiskit.

The names are loaded when first asked for, so that `import qthermo` stays free of qiskit.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qthermo.circuits.builder import build_trotter_circuit
    from qthermo.circuits.bundle import export_bundle
    from qthermo.circuits.bundle_check import BundleCheck, check_bundle
    from qthermo.circuits.collision_builder import build_collision_circuit, count_collision_gates
    from qthermo.circuits.collision_circuit import CollisionCircuit
    from qthermo.circuits.collision_resources import tabulate_resources
    from qthermo.circuits.compilation import CompiledCircuit, compile_circuit
    from qthermo.circuits.counts import analyse_counts
    from qthermo.circuits.dilation_circuit import DilationCircuit
    from qthermo.circuits.dilations import build_dilation_circuit
    from qthermo.circuits.extrapolation import multi_product_weights, shot_factor, zero_noise_weights
    from qthermo.circuits.measurement import build_measured_circuit, build_product_circuit
    from qthermo.circuits.noise import build_noise_model
    from qthermo.circuits.qasm import load_qasm, save_qasm
    from qthermo.circuits.qubit_order import from_qubit_order, to_qubit_order, to_sparse_pauli_op
    from qthermo.circuits.relaxation_bundle import export_relaxation
    from qthermo.circuits.trotter_circuit import TrotterCircuit

__all__ = [
    "BundleCheck",
    "CollisionCircuit",
    "CompiledCircuit",
    "DilationCircuit",
    "TrotterCircuit",
    "analyse_counts",
    "build_collision_circuit",
    "build_dilation_circuit",
    "build_measured_circuit",
    "build_noise_model",
    "build_product_circuit",
    "build_trotter_circuit",
    "check_bundle",
    "compile_circuit",
    "count_collision_gates",
    "export_bundle",
    "export_relaxation",
    "from_qubit_order",
    "load_qasm",
    "multi_product_weights",
    "save_qasm",
    "shot_factor",
    "tabulate_resources",
    "to_qubit_order",
    "to_sparse_pauli_op",
    "zero_noise_weights",
]

_HOMES = {
    "BundleCheck": "bundle_check",
    "CollisionCircuit": "collision_circuit",
    "CompiledCircuit": "compilation",
    "DilationCircuit": "dilation_circuit",
    "TrotterCircuit": "trotter_circuit",
    "analyse_counts": "counts",
    "build_collision_circuit": "collision_builder",
    "build_dilation_circuit": "dilations",
    "build_measured_circuit": "measurement",
    "build_noise_model": "noise",
    "build_product_circuit": "measurement",
    "build_trotter_circuit": "builder",
    "check_bundle": "bundle_check",
    "compile_circuit": "compilation",
    "count_collision_gates": "collision_builder",
    "export_bundle": "bundle",
    "export_relaxation": "relaxation_bundle",
    "from_qubit_order": "qubit_order",
    "load_qasm": "qasm",
    "multi_product_weights": "extrapolation",
    "save_qasm": "qasm",
    "shot_factor": "extrapolation",
    "tabulate_resources": "collision_resources",
    "to_qubit_order": "qubit_order",
    "to_sparse_pauli_op": "qubit_order",
    "zero_noise_weights": "extrapolation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
