"""`qthermo study run`, `resume` and `extend`: signals that keep everything, and progress on a terminal."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qthermo.cli.console import print_table
from qthermo.cli.study_options import (
    Dask,
    Folder,
    NumWorkers,
    Overrides,
    RetryFailed,
    Share,
    Target,
    TimeLimit,
    load_target,
    open_target,
    parse_duration,
    parse_share,
)
from qthermo.errors import ExecutionError, FileError
from qthermo.memory import format_bytes

if TYPE_CHECKING:
    from qthermo.studies.order_loop import RunStatus
    from qthermo.studies.probe import Estimate
    from qthermo.studies.store import Store
    from qthermo.studies.study import Study

__all__ = ["describe_status", "extend", "format_seconds", "print_study", "resume", "run"]

_UNFINISHED = 75  # EX_TEMPFAIL: stopped by the time limit with work left


def print_study(study: Study, folder: Path) -> None:
    """Print what a study is: its axes and the number of its tasks."""
    tasks = len(study.points) * len(study.methods) * study.ensemble.num_realizations
    print(f"{study.name}: {study.problem['name']} of {study.model['family']}, in {folder}")
    for axis in study.axes:
        print(f"{axis.path}: {', '.join(map(str, axis.values))}")
    print(
        f"{len(study.points)} grid points x {len(study.methods)} methods x {study.ensemble.num_realizations} "
        f"realizations = {tasks} tasks, seed {study.seed}"
    )


def run(
    target: Target,
    overrides: Overrides = None,
    folder: Folder = None,
    num_workers: NumWorkers = None,
    dask: Dask = None,
    share: Share = "0/1",
    time_limit: TimeLimit = None,
    retry_failed: RetryFailed = False,
    dry_run: Annotated[bool, typer.Option(help="Probe one realization of each kind and estimate the rest.")] = False,
) -> None:
    """Compute what the study's folder does not hold yet; can be stopped and started again at any time."""
    from qthermo.studies.executors import count_cores
    from qthermo.studies.folder import create_store
    from qthermo.studies.study_check import check_combinations

    study, place = load_target(target, overrides, folder)
    workers = num_workers or count_cores()
    needs = check_combinations(study, num_workers=1 if dask else workers)
    if dry_run:
        from qthermo.studies.probe import probe_study

        print_study(study, place)
        _print_estimates(probe_study(study, needs, _say_on_terminal), workers)
        return
    command = _repeat(target, overrides, folder, num_workers, dask, share, time_limit, retry_failed)
    _run_store(create_store(study, place), num_workers, dask, share, time_limit, retry_failed, command)


def resume(
    target: Target,
    overrides: Overrides = None,
    folder: Folder = None,
    num_workers: NumWorkers = None,
    dask: Dask = None,
    share: Share = "0/1",
    time_limit: TimeLimit = None,
    retry_failed: RetryFailed = False,
) -> None:
    """Go on with a study that was run before."""
    store = open_target(target, overrides, folder)
    command = _repeat(target, overrides, folder, num_workers, dask, share, time_limit, retry_failed)
    _run_store(store, num_workers, dask, share, time_limit, retry_failed, command)


def extend(
    target: Target,
    to: Annotated[int, typer.Option(min=1, help="Number of realizations in all.")],
    overrides: Overrides = None,
    folder: Folder = None,
    num_workers: NumWorkers = None,
    dask: Dask = None,
    time_limit: TimeLimit = None,
) -> None:
    """Add realizations to a study; those that are there are kept."""
    from qthermo.studies.folder import update_plan

    store = update_plan(open_target(target, overrides, folder), num_realizations=to)
    command = _repeat(target, overrides, folder, num_workers, dask, "0/1", time_limit, False)
    _run_store(store, num_workers, dask, "0/1", time_limit, False, command)


def _repeat(
    target: Path,
    overrides: list[str] | None,
    folder: Path | None,
    num_workers: int | None,
    dask: str | None,
    share: str,
    time_limit: str | None,
    retry_failed: bool,
) -> str:
    """Return the command that goes on."""
    words = ["qthermo", "study", "resume", str(target)]
    for text in overrides or []:
        words += ["--set", text]
    given = {"--folder": folder, "--workers": num_workers, "--dask": dask, "--time-limit": time_limit}
    for option, value in given.items():
        words += [] if value is None else [option, str(value)]
    words += [] if share == "0/1" else ["--shard", share]
    words += ["--retry-failed"] if retry_failed else []
    return shlex.join(words)


def _run_store(
    store: Store,
    num_workers: int | None,
    dask: str | None,
    share: str,
    time_limit: str | None,
    retry_failed: bool,
    command: str,
) -> None:
    from qthermo.studies.running import run_store

    with _remembered_signals() as caught, _study_bar() as show:
        try:
            status = run_store(
                store,
                executor=dask,
                num_workers=num_workers,
                shard=parse_share(share),
                time_limit=None if time_limit is None else parse_duration(time_limit),
                retry_failed=retry_failed,
                progress=show,
                should_stop=lambda: f"{caught[0].name} arrived" if caught else "",
            )
        except (FileError, ExecutionError):
            print(f"what is done is kept; to go on: {command}", file=sys.stderr)
            raise
    for sentence in status.sentences:
        print(f"note: {sentence}", file=sys.stderr)
    print(f"done {status.done}, failed {status.failed}; computed {status.computed} in {status.seconds:.1f} s")
    if status.failed:
        print("`qthermo study status` shows what failed; --retry-failed tries again", file=sys.stderr)
    if status.stopped:
        print(f"stopped, since {status.stopped}; what is done is kept. To go on: {command}", file=sys.stderr)
        raise SystemExit(128 + caught[0].value if caught else _UNFINISHED)


@contextmanager
def _remembered_signals() -> Iterator[list[signal.Signals]]:
    """Yield a list that SIGINT and SIGTERM append to; the second SIGINT interrupts at once."""
    caught: list[signal.Signals] = []

    def remember(number: int, _frame: object) -> None:
        caught.append(signal.Signals(number))
        if len(caught) > 1:
            raise KeyboardInterrupt

    previous = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def _study_bar() -> Iterator[Callable[[RunStatus], None]]:
    """Yield what shows the progress: a bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _status: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("", total=None)

        def show(status: RunStatus) -> None:
            done = status.done + status.failed
            bars.update(task, total=max(status.total, 1), completed=done, description=describe_status(status))

        yield show


def describe_status(status: RunStatus) -> str:
    """Return a run's progress in words."""
    words = [f"done {status.done}", f"failed {status.failed}", f"running {status.running}"]
    words.append(f"left {status.total - status.done - status.failed}")
    if status.remaining_seconds == status.remaining_seconds:
        words.append(f"ETA {format_seconds(status.remaining_seconds)}")
    if status.target is not None and status.stderr == status.stderr:
        words.append(f"stderr {status.stderr:.2e} (target {status.target:.2e})")
    return ", ".join(words)


def format_seconds(seconds: float) -> str:
    """Return a duration in words, for example "2 h 05 min"."""
    if seconds != seconds:
        return "unknown"
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes < 48 * 60 else f"{minutes / 1440:.1f} days"


def _say_on_terminal(words: str) -> None:
    if sys.stderr.isatty():
        print(f"probing {words}", file=sys.stderr)


def _print_estimates(estimates: Sequence[Estimate], workers: int) -> None:
    rows = []
    for line in estimates:
        rows.append([line.label, format_seconds(line.seconds), format_seconds(line.total), format_bytes(line.memory)])
    print_table(["method", "one realization", "all, on one worker", "memory"], rows)
    total = sum(line.total for line in estimates if line.total == line.total)
    memory = max(line.memory for line in estimates)
    print(f"about {format_seconds(total / workers)} on {workers} workers, up to {format_bytes(workers * memory)}")
    for line in estimates:
        if line.words:
            print(f"note: {line.label}: {line.words}", file=sys.stderr)
