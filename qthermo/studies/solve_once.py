"""`solve` with a file in between: what was answered before is read, not computed again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qthermo.errors import FileError
from qthermo.problems import Problem
from qthermo.results import load_result, matches_request, save_result
from qthermo.solve import Method, solve

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["solve_once"]


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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as trouble:
        raise FileError(
            f"The folder of {path} must be writable, but is not ({trouble.strerror}); choose another."
        ) from None
    save_result(data, path)
    return data
