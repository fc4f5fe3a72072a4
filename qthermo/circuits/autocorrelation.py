"""C(t) of a Trotter circuit on simulators without shots: full trace, thermal state, random states, noisy device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.circuits.aer import run_snapshots
from qthermo.circuits.measurement import build_snapshot_circuit
from qthermo.circuits.purification import kicked_states, projected_states, purify_thermal
from qthermo.circuits.writer import Evolution
from qthermo.progress import Progress
from qthermo.seeds import Stream, sample_generator

__all__ = [
    "TrotterGrid",
    "build_grid",
    "exact_correlator",
    "fixed_grid",
    "haar_correlators",
    "noisy_correlator",
    "refine",
    "thermal_correlator",
]


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
    return _grid(times, np.maximum(counts, times > 0))


def fixed_grid(times: NDArray[np.float64], num_steps: int) -> TrotterGrid:
    """Return the grid with `num_steps` steps for each time but 0."""
    return _grid(times, np.where(times > 0, num_steps, 0))


def refine(grid: TrotterGrid, factor: int) -> TrotterGrid:
    """Return the grid with `factor` steps for each."""
    return TrotterGrid(factor * grid.num_steps, grid.time_steps / factor)


def _grid(times: NDArray[np.float64], counts: NDArray[np.int64]) -> TrotterGrid:
    return TrotterGrid(counts, np.divide(times, counts, out=np.zeros_like(times), where=counts > 0))


def exact_correlator(
    evolution: Evolution, grid: TrotterGrid, *, max_bond_dim: int | None = None
) -> NDArray[np.float64]:
    """Return C(t) = Tr[Z_0 U^dagger Z_0 U] / D from a purified bath.

    Cost: 4^num_sites / 2 per gate; with `max_bond_dim` chi, by matrix product states, num_sites chi^3 per layer.
    """

    def run(time_step: float, counts: list[int]) -> NDArray[np.float64]:
        circuit = build_snapshot_circuit(
            evolution, num_steps=counts, time_step=time_step, interleaved=max_bond_dim is not None
        )
        return run_snapshots(circuit, max_bond_dim=max_bond_dim)

    return _over_grid(grid, run)


def thermal_correlator(evolution: Evolution, grid: TrotterGrid, beta: float) -> NDArray[np.complex128]:
    """Return the complex C(t) = Tr[rho Z_0(t) Z_0] from the purified thermal state; cost 4 * 4^num_sites per gate."""
    state = purify_thermal(evolution.model, beta)
    total = np.zeros(grid.num_steps.size, np.complex128)
    for unit, parts in ((1.0, projected_states(state)), (1.0j, kicked_states(state))):
        for weight, part in parts:
            total += unit * weight * _from_state(evolution, grid, part)
    return total


def haar_correlators(
    evolution: Evolution, grid: TrotterGrid, *, num_states: int, seed: int, progress: Progress
) -> NDArray[np.float64]:
    """Return <Z_0(t)> of `num_states` Haar-random bath states, shape (num_states, time); each averages to C(t).

    Cost: 2^num_sites per gate and state.
    """
    rows = []
    for k in range(num_states):
        progress(k / num_states, "random states")
        bath = _haar_state(2**evolution.model.num_bath_sites, seed, k)
        rows.append(_from_state(evolution, grid, np.kron(bath, np.array([1.0, 0.0]))))
    return np.array(rows)


def noisy_correlator(evolution: Evolution, grid: TrotterGrid, device: Any, seed: int) -> NDArray[np.float64]:
    """Return C(t) on a noisy device without shot noise, by density matrices of its qubits; cost 4^num_sites per gate.

    The bath is maximally mixed; C is half the difference of <Z_0(t)> for the thermometer in |0> and |1>.
    """
    from qthermo.circuits.device_runs import run_density_matrix

    values = np.ones(grid.num_steps.size)
    for k in np.flatnonzero(grid.num_steps):
        step = float(grid.time_steps[k])
        values[k] = run_density_matrix(evolution, int(grid.num_steps[k]), step, device, seed)
    return values


def _from_state(evolution: Evolution, grid: TrotterGrid, state: NDArray[np.complex128]) -> NDArray[np.float64]:
    def run(time_step: float, counts: list[int]) -> NDArray[np.float64]:
        circuit = build_snapshot_circuit(evolution, num_steps=counts, time_step=time_step, state=state)
        return run_snapshots(circuit)

    values = _over_grid(grid, run)
    still = np.flatnonzero(grid.num_steps == 0)
    if still.size:
        signs = 1.0 - 2.0 * (np.arange(state.size) & 1)
        values[still] = float(signs @ np.abs(state) ** 2)
    return values


def _over_grid(grid: TrotterGrid, run: Callable[[float, list[int]], NDArray[np.float64]]) -> NDArray[np.float64]:
    values = np.ones(grid.num_steps.size)
    for time_step, indices in grid.by_step():
        values[indices] = run(time_step, [int(count) for count in grid.num_steps[indices]])
    return values


def _haar_state(dimension: int, seed: int, index: int) -> NDArray[np.complex128]:
    rng = sample_generator(seed, Stream.STATES, index)
    state: NDArray[np.complex128] = rng.standard_normal(dimension) + 1j * rng.standard_normal(dimension)
    return state / np.linalg.norm(state)
