"""From times to layers of gates: whole steps between requested times, and gates made once for each step length."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from qthermo.operators import build_schedule, repeat_schedule

__all__ = ["GateCache", "count_steps", "trotter_layers"]

_ROUNDING = 1e-9


def count_steps(interval: float, time_step: float) -> int:
    """Return the least number of equal steps no longer than `time_step` that make up `interval`."""
    return max(1, math.ceil(interval / time_step - _ROUNDING)) if interval > 0 else 0


@dataclass(slots=True)
class GateCache:
    """The gates of all bonds for a factor exp(length G), kept per length.

    Args:
        generators: G_k of every bond, stacked.
        exponentiate: maps (generators, length) to the stacked gates.
    """

    generators: NDArray[Any]
    exponentiate: Callable[[NDArray[Any], float], NDArray[Any]]
    _gates: dict[float, NDArray[Any]] = field(default_factory=dict)

    def gates(self, length: float) -> NDArray[Any]:
        """Return the gates of this length, for every bond."""
        key = float(f"{length:.12e}")
        if key not in self._gates:
            if len(self._gates) >= 64:
                self._gates.clear()
            self._gates[key] = self.exponentiate(self.generators, length)
        return self._gates[key]


def trotter_layers(order: int, interval: float, num_steps: int) -> Iterator[tuple[int, float]]:
    """Yield (parity of the bonds, length) for `num_steps` Suzuki steps over `interval`, neighbours merged."""
    if num_steps == 0:
        return
    step = interval / num_steps
    for stage in repeat_schedule(build_schedule(order, 2), num_steps):
        yield stage.group, stage.weight * step
