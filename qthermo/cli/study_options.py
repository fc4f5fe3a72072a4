"""What the commands of `qthermo study` share: their options, and how a file or folder becomes a study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qthermo.errors import InputError

if TYPE_CHECKING:
    from qthermo.studies.store import Store
    from qthermo.studies.study import Study

__all__ = [
    "Dask",
    "Folder",
    "NumWorkers",
    "OutputFile",
    "Overrides",
    "Place",
    "RetryFailed",
    "Share",
    "Target",
    "TimeLimit",
    "load_target",
    "open_target",
    "parse_duration",
    "parse_share",
]

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


def load_target(target: Path, overrides: list[str] | None, folder: Path | None) -> tuple[Study, Path]:
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


def open_target(target: Path, overrides: list[str] | None, folder: Path | None) -> Store:
    """Return the store of a study that was run before."""
    from qthermo.studies.folder import check_same, open_store

    study, place = load_target(target, overrides, folder)
    store = open_store(place)
    check_same(store.study, study, place)
    return store


def parse_share(text: str) -> tuple[int, int]:
    """Return (i, n) from "i/n"."""
    index, slash, count = text.partition("/")
    if not slash or not index.isdigit() or not count.isdigit() or int(index) >= int(count):
        raise InputError(f"Option --shard must read i/n with i from 0 to n-1, but is {text!r}.")
    return int(index), int(count)


def parse_duration(text: str) -> float:
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
