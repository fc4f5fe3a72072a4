"""What the evolutions of `CHECKS` say about the errors of the first, and at which times they are asked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.tensor_network.trotter_steps import count_steps

__all__ = ["estimate_errors", "mark_times"]

_STEPS = 4
"""Steps between two estimates at most."""
_REACH = 30.0
"""Weights over which a share is carried: further, and cutoffs in the still narrow bonds would end good runs early."""


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


def estimate_errors(values: NDArray[Any], weights: NDArray[np.float64], order: int) -> dict[str, NDArray[np.float64]]:
    """Return `truncation_error` and `trotter_error` of the first evolution at the last of the times.

    Truncation moves the evolved vector by about sqrt(w), w being the discarded weight; which share of that a readout
    sees depends on the readout and on the model. The coarser evolution discards weight earlier, while the first is
    still good, and so measures the share, change / sqrt(w). The `truncation_error` is the larger of two: the change
    between the evolutions now, and the largest share so far times sqrt(w) of the first one now; only shares measured
    at a weight of at least a thirtieth of that one count. So two bond dimensions that agree by accident, or because
    both have lost the same, do not hide what is lost.

    Args:
        values: what was read off the runs of `CHECKS`, shape (run, time, ...).
        weights: the discarded weights of the first two runs, shape (2, time), which never fall.
        order: of the Suzuki formula.
    """
    lost, coarse = weights[0, -1], weights[1]
    first = int(np.searchsorted(coarse, lost / _REACH)) if lost > 0 else coarse.size
    compared = values[:, min(first, coarse.size - 1) :]
    change = np.maximum(np.abs(compared[0] - compared[1]), np.abs(compared[0] - compared[2]))
    truncation = change[-1]
    if first < coarse.size:
        factors = np.sqrt(lost / coarse[first:]).reshape(-1, *[1] * (change.ndim - 1))
        truncation = np.maximum(truncation, (change * factors).max(axis=0))
    richardson = 2.0**order / (2.0**order - 1)
    return {"truncation_error": truncation, "trotter_error": richardson * np.abs(values[2, -1] - values[3, -1])}
