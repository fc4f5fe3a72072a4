"""D(O) against the number or place of spins, with standard errors, and its discrete slope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_slopes", "plot_spread"]


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
