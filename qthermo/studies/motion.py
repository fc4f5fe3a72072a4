"""How a wave packet moves: ballistic, diffusive or trapped, with confidence and the window of times that says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Motion", "classify_motion"]

KINDS = ("trapped", "diffusive", "ballistic")
_BOUNDARIES = np.array([0.5, 1.5])
_DRIFT = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """What msd ~ t^exponent says in a window of times.

    Args:
        kind: "ballistic" (exponent nearer to 2 than to 1), "diffusive" or "trapped" (nearer to 0).
        confidence: probability that the exponent lies in that class, given its standard error.
        exponent: slope of ln msd over ln t.
        exponent_stderr: over realizations.
        diffusion_constant: slope of msd over t, divided by 2d, sites^2 energy.
        diffusion_stderr: over realizations.
        window: first and last time used, 1/energy.
        late_exponent: slope in the later half of the window.
        remark: what the verdict does not say.
    """

    kind: str
    confidence: float
    exponent: float
    exponent_stderr: float
    diffusion_constant: float
    diffusion_stderr: float
    window: tuple[float, float]
    late_exponent: float
    remark: str


def classify_motion(results: Sequence[xr.Dataset], *, window: tuple[float, float] | None = None) -> Motion:
    """Return the verdict on wave packets that differ only in the realization of the disorder.

    The exponent is that of the mean msd; its error is the jackknife's over realizations. Times where any packet came
    near its periodic images are left out.

    Args:
        results: at least three answers to `WavePacket` on the same times.
        window: times to use, 1/energy; from a tenth of the last usable time by default.

    Raises:
        InputError: there are fewer than three results, the times differ, or fewer than three lie in the window.

    Limits: a verdict holds for its window. In one and two dimensions every disorder traps in the end; weakly disordered
    films look diffusive over all times that can be reached, since their localisation length grows exponentially with
    1/disorder^2.
    """
    times = _common_times(results)
    near = np.max([data["edge_probability"].values for data in results], axis=0) > 1e-3
    usable = (times > 0) & ~near
    if not usable.any():
        raise InputError(
            "Wave packets must stay away from their periodic images, but none does; take a larger lattice."
        )
    first, last = window or (float(times[usable][-1]) / 10, float(times[usable][-1]))
    keep = usable & (times >= first) & (times <= last)
    if keep.sum() < 3:
        raise InputError(f"The window {first:g} .. {last:g} must hold at least 3 usable times, but holds {keep.sum()}.")
    msd = np.array([data["msd"].values for data in results])[:, keep]
    if msd.mean(axis=0).min() <= 0:
        raise InputError("Wave packets must have moved in the window, but one mean square displacement is 0.")
    t, dim = times[keep], len(_shape(results[0]))
    exponent, spread = _jackknife(msd, lambda mean: _slope(np.log(t), np.log(mean)))
    constant, constant_spread = _jackknife(msd, lambda mean: _slope(t, mean) / (2 * dim))
    half = t >= np.sqrt(t[0] * t[-1])
    late = _slope(np.log(t[half]), np.log(msd.mean(axis=0)[half])) if half.sum() >= 2 else exponent
    number = int(np.searchsorted(_BOUNDARIES, exponent))
    return Motion(
        kind=KINDS[number],
        confidence=_confidence(exponent, spread, number, len(results) - 1),
        exponent=exponent,
        exponent_stderr=spread,
        diffusion_constant=constant,
        diffusion_stderr=constant_spread,
        window=(float(t[0]), float(t[-1])),
        late_exponent=late,
        remark=_remark(results[0], KINDS[number], exponent - late, spread),
    )


def _common_times(results: Sequence[xr.Dataset]) -> NDArray[np.float64]:
    if len(results) < 3:
        raise InputError(f"A verdict needs at least 3 realizations for its standard error, but got {len(results)}.")
    times = np.asarray(results[0]["time"].values, np.float64)
    if not all(data.attrs.get("problem") == "WavePacket" for data in results):
        raise InputError("Results must be answers to WavePacket, but some are not.")
    if not all(np.array_equal(data["time"].values, times) for data in results):
        raise InputError("Results must have the same times, but differ.")
    return times


def _shape(data: xr.Dataset) -> list[int]:
    import json

    parameters = json.loads(data.attrs["model_parameters"])
    return list(parameters.get("shape", [0]))


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    return float(np.polyfit(x, y, 1)[0])


def _jackknife(samples: NDArray[np.float64], measure: Callable[[NDArray[np.float64]], float]) -> tuple[float, float]:
    """Return a function of the mean over rows, and its standard error from leaving each row out."""
    count = len(samples)
    left_out = np.array([measure((samples.sum(axis=0) - row) / (count - 1)) for row in samples])
    spread = np.sqrt((count - 1) / count * ((left_out - left_out.mean()) ** 2).sum())
    return measure(samples.mean(axis=0)), float(spread)


def _confidence(exponent: float, spread: float, number: int, freedom: int) -> float:
    """Return the probability of the class, Student's t around the exponent."""
    from scipy.stats import t

    edges = (np.array([-np.inf, *_BOUNDARIES, np.inf]) - exponent)[number : number + 2]
    low, high = t.cdf(edges / max(spread, 1e-12), freedom)
    return float(high - low)


def _remark(data: xr.Dataset, kind: str, drift: float, spread: float) -> str:
    dim = len(_shape(data))
    words = []
    if dim < 3 and kind == "diffusive" and data.attrs.get("model") == "anderson_lattice":
        words.append(f"in {dim}D every disorder traps in the end, at times beyond this window")
    if abs(drift) > max(_DRIFT * spread, 0.1):
        words.append(f"the exponent still {'falls' if drift > 0 else 'rises'} within the window")
    return "; ".join(words)
