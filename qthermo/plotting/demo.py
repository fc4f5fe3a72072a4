"""The demo's figure: dynamics by three engines, and the theory in the Laplace domain."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qthermo.plotting.curves import plot_correlator, plot_laplace
from qthermo.plotting.saving import save_figure

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["save_demo_figure"]


def save_demo_figure(
    correlators: Sequence[xr.Dataset], propagators: Sequence[xr.Dataset], title: str, path: str | Path
) -> Path:
    """Write the two panels to an image file, as `save_figure` does, and return its path."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for data in correlators:
        plot_correlator(data, left)
    for data in propagators:
        plot_laplace(data, right)
    left.set_title("one model, three engines")
    right.set_title("exact against the theory")
    for ax in (left, right):
        ax.legend(frameon=False, fontsize="small")
    figure.suptitle(title, fontsize="medium")
    return save_figure(figure, path)
