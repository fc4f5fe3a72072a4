"""The hardware bundle: everything a device's user needs to run C(t), and everyone needs to check it."""

from __future__ import annotations

import io
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from qiskit import QuantumCircuit, qasm2, qpy
from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from qthermo.checks import check_ascending
from qthermo.circuits.autocorrelation import TrotterGrid, exact_correlator
from qthermo.circuits.builder import TIME_STEP, check_evolution
from qthermo.circuits.bundle_options import BundleOptions
from qthermo.circuits.compilation import CompiledCircuit, compile_circuit
from qthermo.circuits.manifest import describe_model, write_manifest
from qthermo.circuits.measurement import build_measured_circuit
from qthermo.circuits.qasm import save_qasm, to_portable
from qthermo.errors import InputError
from qthermo.files import make_folder, write_atomically
from qthermo.models import SpinModel

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["export_bundle", "list_versions", "to_qpy", "write_bundle"]

_EXACT_SITES = 9
_ESTIMATOR = (
    "C(t) = mean over shots of (-1)^(z_initial[0] + z_final[0]); standard error sqrt((1 - C^2) / shots); "
    "z_initial[k] is site k at time 0, z_final[0] the thermometer at time t"
)


def export_bundle(
    model: SpinModel,
    directory: str | Path,
    *,
    times: ArrayLike = (0.5, 1.0, 2.0),
    num_steps: int | None = None,
    time_step: float = 0.1,
    trotter_order: int = 2,
    layout: str = "line",
    light_cone: bool = False,
    target: BackendV2 | Target | str | None = None,
    optimization_level: int = 1,
    num_shots: int = 10_000,
    seed: int = 0,
    reference: xr.Dataset | None = None,
) -> Path:
    """Write the hardware bundle of C(t) at infinite temperature into a folder and return the manifest's path.

    One circuit with the Parameter "time_step" serves all times, at t = num_steps * time_step. Files: `logical.qpy`
    and, with a target, `isa.qpy` (compiled, parametric; on devices with rzz also `isa_<k>.qpy`, bound, with angles
    folded into the range that the device runs); for each time `logical_<k>.qasm` (OpenQASM 3, bound) and
    `logical_<k>.qasm2` (OpenQASM 2, where it is legal); `manifest.json` with model, maps from site to qubit to physical
    qubit, final permutation, observables, estimator, costs, versions, reference values and the SHA-256 of each file.

    Args:
        model: a spin model.
        directory: made if it is missing; files of an earlier bundle are overwritten.
        times: t > 0, ascending, 1/energy.
        num_steps: Trotter steps of each circuit; by default the longest time in steps of `time_step`.
        time_step: used if `num_steps` is not given, 1/energy.
        trotter_order: 1, 2 or 4.
        layout: see `build_trotter_circuit`.
        light_cone: leave out gates on which C(t) does not depend, see `build_measured_circuit`.
        target: a BackendV2, a Target or a fake device's name, to compile for.
        optimization_level: of qiskit's preset pass manager.
        num_shots: shots per time that the manifest asks for.
        seed: seed of the transpiler.
        reference: a result of `qthermo.solve` for C(t) at the same times, stored beside the circuits.

    Raises:
        InputError: an argument is out of range, the device is too small, or the reference has other times.
        FileError: the folder cannot be written.

    Cost: compiling, about 50 ms at 100 qubits; up to 9 sites also the exact Trotter values.
    """
    options = BundleOptions(
        num_steps=num_steps,
        time_step=time_step,
        trotter_order=trotter_order,
        layout=layout,
        light_cone=light_cone,
        num_shots=num_shots,
        seed=seed,
    )
    return write_bundle(
        model,
        directory,
        options,
        times=times,
        target=target,
        optimization_level=optimization_level,
        reference=reference,
    )


def write_bundle(
    model: SpinModel,
    directory: str | Path,
    options: BundleOptions,
    *,
    times: ArrayLike,
    target: BackendV2 | Target | str | None = None,
    optimization_level: int = 1,
    reference: xr.Dataset | None = None,
) -> Path:
    """Write the bundle of `export_bundle`, its options as one value."""
    grid_times = check_ascending("times", times, exclusive=True)
    steps = options.count_steps(grid_times)
    stored = _reference_values(reference, grid_times)
    logical = build_measured_circuit(
        model,
        num_steps=steps,
        trotter_order=options.trotter_order,
        layout=options.layout,
        light_cone=options.light_cone,
    )
    compiled = None
    if target is not None:
        compiled = compile_circuit(logical, target, optimization_level=optimization_level, seed=options.seed)
    folder = make_folder(Path(directory), "A bundle")
    time_steps = grid_times / steps
    files = _write_circuits(folder, logical, compiled, time_steps)
    content = {
        "model": describe_model(model),
        "times": grid_times.tolist(),
        "time_steps": time_steps.tolist(),
        "num_steps": steps,
        "trotter_order": options.trotter_order,
        "layout": options.layout,
        "light_cone": options.light_cone,
        "parameters": [TIME_STEP],
        "num_shots": options.num_shots,
        "seed": options.seed,
        "estimator": _ESTIMATOR,
        "sites": _site_map(logical, compiled),
        "final_permutation": logical.metadata["final_permutation"],
        "observables": _observables(logical, compiled),
        "target": _describe_target(compiled),
        "trotter_value": _trotter_values(model, steps, time_steps, options),
        "reference": stored,
        "versions": list_versions(),
        "files": files,
    }
    return write_manifest(folder, content)


def list_versions() -> dict[str, str]:
    """Return the versions that a manifest records."""
    return {"python": platform.python_version(), **{name: version(name) for name in ("qthermo", "qiskit")}}


def _write_circuits(
    folder: Path, logical: QuantumCircuit, compiled: CompiledCircuit | None, time_steps: NDArray[np.float64]
) -> list[str]:
    files = ["logical.qpy"]
    write_atomically(folder / files[0], to_qpy(logical))
    if compiled is not None:
        files.append("isa.qpy")
        write_atomically(folder / files[1], to_qpy(compiled.circuit))
    for k, step in enumerate(time_steps):
        bound = logical.assign_parameters({TIME_STEP: float(step)})
        files.append(save_qasm(bound, folder / f"logical_{k:03d}.qasm").name)
        if compiled is not None and compiled.folds_angles:
            isa = write_atomically(folder / f"isa_{k:03d}.qpy", to_qpy(compiled.bind(float(step))))
            files.append(isa.name)
        try:
            text = qasm2.dumps(to_portable(bound))
        except qasm2.QASM2ExportError:
            continue
        files.append(write_atomically(folder / f"logical_{k:03d}.qasm2", text.encode()).name)
    return files


def to_qpy(circuit: QuantumCircuit) -> bytes:
    """Return the circuit in qiskit's binary format, the oldest version of it that this qiskit writes.

    Whoever runs a bundle may have an older qiskit, which reads no newer version than its own.
    """
    buffer = io.BytesIO()
    qpy.dump(circuit, buffer, version=qpy.QPY_COMPATIBILITY_VERSION)
    return buffer.getvalue()


def _site_map(logical: QuantumCircuit, compiled: CompiledCircuit | None) -> list[dict[str, int]]:
    """Return for each site its qubit at the start and at the end, and the physical ones."""
    final: Sequence[int] = logical.metadata["final_permutation"]
    rows = [{"site": k, "qubit": k, "final_qubit": wire} for k, wire in enumerate(final)]
    if compiled is not None:
        ends = compiled.circuit.layout.final_index_layout(filter_ancillas=True)
        for row in rows:
            row["physical_qubit"] = compiled.physical_qubits[row["qubit"]]
            row["final_physical_qubit"] = ends[row["final_qubit"]]
    return rows


def _observables(logical: QuantumCircuit, compiled: CompiledCircuit | None) -> dict[str, Any]:
    """Return Z_0 at the end of the circuit as sparse terms [label, qubits, coefficient]."""
    wire = logical.metadata["final_permutation"][0]
    observables: dict[str, Any] = {"logical": [["Z", [wire], 1.0]]}
    if compiled is not None:
        physical = compiled.circuit.layout.final_index_layout(filter_ancillas=True)[wire]
        observables["isa"] = [["Z", [physical], 1.0]]
    return observables


def _describe_target(compiled: CompiledCircuit | None) -> dict[str, Any] | None:
    if compiled is None:
        return None
    return {"name": compiled.target_name, "swap_free": compiled.swap_free, **compiled.report}


def _trotter_values(
    model: SpinModel, steps: int, time_steps: NDArray[np.float64], options: BundleOptions
) -> list[float] | None:
    if model.num_sites > _EXACT_SITES:
        return None
    grid = TrotterGrid(np.full(time_steps.size, steps), time_steps)
    return [
        float(value) for value in exact_correlator(check_evolution(model, options.trotter_order, options.layout), grid)
    ]


def _reference_values(reference: xr.Dataset | None, times: NDArray[np.float64]) -> dict[str, Any] | None:
    if reference is None:
        return None
    if "correlator" not in reference or not np.array_equal(reference["time"].values, times):
        raise InputError(
            "Argument `reference` must hold `correlator` at exactly the times of the bundle; "
            "solve Autocorrelation at those times."
        )
    stored: dict[str, Any] = {"method": str(reference.attrs.get("method", "unknown"))}
    for name in ("correlator", "stderr", "truncation_error", "trotter_error"):
        if name in reference:
            stored[name] = np.real(reference[name].values).tolist()
    return stored
