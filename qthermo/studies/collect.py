"""From shards to one Dataset: means, standard errors, counts, error kinds in columns of their own, provenance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Variable
from qthermo.errors import FileError, InputError
from qthermo.results import CONVENTIONS, COORDINATES, SCHEMA_ATTRIBUTE, SCHEMA_VERSION, to_json
from qthermo.seeds import Stream, sample_generator
from qthermo.studies.agenda import Agenda
from qthermo.studies.method_comparison import ERROR_ESTIMATES, allowed_deviation
from qthermo.studies.shard import Shard
from qthermo.studies.statistics import (
    bootstrap_interval,
    combine_sampling_errors,
    count_finite,
    mean_of,
    stderr_of,
)
from qthermo.studies.store import Store, open_store
from qthermo.studies.study import Study, Task

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["collect_store", "collect_study"]

_ERRORS = ("stderr", *ERROR_ESTIMATES)
_SHOWN_WARNINGS = 20


def collect_study(folder: str | Path) -> xr.Dataset:
    """Return the averages of a study, also of one that is not finished.

    Every variable x of the answers becomes the mean over realizations (NaN where one has no value, unless the study
    says `survivors`), with `x_disorder_stderr` and `x_count` beside
    it, and `x_bootstrap_low`, `x_bootstrap_high` if the study asks for a bootstrap. Its dimensions are the grid's
    axes, `label` (of the method), and its own. Error estimates are averaged and stay apart; `stderr`, the sampling
    error of single realizations, becomes that of the mean. With several methods, `deviation` is the mean of
    (method - judge) of the main variable over paired realizations, and `deviation_allowed` what a verdict allows
    (`compare_methods`).

    The result depends on the numbers of the realizations only: not on workers, order, interruptions or time.

    Raises:
        FileError: the folder holds no study, or a shard is damaged.
        InputError: nothing is there to collect yet.
    """
    return collect_store(open_store(Path(folder)))


def collect_store(store: Store) -> xr.Dataset:
    """Return the averages of the study in a store; see `collect_study`."""
    import xarray as xr

    scan = store.scan()
    agenda = Agenda(store)
    agenda.start(scan)
    counts = [agenda.used.get(p, store.study.ensemble.num_realizations) for p in range(len(store.study.points))]
    table = _Table(store=store, counts=counts)
    for point, count in enumerate(counts):
        for method in range(len(store.study.methods)):
            table.add(point, method, [r for r in range(count) if Task(r, point, method) in scan.done])
    if not table.cells:
        raise InputError(f"A study must have at least one realization to be collected, but {store.folder} has none.")
    failed = {task: failure for task, failure in scan.failed.items() if task.realization < counts[task.point]}
    numbers = {point: [task for task in failed if task.point == point] for point in range(len(counts))}
    variables, coordinates = table.assemble(numbers)
    attributes = _attributes(store.study, table, complete=agenda.finished)
    attributes["failures"] = to_json(
        [
            {**store.key(task), "study": None, "kind": f.kind, "exception": f.exception, "message": f.message}
            for task, f in sorted(failed.items())
        ]
    )
    return xr.Dataset(variables, coordinates, attributes)


@dataclass(slots=True, kw_only=True)
class _Cell:
    """All realizations of one grid point and method, stacked on one set of coordinates."""

    realizations: list[int]
    samples: dict[str, NDArray[Any]]
    meta: dict[str, Variable]
    coordinates: dict[str, NDArray[Any]]
    num_warned: int


@dataclass(slots=True, kw_only=True)
class _Table:
    """The cells of a study, and what becomes of them."""

    store: Store
    counts: list[int]
    cells: dict[tuple[int, int], _Cell] = field(default_factory=dict)
    main: str = ""
    digest: Any = field(default_factory=hashlib.sha256)
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def add(self, point: int, method: int, realizations: list[int]) -> None:
        """Read the shards of a cell in the order of their realizations."""
        if not realizations:
            return
        shards = [self._read(Task(r, point, method)) for r in realizations]
        for shard in shards:
            self.environments[to_json(shard.header["environment"])] = dict(shard.header["environment"])
            self.warnings += shard.header["warnings"][: _SHOWN_WARNINGS - len(self.warnings)]
        self.main = self.main or next(iter(shards[0].variables))
        cell = _stack(shards, realizations)
        for name in sorted(cell.samples):
            self.digest.update(f"{point} {method} {name}".encode())
            self.digest.update(np.ascontiguousarray(cell.samples[name]).tobytes())
        self.cells[point, method] = cell

    def _read(self, task: Task) -> Shard:
        try:
            return self.store.read(task)
        except FileError as problem:
            raise FileError(f"{problem} `qthermo study resume` computes it again.") from None

    def assemble(self, failed: Mapping[int, Sequence[Task]]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the variables and coordinates of the Dataset."""
        study = self.store.study
        frame = _Frame(study, self.cells.values())
        rng = sample_generator(study.seed, Stream.BOOTSTRAP)
        for (point, method), cell in self.cells.items():
            for name, samples in cell.samples.items():
                columns = _reduce(name, samples, study, rng if name == self.main else None)
                for key, (values, words) in columns.items():
                    frame.put(key, point, method, cell, cell.meta[name], values, words)
            frame.count("num_realizations", point, method, len(cell.realizations))
            frame.count("num_warned", point, method, cell.num_warned)
        for point, tasks in failed.items():
            for task in tasks:
                frame.count("num_failed", point, task.method, 1)
        self._compare(frame)
        return frame.variables, frame.coordinates

    def _compare(self, frame: _Frame) -> None:
        study = self.store.study
        judge = study.labels.index(study.judge)
        if len(study.methods) < 2:
            return
        for (point, method), cell in self.cells.items():
            reference = self.cells.get((point, judge))
            common = sorted(set(cell.realizations) & set(reference.realizations)) if reference else []
            if reference is None or not common or not _same_grid(cell, reference, self.main):
                continue
            mine, other = ([c.realizations.index(r) for r in common] for c in (cell, reference))
            pairs = cell.samples[self.main][mine] - reference.samples[self.main][other]
            errors = [
                mean_of(c.samples[name]) for c in (cell, reference) for name in ERROR_ESTIMATES if name in c.samples
            ]
            stderr = stderr_of(pairs)
            meta = cell.meta[self.main]
            for key, values, words in (
                ("deviation", mean_of(pairs), "mean of (method - judge) over paired realizations"),
                ("deviation_disorder_stderr", stderr, "standard error of the mean deviation"),
                ("deviation_count", count_finite(pairs), "number of pairs"),
                ("deviation_allowed", allowed_deviation(stderr, *errors), "4 stderr + 2 error estimates of both"),
            ):
                frame.put(key, point, method, cell, meta, values, words)


def _same_grid(cell: _Cell, other: _Cell, name: str) -> bool:
    dims = cell.meta[name].dims
    return name in other.samples and all(np.array_equal(cell.coordinates[d], other.coordinates[d]) for d in dims)


def _stack(shards: Sequence[Shard], realizations: list[int]) -> _Cell:
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
    return _Cell(
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


def _reduce(
    name: str, samples: NDArray[Any], study: Study, rng: np.random.Generator | None
) -> dict[str, tuple[NDArray[Any], str]]:
    """Return the columns that a variable becomes, with what to add to its description."""
    plan, count = study.ensemble, count_finite(samples)
    if not plan.survivors and not (count == samples.shape[0]).all():
        samples = np.where(count == samples.shape[0], samples, np.nan)
    if name == "stderr":
        return {name: (combine_sampling_errors(samples), "of the mean over realizations")}
    if name in _ERRORS:
        return {name: (mean_of(samples), "mean over realizations")}
    columns = {
        name: (mean_of(samples), "mean over realizations"),
        f"{name}_disorder_stderr": (stderr_of(samples), "standard error over realizations"),
        f"{name}_count": (count, "number of realizations that have it"),
    }
    if plan.bootstrap and rng is not None and not np.iscomplexobj(samples):
        low, high = bootstrap_interval(samples, num_samples=plan.bootstrap, confidence=plan.confidence, rng=rng)
        words = f"of the {100 * plan.confidence:g} % bootstrap interval of the mean"
        columns[f"{name}_bootstrap_low"] = (low, f"lower end {words}")
        columns[f"{name}_bootstrap_high"] = (high, f"upper end {words}")
    return columns


class _Frame:
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
        self, key: str, point: int, method: int, cell: _Cell, meta: Variable, values: NDArray[Any], words: str
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


def _attributes(study: Study, table: _Table, *, complete: bool) -> dict[str, Any]:
    environments = [json.loads(text) for text in sorted(table.environments)]
    return {
        SCHEMA_ATTRIBUTE: SCHEMA_VERSION,
        "problem": str(study.problem["name"]),
        "method": ", ".join(study.labels),
        "model": str(study.model["family"]),
        "main_variable": table.main,
        "judge": study.judge,
        "study": to_json(study.to_tables()),
        "study_sha256": study.digest,
        "data_sha256": table.digest.hexdigest(),
        "seed": study.seed,
        "complete": int(complete),
        "conventions": CONVENTIONS,
        "environments": to_json(environments),
        "warnings": to_json(table.warnings),
    }
