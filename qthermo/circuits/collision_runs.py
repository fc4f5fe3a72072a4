"""Random sequences of collisions on Aer: by density matrix, by trajectories, or by matrix product states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit, QuantumRegister
from qiskit.quantum_info import SparsePauliOp

from qthermo.answers import Answer
from qthermo.circuits.aer import AER_OPTIONS, check_result
from qthermo.circuits.builder import named_registers
from qthermo.circuits.collision_builder import CollisionWriter
from qthermo.circuits.collisions import build_scheme, path_answer, spin_model
from qthermo.circuits.qubit_order import from_qubit_order, to_sparse_pauli_op
from qthermo.kms.energy_basis import site_couplings
from qthermo.models import SpinModel
from qthermo.problems import Relaxation, relaxation_answer
from qthermo.progress import Progress
from qthermo.seeds import Stream, sample_generator, spawn_seed

if TYPE_CHECKING:
    from qthermo.circuits.collision_circuit import CollisionCircuit

__all__ = ["run_sequences", "run_with_snapshots", "save_snapshot"]

_METHODS = {"density_matrix": "density_matrix", "trajectories": "statevector", "mps": "matrix_product_state"}


def run_sequences(method: CollisionCircuit, problem: Relaxation, progress: Progress) -> Answer:
    """Return the average over sequences and its standard error."""
    model = spin_model(problem)
    scheme = build_scheme(method, problem.beta)
    couplings = site_couplings(problem.couplings, model.num_sites)
    unit = scheme.time_per_collision(len(couplings))
    counts = np.rint(problem.times / unit).astype(int)
    samples = []
    for index in range(method.num_sequences):
        progress(index / method.num_sequences, f"sequence {index + 1} of {method.num_sequences}")
        rng = sample_generator(method.seed, Stream.CIRCUIT, index)
        collisions = scheme.sample(rng, int(counts[-1]), len(couplings))
        circuit = QuantumCircuit(*named_registers(model.num_sites), QuantumRegister(1, "ancilla"), name="collisions")
        _prepare(circuit, str(problem.initial_state))
        writer = CollisionWriter(circuit, model, scheme, couplings, method.trotter_order)
        done = 0
        for label, count in enumerate(counts):
            for place in range(done, count):
                writer.collide(int(collisions.couplings[place]), float(collisions.frequencies[place]))
            done = int(count)
            save_snapshot(circuit, model, label, exact=method.protocol == "density_matrix")
        seed = spawn_seed(method.seed, Stream.SIMULATOR, index)
        samples.append(run_with_snapshots(circuit, method.protocol, method.num_shots, seed))
    diagnostics = {"num_collisions": counts.tolist(), "time_per_collision": unit, "num_sequences": len(samples)}
    return average_answer(problem, samples, diagnostics, exact=method.protocol == "density_matrix")


def _prepare(circuit: QuantumCircuit, bits: str) -> None:
    for site, bit in enumerate(bits):
        if bit == "1":
            circuit.x(site)


def save_snapshot(circuit: QuantumCircuit, model: SpinModel, label: int, *, exact: bool) -> None:
    """Save the system's density matrix, or <Z_j> of all sites and <H>."""
    import qiskit_aer.library  # noqa: F401  (gives circuits their save_ methods)

    sites = list(range(model.num_sites))
    if exact:
        circuit.save_density_matrix(sites, label=f"{label}")
        return
    for site in sites:
        circuit.save_expectation_value(SparsePauliOp("Z"), [site], label=f"{label}:{site}")
    energy = to_sparse_pauli_op(model.hamiltonian, model.num_sites)
    circuit.save_expectation_value(energy, sites, label=f"{label}:energy")


def run_with_snapshots(circuit: QuantumCircuit, protocol: str, num_shots: int, seed: int) -> dict[str, NDArray[Any]]:
    """Run on Aer and return what was saved, density matrices in qthermo's order.

    Raises:
        ExecutionError: Aer did not finish.
    """
    from qiskit_aer import AerSimulator

    simulator = AerSimulator(method=_METHODS[protocol], **AER_OPTIONS)
    shots = 1 if protocol == "density_matrix" else num_shots
    result = simulator.run(circuit, shots=shots, seed_simulator=seed).result()
    check_result(result, circuit)
    saved = {}
    for name, value in result.data(0).items():
        array = np.asarray(value)
        saved[name] = from_qubit_order(array) if array.ndim == 2 else array.real
    return saved


def average_answer(
    problem: Relaxation, samples: Sequence[dict[str, NDArray[Any]]], diagnostics: dict[str, Any], *, exact: bool
) -> Answer:
    """Return means over the samples; with density matrices also trace distance and entropy of the mean state."""
    times, sites = range(problem.times.size), range(problem.model.dimension.bit_length() - 1)
    if exact:
        stacks = np.array([[sample[f"{k}"] for k in times] for sample in samples])
        each = [path_answer(problem, list(stack), {}).variables["polarisation"].values for stack in stacks]
        spread = np.std(each, axis=0, ddof=1) / np.sqrt(len(samples)) if len(samples) > 1 else np.zeros_like(each[0])
        return path_answer(problem, list(stacks.mean(axis=0)), diagnostics, {"stderr": spread})
    z = np.array([[[sample[f"{k}:{j}"] for j in sites] for k in times] for sample in samples])
    energy = np.array([[sample[f"{k}:energy"] for k in times] for sample in samples])
    values = {
        "polarisation": z.mean(axis=0),
        "energy": energy.mean(axis=0),
        "stderr": z.std(axis=0, ddof=1) / np.sqrt(len(samples)),
    }
    return relaxation_answer(problem, values, diagnostics=diagnostics)
