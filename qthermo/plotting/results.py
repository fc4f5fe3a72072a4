"""Any result as a figure: the curve of its main variable, or the panels of a collected study."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from qthermo.plotting.curves import plot_correlator, plot_laplace
from qthermo.plotting.studies import build_study_figure

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["build_result_figure", "draw_result"]


def build_result_figure(data: xr.Dataset) -> Figure | None:
    """Return a figure of a result, or None if it holds single numbers only."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if "num_realizations" in data and "main_variable" in data.attrs:
        return build_study_figure(data)
    name = next((str(key) for key, v in data.data_vars.items() if v.ndim and np.issubdtype(v.dtype, np.number)), None)
    if name is None:
        return None
    figure = Figure(figsize=(5, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    if name == "correlator" and "method" in data.attrs:
        plot_correlator(data, ax)
    elif name == "autocorrelation" and not np.iscomplexobj(data["laplace"].values):
        plot_laplace(data, ax)
    else:
        _plot_first_dimension(data, name, ax)
    ax.legend(frameon=False, fontsize="small")
    return figure


def _plot_first_dimension(data: xr.Dataset, name: str, ax: Axes) -> None:
    """Draw a variable against its first dimension, one curve for each place along the others (nine at most)."""
    values = np.real(data[name].values)
    first, *rest = (str(d) for d in data[name].dims)
    x = data[first].values if first in data else np.arange(values.shape[0])
    for place in list(np.ndindex(values.shape[1:]))[:9]:
        words = ", ".join(f"{d} {data[d].values[k] if d in data else k}" for d, k in zip(rest, place, strict=True))
        ax.plot(np.real(x), values[(slice(None), *place)], label=words or name)
    ax.set_xlabel(first.replace("_", " "))
    ax.set_ylabel(name.replace("_", " "))


def draw_result(data: xr.Dataset) -> bytes | None:
    """Return `build_result_figure` as a PNG image, or None if there is nothing to draw."""
    figure = build_result_figure(data)
    if figure is None:
        return None
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
