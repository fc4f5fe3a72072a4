"""Checking a hardware bundle: every file is read again, simulated again, and compared."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit, qpy

from qthermo.circuits.aer import run_state, run_z
from qthermo.circuits.autocorrelation import TrotterGrid, exact_correlator
from qthermo.circuits.builder import TIME_STEP, check_evolution
from qthermo.circuits.manifest import read_manifest, rebuild_model
from qthermo.circuits.measurement import build_measured_circuit
from qthermo.circuits.noise import compact_circuit
from qthermo.circuits.qasm import load_qasm, to_portable
from qthermo.errors import FileError
from qthermo.seeds import Stream, sample_generator

__all__ = ["BundleCheck", "check_bundle"]

_STATE_QUBITS = 14
_TOLERANCE = 1e-9
_MPS_TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleCheck:
    """What `check_bundle` compared: for each comparison the largest deviation found, all within tolerance."""

    directory: Path
    manifest: dict[str, Any]
    deviations: dict[str, float]


def check_bundle(directory: str | Path) -> BundleCheck:
    """Read a bundle again and compare its parts; return the deviations.

    Hashes; the logical circuit against one built afresh from the manifest's model; each OpenQASM file and the compiled
    circuit against the logical one by simulation from a random product state, up to 14 qubits the whole state vector,
    beyond gate by gate (OpenQASM) and <Z_0> by matrix product states (compiled); the stored Trotter values.

    Raises:
        FileError: a file is missing, foreign or changed, or two parts of the bundle disagree.

    Cost: one simulation per file; about a second for 50 qubits and 6 steps.
    """
    folder = Path(directory)
    manifest = read_manifest(folder)
    model = rebuild_model(manifest["model"])
    logical = _load_qpy(folder / "logical.qpy")
    fresh = build_measured_circuit(
        model,
        num_steps=manifest["num_steps"],
        trotter_order=manifest["trotter_order"],
        layout=manifest["layout"],
        light_cone=manifest.get("light_cone", False),
    )
    longest = {TIME_STEP: manifest["time_steps"][-1]}
    bound = logical.assign_parameters(longest)
    path = folder / "logical.qpy"
    deviations = {path.name: _compare_gates(bound, fresh.assign_parameters(longest), path)}
    for k, step in enumerate(manifest["time_steps"]):
        bound = logical.assign_parameters({TIME_STEP: step})
        for name in (f"logical_{k:03d}.qasm", f"logical_{k:03d}.qasm2"):
            if name in manifest["files"]:
                expected = to_portable(bound) if name.endswith("2") else bound
                deviations[name] = _compare(load_qasm(folder / name), expected, folder / name)
        name = f"isa_{k:03d}.qpy"
        if name in manifest["files"]:
            deviations[name] = _compare_compiled(_load_qpy(folder / name), bound, manifest, folder / name)
    if "isa.qpy" in manifest["files"]:
        isa = _load_qpy(folder / "isa.qpy").assign_parameters(longest)
        deviations["isa.qpy"] = _compare_compiled(isa, bound, manifest, folder / "isa.qpy")
    if manifest["trotter_value"] is not None:
        deviations["trotter_value"] = _check_values(manifest, folder)
    return BundleCheck(directory=folder, manifest=manifest, deviations=deviations)


def _load_qpy(path: Path) -> QuantumCircuit:
    try:
        (circuit,) = qpy.load(io.BytesIO(path.read_bytes()))
    except Exception as problem:
        reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise FileError(f"{path} must hold one circuit in QPY, but cannot be read: {reason}.") from None
    return circuit


def _compare(found: QuantumCircuit, expected: QuantumCircuit, path: Path) -> float:
    """Compare two circuits on the same qubits."""
    if found.num_qubits != expected.num_qubits:
        raise FileError(f"{path} must act on {expected.num_qubits} qubits, but acts on {found.num_qubits}.")
    if _measurements(found) != _measurements(expected):
        raise FileError(f"{path} must measure like the logical circuit, but does not; export the bundle again.")
    deviation = _compare_gates(found, expected, path)
    if expected.num_qubits > _STATE_QUBITS:
        return deviation
    angles = _product_angles(expected.num_qubits)
    states = [run_state(_prepare(circuit, angles, range(circuit.num_qubits))) for circuit in (found, expected)]
    return _check_deviation(1 - float(abs(np.vdot(*states))), _TOLERANCE, path)


def _compare_gates(found: QuantumCircuit, expected: QuantumCircuit, path: Path) -> float:
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
    return _check_deviation(deviation, _TOLERANCE, path)


def _compare_compiled(isa: QuantumCircuit, logical: QuantumCircuit, manifest: dict[str, Any], path: Path) -> float:
    """Compare the compiled circuit, cut to the qubits it uses, with the logical one."""
    sites = manifest["sites"]
    starts = [row["physical_qubit"] for row in sites]
    compact, order = compact_circuit(isa, starts)
    angles = _product_angles(logical.num_qubits)
    prepared = _prepare(compact, angles, range(len(starts)))
    expected = _prepare(logical, angles, range(logical.num_qubits))
    finals = [order.index(row["final_physical_qubit"]) for row in sites]
    if compact.num_qubits > _STATE_QUBITS:
        wire = sites[0]["final_qubit"]
        values = [run_z(prepared, finals[0]), run_z(expected, wire)]
        return _check_deviation(abs(values[0] - values[1]), _MPS_TOLERANCE, path)
    axes = [0] * len(sites)
    for row, place in zip(sites, finals, strict=True):
        axes[row["final_qubit"]] = place
    state = _keep_qubits(run_state(prepared), axes)
    return _check_deviation(1 - float(abs(np.vdot(state, run_state(expected)))), _TOLERANCE, path)


def _measurements(circuit: QuantumCircuit) -> list[tuple[int, int]]:
    """Return which qubit is measured into which bit of the two registers, in order."""
    return [
        (circuit.find_bit(item.qubits[0]).index, circuit.find_bit(item.clbits[0]).index)
        for item in circuit.data
        if item.operation.name == "measure"
    ]


def _product_angles(num_qubits: int) -> NDArray[np.float64]:
    rng = sample_generator(0, Stream.STATES)
    angles: NDArray[np.float64] = rng.uniform(0.2, 2.9, (num_qubits, 2))
    return angles


def _prepare(circuit: QuantumCircuit, angles: NDArray[np.float64], qubits: range) -> QuantumCircuit:
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


def _keep_qubits(state: NDArray[np.complex128], axes: list[int]) -> NDArray[np.complex128]:
    """Return the state of the qubits `axes` (in that order), all others being in |0>."""
    n = state.size.bit_length() - 1
    tensor = state.reshape((2,) * n).transpose(range(n)[::-1])  # axis k is qubit k
    others = [k for k in range(n) if k not in axes]
    kept = tensor.transpose([*axes, *others]).reshape(2 ** len(axes), -1)[:, 0].reshape((2,) * len(axes))
    return np.ascontiguousarray(kept.transpose(range(len(axes))[::-1])).ravel()


def _check_values(manifest: dict[str, Any], folder: Path) -> float:
    steps = np.array(manifest["time_steps"])
    grid = TrotterGrid(np.full(steps.size, manifest["num_steps"]), steps)
    model = rebuild_model(manifest["model"])
    evolution = check_evolution(model, manifest["trotter_order"], manifest["layout"])
    values = exact_correlator(evolution, grid)
    return _check_deviation(float(np.abs(values - manifest["trotter_value"]).max()), _TOLERANCE, folder)


def _check_deviation(deviation: float, tolerance: float, path: Path) -> float:
    if not deviation <= tolerance:
        raise FileError(f"{path} must agree with the bundle to {tolerance:g}, but deviates by {deviation:.3g}.")
    return max(deviation, 0.0)
