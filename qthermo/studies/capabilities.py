"""What there is: which method answers which problem, and which keys each model family takes."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from qthermo.errors import InputError
from qthermo.solve import METHODS, PROBLEMS
from qthermo.studies.method_names import plain_name
from qthermo.studies.model_file import FAMILIES

__all__ = ["describe_family", "describe_method", "find_family", "find_method", "list_answers", "list_families"]

Table = tuple[list[str], list[list[str]]]
_Found = TypeVar("_Found")


def list_answers() -> Table:
    """Return header and rows of the table of methods and the problems that they answer."""
    header = ["method", *(problem.__name__ for problem in PROBLEMS)]
    rows = [[cls.__name__, *("x" if problem in cls.answers else "" for problem in PROBLEMS)] for cls in METHODS]
    return header, rows


def describe_method(cls: type[Any]) -> Table:
    """Return header and rows of a method's options: name, type, default."""
    return ["option", "type", "default"], [
        [f.name, str(f.type), repr(f.default)] for f in fields(cls) if not f.name.startswith("_")
    ]


def list_families() -> Table:
    """Return header and rows of the families that a model file may name, with their keys."""
    header = ["family", "needs", "may have", "what it is"]
    rows = []
    for name, sampler in FAMILIES.items():
        needed, optional = _keys(sampler)
        rows.append([name, ", ".join(needed), ", ".join(optional), _first_line(sampler)])
    return header, rows


def describe_family(sampler: Callable[..., Any]) -> Table:
    """Return header and rows of a family's keys: name, type, default."""
    rows = []
    for key, parameter in inspect.signature(sampler).parameters.items():
        default = "needed" if parameter.default is inspect.Parameter.empty else repr(parameter.default)
        table = "table [model.thermometer]: splitting, coupling, bath_operator"
        rows.append([key, table if key == "thermometer" else str(parameter.annotation), default])
    return ["key", "type", "default"], rows


def find_method(name: str) -> type[Any]:
    """Return the method called `name`; case, hyphens and underscores do not matter.

    Raises:
        InputError: no method has that name.
    """
    return _find("method", name, {cls.__name__: cls for cls in METHODS})


def find_family(name: str) -> Callable[..., Any]:
    """Return the sampler of the family called `name`.

    Raises:
        InputError: no family has that name.
    """
    return _find("family", name, FAMILIES)


def _find(kind: str, name: str, known: Mapping[str, _Found]) -> _Found:
    for key, value in known.items():
        if plain_name(key) == plain_name(name):
            return value
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"take one of {', '.join(known)}."
    raise InputError(f"There must be a {kind} of that name, but there is no {name!r}; {hint}")


def _keys(sampler: Callable[..., Any]) -> tuple[list[str], list[str]]:
    parameters = inspect.signature(sampler).parameters.items()
    needed = [key for key, p in parameters if p.default is inspect.Parameter.empty]
    optional = [key if p.default is None else f"{key}={p.default}" for key, p in parameters if key not in needed]
    return needed, optional


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").splitlines()[0]
