"""Studies for the tests, cheap ones: one realization takes about a millisecond."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

import qthermo as qt


def cheap_tables(**changes: Any) -> dict[str, Any]:
    """A chain of three spins by exact diagonalisation at two disorders; `changes` are merged into the tables."""
    tables: dict[str, Any] = {
        "name": "cheap",
        "model": {"family": "imbrie_chain", "num_bath_sites": 2, "disorder": [1.0, 4.0]},
        "problem": {"name": "Autocorrelation", "times": [0.0, 1.0, 3.0]},
        "methods": [{"name": "Dense"}],
        "ensemble": {"num_realizations": 6, "seed": 7},
    }
    for key, value in changes.items():
        tables[key] = {**tables[key], **value} if isinstance(value, dict) and key in tables else value
    return tables


def cheap_study(**changes: Any) -> qt.Study:
    return qt.parse_study(cheap_tables(**changes))


def solve_by_hand(disorder: float, realization: int, **options: Any) -> np.ndarray:
    """C(t) of one realization of the cheap study, without any of the study's machinery."""
    model = qt.models.sample_imbrie_chain(
        num_bath_sites=options.pop("num_bath_sites", 2), disorder=disorder, seed=7, realization=realization
    )
    return qt.solve(qt.Autocorrelation(model, times=[0.0, 1.0, 3.0]), qt.Dense())["correlator"].values


def toml_of(tables: dict[str, Any]) -> str:
    from qthermo.studies.study_toml import to_toml

    return to_toml(tables)


def netcdf(folder: Path) -> bytes:
    """The collected result, to be compared byte for byte.

    Its file; but HDF5 before version 2 stamps the time into files: there the bits of every number and text in it.
    """
    path = qt.save_result(qt.collect_study(folder), folder / "result.nc")
    return path.read_bytes() if h5py.version.hdf5_version_tuple >= (2, 0, 0) else contents(path)


def contents(path: Path) -> bytes:
    """Names, dimensions, attributes and values of a result file."""
    data = qt.load_result(path)
    rows: list[object] = [data.attrs]
    for name, variable in data.variables.items():
        values = variable.values
        bits = values.tobytes() if np.issubdtype(values.dtype, np.number) else values.tolist()
        rows.append((name, variable.dims, str(values.dtype), variable.attrs, bits))
    return repr(rows).encode()
