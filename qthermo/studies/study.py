"""`Study`: one problem over a grid of models, by one or more methods, averaged over disorder."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from qthermo.models import AnyModel, Thermometer
from qthermo.problems import Problem
from qthermo.seeds import Stream, spawn_seed
from qthermo.solve import Method
from qthermo.studies.ensemble import Ensemble, Output
from qthermo.studies.method_names import build_method
from qthermo.studies.model_file import FAMILIES
from qthermo.studies.problem_names import find_problem, read_field

__all__ = ["Axis", "Study", "Task"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of the grid.

    Args:
        path: the key that varies, for example "model.thermometer.coupling".
        name: its dimension in the result, for example "thermometer_coupling".
        values: its values, in the order of the study file.
    """

    path: str
    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True, order=True)
class Task:
    """The smallest piece of work: one realization at one grid point by one method, one shard in the store."""

    realization: int
    point: int
    method: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """What a study file says, checked; made by `qthermo.load_study` or `qthermo.parse_study`.

    The tables hold JSON values only. Keys of `model` and `problem` whose value is a list in place of a scalar span the
    grid; the last axis varies fastest.

    Args:
        name: name of the study.
        model: `family` and arguments of its sampler.
        problem: `name` and fields.
        methods: `name`, `label` and options of each method; labels are unique.
        axes: the grid.
        ensemble: number of realizations, seed, stop.
        output: where results go.
    """

    name: str
    model: Mapping[str, Any]
    problem: Mapping[str, Any]
    methods: tuple[Mapping[str, Any], ...]
    axes: tuple[Axis, ...]
    ensemble: Ensemble
    output: Output

    @property
    def labels(self) -> tuple[str, ...]:
        """The methods' labels."""
        return tuple(str(table["label"]) for table in self.methods)

    @property
    def judge(self) -> str:
        """The label of the method that the others are compared with."""
        default = "Dense" if "Dense" in self.labels else self.labels[0]
        return self.ensemble.judge or default

    @property
    def seed(self) -> int:
        """The entropy of all random numbers of the study."""
        return self.ensemble.seed or 0

    @cached_property
    def points(self) -> tuple[Mapping[str, Any], ...]:
        """The grid points: the value of every axis by its path, the last axis varying fastest."""
        combinations = itertools.product(*(axis.values for axis in self.axes))
        return tuple(dict(zip((axis.path for axis in self.axes), values, strict=True)) for values in combinations)

    @property
    def grid_shape(self) -> tuple[int, ...]:
        """The number of values on every axis."""
        return tuple(len(axis.values) for axis in self.axes)

    def tasks(self, num_realizations: int | None = None) -> Iterator[Task]:
        """Yield all tasks, realization by realization."""
        count = self.ensemble.num_realizations if num_realizations is None else num_realizations
        for numbers in itertools.product(range(count), range(len(self.points)), range(len(self.methods))):
            yield Task(*numbers)

    def build_model(self, point: int, realization: int) -> AnyModel:
        """Return the model of a grid point; its disorder comes from SeedSequence(seed, (realization, MODEL)).

        With `independent_points` the seed is spawned from the study's for every grid point.
        """
        arguments = _at_point(self.model, "model", self.points[point])
        family = arguments.pop("family")
        if "thermometer" in arguments:
            arguments["thermometer"] = Thermometer(**arguments["thermometer"])
        seed = spawn_seed(self.seed, Stream.POINT, point) if self.ensemble.independent_points else self.seed
        return FAMILIES[family](**arguments, seed=seed, realization=realization)

    def build_problem(self, point: int, realization: int) -> Problem:
        """Return the problem of a grid point for one realization of its disorder."""
        values = _at_point(self.problem, "problem", self.points[point])
        make: Callable[..., Problem] = find_problem(values.pop("name"))
        return make(self.build_model(point, realization), **{key: read_field(key, v) for key, v in values.items()})

    def build_method(self, index: int, realization: int) -> Method:
        """Return a method; one that draws random numbers gets a seed spawned for the realization."""
        table = self.methods[index]
        method = build_method(
            str(table["name"]), {key: value for key, value in table.items() if key not in ("name", "label")}
        )
        if any(field.name == "seed" for field in fields(method)):  # type: ignore[arg-type]
            seeded: Method = replace(method, seed=spawn_seed(self.seed, Stream.METHOD, realization))  # type: ignore[type-var]
            return seeded
        return method

    def to_tables(self) -> dict[str, Any]:
        """Return the tables that `qthermo.parse_study` makes the same study from."""
        plan = {"ensemble": asdict(self.ensemble), "output": asdict(self.output)}
        given = {name: {k: v for k, v in table.items() if v is not None} for name, table in plan.items()}
        return {"name": self.name, **self.identity, **given}

    @property
    def identity(self) -> dict[str, Any]:
        """The tables that fix the number of every task; what is left is the plan (how many, where to)."""
        seeds = {"seed": self.seed, "independent_points": self.ensemble.independent_points}
        return {
            "model": dict(self.model),
            "problem": dict(self.problem),
            "methods": [dict(table) for table in self.methods],
            "ensemble": seeds,
        }

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the identity."""
        return hashlib.sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()

    def point_name(self, point: int) -> str:
        """Return a grid point in words, for example "disorder=2"."""
        values = self.points[point]
        return ", ".join(f"{axis.name}={_words(values[axis.path])}" for axis in self.axes) or "the only point"


def _words(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _at_point(table: Mapping[str, Any], name: str, point: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a table with every axis replaced by its value at the point."""
    result = {key: dict(value) if isinstance(value, Mapping) else value for key, value in table.items()}
    for path, value in point.items():
        first, *inner, last = path.split(".")
        if first == name:
            target = result
            for key in inner:
                target = target[key]
            target[last] = value.item() if isinstance(value, np.generic) else value
    return result
