"""Work with a file in between: what was answered before is read, not computed again."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import FileError
from qthermo.files import make_folder, write_atomically
from qthermo.problems import Problem
from qthermo.results import load_result, matches_request, save_result
from qthermo.solve import Method, solve

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["array_once", "solve_once"]


def solve_once(problem: Problem, method: Method, path: str | Path) -> xr.Dataset:
    """Return the result in `path` if it answers this problem by this method, else solve and write it there.

    Damaged files and those of another question are replaced. Folders are made as needed.

    Raises:
        FileError: the place cannot be written.
    """
    path = Path(path)
    if path.is_file():
        try:
            data = load_result(path)
        except FileError:
            data = None
        if data is not None and matches_request(data, problem, method):
            return data
    data = solve(problem, method)
    make_folder(path.parent, "A stored result")
    save_result(data, path)
    return data


def array_once(compute: Callable[[], NDArray[Any]], path: str | Path, parameters: Mapping[str, Any]) -> NDArray[Any]:
    """Return the array in `path` if it was made with these parameters by this version, else compute and write it.

    Args:
        compute: makes the array.
        path: of the npz file; damaged files and those of other parameters are replaced.
        parameters: JSON values that determine the array.

    Raises:
        FileError: the place cannot be written.
    """
    path = Path(path)
    key = json.dumps({**parameters, "qthermo": version("qthermo")}, sort_keys=True)
    known = _read_array(path, key)
    if known is not None:
        return known
    values = compute()
    buffer = io.BytesIO()
    np.savez(buffer, key=np.array(key), values=values)
    make_folder(path.parent, "A stored result")
    write_atomically(path, buffer.getvalue())
    return values


def _read_array(path: Path, key: str) -> NDArray[Any] | None:
    """Return the array of this key; None where the file is missing, damaged, foreign or of another key."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return np.asarray(stored["values"]) if str(stored["key"]) == key else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
