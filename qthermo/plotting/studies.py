"""Collected studies: a curve with an error band for each method, against a coordinate or an axis of the grid."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qthermo.errors import InputError
from qthermo.plotting.saving import save_figure

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["build_study_figure", "plot_study", "save_study_figure"]

_LABELS = {
    "time": "time $t$",
    "laplace": "Laplace variable $s$",
    "energy": "energy $E$",
    "frequency": "frequency $\\omega$",
    "beta": "inverse temperature $\\beta$",
    "disorder": "disorder $W$",
    "num_bath_sites": "number of bath sites",
}
_VARIABLES = {
    "correlator": "$C(t)$",
    "autocorrelation": "$c(E, s)$",
    "gap": "gap",
    "structure_factor": "$v(\\omega)$",
    "trace_distance": "trace distance",
}
_MAX_PANELS = 9


def plot_study(
    data: xr.Dataset,
    ax: Axes,
    *,
    against: str | None = None,
    variable: str | None = None,
    at: Mapping[str, float | str] | None = None,
) -> Axes:
    """Draw the mean of a collected study with a band of one standard error (a bar where there is one point).

    Args:
        data: from `collect_study`.
        ax: where to draw.
        against: dimension for the horizontal axis: one of the variable's own, such as "time", or an axis of the grid;
            by default the variable's last own dimension, or else the grid's first axis.
        variable: which; the study's main variable by default.
        at: value of other dimensions, the nearest is taken; those not named are taken at their last value.

    Raises:
        InputError: a name is unknown.
    """
    name = str(data.attrs.get("main_variable", "")) if variable is None else variable
    if name not in data or "label" not in data[name].dims:
        known = ", ".join(str(key) for key in data.data_vars if not str(key).endswith(("_stderr", "_count")))
        raise InputError(f"Argument `variable` must be one of {known}, but is {name!r}.")
    axis = against or default_axis(data, name)
    if axis not in data[name].dims or (axis == "label" and against is not None):
        known = ", ".join(str(d) for d in data[name].dims if d != "label")
        raise InputError(f"Argument `against` must be one of {known}, but is {axis!r}.")
    chosen = _select(data, name, axis, at or {})
    for label in chosen["label"].values:
        _draw_method(chosen.sel(label=label), ax, name, axis, str(label))
    if axis == "laplace" and float(chosen[axis].min()) > 0:
        ax.set_xscale("log")
    ax.set_xlabel(_LABELS.get(axis, axis.replace("_", " ")))
    ax.set_ylabel(_VARIABLES.get(name, name.replace("_", " ")))
    return ax


def default_axis(data: xr.Dataset, name: str) -> str:
    """Return the dimension that a variable is drawn against if none is asked for."""
    dims = [str(d) for d in data[name].dims]
    own = dims[dims.index("label") + 1 :]
    numeric = [d for d in own if d in data and np.issubdtype(data[d].dtype, np.number) and data.sizes[d] > 1]
    if numeric:
        return "time" if "time" in numeric else numeric[-1]
    if len(dims) == 1:
        return "label"
    return dims[0]


def _select(data: xr.Dataset, name: str, axis: str, at: Mapping[str, float | str]) -> xr.Dataset:
    chosen = data
    for dim in data[name].dims:
        if dim in (axis, "label"):
            continue
        key = str(dim)
        if key not in at:
            chosen = chosen.isel({key: -1})
        elif np.issubdtype(data[key].dtype, np.number):
            distance = np.abs(data[key].values - float(at[key]))
            chosen = chosen.isel({key: int(np.argmin(distance))})
        elif at[key] in data[key].values:
            chosen = chosen.sel({key: at[key]})
        else:
            known = ", ".join(map(str, data[key].values))
            raise InputError(f"Argument `at` must name one of {known} for {key}, but has {at[key]!r}.")
    unknown = [key for key in at if key not in data[name].dims]
    if unknown:
        known = ", ".join(str(d) for d in data[name].dims if d not in (axis, "label"))
        raise InputError(f"Argument `at` must name dimensions of `{name}` ({known}), but has {unknown[0]!r}.")
    return chosen


def _draw_method(data: xr.Dataset, ax: Axes, name: str, axis: str, label: str) -> None:
    values = np.atleast_1d(np.real(data[name].values))
    seen = np.isfinite(values)
    if not seen.any():
        return
    x, y = np.atleast_1d(data[axis].values)[seen], values[seen]
    judge = label == data.attrs.get("judge")
    style: dict[str, Any] = {"color": "black", "zorder": 2} if judge else {"linestyle": "--", "zorder": 3}
    stderr = np.atleast_1d(data[f"{name}_disorder_stderr"].values)[seen] if f"{name}_disorder_stderr" in data else None
    numeric = np.issubdtype(x.dtype, np.number)
    x = x if numeric else x.astype(str)
    if not numeric or x.size == 1:
        ax.errorbar(x, y, yerr=stderr, label=label, marker="o", capsize=2, **(style | {"linestyle": "none"}))
        return
    (line,) = ax.plot(x, y, label=label, marker="o" if x.size <= 12 else None, markersize=3, **style)
    if stderr is not None:
        ax.fill_between(x, y - stderr, y + stderr, color=line.get_color(), alpha=0.25, linewidth=0)


def build_study_figure(
    data: xr.Dataset,
    *,
    against: str | None = None,
    variable: str | None = None,
    at: Mapping[str, float | str] | None = None,
) -> Figure:
    """Return a figure of a collected study.

    With `against` or `at`, one panel as `plot_study` draws it. Without, a panel for each of up to nine grid points and,
    if the grid has an axis of numbers, one against its longest.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    name = variable or str(data.attrs["main_variable"])
    panels = [(against, at or {}, "")] if against or at else _choose_panels(data, name)
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(0.6 + 3.8 * columns, 0.4 + 3.0 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False)
    for ax, (axis, place, title) in zip(grid.flat, panels, strict=False):
        plot_study(data, ax, against=axis, variable=name, at=place)
        ax.set_title(title, fontsize="small")
    for ax in list(grid.flat)[len(panels) :]:
        ax.set_axis_off()
    grid.flat[0].legend(frameon=False, fontsize="small")
    counts = data["num_realizations"].values
    words = f"{counts.min()}" if counts.min() == counts.max() else f"{counts.min()} to {counts.max()}"
    figure.suptitle(f"{data.attrs['model']}, {words} realizations; bands: one standard error", fontsize="medium")
    return figure


def _choose_panels(data: xr.Dataset, name: str) -> list[tuple[str | None, dict[str, Any], str]]:
    if name not in data or "label" not in data[name].dims:
        return [(None, {}, "")]
    dims = [str(d) for d in data[name].dims]
    axes = dims[: dims.index("label")]
    own = default_axis(data, name)
    numeric = [a for a in axes if np.issubdtype(data[a].dtype, np.number) and data.sizes[a] > 1]
    longest = max(numeric, key=lambda a: data.sizes[a], default=None)
    panels: list[tuple[str | None, dict[str, Any], str]] = []
    if own not in axes and own != "label":
        shape = tuple(data.sizes[a] for a in axes)
        points = list(np.ndindex(*shape))
        chosen = points if len(points) <= _MAX_PANELS else [points[k] for k in _spread(len(points))]
        for place in chosen:
            at = {a: data[a].values[k].item() for a, k in zip(axes, place, strict=True)}
            panels.append(
                (own, at, ", ".join(f"{a} = {v:g}" if isinstance(v, float) else f"{a} = {v}" for a, v in at.items()))
            )
    if longest is not None:
        rest = ", ".join(
            f"{d} = {data[d].values[-1]:.4g}" for d in dims if d not in (*axes, "label") and _is_number(data, d)
        )
        panels.append((longest, {}, f"at {rest}" if rest else ""))
    return panels or [(None, {}, "")]


def _spread(count: int) -> list[int]:
    return [round(k) for k in np.linspace(0, count - 1, _MAX_PANELS)]


def _is_number(data: xr.Dataset, name: str) -> bool:
    return name in data and bool(np.issubdtype(data[name].dtype, np.number))


def save_study_figure(
    data: xr.Dataset,
    path: str | Path,
    *,
    against: str | None = None,
    variable: str | None = None,
    at: Mapping[str, float | str] | None = None,
) -> Path:
    """Write `build_study_figure` to an image file, its ending choosing the format, and return the path.

    Raises:
        FileError: the place cannot be written, or the ending names no format.
    """
    return save_figure(build_study_figure(data, against=against, variable=variable, at=at), path)
