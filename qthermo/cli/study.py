"""`qthermo study`: check, run, resume, extend, status, collect, compare, plot, report, and Slurm scripts."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import qthermo
from qthermo.cli.console import print_table
from qthermo.errors import InputError
from qthermo.memory import format_bytes

if TYPE_CHECKING:
    from qthermo.studies.running import RunStatus
    from qthermo.studies.store import Store
    from qthermo.studies.study import Study

__all__ = ["study_app"]

study_app = typer.Typer(
    help="Averages over disorder that survive interruptions: from a study file to figures.", no_args_is_help=True
)

_UNFINISHED = 75  # EX_TEMPFAIL: stopped by the time limit with work left

Target = Annotated[Path, typer.Argument(metavar="FILE", help="Study file, or the folder of a study.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="Replace a key, for example model.disorder=3; repeatable.")
]
Folder = Annotated[Path | None, typer.Option("--folder", help="Folder of the study, if not the file's own.")]
NumWorkers = Annotated[int | None, typer.Option("--workers", min=1, help="Worker processes; all cores by default.")]
Dask = Annotated[str | None, typer.Option(help="Address of a dask scheduler, for example tcp://host:8786.")]
Share = Annotated[str, typer.Option("--shard", metavar="i/n", help="Take one realization in n, from the i-th.")]
TimeLimit = Annotated[str | None, typer.Option(help="Stop after this long: seconds, 90m, 12h, or h:mm:ss.")]
RetryFailed = Annotated[bool, typer.Option(help="Try realizations again whose method raised.")]
Place = Annotated[list[str] | None, typer.Option(help="Value of a dimension, key=value; repeatable.")]
OutputFile = Annotated[Path | None, typer.Option("--output", "-o", help="File to write, if not one in the folder.")]


def _load(target: Path, overrides: list[str] | None, folder: Path | None) -> tuple[Study, Path]:
    """Return the study that a file describes or a folder holds, and its folder."""
    from qthermo.studies.folder import open_store
    from qthermo.studies.running import default_folder
    from qthermo.studies.study_file import load_study

    if target.is_dir():
        if overrides or folder:
            raise InputError(f"Options --set and --folder need a study file, but {target} is a folder; name the file.")
        return open_store(target).study, target
    study = load_study(target, overrides=overrides or [])
    return study, folder or default_folder(study, target)


def _open(target: Path, overrides: list[str] | None, folder: Path | None) -> Store:
    """Return the store of a study that was run before."""
    from qthermo.studies.folder import check_same, open_store

    study, place = _load(target, overrides, folder)
    store = open_store(place)
    check_same(store.study, study, place)
    return store


@study_app.command()
def check(target: Target, overrides: Overrides = None, num_workers: NumWorkers = None) -> None:
    """Check a study file and every combination of grid point and method; run nothing."""
    from qthermo.studies.study_check import check_combinations

    study, folder = _load(target, overrides, None)
    needs = check_combinations(study, num_workers=num_workers or 1)
    _print_study(study, folder)
    print_table(["method", "memory"], [[label, format_bytes(size)] for label, size in needs.memory.items()])
    print("nothing to mend")


def _print_study(study: Study, folder: Path) -> None:
    tasks = len(study.points) * len(study.methods) * study.ensemble.num_realizations
    print(f"{study.name}: {study.problem['name']} of {study.model['family']}, in {folder}")
    for axis in study.axes:
        print(f"{axis.path}: {', '.join(map(str, axis.values))}")
    print(
        f"{len(study.points)} grid points x {len(study.methods)} methods x {study.ensemble.num_realizations} "
        f"realizations = {tasks} tasks, seed {study.seed}"
    )


@study_app.command()
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

    study, place = _load(target, overrides, folder)
    workers = num_workers or count_cores()
    needs = check_combinations(study, num_workers=1 if dask else workers)
    if dry_run:
        from qthermo.studies.probe import probe_study

        _print_study(study, place)
        _print_estimates(probe_study(study, needs, _say_on_terminal), workers)
        return
    command = _repeat(target, overrides, folder, num_workers, dask, share, time_limit, retry_failed)
    _run_store(create_store(study, place), num_workers, dask, share, time_limit, retry_failed, command)


@study_app.command()
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
    store = _open(target, overrides, folder)
    command = _repeat(target, overrides, folder, num_workers, dask, share, time_limit, retry_failed)
    _run_store(store, num_workers, dask, share, time_limit, retry_failed, command)


@study_app.command()
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

    store = update_plan(_open(target, overrides, folder), num_realizations=to)
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
                shard=_parse_share(share),
                time_limit=None if time_limit is None else _parse_duration(time_limit),
                retry_failed=retry_failed,
                progress=show,
                should_stop=lambda: f"{caught[0].name} arrived" if caught else "",
            )
        except InputError:
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


def _parse_share(text: str) -> tuple[int, int]:
    index, slash, count = text.partition("/")
    if not slash or not index.isdigit() or not count.isdigit() or int(index) >= int(count):
        raise InputError(f"Option --shard must read i/n with i from 0 to n-1, but is {text!r}.")
    return int(index), int(count)


def _parse_duration(text: str) -> float:
    """Return seconds from "90", "90s", "90m", "12h", "3d" or "h:mm:ss"."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    try:
        if ":" in text:
            seconds = 0.0
            for part in text.split(":"):
                seconds = 60 * seconds + float(part)
        else:
            seconds = float(text[:-1]) * units[text[-1]] if text[-1:] in units else float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise InputError(f"Option --time-limit must be seconds, 90m, 12h or h:mm:ss, but is {text!r}.")
    return seconds


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


def _print_estimates(estimates: list, workers: int) -> None:  # type: ignore[type-arg]
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


@study_app.command()
def status(target: Target, overrides: Overrides = None, folder: Folder = None) -> None:
    """Show what is done, failed and running, and the standard error so far."""
    from qthermo.studies.progress_table import progress_rows

    store = _open(target, overrides, folder)
    scan = store.scan()
    print_table(*progress_rows(store, scan))
    running = store.count_running()
    print(f"running on this machine: {running}; target standard error: {store.study.ensemble.target_stderr or 'none'}")
    for sentence in scan.sentences:
        print(f"note: {sentence}", file=sys.stderr)
    for task, failure in sorted(scan.failed.items()):
        words = f"{failure.exception}: {failure.message}".splitlines()[0]
        print(f"failed: {store.failure_path(task)} ({failure.kind}): {words}")


@study_app.command()
def collect(target: Target, overrides: Overrides = None, folder: Folder = None, output: OutputFile = None) -> None:
    """Average all realizations into one netCDF file, result.nc in the study's folder."""
    from qthermo.studies.collect import collect_store

    store = _open(target, overrides, folder)
    data = collect_store(store)
    path = qthermo.save_result(data, output or store.folder / "result.nc")
    if not data.attrs["complete"]:
        print("note: the study is not finished; the averages are over what is done", file=sys.stderr)
    print(f"wrote {path}")


@study_app.command()
def compare(target: Target, overrides: Overrides = None, folder: Folder = None) -> None:
    """Print every method's mean deviation from the judge, its standard error, and a verdict."""
    from qthermo.studies.collect import collect_store
    from qthermo.studies.method_comparison import compare_methods, comparison_rows

    print_table(*comparison_rows(list(compare_methods(collect_store(_open(target, overrides, folder))))))


@study_app.command()
def plot(
    target: Target,
    overrides: Overrides = None,
    folder: Folder = None,
    output: OutputFile = None,
    against: Annotated[str | None, typer.Option(help="Horizontal axis, for example time or disorder.")] = None,
    variable: Annotated[str | None, typer.Option(help="What to draw; the main variable by default.")] = None,
    at: Place = None,
) -> None:
    """Draw the averages with error bands into figure.png in the study's folder."""
    from qthermo.plotting import save_study_figure
    from qthermo.studies.collect import collect_store
    from qthermo.studies.method_names import parse_options

    store = _open(target, overrides, folder)
    path = output or store.folder / "figure.png"
    chosen = parse_options(at or [])
    print(f"wrote {save_study_figure(collect_store(store), path, against=against, variable=variable, at=chosen)}")


@study_app.command()
def report(target: Target, overrides: Overrides = None, folder: Folder = None, output: OutputFile = None) -> None:
    """Write report.html in the study's folder: figures, tables, failures, provenance, how to reproduce."""
    from qthermo.studies.report import write_report

    store = _open(target, overrides, folder)
    print(f"wrote {write_report(store, output or store.folder / 'report.html')}")


@study_app.command()
def slurm(
    target: Target,
    num_jobs: Annotated[int, typer.Option(min=1, help="Jobs of the array.")],
    time: Annotated[str, typer.Option(help="Time limit of each job, in Slurm's form.")] = "24:00:00",
    cpus: Annotated[int, typer.Option(min=1, help="Cores of each job.")] = 1,
    option: Annotated[list[str] | None, typer.Option(help="Further option of sbatch, such as --partition=x.")] = None,
    overrides: Overrides = None,
    folder: Folder = None,
    output: OutputFile = None,
) -> None:
    """Write a script for `sbatch`: an array of jobs that share the folder and requeue themselves."""
    from qthermo.files import write_atomically
    from qthermo.studies.folder import create_store
    from qthermo.studies.slurm import write_sbatch
    from qthermo.studies.study_check import check_combinations

    study, place = _load(target, overrides, folder)
    check_combinations(study, num_workers=cpus)
    store = create_store(study, place.resolve())
    text = write_sbatch(
        ["study", "resume", str(store.folder)],
        name=study.name,
        num_jobs=num_jobs,
        cpus=cpus,
        time_limit=time,
        folder=Path.cwd(),
        log_folder=store.folder,
        extra=option or [],
    )
    path = write_atomically(output or store.folder / "study.sbatch", text.encode())
    print(f"wrote {path}; submit it with: sbatch {shlex.quote(str(path))}")
