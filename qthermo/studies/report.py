"""The report of a study: one HTML page that needs nothing else, with how to reproduce it."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qthermo.errors import FileError
from qthermo.files import write_atomically
from qthermo.studies.collect import collect_store
from qthermo.studies.html import STYLE, details, embed_image, paragraph, table
from qthermo.studies.method_comparison import compare_methods, comparison_rows
from qthermo.studies.store import Failure, Store
from qthermo.studies.study import Task
from qthermo.studies.study_toml import to_toml

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Timing", "measure_timings", "write_report"]

_SHOWN_FAILURES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Wall time of one method over all shards: count, mean and longest in seconds, and the machines."""

    label: str
    count: int
    mean: float
    longest: float
    hosts: tuple[str, ...]


def measure_timings(store: Store) -> list[Timing]:
    """Return the wall times that the shards record; damaged shards are left out."""
    seconds: dict[int, list[float]] = {k: [] for k in range(len(store.study.methods))}
    hosts: dict[int, set[str]] = {k: set() for k in seconds}
    for task in sorted(store.scan().done):
        try:
            header = store.read(task).header
        except FileError:
            continue
        seconds[task.method].append(float(header["wall_time"]))
        hosts[task.method].add(str(header["host"]))
    return [
        Timing(
            label=store.study.labels[k],
            count=len(times),
            mean=float(np.mean(times)) if times else float("nan"),
            longest=max(times, default=float("nan")),
            hosts=tuple(sorted(hosts[k])),
        )
        for k, times in seconds.items()
    ]


def write_report(store: Store, path: Path) -> Path:
    """Write the page and return its path.

    Raises:
        InputError: there is nothing to report yet.
        FileError: a shard is damaged, or the page cannot be written.
    """
    data = collect_store(store)
    failed = dict(sorted(store.scan().failed.items()))
    title = f"{store.study.name}: {data.attrs['problem']} of {data.attrs['model']}"
    body = "\n".join(
        [
            f"<h1>{html.escape(title)}</h1>",
            paragraph(_summary(store, data, failed), "quiet"),
            *_figures(data, title),
            *_comparison(data),
            "<h2>Realizations</h2>",
            table(*_counts(data)),
            *_failures(store, failed),
            *_warnings(data),
            "<h2>Cost</h2>",
            table(*_cost(store)),
            *_provenance(store, data),
        ]
    )
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>'
    page = f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'
    return write_atomically(path, page.encode())


def _summary(store: Store, data: xr.Dataset, failed: dict[Task, Failure]) -> str:
    counts = data["num_realizations"].values
    words = f"{counts.min()} to {counts.max()}" if counts.min() < counts.max() else str(counts.min())
    state = "complete" if data.attrs["complete"] else "not finished"
    return (
        f"{len(store.study.points)} grid points, {len(store.study.methods)} methods, {words} realizations each; "
        f"{state}; {len(failed)} failed; seed {store.study.seed}."
    )


def _figures(data: xr.Dataset, title: str) -> list[str]:
    from qthermo.plotting import draw_result

    image = draw_result(data)
    return ["<h2>Figures</h2>", embed_image(image, title)] if image is not None else []


def _comparison(data: xr.Dataset) -> list[str]:
    if "deviation" not in data:
        return []
    words = (
        f"Mean deviation from {data.attrs['judge']} over the same realizations, at the entry where it is largest "
        "measured by what is allowed there: 4 standard errors plus twice the methods' own error estimates."
    )
    return [
        "<h2>Methods against the judge</h2>",
        paragraph(words),
        table(*comparison_rows(list(compare_methods(data)))),
    ]


def _counts(data: xr.Dataset) -> tuple[list[str], list[list[str]]]:
    axes = [str(d) for d in data["num_realizations"].dims if d != "label"]
    main = str(data.attrs["main_variable"])
    rows = []
    for place in np.ndindex(*(data.sizes[a] for a in axes)):
        here = data.isel(dict(zip(axes, place, strict=True)))
        for label in data["label"].values:
            cell = here.sel(label=label)
            stderr = cell[f"{main}_disorder_stderr"].values
            worst = f"{np.nanmax(stderr):.2e}" if np.isfinite(stderr).any() else "-"
            numbers = [str(int(cell[name].item())) for name in ("num_realizations", "num_failed", "num_warned")]
            rows.append([*(_words(here[a].item()) for a in axes), str(label), *numbers, worst])
    return [*axes, "method", "averaged", "failed", "with warnings", f"largest standard error of {main}"], rows


def _words(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _failures(store: Store, failed: dict[Task, Failure]) -> list[str]:
    if not failed:
        return []
    words = "Failed realizations are left out of the means. If failing depends on the disorder, that biases them."
    parts = ["<h2>Failures</h2>", paragraph(words, "bad")]
    for task, failure in list(failed.items())[:_SHOWN_FAILURES]:
        place = (
            f"{store.study.point_name(task.point)}, {store.study.labels[task.method]}, realization {task.realization}"
        )
        parts.append(details(f"{place}: {failure.exception}: {failure.message}", failure.traceback or failure.message))
    if len(failed) > _SHOWN_FAILURES:
        parts.append(paragraph(f"{len(failed) - _SHOWN_FAILURES} more are in {store.folder / 'failed'}."))
    return parts


def _warnings(data: xr.Dataset) -> list[str]:
    words = json.loads(data.attrs["warnings"])
    if not words:
        return []
    return ["<h2>Warnings</h2>", details(f"the first {len(words)}", "\n".join(words))]


def _cost(store: Store) -> tuple[list[str], list[list[str]]]:
    rows = [
        [
            t.label,
            str(t.count),
            f"{t.mean:.3g} s",
            f"{t.longest:.3g} s",
            f"{t.count * t.mean / 3600:.3g} h",
            ", ".join(t.hosts),
        ]
        for t in measure_timings(store)
    ]
    return ["method", "realizations computed", "mean", "longest", "in all", "machines"], rows


def _provenance(store: Store, data: xr.Dataset) -> list[str]:
    rows = []
    for k, environment in enumerate(json.loads(data.attrs["environments"])):
        versions = ", ".join(f"{name} {number}" for name, number in environment["versions"].items())
        rows += [
            [f"environment {k + 1}", versions],
            ["BLAS", ", ".join(environment["blas"])],
            ["processor", environment["processor"]],
        ]
    rows += [["study, SHA-256", store.study.digest], ["data, SHA-256", str(data.attrs["data_sha256"])]]
    rows.append(["conventions", str(data.attrs["conventions"])])
    name = f"{store.study.name}.toml"
    commands = f"qthermo study run {name}\nqthermo study collect {name}\nqthermo study report {name}"
    return [
        "<h2>Provenance</h2>",
        table(["", ""], rows),
        "<h2>How to reproduce</h2>",
        paragraph(f"Save this as {name}:"),
        f"<pre>{html.escape(to_toml(store.study.to_tables()))}</pre>",
        paragraph("and run:"),
        f"<pre>{html.escape(commands)}</pre>",
    ]
