"""What a study will take: one realization of every method is run at every size, and times what is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from qthermo.errors import QThermoError
from qthermo.solve import run_method
from qthermo.studies.study import Study
from qthermo.studies.study_check import Needs

__all__ = ["Estimate", "probe_study"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What one method takes in all.

    Args:
        label: of the method.
        seconds: of one realization, averaged over grid points; NaN if the probe failed everywhere.
        total: of all realizations, on one worker.
        memory: bytes at the peak.
        words: why a probe failed, or empty.
    """

    label: str
    seconds: float
    total: float
    memory: float
    words: str = ""


def probe_study(study: Study, needs: Needs, progress: Callable[[str], None] = lambda _words: None) -> list[Estimate]:
    """Run realization 0 of every method at the first and last grid point of every Hilbert-space dimension.

    Nothing is written. Grid points between are taken to cost as much as these two on average; iterations that need
    longer at some disorder are the main source of error.
    """
    groups: dict[int, list[int]] = {}
    for point, dimension in enumerate(needs.dimensions):
        groups.setdefault(dimension, []).append(point)
    estimates = []
    for index, label in enumerate(study.labels):
        weighted, words = 0.0, ""
        for points in groups.values():
            seconds = []
            for point in sorted({points[0], points[-1]}):
                progress(f"{label} at {study.point_name(point)}")
                try:
                    seconds.append(_time_once(study, point, index))
                except QThermoError as error:
                    words = f"{type(error).__name__} at {study.point_name(point)}: {error}"
            weighted += len(points) * sum(seconds) / len(seconds) if seconds else float("nan")
        mean = weighted / len(study.points)
        total = weighted * study.ensemble.num_realizations
        estimates.append(Estimate(label=label, seconds=mean, total=total, memory=needs.memory[label], words=words))
    return estimates


def _time_once(study: Study, point: int, index: int) -> float:
    """Return the seconds of one task; the first call of a process, which loads libraries, is not counted."""
    seconds = 0.0
    for _ in range(2):
        start = time.perf_counter()
        run_method(study.build_problem(point, 0), study.build_method(index, 0))
        seconds = time.perf_counter() - start
        if seconds > 10:  # loading no longer matters
            break
    return seconds
