"""What there is: which method answers which problem, and which keys each model family takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from qthermo.solve import METHODS, PROBLEMS
from qthermo.studies.model_file import FAMILIES
from qthermo.studies.names import find_named

__all__ = ["describe_family", "describe_method", "find_family", "list_answers", "list_families"]

Table = tuple[list[str], list[list[str]]]


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


def find_family(name: str) -> Callable[..., Any]:
    """Return the sampler of the family called `name`.

    Raises:
        InputError: no family has that name.
    """
    return find_named("model family", name, FAMILIES)


def _keys(sampler: Callable[..., Any]) -> tuple[list[str], list[str]]:
    parameters = inspect.signature(sampler).parameters.items()
    needed = [key for key, p in parameters if p.default is inspect.Parameter.empty]
    optional = [key if p.default is None else f"{key}={p.default}" for key, p in parameters if key not in needed]
    return needed, optional


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").splitlines()[0]
