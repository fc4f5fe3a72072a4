"""Arrays of a collected study: realizations stacked into cells, cells laid into one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Variable
from qthermo.results import COORDINATES
from qthermo.studies.shard import Shard
from qthermo.studies.study import Study

__all__ = ["Cell", "Frame", "stack_shards"]


@dataclass(slots=True, kw_only=True)
class Cell:
    """All realizations of one grid point and method, stacked on one set of coordinates."""

    realizations: list[int]
    samples: dict[str, NDArray[Any]]
    meta: dict[str, Variable]
    coordinates: dict[str, NDArray[Any]]
    num_warned: int


def stack_shards(shards: Sequence[Shard], realizations: list[int]) -> Cell:
    """Stack the shards of a cell; realizations on other coordinates than the first are laid onto the union."""
    coordinates = {name: _union([shard.coordinates[name] for shard in shards]) for name in shards[0].coordinates}
    samples, meta = {}, {}
    for name, variable in shards[0].variables.items():
        rows = [shard.variables[name] for shard in shards if name in shard.variables]
        if len(rows) < len(shards) or not np.issubdtype(variable.values.dtype, np.number):
            continue
        lengths = tuple(
            coordinates[d].size if d in coordinates else variable.values.shape[k] for k, d in enumerate(variable.dims)
        )
        if all(row.values.shape == lengths for row in rows):
            stacked = np.array([row.values for row in rows])
        else:
            stacked = np.full((len(rows), *lengths), np.nan, np.result_type(variable.values.dtype, np.float64))
            for k, (shard, row) in enumerate(zip(shards, rows, strict=True)):
                places = [_positions(coordinates[d], shard.coordinates[d]) for d in row.dims]
                stacked[k][np.ix_(*places)] = row.values
        samples[name] = stacked
        meta[name] = variable
    return Cell(
        realizations=realizations,
        samples=samples,
        meta=meta,
        coordinates=coordinates,
        num_warned=sum(bool(shard.header["warnings"]) for shard in shards),
    )


def _union(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return all values that occur: numbers ascending, names in the order of their first appearance."""
    first = arrays[0]
    if all(np.array_equal(first, other) for other in arrays[1:]):
        return first
    if np.issubdtype(first.dtype, np.number):
        return np.unique(np.concatenate(list(arrays)))
    return np.array(list(dict.fromkeys(value for array in arrays for value in array.tolist())))


def _positions(union: NDArray[Any], values: NDArray[Any]) -> NDArray[np.intp]:
    places = {value: k for k, value in enumerate(union.tolist())}
    return np.array([places[value] for value in values.tolist()], np.intp)


class Frame:
    """Arrays over grid axes, methods and the variables' own dimensions, filled cell by cell."""

    def __init__(self, study: Study, cells: Any) -> None:
        self._study = study
        cells = list(cells)
        names = dict.fromkeys(name for cell in cells for name in cell.coordinates)
        self._own = {n: _union([cell.coordinates[n] for cell in cells if n in cell.coordinates]) for n in names}
        self._arrays: dict[str, tuple[tuple[str, ...], NDArray[Any], dict[str, str]]] = {}
        self._lead = tuple(axis.name for axis in study.axes)
        for name in ("num_realizations", "num_failed", "num_warned"):
            words = name.replace("num_", "number of ").replace("warned", "realizations with warnings")
            zeros = np.zeros((*study.grid_shape, len(study.methods)), np.int64)
            self._arrays[name] = ((*self._lead, "label"), zeros, {"units": "1", "long_name": words})

    def _place(self, point: int, method: int) -> tuple[Any, ...]:
        return (*map(int, np.unravel_index(point, self._study.grid_shape)), method) if self._lead else (method,)

    def count(self, name: str, point: int, method: int, number: int) -> None:
        """Add to one of the counts."""
        self._arrays[name][1][self._place(point, method)] += number

    def put(
        self, key: str, point: int, method: int, cell: Cell, meta: Variable, values: NDArray[Any], words: str
    ) -> None:
        """Write one cell's values of one column."""
        if key not in self._arrays:
            lengths = [self._own[d].size if d in self._own else values.shape[k] for k, d in enumerate(meta.dims)]
            whole = np.issubdtype(values.dtype, np.integer)
            blank = np.full(
                (*self._study.grid_shape, len(self._study.methods), *lengths),
                0 if whole else np.nan,
                np.int64 if whole else np.result_type(values.dtype, np.float64),
            )
            units = "1" if key.endswith("_count") else meta.units
            described = {"units": units, "long_name": f"{meta.long_name}; {words}"}
            self._arrays[key] = ((*self._lead, "label", *meta.dims), blank, described)
        dims, array, described = self._arrays[key]
        if np.iscomplexobj(values) and not np.iscomplexobj(array):
            array = array.astype(np.complex128)
            self._arrays[key] = (dims, array, described)
        places = [
            _positions(self._own[d], cell.coordinates[d]) if d in self._own else np.arange(values.shape[k])
            for k, d in enumerate(meta.dims)
        ]
        array[(*self._place(point, method), *(np.ix_(*places) if places else ()))] = values

    @property
    def variables(self) -> dict[str, Any]:
        """The variables, the study's main one first."""
        return dict(self._arrays)

    @property
    def coordinates(self) -> dict[str, Any]:
        """Axes, methods, and the variables' own coordinates."""
        found: dict[str, Any] = {}
        for axis in self._study.axes:
            found[axis.name] = (axis.name, np.array(axis.values), {"units": "1", "long_name": f"`{axis.path}`"})
        found["label"] = ("label", np.array(self._study.labels), {"units": "1", "long_name": "label of the method"})
        names = np.array([str(table["name"]) for table in self._study.methods])
        found["method_name"] = ("label", names, {"units": "1", "long_name": "name of the method"})
        for name, values in self._own.items():
            units, long_name = COORDINATES.get(name, ("1", name))
            found[name] = (name, values, {"units": units, "long_name": long_name})
        return found
