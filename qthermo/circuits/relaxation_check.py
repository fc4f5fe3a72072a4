"""Checking a bundle of thermalising circuits: every file is read again, simulated again, and compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from qiskit import QuantumCircuit

from qthermo.circuits.aer import run_probabilities
from qthermo.circuits.comparison import (
    TOLERANCE,
    check_deviation,
    compare_gates,
    list_measurements,
    load_qpy,
    prepare_circuit,
    sample_angles,
)
from qthermo.circuits.dilation_circuit import DilationCircuit
from qthermo.circuits.noise import compact_circuit
from qthermo.circuits.qasm import load_qasm
from qthermo.circuits.relaxation_bundle import rebuild_relaxation
from qthermo.circuits.relaxation_circuits import RelaxationRun, list_runs
from qthermo.errors import FileError
from qthermo.kms.states import site_polarisation

__all__ = ["compare_relaxation"]

_DENSITY_QUBITS = 9
_SYNTHESIS_TOLERANCE = 1e-5  # a sweep: qiskit synthesises unitaries to a fidelity of 1 - 1e-9 per two-qubit block


def compare_relaxation(folder: Path, manifest: dict[str, Any]) -> dict[str, float]:
    """Return the deviation of each file from the circuit built afresh, and of the stored values.

    Raises:
        FileError: two parts of the bundle disagree.
    """
    deviations, values = {}, []
    problem, method = rebuild_relaxation(manifest)
    runs = list(list_runs(problem, method))
    if len(runs) != len(manifest["circuits"]):
        raise FileError(f"{folder} must hold {len(runs)} circuits, but lists {len(manifest['circuits'])}.")
    for index, (run, row) in enumerate(zip(runs, manifest["circuits"], strict=True)):
        path = folder / f"logical_{index:03d}.qasm"
        found, tolerance = load_qasm(path), TOLERANCE
        if isinstance(method, DilationCircuit):
            tolerance += _SYNTHESIS_TOLERANCE * run.num_rounds
        deviations[path.name] = _compare_logical(found, run.circuit, tolerance, path)
        if row["polarisation"] is not None:
            values.append(
                _check_values(found, run, row["polarisation"], tolerance, folder / f"logical_{index:03d}.qasm")
            )
        path = folder / f"isa_{index:03d}.qpy"
        if path.name in manifest["files"]:
            isa, order = compact_circuit(load_qpy(path), row["physical_qubits"])
            _check_map(isa, order, row["measured_qubits"], path)
            if isa.num_qubits <= _DENSITY_QUBITS:
                deviations[path.name] = _compare_distributions(isa, found, TOLERANCE, path)
    if values:
        deviations["polarisation"] = max(values)
    return deviations


def _compare_logical(found: QuantumCircuit, expected: QuantumCircuit, tolerance: float, path: Path) -> float:
    if found.num_qubits != expected.num_qubits or list_measurements(found) != list_measurements(expected):
        raise FileError(f"{path} must measure each site as the manifest says, but does not; export the bundle again.")
    if expected.num_qubits <= _DENSITY_QUBITS:
        return _compare_distributions(found, expected, tolerance, path)
    return compare_gates(found, expected, path)


def _compare_distributions(found: QuantumCircuit, expected: QuantumCircuit, tolerance: float, path: Path) -> float:
    """Compare the joint distribution of the measured bits, both circuits from one random product state.

    The first qubits of `found` are those of `expected`, sites and ancilla; the others start in |0>.
    """
    angles = sample_angles(expected.num_qubits)
    one, other = (
        run_probabilities(prepare_circuit(circuit, angles, range(expected.num_qubits)), _measured_qubits(circuit))
        for circuit in (found, expected)
    )
    if one.shape != other.shape:
        raise FileError(f"{path} must measure every site, but does not; export the bundle again.")
    return check_deviation(float(np.abs(one - other).max()), tolerance, path)


def _measured_qubits(circuit: QuantumCircuit) -> list[int]:
    """Return the qubits in the order of the bits they are measured into."""
    return [qubit for qubit, _ in sorted(list_measurements(circuit), key=lambda pair: pair[1])]


def _check_map(isa: QuantumCircuit, order: Sequence[int], stored: Sequence[int], path: Path) -> None:
    if [order[qubit] for qubit in _measured_qubits(isa)] != list(stored):
        raise FileError(f"{path} must measure the qubits of the manifest, but measures others; export it again.")


def _check_values(
    found: QuantumCircuit, run: RelaxationRun, stored: Sequence[float], tolerance: float, path: Path
) -> float:
    """Compare the stored <Z_j> with dense matrices and, where Aer's density matrix reaches, with the file itself."""
    deviation = 0.0
    if run.polarisation is not None:
        deviation = check_deviation(float(np.abs(run.polarisation - stored).max()), TOLERANCE, path)
    if found.num_qubits > _DENSITY_QUBITS:
        return deviation
    still = prepare_circuit(found, np.zeros((0, 2)), ())
    values = site_polarisation(run_probabilities(still, _measured_qubits(found)))
    return max(deviation, check_deviation(float(np.abs(values - stored).max()), tolerance, path))
