"""Circuits that measure C(t), and what their counts mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qthermo.circuits.builder import TrotterWriter, build_trotter_circuit, named_registers
from qthermo.models import SpinModel

__all__ = [
    "build_deferred_circuit",
    "build_measured_circuit",
    "build_snapshot_circuit",
    "estimate_correlator",
    "shot_products",
]


def build_measured_circuit(
    model: SpinModel,
    *,
    num_steps: int,
    trotter_order: int = 2,
    layout: str = "line",
    time_step: float | None = None,
) -> QuantumCircuit:
    """Return the circuit whose counts average to C(t) at infinite temperature, t = num_steps * time_step.

    Hadamards on all qubits and a measurement of all into `z_initial` draw a basis state at random; after the evolution
    the thermometer alone is measured into `z_final`. C(t) is the average of z_0(0) z_0(t) with z = (-1)^bit; bit 0 of
    `z_initial` is the thermometer's.

    Args:
        model: a spin model; site k is qubit k.
        num_steps: number of Trotter steps.
        trotter_order: 1, 2 or 4.
        layout: as for `build_trotter_circuit`.
        time_step: the step; by default the Parameter "time_step" stays free.

    Raises:
        InputError: an argument is out of range.
    """
    evolution = build_trotter_circuit(
        model, num_steps=num_steps, trotter_order=trotter_order, layout=layout, time_step=time_step
    )
    n = model.num_sites
    initial, final = ClassicalRegister(n, "z_initial"), ClassicalRegister(1, "z_final")
    circuit = QuantumCircuit(*named_registers(n), initial, final, name="autocorrelation")
    circuit.h(range(n))
    circuit.measure(range(n), initial)
    circuit.compose(evolution, qubits=range(n), inplace=True)
    circuit.measure(evolution.metadata["final_permutation"][0], final[0])
    circuit.metadata = {**evolution.metadata, "estimator": "mean of (-1)^(z_initial[0] + z_final[0])"}
    return circuit


def build_deferred_circuit(
    model: SpinModel, *, num_steps: int, trotter_order: int, layout: str, time_step: float
) -> QuantumCircuit:
    """Return a circuit with the statistics of `build_measured_circuit` and all measurements at its end.

    The basis state is copied to a register `reference` instead of being measured: a simulator then samples all shots
    from one state of 2 num_sites qubits.
    """
    n = model.num_sites
    reference = QuantumRegister(n, "reference")
    initial, final = ClassicalRegister(n, "z_initial"), ClassicalRegister(1, "z_final")
    circuit = QuantumCircuit(*named_registers(n), reference, initial, final, name="autocorrelation_deferred")
    circuit.h(reference)
    circuit.cx(reference, range(n))
    writer = TrotterWriter(circuit, model, scale=time_step, trotter_order=trotter_order, layout=layout)
    writer.evolve(num_steps)
    circuit.measure(reference, initial)
    circuit.measure(writer.wires[0], final[0])
    return circuit


def build_snapshot_circuit(
    model: SpinModel,
    *,
    num_steps: Sequence[int],
    trotter_order: int,
    layout: str,
    time_step: float,
    bath_state: NDArray[np.complex128] | None = None,
) -> QuantumCircuit:
    """Return an Aer circuit that saves <Z_0> under the labels "0", "1", .. after each count of `num_steps` (ascending).

    The thermometer starts in |0>. The bath starts in `bath_state` (qiskit's index order), or maximally mixed, purified
    by a register `reference` of as many qubits; then <Z_0(t)> = 2 Tr[P_0 Z_0(t)] / D = C(t), since Tr Z_0(t) = 0.
    """
    import qiskit_aer.library  # noqa: F401  (gives circuits their save_ and set_ methods)
    from qiskit.quantum_info import SparsePauliOp

    n = model.num_sites
    registers = named_registers(n)
    if bath_state is None and n > 1:
        registers.append(QuantumRegister(n - 1, "reference"))
    circuit = QuantumCircuit(*registers, name="snapshots")
    if bath_state is not None:
        circuit.set_statevector(np.kron(bath_state, np.array([1.0, 0.0])))
    else:
        for site in range(1, n):
            circuit.h(n - 1 + site)
            circuit.cx(n - 1 + site, site)
    writer = TrotterWriter(circuit, model, scale=time_step, trotter_order=trotter_order, layout=layout)
    done = 0
    for label, count in enumerate(num_steps):
        writer.evolve(count - done)
        done = count
        circuit.save_expectation_value(SparsePauliOp("Z"), [writer.wires[0]], label=str(label))
    return circuit


def shot_products(z_initial: NDArray[np.uint8], z_final: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return z_0(0) z_0(t) of each shot from packed bits, shape (shots, bytes), the last byte holding bit 0."""
    parity = (z_initial[:, -1] ^ z_final[:, -1]) & 1
    return 1.0 - 2.0 * parity.astype(np.float64)


def estimate_correlator(products: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean of +-1 products and its standard error sqrt((1 - C^2) / shots).

    Where all shots agree the formula would claim no error; the rule of succession (one more shot of each kind) is used
    in the error then.
    """
    shots = products.size
    mean = float(products.mean())
    spread = 1 - mean**2 if abs(mean) < 1 else 1 - (shots / (shots + 2)) ** 2
    return mean, float(np.sqrt(spread / shots))
