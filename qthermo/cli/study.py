"""`qthermo study`: check, run, resume, extend, status, collect, compare, plot, report, and Slurm scripts."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

import qthermo
from qthermo.cli.console import print_table
from qthermo.cli.study_options import Folder, NumWorkers, OutputFile, Overrides, Place, Target, load_target, open_target
from qthermo.cli.study_run import extend, print_study, resume, run
from qthermo.memory import format_bytes

__all__ = ["study_app"]

study_app = typer.Typer(
    help="Averages over disorder that survive interruptions: from a study file to figures.", no_args_is_help=True
)

for _command in (run, resume, extend):
    study_app.command()(_command)


@study_app.command()
def check(target: Target, overrides: Overrides = None, num_workers: NumWorkers = None) -> None:
    """Check a study file and every combination of grid point and method; run nothing."""
    from qthermo.studies.study_check import check_combinations

    study, folder = load_target(target, overrides, None)
    needs = check_combinations(study, num_workers=num_workers or 1)
    print_study(study, folder)
    print_table(["method", "memory"], [[label, format_bytes(size)] for label, size in needs.memory.items()])
    print("nothing to mend")


@study_app.command()
def status(target: Target, overrides: Overrides = None, folder: Folder = None) -> None:
    """Show what is done, failed and running, and the standard error so far."""
    from qthermo.studies.progress_table import progress_rows

    store = open_target(target, overrides, folder)
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

    store = open_target(target, overrides, folder)
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

    print_table(*comparison_rows(list(compare_methods(collect_store(open_target(target, overrides, folder))))))


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

    store = open_target(target, overrides, folder)
    path = output or store.folder / "figure.png"
    chosen = parse_options(at or [])
    print(f"wrote {save_study_figure(collect_store(store), path, against=against, variable=variable, at=chosen)}")


@study_app.command()
def report(target: Target, overrides: Overrides = None, folder: Folder = None, output: OutputFile = None) -> None:
    """Write report.html in the study's folder: figures, tables, failures, provenance, how to reproduce."""
    from qthermo.studies.report import write_report

    store = open_target(target, overrides, folder)
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

    study, place = load_target(target, overrides, folder)
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
