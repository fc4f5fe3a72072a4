"""D(O) against the number or place of spins, with standard errors, and its discrete slope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_curve", "plot_slopes", "plot_spread"]


def plot_spread(
    places: NDArray[Any], means: NDArray[np.float64], stderr: NDArray[np.float64], ax: Axes, **style: Any
) -> Axes:
    """Draw means with one standard error, as points joined by lines."""
    drawn: dict[str, Any] = {"marker": "o", "markersize": 4, "capsize": 2, **style}
    ax.errorbar(places, means, stderr, **drawn)
    return ax


def plot_slopes(
    places: NDArray[Any], means: NDArray[np.float64], stderr: NDArray[np.float64], ax: Axes, **style: Any
) -> Axes:
    """Draw the differences of neighbouring means over those of places, errors added as those of independent points."""
    steps = np.diff(places)
    middle = (places[1:] + places[:-1]) / 2
    return plot_spread(middle, np.diff(means) / steps, np.hypot(stderr[1:], stderr[:-1]) / steps, ax, **style)


def plot_curve(edges: NDArray[np.float64], curves: NDArray[np.float64], ax: Axes, **style: Any) -> Axes:
    """Draw the mean of histograms (realization, bin) as steps, with a band of one standard error."""
    mean = curves.mean(axis=0)
    stderr = curves.std(axis=0, ddof=1) / np.sqrt(len(curves))
    drawn = ax.stairs(mean, edges, baseline=None, **style)
    ax.fill_between(
        edges, np.append(mean - stderr, 0), np.append(mean + stderr, 0), step="post", alpha=0.3, linewidth=0,
        color=drawn.get_edgecolor(),
    )  # fmt: skip
    return ax
