"""What the evolutions of `CHECKS` say about the errors of the first, and at which times they are asked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.linalg.step_halving import step_error
from qthermo.tensor_network.trotter_steps import count_steps

__all__ = ["estimate_errors", "mark_times"]

_STEPS = 4
"""Steps between two estimates at most."""
_SAFETY, _BLIND = 3.0, 50.0
"""Factors on the change between two bond dimensions: where they lost alike; and at most, where no contrast is left."""


def mark_times(times: NDArray[np.float64], time_step: float) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return `times` with marks between them, at most four steps apart, and the places of `times` among them.

    The steps stay what they were; between times that are far apart the errors are so estimated on the way too.
    """
    marks: list[float] = []
    places = []
    start = 0.0
    for time in times:
        steps = count_steps(float(time) - start, time_step)
        marks += [start + (float(time) - start) * done / steps for done in range(_STEPS, steps, _STEPS)]
        marks.append(float(time))
        places.append(len(marks) - 1)
        start = float(time)
    return np.array(marks), np.array(places, np.intp)


def estimate_errors(
    values: NDArray[Any], weights: NDArray[np.float64], order: int, *, error_of_weight: float = 0.0
) -> dict[str, NDArray[np.float64]]:
    """Return `truncation_error` and `trotter_error` of the first evolution.

    The change between two bond dimensions is the error of the coarser one only while the finer is exact. Truncation
    moves the evolved vector by about sqrt(w), w being the discarded weight, so if the errors are in the same
    proportion, the change is sqrt(w_coarse / w) - 1 times the error of the finer one: less than it once w is no longer
    small beside w_coarse. The change is therefore multiplied by 3 / (sqrt(w_coarse / w) - 1) where that exceeds 1, at
    w > w_coarse / 16.

    Args:
        values: what was read off the runs of `CHECKS`, shape (run, time, ...).
        weights: the discarded weights of the first two runs, shape (2, time).
        order: of the Suzuki formula.
        error_of_weight: the `truncation_error` is at least this times the discarded weight of the first run.
    """
    lost, coarse = weights
    ratio = np.divide(coarse, lost, out=np.full_like(coarse, np.inf), where=lost > 0)
    contrast = np.sqrt(ratio) - 1.0
    factor = np.maximum(1.0, _SAFETY / np.maximum(contrast, _SAFETY / _BLIND))
    change = np.abs(values[0] - values[1])
    column = (-1, *[1] * (change.ndim - 1))
    return {
        "truncation_error": np.maximum(change * factor.reshape(column), error_of_weight * lost.reshape(column)),
        "trotter_error": step_error(values[2:4], order),
    }
