"""Problems by name, with their fields given as text: what the command line and study files need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import InputError
from qthermo.models import AnyModel
from qthermo.operators import PauliSum
from qthermo.problems import Problem
from qthermo.solve import PROBLEMS
from qthermo.studies.method_names import read_value
from qthermo.studies.names import find_named, suggest

__all__ = ["GRIDS", "build_problem", "find_problem", "parse_grid", "read_field"]

GRIDS = {"times": "0:10:41", "energies": "0", "laplace": "0.1:3:8", "betas": "0.5:2:4", "frequencies": "-5:5:41"}
_GEOMETRIC = {"laplace", "betas"}
_MAX_POINTS = 1_000_000


def build_problem(name: str, model: AnyModel, given: Mapping[str, str]) -> Problem:
    """Return the problem called `name` (case, hyphens and underscores do not matter) for `model`.

    Args:
        name: for example "autocorrelation" or "mixing-gap".
        model: the model.
        given: fields of the problem as text: grids as `parse_grid` reads them, `observables` as Pauli sums with
            semicolons between them, all else as TOML values. Grids have defaults.

    Raises:
        InputError: no problem has that name, it has no such field, a field is missing, or a value cannot be read.
    """
    cls = find_problem(name)
    wanted = {f.name: f for f in fields(cls) if f.name != "model"}
    for key in given:
        if key not in wanted:
            raise InputError(f"{cls.__name__} has no field `{key}`; {suggest(key, wanted, 'it has')}")
    defaults = {key: text for key, text in GRIDS.items() if key in wanted}
    values = {key: read_field(key, text) for key, text in (defaults | dict(given)).items()}
    for key, declared in wanted.items():
        if key not in values and declared.default is MISSING and declared.default_factory is MISSING:
            raise InputError(f"{cls.__name__} needs the field `{key}`, but it is not given.")
    make: Callable[..., Problem] = cls
    return make(model, **values)


def find_problem(name: str) -> type[Problem]:
    """Return the problem called `name`; case, hyphens and underscores do not matter.

    Raises:
        InputError: no problem has that name.
    """
    return find_named("problem", name, {cls.__name__: cls for cls in PROBLEMS})


def read_field(key: str, value: Any) -> Any:
    """Return a problem's field from text, as the command line has it, or from a value of a TOML file.

    Raises:
        InputError: the value cannot be read.
    """
    if key in GRIDS:
        if isinstance(value, str):
            return parse_grid(key, value, geometric=key in _GEOMETRIC)
        return np.atleast_1d(np.array(value, np.float64)) if _is_numbers(value) else value
    if key == "observables":
        parts = value.split(";") if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise InputError(f"Field `observables` must hold Pauli sums as text, but is {str(value)[:80]}.")
        return {part.strip(): PauliSum.from_text(part) for part in parts}
    if key == "jump_operators" and isinstance(value, list):
        if not all(isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], str) for pair in value):
            raise InputError(f"Field `jump_operators` must hold pairs [rate, Pauli sum], but is {str(value)[:80]}.")
        return tuple((rate, PauliSum.from_text(text)) for rate, text in value)
    if key.endswith("_state") or not isinstance(value, str):
        return value
    return read_value(value)


def _is_numbers(value: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return all(isinstance(item, int | float) and not isinstance(item, bool) for item in items)


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
