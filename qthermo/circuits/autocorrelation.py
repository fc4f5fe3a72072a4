"""C(t) of a Trotter circuit at infinite temperature, by each protocol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qthermo.circuits.aer import run_sampler, run_snapshots
from qthermo.circuits.measurement import (
    build_deferred_circuit,
    build_measured_circuit,
    build_snapshot_circuit,
    estimate_correlator,
    shot_products,
)
from qthermo.models import SpinModel
from qthermo.progress import Progress
from qthermo.seeds import Stream, sample_generator, spawn_seed

__all__ = ["TrotterGrid", "build_grid", "coarsen", "exact_correlator", "haar_correlators", "shot_correlator"]


@dataclass(frozen=True, slots=True)
class TrotterGrid:
    """For each time the number of steps and their length, num_steps * time_steps = times."""

    num_steps: NDArray[np.int64]
    time_steps: NDArray[np.float64]

    def by_step(self) -> list[tuple[float, NDArray[np.int64]]]:
        """Return pairs of a step length and the indices of the times that share it, ascending, without t = 0."""
        keys = np.array([float(f"{step:.12g}") for step in self.time_steps])
        moving = np.flatnonzero(self.num_steps)
        groups = [moving[keys[moving] == key] for key in np.unique(keys[moving])]
        return [(float(self.time_steps[indices].mean()), indices) for indices in groups]


def build_grid(times: NDArray[np.float64], time_step: float) -> TrotterGrid:
    """Return the fewest equal steps of at most `time_step` (to 1e-9 of it) that reach each time."""
    counts = np.ceil(times / time_step - 1e-9).astype(np.int64)
    counts = np.maximum(counts, times > 0)
    return TrotterGrid(counts, np.divide(times, counts, out=np.zeros_like(times), where=counts > 0))


def coarsen(grid: TrotterGrid, times: NDArray[np.float64]) -> TrotterGrid:
    """Return the grid with half as many steps, or twice as many where there is only one."""
    counts = np.where(grid.num_steps == 1, 2, (grid.num_steps + 1) // 2)  # t = 0 keeps its 0
    return TrotterGrid(counts, np.divide(times, counts, out=np.zeros_like(times), where=counts > 0))


def exact_correlator(model: SpinModel, grid: TrotterGrid, order: int, layout: str) -> NDArray[np.float64]:
    """Return C(t) = Tr[Z_0 U^dagger Z_0 U] / D from a purified bath; cost 4^num_sites / 2 per gate."""

    def run(time_step: float, counts: list[int]) -> NDArray[np.float64]:
        circuit = build_snapshot_circuit(
            model, num_steps=counts, trotter_order=order, layout=layout, time_step=time_step
        )
        return run_snapshots(circuit, seed=0)

    return _over_grid(grid, run)


def haar_correlators(
    model: SpinModel, grid: TrotterGrid, order: int, layout: str, *, num_states: int, seed: int, progress: Progress
) -> NDArray[np.float64]:
    """Return <Z_0(t)> of `num_states` Haar-random bath states, shape (num_states, time); each averages to C(t).

    Cost: 2^num_sites per gate and state.
    """
    rows = []
    for k in range(num_states):
        progress(k / num_states, "random states")
        state = _haar_state(2**model.num_bath_sites, seed, k)

        def run(time_step: float, counts: list[int], state: NDArray[np.complex128] = state) -> NDArray[np.float64]:
            circuit = build_snapshot_circuit(
                model, num_steps=counts, trotter_order=order, layout=layout, time_step=time_step, bath_state=state
            )
            return run_snapshots(circuit, seed=0)

        rows.append(_over_grid(grid, run))
    return np.array(rows)


def shot_correlator(
    model: SpinModel,
    grid: TrotterGrid,
    order: int,
    layout: str,
    *,
    num_shots: int,
    seed: int,
    deferred: bool,
    progress: Progress,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return C(t) and its standard error from `num_shots` shots at each time."""
    build = build_deferred_circuit if deferred else build_measured_circuit
    pairs = []
    for k, (count, time_step) in enumerate(zip(grid.num_steps, grid.time_steps, strict=True)):
        progress(k / grid.num_steps.size, "sampling")
        circuit = build(model, num_steps=int(count), trotter_order=order, layout=layout, time_step=float(time_step))
        data = run_sampler(circuit, num_shots=num_shots, seed=spawn_seed(seed, Stream.SIMULATOR, k))
        pairs.append(estimate_correlator(shot_products(data.z_initial.array, data.z_final.array)))
    correlator, stderr = np.array(pairs).T
    return correlator, stderr


def _over_grid(grid: TrotterGrid, run: Callable[[float, list[int]], NDArray[np.float64]]) -> NDArray[np.float64]:
    values = np.ones(grid.num_steps.size)
    for time_step, indices in grid.by_step():
        values[indices] = run(time_step, [int(count) for count in grid.num_steps[indices]])
    return values


def _haar_state(dimension: int, seed: int, index: int) -> NDArray[np.complex128]:
    rng = sample_generator(seed, Stream.STATES, index)
    state: NDArray[np.complex128] = rng.standard_normal(dimension) + 1j * rng.standard_normal(dimension)
    return state / np.linalg.norm(state)
