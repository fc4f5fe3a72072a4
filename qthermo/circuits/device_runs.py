"""Running on devices and their noisy simulations: compile, cut to the qubits in use, hand to a V2 primitive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import QuantumCircuit

from qthermo.circuits.aer import AER_OPTIONS, check_result
from qthermo.circuits.builder import write_evolution
from qthermo.circuits.compilation import compile_circuit, find_target
from qthermo.circuits.measurement import start_from_bits
from qthermo.circuits.noise import build_noise_model, compact_circuit
from qthermo.circuits.writer import Evolution

__all__ = ["DeviceCircuit", "noisy_backend", "prepare_for_device", "run_density_matrix"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCircuit:
    """A compiled circuit, and the same on the qubits it uses with their noise.

    Args:
        isa: the circuit in the device's own qubits, for the device.
        compact: the circuit on its used qubits, for a simulator.
        noise_model: Aer's noise model of those qubits.
        order: physical qubit of each compact one.
    """

    isa: QuantumCircuit
    compact: QuantumCircuit
    noise_model: Any
    order: list[int]


def prepare_for_device(circuit: QuantumCircuit, device: Any, *, seed: int = 0) -> DeviceCircuit:
    """Compile a circuit for a device and cut it to the qubits it uses, with their noise.

    Raises:
        InputError: the device is unknown or too small.
    """
    _, target = find_target(device)
    compiled = compile_circuit(circuit, target, seed=seed)
    compact, order = compact_circuit(compiled.circuit, list(compiled.physical_qubits))
    return DeviceCircuit(
        isa=compiled.circuit, compact=compact, noise_model=build_noise_model(target, order), order=order
    )


def noisy_backend(circuit: DeviceCircuit, *, method: str) -> Any:
    """Return an AerSimulator with the noise of the circuit's qubits."""
    from qiskit_aer import AerSimulator

    return AerSimulator(method=method, noise_model=circuit.noise_model, **AER_OPTIONS)


def run_density_matrix(evolution: Evolution, num_steps: int, time_step: float, device: Any, seed: int) -> float:
    """Return C(t) of the noisy device by density matrices, without shot noise; readout errors are left out.

    Raises:
        ExecutionError: Aer did not finish.
    """
    import qiskit_aer.library  # noqa: F401  (gives circuits their save_ and set_ methods)
    from qiskit.quantum_info import SparsePauliOp

    circuit = start_from_bits(write_evolution(evolution, num_steps, time_step))
    bound = circuit.assign_parameters(dict.fromkeys(circuit.parameters, 0.0))
    prepared = prepare_for_device(bound, device, seed=seed)
    body = prepared.compact.remove_final_measurements(inplace=False)
    measured = next(item for item in prepared.compact.data if item.operation.name == "measure")
    final = prepared.compact.find_bit(measured.qubits[0]).index
    n, total = evolution.model.num_sites, body.num_qubits
    value = 0.0
    for level, weight in ((0, 0.5), (1, -0.5)):
        run = QuantumCircuit(total, name="noisy_density_matrix")
        run.set_density_matrix(_mixed_bath(n, total, level))
        run.compose(body, range(total), inplace=True)
        run.save_expectation_value(SparsePauliOp("Z"), [final], label="0")
        result = noisy_backend(prepared, method="density_matrix").run(run, shots=1).result()
        check_result(result, run)
        value += weight * float(np.real(result.data(0)["0"]))
    return value


def _mixed_bath(num_sites: int, num_qubits: int, level: int) -> Any:
    """Return |level><level| on qubit 0, the identity over 2^(n-1) on the other sites, |0> on qubits beyond."""
    diagonal = np.zeros(2**num_qubits)
    indices = np.arange(2**num_sites)
    diagonal[indices[(indices & 1) == level]] = 2.0 ** (1 - num_sites)
    return np.diag(diagonal).astype(complex)
