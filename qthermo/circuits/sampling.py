"""C(t) from shots: mid-circuit measurement, random product states, purified thermal states; by any V2 primitive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit

from qthermo.circuits.aer import run_estimator, run_sampler
from qthermo.circuits.autocorrelation import TrotterGrid
from qthermo.circuits.builder import write_evolution
from qthermo.circuits.compilation import compile_circuit
from qthermo.circuits.device_runs import noisy_backend, prepare_for_device
from qthermo.circuits.measurement import (
    build_deferred_circuit,
    build_purified_circuit,
    estimate_correlator,
    measure_twice,
    shot_products,
    start_from_bits,
)
from qthermo.circuits.purification import purify_thermal
from qthermo.circuits.writer import Evolution
from qthermo.progress import Progress
from qthermo.seeds import Stream, sample_generator, spawn_seed

__all__ = ["Sampling", "estimator_correlator", "product_correlator", "shot_correlator", "thermal_shot_correlator"]

_Pair = tuple[NDArray[Any], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How shots are taken.

    Args:
        num_shots: shots per time.
        seed: seed of the simulator and of random basis states.
        device: what to compile for and, without `sampler`, whose noise to simulate; None for ideal circuits.
        sampler: a V2 sampler or estimator of the user's; None for Aer's.
        deferred: sample initial bits from reference qubits (ideal simulation only).
        progress: told of each time.
    """

    num_shots: int
    seed: int
    device: Any = None
    sampler: Any = None
    deferred: bool = False
    progress: Progress


def shot_correlator(evolution: Evolution, grid: TrotterGrid, how: Sampling) -> _Pair:
    """Return C(t) and its standard error from mid-circuit-measured circuits, `num_shots` shots at each time."""

    def build(count: int, step: float) -> QuantumCircuit:
        if how.deferred:
            return build_deferred_circuit(evolution, num_steps=count, time_step=step)
        return measure_twice(write_evolution(evolution, count, step))

    return _over_times(grid, how, lambda k, count, step: estimate_correlator(_shot_data(build(count, step), k, how)))


def product_correlator(evolution: Evolution, grid: TrotterGrid, how: Sampling) -> _Pair:
    """Return C(t) and its standard error from `num_shots` random basis states with one shot each.

    Equal basis states share a job: m of them are one state with m shots.
    """

    def estimate(k: int, count: int, step: float) -> tuple[float, float]:
        circuit = _ready(start_from_bits(write_evolution(evolution, count, step)), how)
        bits = _random_bits(evolution.model.num_sites, how.num_shots, how.seed, k)
        products = []
        for shots, states in _by_multiplicity(bits):
            angles = (np.pi * states).astype(np.float64)
            data = run_sampler(
                circuit.circuit,
                num_shots=shots,
                seed=spawn_seed(how.seed, Stream.SIMULATOR, k),
                sampler=circuit.sampler,
                parameter_values=angles,
            )
            z_final = 1.0 - 2.0 * (data.z_final.array[..., -1] & 1)
            products.append(((1.0 - 2.0 * states[:, :1]) * z_final).ravel())
        return estimate_correlator(np.concatenate(products))

    return _over_times(grid, how, estimate)


def estimator_correlator(evolution: Evolution, grid: TrotterGrid, how: Sampling, num_states: int) -> _Pair:
    """Return C(t) and its standard error over random basis states, each <Z_0(t)> by a V2 estimator."""
    from qiskit.quantum_info import SparsePauliOp

    def estimate(k: int, count: int, step: float) -> tuple[float, float]:
        circuit = start_from_bits(write_evolution(evolution, count, step), measure=False)
        wire = circuit.metadata["final_permutation"][0]
        observable = SparsePauliOp.from_sparse_list([("Z", [wire], 1.0)], circuit.num_qubits)
        if how.device is not None:
            circuit = compile_circuit(circuit, how.device, seed=how.seed).circuit
            observable = observable.apply_layout(circuit.layout)
        bits = _random_bits(evolution.model.num_sites, num_states, how.seed, k)
        angles = (np.pi * bits).astype(np.float64)
        values = run_estimator(circuit, observable, angles, how.sampler, (num_states / how.num_shots) ** 0.5)
        products = (1.0 - 2.0 * bits[:, 0]) * values
        return float(products.mean()), float(products.std(ddof=1) / np.sqrt(num_states))

    return _over_times(grid, how, estimate)


def thermal_shot_correlator(evolution: Evolution, grid: TrotterGrid, how: Sampling, beta: float) -> _Pair:
    """Return the complex C(t) and its standard error from purified thermal states, three circuits per time."""
    state = purify_thermal(evolution.model, beta)

    def estimate(k: int, count: int, step: float) -> tuple[complex, float]:
        values, spreads = [], []
        for part, kick in enumerate((None, np.pi / 2, -np.pi / 2)):
            circuit = build_purified_circuit(evolution, state, num_steps=count, time_step=step, kick=kick)
            data = _run(circuit, 3 * k + part, how)
            first = np.zeros_like(data.z_final.array) if kick is not None else data.z_initial.array
            value, spread = estimate_correlator(shot_products(first, data.z_final.array))
            values.append(value)
            spreads.append(spread)
        variance = spreads[0] ** 2 + (spreads[1] ** 2 + spreads[2] ** 2) / 4
        return complex(values[0], (values[1] - values[2]) / 2), float(np.sqrt(variance))

    return _over_times(grid, how, estimate)


def _over_times(
    grid: TrotterGrid, how: Sampling, estimate: Callable[[int, int, float], tuple[complex, float]]
) -> _Pair:
    pairs = []
    for k, (count, step) in enumerate(zip(grid.num_steps, grid.time_steps, strict=True)):
        how.progress(k / grid.num_steps.size, "sampling")
        pairs.append(estimate(k, int(count), float(step)))
    values, spreads = zip(*pairs, strict=True)
    return np.array(values), np.array(spreads)


def _shot_data(circuit: QuantumCircuit, index: int, how: Sampling) -> NDArray[np.float64]:
    data = _run(circuit, index, how)
    return shot_products(data.z_initial.array, data.z_final.array)


def _run(circuit: QuantumCircuit, index: int, how: Sampling) -> Any:
    ready = _ready(circuit, how)
    seed = spawn_seed(how.seed, Stream.SIMULATOR, index)
    return run_sampler(ready.circuit, num_shots=how.num_shots, seed=seed, sampler=ready.sampler)


@dataclass(frozen=True, slots=True)
class _Ready:
    circuit: QuantumCircuit
    sampler: Any


def _ready(circuit: QuantumCircuit, how: Sampling) -> _Ready:
    """Return the circuit as its sampler wants it: compiled for the device, and cut where its noise is simulated."""
    if how.device is None:
        return _Ready(circuit, how.sampler)
    if how.sampler is not None:
        return _Ready(compile_circuit(circuit, how.device, seed=how.seed).circuit, how.sampler)
    prepared = prepare_for_device(circuit, how.device, seed=how.seed)
    return _Ready(prepared.compact, noisy_backend(prepared, method="statevector"))


def _random_bits(num_sites: int, num_states: int, seed: int, index: int) -> NDArray[np.int64]:
    rng = sample_generator(seed, Stream.STATES, index)
    bits: NDArray[np.int64] = rng.integers(0, 2, (num_states, num_sites))
    return bits


def _by_multiplicity(bits: NDArray[np.int64]) -> Sequence[tuple[int, NDArray[np.int64]]]:
    states, counts = np.unique(bits, axis=0, return_counts=True)
    return [(int(shots), states[counts == shots]) for shots in np.unique(counts)]
