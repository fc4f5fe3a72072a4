"""How long an evolution may take: a bound from the number of multiplications and the speed of one matrix product."""

from __future__ import annotations

import time as clock

import numpy as np
from numpy.typing import NDArray

from qthermo.tensor_network.trotter_steps import count_steps

__all__ = ["count_all_steps", "full_bonds", "measure_speed"]

_SIDE = 192


def measure_speed() -> float:
    """Return multiplications per second of a product of two real matrices: the best of three, about 2 ms."""
    matrix = np.ones((_SIDE, _SIDE))
    spent = []
    for _ in range(3):
        started = clock.perf_counter()
        matrix @ matrix
        spent.append(clock.perf_counter() - started)
    return float(_SIDE**3 / max(min(spent), 1e-9))


def full_bonds(num_sites: int, dimension: int, max_bond_dim: int) -> NDArray[np.float64]:
    """Return the largest dimension that each bond of a chain with sites of `dimension` can take."""
    left = np.arange(1, num_sites)
    depth = np.minimum(np.minimum(left, num_sites - left), 30)
    return np.minimum(float(dimension) ** depth, float(max_bond_dim))


def count_all_steps(start: float, times: NDArray[np.float64], time_step: float) -> int:
    """Return the steps no longer than `time_step` from `start` through all `times`."""
    intervals = np.diff(np.concatenate([[start], times]))
    return sum(count_steps(float(interval), time_step) for interval in intervals)
