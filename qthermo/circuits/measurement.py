"""Circuits that measure C(t), and what their counts mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import ParameterVector

from qthermo.circuits.builder import build_trotter_circuit, describe_evolution, named_registers
from qthermo.circuits.light_cone import prune_light_cone
from qthermo.circuits.writer import Evolution, TrotterWriter
from qthermo.models import SpinModel

__all__ = [
    "INITIAL_ANGLE",
    "build_deferred_circuit",
    "build_measured_circuit",
    "build_product_circuit",
    "build_purified_circuit",
    "build_snapshot_circuit",
    "estimate_correlator",
    "measure_twice",
    "shot_products",
    "start_from_bits",
]

INITIAL_ANGLE = "initial_angle"


def build_measured_circuit(
    model: SpinModel,
    *,
    num_steps: int,
    trotter_order: int = 2,
    layout: str = "line",
    time_step: float | None = None,
    fold: int = 1,
    light_cone: bool = False,
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
        fold: as for `build_trotter_circuit`.
        light_cone: leave out the gates outside the thermometer's light cones, on which C(t) does not depend; a chain
            of n sites then costs at most num_steps^2 + O(num_steps) pair gates, however long it is.

    Raises:
        InputError: an argument is out of range.
    """
    evolution = build_trotter_circuit(
        model, num_steps=num_steps, trotter_order=trotter_order, layout=layout, time_step=time_step, fold=fold
    )
    return measure_twice(evolution, light_cone=light_cone)


def measure_twice(evolution: QuantumCircuit, *, light_cone: bool = False) -> QuantumCircuit:
    """Return `build_measured_circuit` around a circuit of `build_trotter_circuit`."""
    if light_cone:
        evolution = prune_light_cone(evolution, 0, evolution.metadata["final_permutation"][0])
    n = evolution.num_qubits
    initial, final = ClassicalRegister(n, "z_initial"), ClassicalRegister(1, "z_final")
    circuit = QuantumCircuit(*named_registers(n), initial, final, name="autocorrelation")
    circuit.h(range(n))
    circuit.measure(range(n), initial)
    circuit.compose(evolution, qubits=range(n), inplace=True, copy=False)
    circuit.measure(evolution.metadata["final_permutation"][0], final[0])
    circuit.metadata = {**evolution.metadata, "estimator": "mean of (-1)^(z_initial[0] + z_final[0])"}
    return circuit


def build_product_circuit(
    model: SpinModel,
    *,
    num_steps: int,
    trotter_order: int = 2,
    layout: str = "line",
    time_step: float | None = None,
    fold: int = 1,
    measure: bool = True,
) -> QuantumCircuit:
    """Return the circuit of a basis state without mid-circuit measurement.

    Parameters initial_angle[k] in {0, pi} flip site k, so that one circuit serves all basis states. C(t) is the average
    of z_0(0) z_0(t) over random ones; for a given number of shots in all, one shot each is best.

    Args:
        model: a spin model; site k is qubit k.
        num_steps: number of Trotter steps.
        trotter_order: 1, 2 or 4.
        layout: as for `build_trotter_circuit`.
        time_step: the step; by default the Parameter "time_step" stays free.
        fold: as for `build_trotter_circuit`.
        measure: measure the thermometer into `z_final`; leave it out for an estimator.

    Raises:
        InputError: an argument is out of range.
    """
    evolution = build_trotter_circuit(
        model, num_steps=num_steps, trotter_order=trotter_order, layout=layout, time_step=time_step, fold=fold
    )
    return start_from_bits(evolution, measure=measure)


def start_from_bits(evolution: QuantumCircuit, *, measure: bool = True) -> QuantumCircuit:
    """Return `build_product_circuit` around a circuit of `build_trotter_circuit`."""
    n = evolution.num_qubits
    circuit = QuantumCircuit(*named_registers(n), name="autocorrelation_product")
    for site, angle in enumerate(ParameterVector(INITIAL_ANGLE, n)):
        circuit.rx(angle, site)
    circuit.compose(evolution, qubits=range(n), inplace=True, copy=False)
    if measure:
        final = ClassicalRegister(1, "z_final")
        circuit.add_register(final)
        circuit.measure(evolution.metadata["final_permutation"][0], final[0])
    circuit.metadata = {**evolution.metadata, "estimator": "mean of cos(initial_angle[0]) (-1)^z_final[0]"}
    return circuit


def build_deferred_circuit(evolution: Evolution, *, num_steps: int, time_step: float) -> QuantumCircuit:
    """Return a circuit with the statistics of `build_measured_circuit` and all measurements at its end.

    The basis state is copied to a register `reference` instead of being measured: a simulator then samples all shots
    from one state of 2 num_sites qubits.
    """
    n = evolution.model.num_sites
    reference = QuantumRegister(n, "reference")
    initial, final = ClassicalRegister(n, "z_initial"), ClassicalRegister(1, "z_final")
    circuit = QuantumCircuit(*named_registers(n), reference, initial, final, name="autocorrelation_deferred")
    circuit.h(reference)
    circuit.cx(reference, range(n))
    writer = TrotterWriter(circuit, evolution, time_step)
    writer.evolve(num_steps)
    circuit.measure(reference, initial)
    circuit.measure(writer.wires[0], final[0])
    return circuit


def build_purified_circuit(
    evolution: Evolution,
    purification: NDArray[np.complex128],
    *,
    num_steps: int,
    time_step: float,
    kick: float | None = None,
) -> QuantumCircuit:
    """Return the circuit that measures C(t) in a purified thermal state of sites and `reference` qubits.

    Without `kick` the thermometer is measured into `z_initial`, evolved, and measured into `z_final`: the average of
    z_0(0) z_0(t) is Re C(t). With `kick` = +-pi/2 the rotation exp(-i kick Z_0 / 2) replaces the first measurement:
    Im C(t) is half the difference of <z_0(t)> between the two.

    Args:
        evolution: what to evolve.
        purification: state of 2 num_sites qubits, qiskit's index order, sites first.
        num_steps: number of steps.
        time_step: the step, 1/energy.
        kick: angle, or None.
    """
    from qiskit.circuit.library import StatePreparation

    n = evolution.model.num_sites
    initial, final = ClassicalRegister(1, "z_initial"), ClassicalRegister(1, "z_final")
    reference = QuantumRegister(n, "reference")
    circuit = QuantumCircuit(*named_registers(n), reference, initial, final, name="autocorrelation_thermal")
    circuit.compose(StatePreparation(purification).definition.decompose(reps=8), range(2 * n), inplace=True)
    if kick is None:
        circuit.measure(0, initial[0])
    else:
        circuit.rz(kick, 0)
    writer = TrotterWriter(circuit, evolution, time_step)
    writer.evolve(num_steps)
    circuit.measure(writer.wires[0], final[0])
    return circuit


def build_snapshot_circuit(
    evolution: Evolution,
    *,
    num_steps: Sequence[int],
    time_step: float,
    state: NDArray[np.complex128] | None = None,
    interleaved: bool = False,
) -> QuantumCircuit:
    """Return an Aer circuit that saves <Z_0> under the labels "0", "1", .. after each count of `num_steps` (ascending).

    With `state` (qiskit's index order, site 0 the lowest bit, any further qubits after the sites) it starts there.
    Without, the thermometer starts in |0> and the bath maximally mixed, purified by a register `reference`; then
    <Z_0(t)> = 2 Tr[P_0 Z_0(t)] / D = C(t), since Tr Z_0(t) = 0. With `interleaved` each reference qubit stands beside
    its site, as matrix product states want it.
    """
    import qiskit_aer.library  # noqa: F401  (gives circuits their save_ and set_ methods)
    from qiskit.quantum_info import SparsePauliOp

    n = evolution.model.num_sites
    inner = QuantumCircuit(n)
    writer = TrotterWriter(inner, evolution, time_step)
    total = 2 * n - 1 if state is None else state.size.bit_length() - 1
    place = [0, *range(1, total, 2)] if interleaved else list(range(n))
    circuit = QuantumCircuit(total, name="snapshots")
    if state is not None:
        circuit.set_statevector(state)
    else:
        references = [k + 1 for k in place[1:]] if interleaved else list(range(n, total))
        for site, reference in zip(place[1:], references, strict=True):
            circuit.h(reference)
            circuit.cx(reference, site)
    done = 0
    for label, count in enumerate(num_steps):
        writer.circuit = QuantumCircuit(n)
        writer.evolve(count - done)
        done = count
        circuit.compose(writer.circuit, place, inplace=True, copy=False)
        circuit.save_expectation_value(SparsePauliOp("Z"), [place[writer.wires[0]]], label=str(label))
    circuit.metadata = describe_evolution(evolution, done, writer.wires)
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
