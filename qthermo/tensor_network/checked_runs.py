"""The loop of every evolution: evolutions side by side, errors from their differences, a stop, and checkpoints."""

from __future__ import annotations

import time as clock
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import NotConvergedWarning
from qthermo.progress import Progress
from qthermo.tensor_network.checkpoint import load_checkpoint, save_checkpoint
from qthermo.tensor_network.entanglement_record import EntanglementRecord
from qthermo.tensor_network.run_estimate import measure_speed

__all__ = ["ASKED", "CHECKS", "KNOBS", "Check", "CheckedRuns", "warn_if_lost"]

Run = TypeVar("Run", bound="Evolving")
KNOBS = {"truncation_error": "raise max_bond_dim", "trotter_error": "shorten time_step"}


class Evolving(Protocol):
    """What `CheckedRuns` drives."""

    def advance(self, time: float) -> None:
        """Evolve to `time`."""

    @property
    def max_bond(self) -> int:
        """The largest bond dimension now."""
        ...

    def count_multiplications(self, times: NDArray[np.float64]) -> float:
        """Return the real multiplications through `times`, were every bond full."""
        ...

    def entanglement(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return entropy (nats) and dimension of every bond."""
        ...

    def to_record(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return all that `load_record` needs to go on exactly: JSON values and arrays."""
        ...

    def load_record(self, state: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Take over what `to_record` returned."""


@dataclass(frozen=True, slots=True)
class Check:
    """How a run differs from the one asked for: `bond_divisor` divides chi, the others multiply cutoff and steps."""

    bond_divisor: int = 1
    cutoff_factor: float = 1.0
    refinement: int = 1

    def bond(self, max_bond_dim: int) -> int:
        """Return the bond dimension of this run."""
        return max_bond_dim if self.bond_divisor == 1 else max(max_bond_dim // self.bond_divisor, 2)


ASKED = Check()
CHECKS = (ASKED, Check(2, 100.0, 1), Check(2, 0.01, 1), Check(2, 0.01, 2))
"""The run asked for; a coarser truncation; and a sharp cutoff at chi/2, whole and half steps, for the step's error."""


@dataclass(slots=True)
class CheckedRuns(Generic[Run]):
    """Evolutions side by side: the one asked for alone, or all of `CHECKS`.

    Args:
        runs: one evolution, or one for each of `CHECKS`.
        order: Suzuki order, which sets how the step's error follows from halving it.
        tolerance: largest estimated error accepted.
        stop: whether to end where it is exceeded.
        checkpoint: file written after every time, or None.
        key: fingerprint of the run.
        record: takes the entanglement of the first run at every time, or None.
        floor: the least truncation error to report, from the run asked for; None where the difference suffices.

    `estimated_seconds` is a rough bound, known before the first step: full bonds at the speed of a matrix product.
    """

    runs: Sequence[Run]
    order: int
    tolerance: float
    stop: bool = True
    checkpoint: str | None = None
    key: str = ""
    record: EntanglementRecord | None = None
    floor: Callable[[Run], float] | None = None
    estimated_seconds: float = 0.0
    _floors: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def measure(
        self,
        times: NDArray[np.float64],
        measure: Callable[[Run], Any],
        progress: Progress,
        *,
        dtype: Any = np.float64,
        shape: tuple[int, ...] = (),
    ) -> tuple[NDArray[Any], dict[str, NDArray[np.float64]]]:
        """Return values and errors at `times`; NaN after a stop.

        Args:
            times: the times to evolve to, ascending.
            measure: maps an evolution to a number, or to an array of `shape`.
            progress: see `qthermo.solve`.
            dtype: type of the numbers.
        """
        values = np.full((len(self.runs), times.size, *shape), np.nan, dtype)
        self._floors = np.zeros((times.size, *[1] * len(shape)))
        done = self._resume(values)
        work = sum(run.count_multiplications(times[done:]) for run in self.runs)
        self.estimated_seconds = float(f"{work / measure_speed():.2g}")
        started = clock.perf_counter()
        for k in range(done, times.size):
            progress(k / times.size, self._describe(times, k, done, started))
            if k > 0 and self.stop and self._is_lost(values, k - 1):
                break
            for row, run in enumerate(self.runs):
                run.advance(float(times[k]))
                values[row, k] = measure(run)
            self._floors[k] = 0.0 if self.floor is None else self.floor(self.runs[0])
            if self.record is not None:
                self.record.take(k, *self.runs[0].entanglement())
            self._save(values, k + 1)
        return values[0], self.errors(values, self._floors)

    def errors(self, values: NDArray[Any], floors: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return the error estimates of the first row of `values`, each the largest up to its time."""
        if len(values) < len(CHECKS):
            return {}
        richardson = 2.0**self.order / (2.0**self.order - 1)
        return {
            "truncation_error": np.maximum.accumulate(np.maximum(np.abs(values[0] - values[1]), floors)),
            "trotter_error": np.maximum.accumulate(richardson * np.abs(values[2] - values[3])),
        }

    def _is_lost(self, values: NDArray[Any], k: int) -> bool:
        errors = self.errors(values[:, k : k + 1], self._floors[k : k + 1])
        return any(float(np.max(error)) > self.tolerance for error in errors.values())

    def _describe(self, times: NDArray[np.float64], k: int, first: int, started: float) -> str:
        bond = max(run.max_bond for run in self.runs)
        words = f"time {times[k]:g}, bond dimension {bond}"
        if k == first:
            return f"{words}, at most about {self.estimated_seconds:g} s"
        left = (clock.perf_counter() - started) / (k - first) * (times.size - k)
        return f"{words}, about {left:.0f} s left at this pace"

    def _save(self, values: NDArray[Any], done: int) -> None:
        if self.checkpoint is None:
            return
        arrays, states = {"values": values, "floors": self._floors}, []
        for row, run in enumerate(self.runs):
            state, tensors = run.to_record()
            states.append(state)
            arrays |= {f"{row}/{name}": tensor for name, tensor in tensors.items()}
        arrays |= self.record.to_arrays() if self.record is not None else {}
        save_checkpoint(self.checkpoint, self.key, arrays, {"done": done, "runs": states})

    def _resume(self, values: NDArray[Any]) -> int:
        stored = load_checkpoint(self.checkpoint, self.key) if self.checkpoint is not None else None
        if stored is None:
            return 0
        arrays, state = stored
        values[:], self._floors = arrays["values"], arrays["floors"]
        if self.record is not None:
            self.record.load_arrays(arrays)
        for row, (run, record) in enumerate(zip(self.runs, state["runs"], strict=True)):
            prefix = f"{row}/"
            tensors = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
            run.load_record(record, tensors)
        return int(state["done"])


def warn_if_lost(
    times: NDArray[np.float64], errors: dict[str, NDArray[np.float64]], tolerance: float, *, stopped: bool, what: str
) -> None:
    """Warn where an error first exceeds the tolerance, and name the knob."""
    for name, error in errors.items():
        lost = np.flatnonzero(error > tolerance)
        if lost.size:
            fate = "; later values are NaN" if stopped and lost[0] + 1 < times.size else ""
            warnings.warn(
                f"The {name} of {what} must stay below tolerance = {tolerance:g}, but is {error[lost[0]]:.2g} at "
                f"time {times[lost[0]]:g}{fate}: {_name_knob(name, errors, int(lost[0]))}.",
                NotConvergedWarning,
                stacklevel=2,
            )


def _name_knob(name: str, errors: dict[str, NDArray[np.float64]], k: int) -> str:
    """Name the knob; truncation also blurs the estimate of the step's error, which then may not be to blame."""
    if name == "trotter_error" and errors["truncation_error"][k] > 0.2 * errors[name][k]:
        return f"{KNOBS['truncation_error']}, and if that does not help {KNOBS[name]}"
    return KNOBS[name]
