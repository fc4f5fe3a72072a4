"""The hardware bundle of thermalising circuits: mid-circuit resets, one ancilla, every site measured at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from qthermo.checks import check_integer
from qthermo.circuits.bundle import list_versions, to_qpy
from qthermo.circuits.collision_circuit import CollisionCircuit
from qthermo.circuits.collisions import spin_model, warn_of_missed_transitions
from qthermo.circuits.comparison import list_measurements
from qthermo.circuits.compilation import CompiledCircuit, compile_circuit, find_target
from qthermo.circuits.dilation_circuit import DilationCircuit
from qthermo.circuits.manifest import RELAXATION, describe_model, rebuild_model, write_manifest
from qthermo.circuits.qasm import save_qasm
from qthermo.circuits.relaxation_circuits import RelaxationRun, list_runs
from qthermo.errors import FileError, InputError
from qthermo.files import make_folder, write_atomically
from qthermo.kms.energy_basis import diagonalise
from qthermo.kms.states import observe_states
from qthermo.problems import Relaxation

__all__ = ["export_relaxation", "rebuild_relaxation"]

_METHODS = {kind.__name__: kind for kind in (CollisionCircuit, DilationCircuit)}
_GIBBS_SITES = 10
_ESTIMATOR = (
    "<Z_j> at a time = mean over its circuits and their shots of (-1)^z_final[j]; standard error from the spread "
    "over the sequences; one sequence of collisions does not converge, their mean approaches `gibbs_polarisation`"
)


def export_relaxation(
    problem: Relaxation,
    method: CollisionCircuit | DilationCircuit,
    directory: str | Path,
    *,
    target: BackendV2 | Target | str | None = None,
    optimization_level: int = 1,
    num_shots: int = 1000,
    seed: int = 0,
) -> Path:
    """Write the circuits that take a chain to its Gibbs state into a folder and return the manifest's path.

    One circuit for each sequence and time, the ones that `solve(problem, method)` runs with protocol "density_matrix".
    Files: `logical_<k>.qasm` (OpenQASM 3 with mid-circuit resets; dilations in rz, sx, x, cx), with a target
    `isa_<k>.qpy`; `manifest.json` with model, problem, method, estimator, for each circuit its rounds, where its sites
    end on the device and its costs, up to 6 sites the exact <Z_j> of each, up to 10 those of the Gibbs state, versions
    and the SHA-256 of each file.

    Args:
        problem: its initial state must be bits; times are rounded to whole collisions or sweeps.
        method: `CollisionCircuit` or `DilationCircuit`; its protocol does not matter.
        directory: made if it is missing; files of an earlier bundle are overwritten.
        target: a BackendV2, a Target or a fake device's name, to compile for; it must know `reset`.
        optimization_level: of qiskit's preset pass manager.
        num_shots: shots per circuit that the manifest asks for.
        seed: seed of the transpiler; the sequences are drawn by the seed of `method`.

    Raises:
        InputError: an argument is out of range, the kicks alias frequencies, the device is too small or has no reset.
        UnsupportedError: the model is a matrix, the state no bits, or the Trotter order 0.
        FileError: the folder cannot be written.

    Cost: one Python call per gate, and for compiling about a second per 1000 two-qubit gates.
    """
    if not isinstance(method, CollisionCircuit | DilationCircuit):
        raise InputError(f"Argument `method` must be CollisionCircuit or DilationCircuit, but is {method!r}.")
    check_integer("num_shots", num_shots, minimum=2)
    method = replace(method, protocol="density_matrix")
    method.check(problem)
    if isinstance(method, CollisionCircuit):
        warn_of_missed_transitions(method, problem)
    if target is not None:
        _check_reset(target)
    model = spin_model(problem)
    content: dict[str, Any] = {
        "kind": RELAXATION,
        "model": describe_model(model),
        "beta": problem.beta,
        "times": problem.times.tolist(),
        "initial_state": problem.initial_state,
        "couplings": problem.couplings,
        "method": {"name": type(method).__name__, **asdict(method)},
        "num_shots": num_shots,
        "seed": seed,
        "estimator": _ESTIMATOR,
        "sites": [{"site": k, "qubit": k, "bit": k} for k in range(model.num_sites)],
        "target": None,
        "gibbs_polarisation": _gibbs_values(problem),
        "versions": list_versions(),
    }
    rows, files = [], []
    for index, run in enumerate(list_runs(problem, method)):
        compiled = None
        if target is not None:
            compiled = compile_circuit(run.circuit, target, optimization_level=optimization_level, seed=seed)
            content["target"] = {"name": compiled.target_name}
        rows.append(_describe_run(run, compiled))
        files += _write_run(make_folder(Path(directory), "A bundle"), index, run, compiled)
    return write_manifest(Path(directory), {**content, "circuits": rows, "files": files})


def _check_reset(target: BackendV2 | Target | str) -> None:
    name, device = find_target(target)
    if "reset" not in device.operation_names:
        raise InputError(f"The device must be able to reset the ancilla, but {name} has no `reset`; take another one.")


def _write_run(folder: Path, index: int, run: RelaxationRun, compiled: CompiledCircuit | None) -> list[str]:
    files = [save_qasm(run.circuit, folder / f"logical_{index:03d}.qasm").name]
    if compiled is not None:
        files.append(write_atomically(folder / f"isa_{index:03d}.qpy", to_qpy(compiled.circuit)).name)
    return files


def _describe_run(run: RelaxationRun, compiled: CompiledCircuit | None) -> dict[str, Any]:
    row: dict[str, Any] = {"sequence": run.sequence, "time": run.time, "num_rounds": run.num_rounds}
    row["polarisation"] = None if run.polarisation is None else run.polarisation.tolist()
    if compiled is not None:
        row["physical_qubits"] = list(compiled.physical_qubits)
        row["measured_qubits"] = [qubit for qubit, _ in sorted(list_measurements(compiled.circuit), key=lambda m: m[1])]
        row["costs"] = {"swap_free": compiled.swap_free, **compiled.report}
    return row


def _gibbs_values(problem: Relaxation) -> list[float] | None:
    model = spin_model(problem)
    if model.num_sites > _GIBBS_SITES:
        return None
    basis = diagonalise(model.hamiltonian, model.num_sites, problem.beta)
    values: list[float] = observe_states(basis, np.diag(basis.populations))["polarisation"].tolist()
    return values


def rebuild_relaxation(manifest: Mapping[str, Any]) -> tuple[Relaxation, CollisionCircuit | DilationCircuit]:
    """Return the problem and the method that a manifest describes.

    Raises:
        FileError: the method is none that this qthermo knows.
    """
    fields = dict(manifest["method"])
    name = fields.pop("name", None)
    if name not in _METHODS:
        raise FileError(f"A bundle of relaxation must name a method among {', '.join(_METHODS)}, but names {name!r}.")
    problem = Relaxation(
        rebuild_model(manifest["model"]),
        beta=manifest["beta"],
        times=manifest["times"],
        initial_state=manifest["initial_state"],
        couplings=manifest["couplings"],
    )
    try:
        return problem, _METHODS[name](**fields)
    except TypeError as reason:
        raise FileError(f"A bundle must hold the fields of {name} that this qthermo knows, but: {reason}.") from None
