"""Agreement between methods: each within its own stated error of the judge, or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "ROUNDING",
    "SAFETY",
    "SIGMAS",
    "Comparison",
    "compare_correlators",
    "compare_propagators",
    "error_estimate",
]

SIGMAS = 4.0
SAFETY = 2.0  # truncation and Trotter errors are estimates, not bounds
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One method against the judge.

    Args:
        method: name of the method.
        value: the last value of its curve.
        deviation: largest deviation from the judge.
        error: error bound the method states where the deviation is largest, or NaN if it states none.
        wall_time: seconds.
        verdict: "judge", "agrees", "DISAGREES", or what an approximation without error bound deviates by.
    """

    method: str
    value: float
    deviation: float
    error: float
    wall_time: float
    verdict: str


def error_estimate(data: xr.Dataset) -> NDArray[np.float64]:
    """Return what a correlator may deviate by, 4 standard errors + 2 (truncation + Trotter error), shape (time,)."""
    total = np.full(data["correlator"].shape, ROUNDING)
    for name, weight in (("stderr", SIGMAS), ("truncation_error", SAFETY), ("trotter_error", SAFETY)):
        if name in data:
            total = total + weight * data[name].values
    return total


def compare_correlators(data: xr.Dataset, judge: xr.Dataset) -> Comparison:
    """Compare C(t) on the times that both hold.

    Raises:
        InputError: the two have no time in common.
    """
    times = np.intersect1d(data["time"].values, judge["time"].values)
    if times.size == 0:
        raise InputError("Two correlators must share at least one time to be compared, but share none.")
    mine, reference = data.sel(time=times), judge.sel(time=times)
    deviation = np.abs(mine["correlator"].values - reference["correlator"].values)
    allowed = error_estimate(mine) + error_estimate(reference)
    worst = int(np.argmax(deviation / allowed))
    agrees = bool(deviation[worst] <= allowed[worst])
    same = data.attrs["method"] == judge.attrs["method"]
    return Comparison(
        method=data.attrs["method"],
        value=float(mine["correlator"].values[-1].real),
        deviation=float(deviation.max()),
        error=float(error_estimate(mine)[int(np.argmax(deviation))]),
        wall_time=float(data.attrs["wall_time"]),
        verdict="judge" if same else "agrees" if agrees else "DISAGREES",
    )


def compare_propagators(data: xr.Dataset, judge: xr.Dataset, *, label: str) -> Comparison:
    """Compare c(E,s) of an approximation that states no error bound; the verdict is its relative deviation."""
    mine, reference = data["autocorrelation"].values, judge["autocorrelation"].values
    deviation = np.abs(mine - reference)
    relative = float((deviation / np.abs(reference)).max())
    return Comparison(
        method=label,
        value=float(mine.ravel()[0]),
        deviation=float(deviation.max()),
        error=float("nan"),
        wall_time=float(data.attrs["wall_time"]),
        verdict="judge" if data.attrs["method"] == judge.attrs["method"] else f"within {100 * relative:.1f} %",
    )
