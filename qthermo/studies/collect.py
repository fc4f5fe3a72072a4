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

from qthermo.errors import FileError, InputError
from qthermo.results import CONVENTIONS, SCHEMA_ATTRIBUTE, SCHEMA_VERSION, to_json
from qthermo.seeds import Stream, sample_generator
from qthermo.studies.agenda import Agenda
from qthermo.studies.folder import open_store
from qthermo.studies.frame import Cell, Frame, stack_shards
from qthermo.studies.method_comparison import ERROR_ESTIMATES, allowed_deviation
from qthermo.studies.shard import Shard
from qthermo.studies.statistics import (
    bootstrap_interval,
    combine_sampling_errors,
    count_finite,
    mean_of,
    stderr_of,
)
from qthermo.studies.store import Store
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
class _Table:
    """The cells of a study, and what becomes of them."""

    store: Store
    counts: list[int]
    cells: dict[tuple[int, int], Cell] = field(default_factory=dict)
    main: str = ""
    digest: Any = field(default_factory=hashlib.sha256)
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def add(self, point: int, method: int, realizations: list[int]) -> None:
        """Read the shards of a cell in the order of their realizations."""
        if not realizations:
            return
        shards = [self._read(Task(r, point, method)) for r in realizations]
        for realization, shard in zip(realizations, shards, strict=True):
            if shard.coordinates.keys() != shards[0].coordinates.keys():
                path = self.store.shard_path(Task(realization, point, method))
                raise FileError(f"{path} must have the coordinates of the other shards of its method; remove it.")
        for shard in shards:
            self.environments[to_json(shard.header["environment"])] = dict(shard.header["environment"])
            self.warnings += shard.header["warnings"][: _SHOWN_WARNINGS - len(self.warnings)]
        self.main = self.main or next(iter(shards[0].variables))
        cell = stack_shards(shards, realizations)
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
        frame = Frame(study, self.cells.values())
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

    def _compare(self, frame: Frame) -> None:
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


def _same_grid(cell: Cell, other: Cell, name: str) -> bool:
    dims = cell.meta[name].dims
    return name in other.samples and all(np.array_equal(cell.coordinates[d], other.coordinates[d]) for d in dims)


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
