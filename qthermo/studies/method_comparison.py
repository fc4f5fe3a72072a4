"""Methods side by side over one ensemble: the mean deviation from the judge, its standard error, and a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qthermo.errors import InputError
from qthermo.solve import METHODS
from qthermo.studies.compare import ROUNDING, SAFETY, SIGMAS

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ERROR_ESTIMATES", "MeanComparison", "allowed_deviation", "compare_methods", "comparison_rows"]

ERROR_ESTIMATES = ("truncation_error", "trotter_error", "laplace_error")
_WITHOUT_BOUND = frozenset(cls.__name__ for cls in METHODS if cls.__module__.startswith("qthermo.theory."))


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanComparison:
    """One method against the judge at one grid point, over the realizations that both have.

    Args:
        point: value of every axis, in words.
        method: label.
        where: coordinates of the entry that deviates most, measured by what is allowed there.
        mean: the method's mean there.
        deviation: mean of (method - judge) there, over paired realizations.
        stderr: standard error of that mean.
        allowed: 4 stderr + 2 (mean error estimates of both) + 1e-9.
        largest: largest modulus of the mean deviation over all entries.
        num_realizations: number of pairs.
        verdict: "judge", "agrees", "DISAGREES", or for theories that state no error bound "off by 0.05 (12 stderr)".
    """

    point: str
    method: str
    where: str
    mean: float
    deviation: float
    stderr: float
    allowed: float
    largest: float
    num_realizations: int
    verdict: str


def compare_methods(data: xr.Dataset) -> Iterator[MeanComparison]:
    """Yield a comparison for every grid point and method of a collected study.

    With d_r = x_r(method) - x_r(judge) for the study's main variable x, the same disorder on both sides, the verdict
    is "agrees" if |mean d| <= 4 stderr(d) + 2 (mean truncation, Trotter and Laplace errors of both) at every entry.

    Raises:
        InputError: `data` is no collected study.
    """
    if "deviation" not in data:
        raise InputError("Argument `data` must be a collected study of at least two methods, but holds no deviations.")
    axes = [str(name) for name in data["num_realizations"].dims if name != "label"]
    for place in np.ndindex(*(data.sizes[name] for name in axes)):
        here = data.isel(dict(zip(axes, place, strict=True)))
        point = ", ".join(f"{name}={_words(here[name].item())}" for name in axes)
        for label in data["label"].values:
            yield _compare(here.sel(label=label), point or "-", str(label), str(data.attrs["judge"]))


def _compare(here: xr.Dataset, point: str, label: str, judge: str) -> MeanComparison:
    main = str(here.attrs["main_variable"])
    deviation, allowed = np.abs(here["deviation"].values), here["deviation_allowed"].values
    stderr = here["deviation_disorder_stderr"].values
    seen = np.isfinite(deviation)
    ratio = np.where(seen & np.isfinite(allowed), deviation / allowed, -1.0)
    worst = np.unravel_index(int(np.argmax(ratio)), ratio.shape) if ratio.size else ()
    entry = here.isel(dict(zip(here["deviation"].dims, map(int, worst), strict=True)))
    where = ", ".join(f"{name}={_words(entry[name].item())}" for name in here["deviation"].dims if name in entry)
    return MeanComparison(
        point=point,
        method=label,
        where=where or "-",
        mean=float(np.real(entry[main].item())),
        deviation=float(np.real(entry["deviation"].item())),
        stderr=float(stderr[worst]),
        allowed=float(allowed[worst]),
        largest=float(deviation[seen].max()) if seen.any() else float("nan"),
        num_realizations=int(entry["deviation_count"].item()),
        verdict=_verdict(label == judge, ratio, str(here["method_name"].item()), deviation, stderr),
    )


def _verdict(is_judge: bool, ratio: np.ndarray, name: str, deviation: np.ndarray, stderr: np.ndarray) -> str:
    if is_judge:
        return "judge"
    if ratio.size == 0 or ratio.max() < 0:
        return "too few realizations"
    if ratio.max() <= 1:
        return "agrees"
    if name in _WITHOUT_BOUND:
        worst = np.unravel_index(int(np.nanargmax(deviation)), deviation.shape)
        sigmas = deviation[worst] / stderr[worst] if stderr[worst] > 0 else float("inf")
        return f"off by {deviation[worst]:.2g} ({sigmas:.0f} stderr)"
    return "DISAGREES"


def allowed_deviation(stderr: np.ndarray, *estimates: np.ndarray) -> np.ndarray:
    """Return 4 stderr + 2 sum of error estimates + rounding; estimates that are NaN count as none."""
    total = SIGMAS * stderr + ROUNDING
    for estimate in estimates:
        total = total + SAFETY * np.where(np.isfinite(estimate), estimate, 0.0)
    return np.asarray(total)


def _words(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def comparison_rows(lines: Sequence[MeanComparison]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a table of comparisons."""
    header = ["point", "method", "n", "worst at", "mean", "deviation", "stderr", "allowed", "largest", "verdict"]
    rows = []
    for line in lines:
        numbers = ["-"] * 4
        if line.verdict != "judge":
            numbers = [f"{line.deviation:+.2e}", f"{line.stderr:.1e}", f"{line.allowed:.1e}", f"{line.largest:.1e}"]
        shown = [line.point, line.method, str(line.num_realizations), line.where, f"{line.mean:+.5f}"]
        rows.append([*shown, *numbers, line.verdict])
    return header, rows
