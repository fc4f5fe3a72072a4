"""Bundles of collision sequences: circuits with mid-circuit resets as files, and the values they must give."""

from __future__ import annotations

import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import ClassicalRegister, QuantumCircuit, qasm3

from qthermo.checks import check_choice, check_integer
from qthermo.circuits.collision_builder import build_collision_circuit
from qthermo.circuits.collision_runs import run_with_snapshots, save_snapshot
from qthermo.circuits.layers import order_groups
from qthermo.circuits.manifest import describe_model, read_manifest, rebuild_model, write_manifest
from qthermo.circuits.qasm import save_qasm
from qthermo.errors import FileError, InputError
from qthermo.kms.collision_channel import collide, step_unitary
from qthermo.kms.collisions import Collisions, CollisionScheme, check_aliasing, local_bohr_bound
from qthermo.kms.energy_basis import site_couplings
from qthermo.kms.states import build_initial_state, site_polarisation
from qthermo.models import SpinModel
from qthermo.seeds import Stream, sample_generator

__all__ = ["check_collision_bundle", "export_collisions"]

_EXACT_SITES = 6
_TOLERANCE = 1e-9
_ESTIMATOR = (
    "<Z_j> = mean over sequences and shots of (-1)^z[j]; z[j] is site j after the last collision; the mean over many "
    "sequences approaches the Gibbs state, one sequence does not"
)


def export_collisions(
    model: SpinModel,
    scheme: CollisionScheme,
    directory: str | Path,
    *,
    num_collisions: int,
    num_sequences: int = 4,
    initial_bits: str | None = None,
    letters: str = "XYZ",
    trotter_order: int = 2,
    num_shots: int = 1000,
    seed: int = 0,
) -> Path:
    """Write random collision sequences, all sites measured at the end, and return the manifest's path.

    Files: `sequence_<k>.qasm` (OpenQASM 3 with resets) and `manifest.json` with model, scheme, frequencies, estimator,
    versions, the SHA-256 of each file and, up to 6 sites, the exact <Z_j> of every sequence (`polarisation`).

    Args:
        model: a spin model; site k is qubit k, the ancilla the last qubit.
        scheme: window, rate and strength.
        directory: made if it is missing.
        num_collisions: of each sequence.
        num_sequences: how many.
        initial_bits: site 0 first; all 1 by default.
        letters: couplings of every site.
        trotter_order: 1, 2 or 4.
        num_shots: shots per sequence that the manifest asks for.
        seed: of the sequences.

    Raises:
        InputError: an argument is out of range, or the kicks alias frequencies.
        FileError: the folder cannot be written.
    """
    check_integer("num_collisions", num_collisions, minimum=1)
    check_integer("num_sequences", num_sequences, minimum=1)
    check_choice("trotter_order", trotter_order, (1, 2, 4))
    bits = "1" * model.num_sites if initial_bits is None else initial_bits
    if len(bits) != model.num_sites or set(bits) - set("01"):
        raise InputError(f"Argument `initial_bits` must be {model.num_sites} bits 0 or 1, but is {bits!r}.")
    couplings = site_couplings(letters, model.num_sites)
    check_aliasing(scheme, local_bohr_bound(model.hamiltonian, couplings))
    folder = Path(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise FileError(f"A bundle needs a folder, but {folder} cannot be made ({problem.strerror}).") from None
    recipe: dict[str, Any] = {
        "kind": "collisions",
        "model": describe_model(model),
        "scheme": asdict(scheme),
        "letters": letters,
        "initial_bits": bits,
        "num_collisions": num_collisions,
        "trotter_order": trotter_order,
        "seed": seed,
    }
    files, values = [], []
    for index in range(num_sequences):
        collisions = scheme.sample(sample_generator(seed, Stream.CIRCUIT, index), num_collisions, len(couplings))
        files.append(
            save_qasm(_measured(_circuit(recipe, model, collisions)), folder / f"sequence_{index:03d}.qasm").name
        )
        values.append(_exact(recipe, model, collisions).tolist() if model.num_sites <= _EXACT_SITES else None)
    content = recipe | {
        "times": [num_collisions * scheme.time_per_collision(len(couplings))],
        "num_steps": scheme.num_kicks,
        "layout": "line",
        "num_shots": num_shots,
        "estimator": _ESTIMATOR,
        "sites": {f"{site}": site for site in range(model.num_sites)},
        "polarisation": values,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in ("qthermo", "qiskit")}},
        "files": files,
    }
    return write_manifest(folder, content)


def check_collision_bundle(directory: str | Path) -> float:
    """Rebuild every circuit from the manifest, compare it with its file, simulate it, and return the largest deviation.

    Raises:
        FileError: a file is missing, foreign or changed, or a circuit misses its stored value by more than 1e-9.
    """
    folder = Path(directory)
    manifest = read_manifest(folder)
    if manifest.get("kind") != "collisions":
        raise FileError(f"{folder} must hold a bundle of collisions, but holds another; use check_bundle.")
    model, scheme = rebuild_model(manifest["model"]), CollisionScheme(**manifest["scheme"])
    couplings = site_couplings(manifest["letters"], model.num_sites)
    largest = 0.0
    for index, stored in enumerate(manifest["polarisation"]):
        rng = sample_generator(manifest["seed"], Stream.CIRCUIT, index)
        collisions = scheme.sample(rng, manifest["num_collisions"], len(couplings))
        circuit = _circuit(manifest, model, collisions)
        path = folder / f"sequence_{index:03d}.qasm"
        if path.read_text() != qasm3.dumps(_measured(circuit)):
            raise FileError(f"{path} must be the circuit that the manifest describes, but differs; export it again.")
        if stored is None:
            continue
        save_snapshot(circuit, model, 0, exact=True)
        state = run_with_snapshots(circuit, "density_matrix", 1, 0)["0"]
        deviation = float(np.abs(site_polarisation(np.diag(state).real) - stored).max())
        if deviation > _TOLERANCE:
            raise FileError(f"{path} must give its stored polarisation to 1e-9, but misses it by {deviation:.2g}.")
        largest = max(largest, deviation)
    return largest


def _circuit(recipe: dict[str, Any], model: SpinModel, collisions: Collisions) -> QuantumCircuit:
    return build_collision_circuit(
        model,
        CollisionScheme(**recipe["scheme"]),
        collisions,
        site_couplings(recipe["letters"], model.num_sites),
        initial_bits=recipe["initial_bits"],
        trotter_order=recipe["trotter_order"],
    )


def _measured(circuit: QuantumCircuit) -> QuantumCircuit:
    measured = circuit.copy()
    num_sites = circuit.num_qubits - 1
    register = ClassicalRegister(num_sites, "z")
    measured.add_register(register)
    measured.measure(range(num_sites), register)
    return measured


def _exact(recipe: dict[str, Any], model: SpinModel, collisions: Collisions) -> NDArray[np.float64]:
    """Return <Z_j> after the sequence by dense matrices."""
    scheme = CollisionScheme(**recipe["scheme"])
    groups, order = order_groups(model.hamiltonian), recipe["trotter_order"]
    step = step_unitary(model.hamiltonian, model.num_sites, scheme.spacing, groups=groups, order=order)
    start = build_initial_state(recipe["initial_bits"]).astype(np.complex128)
    state = collide(start, collisions, scheme, step, site_couplings(recipe["letters"], model.num_sites))
    return site_polarisation(np.diag(state).real.copy())
