"""Problems by name, with grids given as text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import InputError
from qthermo.models import Model
from qthermo.problems import Autocorrelation, GroundState, MixingGap, Problem, Propagator, Relaxation

__all__ = ["build_problem", "parse_grid"]

_NAMES = ("autocorrelation", "propagator", "ground-state", "mixing-gap", "relaxation")
_MAX_POINTS = 1_000_000


def build_problem(name: str, model: Model, *, times: str, beta: float, energies: str, laplace: str) -> Problem:
    """Return the problem called `name` for `model`.

    Raises:
        InputError: no problem has that name, or a grid cannot be read.
    """
    if name == "autocorrelation":
        return Autocorrelation(model, times=parse_grid("times", times), beta=beta)
    if name == "propagator":
        grid = parse_grid("laplace", laplace, geometric=True)
        return Propagator(model, energies=parse_grid("energies", energies), laplace=grid)
    if name == "ground-state":
        return GroundState(model)
    if name == "mixing-gap":
        return MixingGap(model, beta=beta)
    if name == "relaxation":
        return Relaxation(model, beta=beta, times=parse_grid("times", times))
    raise InputError(f"A problem must be one of {', '.join(_NAMES)}, but is {name!r}.")


def parse_grid(name: str, text: str, *, geometric: bool = False) -> NDArray[np.float64]:
    """Return the values of "start:stop:count" (evenly or geometrically spaced) or of "0.1, 0.5, 2".

    Raises:
        InputError: the text is neither.
    """
    parts = text.split(":")
    try:
        if len(parts) == 1:
            return np.array([float(word) for word in text.split(",")])
        start, stop, count = float(parts[0]), float(parts[1]), int(parts[2])
        if len(parts) != 3 or not 1 <= count <= _MAX_POINTS or (geometric and not 0 < start < np.inf):
            raise ValueError
    except (ValueError, IndexError):
        raise InputError(
            f"A grid must read start:stop:count or be values with commas, but {name} is {text!r}."
        ) from None
    return np.geomspace(start, stop, count) if geometric else np.linspace(start, stop, count)
