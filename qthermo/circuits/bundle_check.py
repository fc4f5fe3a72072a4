"""Checking a hardware bundle: every file is read again, simulated again, and compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError

from qthermo.circuits.aer import run_state, run_z
from qthermo.circuits.autocorrelation import TrotterGrid, exact_correlator
from qthermo.circuits.builder import TIME_STEP, check_evolution
from qthermo.circuits.comparison import (
    TOLERANCE,
    check_deviation,
    compare_gates,
    list_measurements,
    load_qpy,
    prepare_circuit,
    sample_angles,
)
from qthermo.circuits.manifest import MANIFEST, RELAXATION, read_manifest, rebuild_model
from qthermo.circuits.measurement import build_measured_circuit
from qthermo.circuits.noise import compact_circuit
from qthermo.circuits.qasm import load_qasm, to_portable
from qthermo.errors import FileError
from qthermo.files import refuse_malformed

__all__ = ["BundleCheck", "check_bundle"]

_STATE_QUBITS = 14
_MPS_TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleCheck:
    """What `check_bundle` compared: for each comparison the largest deviation found, all within tolerance."""

    directory: Path
    manifest: dict[str, Any]
    deviations: dict[str, float]

    def __repr__(self) -> str:
        worst = max(self.deviations, key=lambda name: self.deviations[name], default="")
        largest = f", the largest deviation {self.deviations[worst]:.2g} ({worst})" if worst else ""
        kind = self.manifest.get("kind", "bundle")
        return f"<BundleCheck of {self.directory} ({kind}): {len(self.deviations)} comparisons{largest}>"


def check_bundle(directory: str | Path) -> BundleCheck:
    """Read a bundle of either kind again and compare its parts; return the deviations.

    C(t): hashes; the logical circuit against one built afresh from the manifest's model; each OpenQASM file and the
    compiled circuit against the logical one by simulation from a random product state, up to 14 qubits the whole state
    vector, beyond gate by gate (OpenQASM) and <Z_0> by matrix product states (compiled); the stored Trotter values.

    Relaxation: hashes; each file against the circuit built afresh, by the joint distribution of all measured sites
    from a random product state, up to 9 qubits (beyond gate by gate, compiled ones not at all); the stored <Z_j>
    against the density matrix of the file.

    Raises:
        FileError: a file is missing, foreign or changed, or two parts of the bundle disagree.

    Cost: one simulation per file; about a second for 50 qubits and 6 steps of C(t), and for 3 sites and 4 collisions.
    """
    folder = Path(directory)
    manifest = read_manifest(folder)
    with refuse_malformed(folder / MANIFEST, "the manifest of a bundle"):
        try:
            deviations = _compare_files(folder, manifest)
        except QiskitError as problem:
            raise FileError(f"{folder} must hold circuits that fit its manifest, but: {problem}.") from None
    return BundleCheck(directory=folder, manifest=manifest, deviations=deviations)


def _compare_files(folder: Path, manifest: dict[str, Any]) -> dict[str, float]:
    if manifest["kind"] == RELAXATION:
        from qthermo.circuits.relaxation_check import compare_relaxation

        return compare_relaxation(folder, manifest)
    return _compare_autocorrelation(folder, manifest)


def _compare_autocorrelation(folder: Path, manifest: dict[str, Any]) -> dict[str, float]:
    model = rebuild_model(manifest["model"])
    logical = load_qpy(folder / "logical.qpy")
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
    deviations = {path.name: compare_gates(bound, fresh.assign_parameters(longest), path)}
    for k, step in enumerate(manifest["time_steps"]):
        bound = logical.assign_parameters({TIME_STEP: step})
        for name in (f"logical_{k:03d}.qasm", f"logical_{k:03d}.qasm2"):
            if name in manifest["files"]:
                expected = to_portable(bound) if name.endswith("2") else bound
                deviations[name] = _compare(load_qasm(folder / name), expected, folder / name)
        name = f"isa_{k:03d}.qpy"
        if name in manifest["files"]:
            deviations[name] = _compare_compiled(load_qpy(folder / name), bound, manifest, folder / name)
    if "isa.qpy" in manifest["files"]:
        isa = load_qpy(folder / "isa.qpy").assign_parameters(longest)
        deviations["isa.qpy"] = _compare_compiled(isa, bound, manifest, folder / "isa.qpy")
    if manifest["trotter_value"] is not None:
        deviations["trotter_value"] = _check_values(manifest, folder)
    return deviations


def _compare(found: QuantumCircuit, expected: QuantumCircuit, path: Path) -> float:
    """Compare two circuits on the same qubits."""
    if found.num_qubits != expected.num_qubits:
        raise FileError(f"{path} must act on {expected.num_qubits} qubits, but acts on {found.num_qubits}.")
    if list_measurements(found) != list_measurements(expected):
        raise FileError(f"{path} must measure like the logical circuit, but does not; export the bundle again.")
    deviation = compare_gates(found, expected, path)
    if expected.num_qubits > _STATE_QUBITS:
        return deviation
    angles = sample_angles(expected.num_qubits)
    states = [run_state(prepare_circuit(circuit, angles, range(circuit.num_qubits))) for circuit in (found, expected)]
    return check_deviation(1 - float(abs(np.vdot(*states))), TOLERANCE, path)


def _compare_compiled(isa: QuantumCircuit, logical: QuantumCircuit, manifest: dict[str, Any], path: Path) -> float:
    """Compare the compiled circuit, cut to the qubits it uses, with the logical one."""
    sites = manifest["sites"]
    starts = [row["physical_qubit"] for row in sites]
    compact, order = compact_circuit(isa, starts)
    angles = sample_angles(logical.num_qubits)
    prepared = prepare_circuit(compact, angles, range(len(starts)))
    expected = prepare_circuit(logical, angles, range(logical.num_qubits))
    finals = [order.index(row["final_physical_qubit"]) for row in sites]
    if compact.num_qubits > _STATE_QUBITS:
        wire = sites[0]["final_qubit"]
        values = [run_z(prepared, finals[0]), run_z(expected, wire)]
        return check_deviation(abs(values[0] - values[1]), _MPS_TOLERANCE, path)
    axes = [0] * len(sites)
    for row, place in zip(sites, finals, strict=True):
        axes[row["final_qubit"]] = place
    state = _keep_qubits(run_state(prepared), axes)
    return check_deviation(1 - float(abs(np.vdot(state, run_state(expected)))), TOLERANCE, path)


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
    return check_deviation(float(np.abs(values - manifest["trotter_value"]).max()), TOLERANCE, folder)
