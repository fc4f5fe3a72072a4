"""The loop of every evolution: evolutions side by side, errors from their differences, a stop, and checkpoints."""

from __future__ import annotations

import time as clock
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import NotConvergedWarning
from qthermo.files import refuse_malformed
from qthermo.progress import Progress
from qthermo.tensor_network.checkpoint import load_checkpoint, save_checkpoint
from qthermo.tensor_network.entanglement_record import EntanglementRecord
from qthermo.tensor_network.error_estimates import estimate_errors, mark_times
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

    @property
    def discarded_weight(self) -> float:
        """What every truncation dropped, relative to the norm^2 at its time, in sum."""
        ...

    @property
    def time_step(self) -> float:
        """The longest step."""
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
        return max_bond_dim if self.bond_divisor == 1 else max(max_bond_dim // self.bond_divisor, 1)


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
        error_of_weight: see `estimate_errors`.

    With checks, times that are far apart get marks between them, where the errors are estimated too.
    `estimated_seconds` is a rough bound, known before the first step: full bonds at the speed of a matrix product.
    """

    runs: Sequence[Run]
    order: int
    tolerance: float
    stop: bool = True
    checkpoint: str | None = None
    key: str = ""
    record: EntanglementRecord | None = None
    error_of_weight: float = 0.0
    estimated_seconds: float = 0.0
    _weights: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, 0)))

    def measure(
        self,
        times: NDArray[np.float64],
        measure: Callable[[Run], Any],
        progress: Progress,
        *,
        dtype: Any = np.float64,
        shape: tuple[int, ...] = (),
    ) -> tuple[NDArray[Any], dict[str, NDArray[np.float64]]]:
        """Return values and errors at `times`.

        Where an error first exceeds the tolerance the values end, NaN from there on; the errors end after that time.

        Args:
            times: the times to evolve to, ascending.
            measure: maps an evolution to a number, or to an array of `shape`.
            progress: see `qthermo.solve`.
            dtype: type of the numbers.
            shape: of what is measured at one time.
        """
        marks, places = self._mark(times)
        values = np.full((len(self.runs), marks.size, *shape), np.nan, dtype)
        self._weights = np.zeros((2, marks.size))
        done = self._resume(marks, values)
        work = sum(run.count_multiplications(marks[done:]) for run in self.runs)
        self.estimated_seconds = float(f"{work / measure_speed():.2g}")
        started = clock.perf_counter()
        errors: list[dict[str, NDArray[np.float64]]] = []
        for k in range(done):
            self._estimate(errors, values, k)
        for k in range(done, marks.size):
            progress(k / marks.size, self._describe(marks, k, done, started))
            if errors and self._is_lost(errors):
                break
            self._advance(values, marks, k, measure)
            self._estimate(errors, values, k)
            if self.record is not None and k in places:
                self.record.take(int(np.searchsorted(places, k)), *self.runs[0].entanglement())
            self._save(values, k + 1)
        return self._answer(values[0], errors, places)

    def _mark(self, times: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        if len(self.runs) < len(CHECKS):
            return times, np.arange(times.size)
        return mark_times(times, self.runs[0].time_step)

    def _advance(self, values: NDArray[Any], marks: NDArray[np.float64], k: int, measure: Callable[[Run], Any]) -> None:
        for row, run in enumerate(self.runs):
            run.advance(float(marks[k]))
            values[row, k] = measure(run)
            if row < len(self._weights):
                self._weights[row, k] = run.discarded_weight

    def _estimate(self, errors: list[dict[str, NDArray[np.float64]]], values: NDArray[Any], k: int) -> None:
        """Add the errors at mark k, each the largest so far."""
        found: dict[str, NDArray[np.float64]] = {}
        if len(values) == len(CHECKS):
            now = slice(k, k + 1)
            found = estimate_errors(
                values[:, now], self._weights[:, now], self.order, error_of_weight=self.error_of_weight
            )
        before = errors[-1] if errors else {}
        errors.append({name: np.maximum(error[0], before.get(name, 0.0)) for name, error in found.items()})

    def _is_lost(self, errors: list[dict[str, NDArray[np.float64]]]) -> bool:
        return self.stop and any(float(np.max(error)) > self.tolerance for error in errors[-1].values())

    def _answer(
        self, values: NDArray[Any], errors: list[dict[str, NDArray[np.float64]]], places: NDArray[np.intp]
    ) -> tuple[NDArray[Any], dict[str, NDArray[np.float64]]]:
        """Return what belongs to the requested times: an end between two of them shows at the later one."""
        known, last = values[places], len(errors) - 1
        ended = int(np.searchsorted(places, last))
        if self._is_lost(errors):
            known[ended:] = np.nan
        estimates = {name: np.full(known.shape, np.nan) for name in errors[-1]}
        for name, estimate in estimates.items():
            estimate[: ended + 1] = [errors[min(place, last)][name] for place in places[: ended + 1]]
        return known, estimates

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
        arrays, states = {"values": values, "weights": self._weights}, []
        for row, run in enumerate(self.runs):
            state, tensors = run.to_record()
            states.append(state)
            arrays |= {f"{row}/{name}": tensor for name, tensor in tensors.items()}
        arrays |= self.record.to_arrays() if self.record is not None else {}
        save_checkpoint(self.checkpoint, self.key, arrays, {"done": done, "runs": states})

    def _resume(self, times: NDArray[np.float64], values: NDArray[Any]) -> int:
        """Return the number of times that the checkpoint holds, after taking them over."""
        stored = load_checkpoint(self.checkpoint, self.key) if self.checkpoint is not None else None
        if self.checkpoint is None or stored is None:
            return 0
        with refuse_malformed(Path(self.checkpoint), "a checkpoint of qthermo"):
            return self._take_over(times, values, *stored)

    def _take_over(
        self, times: NDArray[np.float64], values: NDArray[Any], arrays: dict[str, NDArray[Any]], state: dict[str, Any]
    ) -> int:
        """Load every run; raise ValueError, LookupError or TypeError where the content is not what `_save` wrote."""
        done = int(state["done"])
        kept = {"values": values, "weights": self._weights}
        if not 0 < done <= times.size or any(arrays[name].shape != array.shape for name, array in kept.items()):
            raise ValueError("its times are not those of the run")
        for name, array in kept.items():
            array[:] = arrays[name]
        if self.record is not None:
            self.record.load_arrays(arrays)
        for row, (run, record) in enumerate(zip(self.runs, state["runs"], strict=True)):
            prefix = f"{row}/"
            tensors = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
            run.load_record(record, tensors)
            if float(record["time"]) != float(times[done - 1]):
                raise ValueError("a run stands at another time")
        return done


def warn_if_lost(
    times: NDArray[np.float64], errors: dict[str, NDArray[np.float64]], tolerance: float, *, stopped: bool, what: str
) -> None:
    """Warn where an error first exceeds the tolerance, and name the knob."""
    for name, error in errors.items():
        lost = np.flatnonzero(error > tolerance)
        if lost.size:
            fate = "; values from there on are NaN unless stop_at_tolerance=False" if stopped else ""
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
