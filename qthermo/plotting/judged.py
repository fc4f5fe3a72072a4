"""Theories beside the judge: the curves, and below them what each theory is off by, with standard errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_judged"]

_LINES = ("--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))


def plot_judged(
    groups: Mapping[str, Mapping[str, NDArray[np.float64]]],
    coordinate: NDArray[np.float64],
    curves: Axes,
    deviations: Axes,
    *,
    judge: str,
) -> None:
    """Draw means over realizations of a judge and of theories, and the means of their paired differences.

    A difference is taken on the same realization before it is averaged, so that the disorder that both share does not
    enter its standard error.

    Args:
        groups: for each group (a size, a disorder) the values of every method, shape (realization, coordinate) with at
            least two realizations; a colour each.
        coordinate: what is on the horizontal axis of both.
        curves: axes of the values; what was drawn there before with a label enters the legend.
        deviations: axes of theory minus judge.
        judge: the method that the others are compared with; solid, the others each have a line style.
    """
    handles: dict[str, Any] = {str(artist.get_label()): artist for artist in curves.get_legend_handles_labels()[0]}
    lines: dict[str, Any] = {judge: curves.plot([], [], linestyle="-", color="black")[0]}
    for number, (group, methods) in enumerate(groups.items()):
        color = f"C{number}"
        exact = methods[judge]
        handles[group] = curves.errorbar(coordinate, exact.mean(axis=0), _stderr(exact), color=color)
        theories = [name for name in methods if name != judge]
        for style, name in zip(_LINES, theories, strict=False):
            curves.plot(coordinate, methods[name].mean(axis=0), linestyle=style, color=color)
            off = methods[name] - exact
            deviations.errorbar(
                coordinate, off.mean(axis=0), _stderr(off), linestyle=style, color=color, elinewidth=0.7, capsize=2
            )
            lines.setdefault(name, curves.plot([], [], linestyle=style, color="black")[0])
    handles |= lines
    curves.legend(handles.values(), handles.keys(), fontsize=7)
    deviations.axhline(0, color="black", linewidth=0.5)


def _stderr(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values.std(axis=0, ddof=1) / np.sqrt(len(values)))
