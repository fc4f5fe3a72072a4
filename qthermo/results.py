"""Results: how an answer becomes a Dataset stamped with its provenance, and how that is saved and loaded."""

from __future__ import annotations

import contextlib
import io
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qthermo.answers import Answer
from qthermo.errors import FileError, InputError
from qthermo.files import open_sealed, refuse_malformed, seal, write_atomically
from qthermo.models.model import describe_dimension, record
from qthermo.problems import Problem, problem_parameters

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "CONVENTIONS",
    "COORDINATES",
    "SCHEMA_ATTRIBUTE",
    "SCHEMA_VERSION",
    "average_results",
    "build_dataset",
    "load_result",
    "matches_request",
    "merge_results",
    "package_versions",
    "save_result",
    "to_json",
]

SCHEMA_VERSION = 1
CONVENTIONS = (
    "hbar = k_B = 1; Pauli matrices with eigenvalues +-1; site 0 is the thermometer and the leftmost Kronecker factor; "
    "Laplace transform int_0^inf dt exp(-s t); Bohr frequency is the energy gained by the system; "
    "beta = 0 is infinite temperature."
)
SCHEMA_ATTRIBUTE = "qthermo_schema"
_PACKAGES = ("qthermo", "numpy", "scipy", "numba", "quimb", "qiskit", "qiskit-aer", "xarray")
COORDINATES = {
    "time": ("1/energy", "time t"),
    "energy": ("energy", "total energy E"),
    "laplace": ("energy", "Laplace variable s"),
    "frequency": ("energy", "frequency omega, energy gained by the bath"),
    "beta": ("1/energy", "inverse temperature"),
    "observable": ("1", "name of the observable"),
    "quantile": ("1", "share of the states below"),
    "log10_broadening": ("1", "log10 of Gamma_k / energy, centre of the bin"),
    "initial": ("1", "initial thermometer level"),
    "final": ("1", "final thermometer level"),
    "liom": ("1", "localised spin, the nearest to the grain is 1"),
    "operator": ("1", "operator O"),
    "state": ("1", "number of the state; of eigenstates, the nearest to the target energy first"),
    "site": ("1", "site; 0 is the thermometer"),
    "subunit": ("1", "subunit, from the left"),
    "configuration": ("1", "band of each subunit, from the left"),
    "displacement": ("1", "displacement along the first axis, lattice sites"),
}


def build_dataset(
    answer: Answer, problem: Problem, method: object, *, wall_time: float, messages: list[str]
) -> xr.Dataset:
    """Return the answer as a Dataset stamped with problem, model, method, conventions, versions and diagnostics."""
    import xarray as xr

    coordinates = {}
    for name, values in answer.coordinates.items():
        units, long_name = COORDINATES.get(name, ("1", name))
        coordinates[name] = (name, np.array(values), {"units": units, "long_name": long_name})
    variables = {
        name: (v.dims, np.array(v.values), {"units": v.units, "long_name": v.long_name})
        for name, v in answer.variables.items()
    }
    attributes = {
        SCHEMA_ATTRIBUTE: SCHEMA_VERSION,
        **_request(problem, method),
        "model_kind": problem.model.kind,
        "dimension": describe_dimension(problem.model.dimension),
        "conventions": CONVENTIONS,
        "diagnostics": to_json(dict(answer.diagnostics)),
        "warnings": to_json(messages),
        "wall_time": float(wall_time),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": to_json(package_versions()),
        "machine": to_json(_machine()),
    }
    seed = problem.model.parameters.get("seed")
    if seed is not None:
        attributes["seed"] = int(seed)
    return xr.Dataset(variables, coordinates, attributes)


def matches_request(data: xr.Dataset, problem: Problem, method: object) -> bool:
    """Return whether `data` answers this problem by this method, made by this version of qthermo."""
    same_version = json.loads(data.attrs.get("versions", "{}")).get("qthermo") == package_versions()["qthermo"]
    return same_version and all(data.attrs.get(key) == value for key, value in _request(problem, method).items())


def merge_results(results: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Return one Dataset with the variables of all results, `_name` appended; coordinates are joined, gaps are NaN.

    The attributes of each result are kept as JSON in the attribute `part_name`.
    """
    import xarray as xr

    renamed = [
        data.rename({variable: f"{variable}_{name}" for variable in data.data_vars}).drop_attrs(deep=False)
        for name, data in results.items()
    ]
    merged = xr.merge(renamed, join="outer", compat="no_conflicts")
    merged.attrs = {SCHEMA_ATTRIBUTE: SCHEMA_VERSION, "problem": "merged", "conventions": CONVENTIONS}
    merged.attrs |= {f"part_{name}": to_json(dict(data.attrs)) for name, data in results.items()}
    return merged


def average_results(results: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return mean and standard error of results that differ only in the realization of the disorder.

    Every variable keeps its name and gets a second one, `name_disorder_stderr`, the sample standard deviation over
    sqrt(count); errors of other kinds (`stderr`, `truncation_error`, ...) are averaged like the rest and stay apart.

    Args:
        results: at least two Datasets of one problem and one method on the same coordinates.

    Returns:
        A Dataset with the attributes of the first, but for its model, and `num_realizations`.

    Raises:
        InputError: there are fewer than two, or they answer different questions.
    """
    import xarray as xr

    if len(results) < 2:
        raise InputError(f"An average needs at least 2 results for its standard error, but got {len(results)}.")
    shared = ("problem", "problem_parameters", "method", "method_parameters", "model")
    for key in shared:
        if len({data.attrs.get(key) for data in results}) > 1:
            raise InputError(f"Results to be averaged must agree in `{key}`, but differ.")
    try:
        stacked = xr.concat([data.drop_attrs(deep=False) for data in results], "realization", join="exact")
    except ValueError as problem:
        raise InputError(f"Results to be averaged must have the same coordinates, but: {problem}.") from None
    mean, deviation = stacked.mean("realization"), stacked.std("realization", ddof=1)
    count = len(results)
    for name in list(mean.data_vars):
        mean[name].attrs = dict(results[0][name].attrs)
        spread = deviation[name] / np.sqrt(count)
        mean[f"{name}_disorder_stderr"] = spread.assign_attrs(units=results[0][name].attrs["units"])
    kept = {key: results[0].attrs[key] for key in (SCHEMA_ATTRIBUTE, *shared, "conventions", "versions")}
    return mean.assign_attrs(
        kept | {"num_realizations": count, "wall_time": sum(d.attrs["wall_time"] for d in results)}
    )


def _request(problem: Problem, method: object) -> dict[str, str]:
    return {
        "problem": type(problem).__name__,
        "problem_parameters": to_json(problem_parameters(problem)),
        "method": type(method).__name__,
        "method_parameters": to_json(_method_parameters(method)),
        "model": problem.model.family,
        "model_parameters": to_json(problem.model.parameters),
    }


def _method_parameters(method: Any) -> dict[str, Any]:
    return {f.name: record(getattr(method, f.name)) for f in fields(method)}


def to_json(value: object) -> str:
    """Return JSON text; numpy numbers and arrays become plain ones, anything else its text."""
    return json.dumps(value, default=_plain, sort_keys=False)


def _plain(value: object) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value)


def package_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that numbers may depend on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _machine() -> dict[str, Any]:
    from threadpoolctl import threadpool_info

    pools = [{key: pool.get(key) for key in ("internal_api", "version", "num_threads")} for pool in threadpool_info()]
    return {"platform": platform.platform(), "cpus": os.cpu_count(), "thread_pools": pools}


def save_result(data: xr.Dataset, path: str | Path) -> Path:
    """Write a result to a netCDF file and return its path.

    Complex variables are stored as two real ones, `_re` and `_im`. The file is written beside its final place, synced
    and renamed, so an interruption leaves either the old file or the new one. Its SHA-256 is appended as a seal; any
    netCDF-4 reader still opens the file.

    Raises:
        InputError: `data` is not a qthermo result.
        FileError: the place cannot be written.
    """
    if SCHEMA_ATTRIBUTE not in data.attrs:
        raise InputError("Argument `data` must be a Dataset returned by qthermo.solve, but has no qthermo schema.")
    plain = _split_complex(data)
    content = bytes(plain.to_netcdf(engine="h5netcdf"))
    return write_atomically(Path(path), seal(content))


def load_result(path: str | Path) -> xr.Dataset:
    """Read a result that `save_result` wrote, into memory.

    Raises:
        FileError: the file is missing, foreign, damaged, or of a newer schema.
    """
    import xarray as xr

    path = Path(path)
    if not path.is_file():
        raise FileError(f"A result file must exist, but {path} does not.")
    body = open_sealed(path, "A whole result of qthermo")
    with (
        refuse_malformed(path, "a netCDF result of qthermo"),
        xr.open_dataset(io.BytesIO(body), engine="h5netcdf") as opened,
    ):
        plain = opened.load()
    found = plain.attrs.get(SCHEMA_ATTRIBUTE)
    if not isinstance(found, int | np.integer):
        raise FileError(f"{path} must be a result of qthermo, but has no qthermo schema: it is another program's.")
    if found > SCHEMA_VERSION:
        raise FileError(
            f"{path} has schema {found}, but this qthermo reads up to {SCHEMA_VERSION}; install a newer one."
        )
    with refuse_malformed(path, "a result of qthermo"):
        _check_attributes(plain.attrs)
        if any(len(variable.dims) != len(variable.shape) for variable in plain.variables.values()):
            raise ValueError("its variables must have the axes of their dimensions")
        return _join_complex(plain)


def _check_attributes(attributes: Mapping[Any, Any]) -> None:
    """Raise unless every attribute that readers rely on is of its type."""
    for name in ("problem", "method", "model", "conventions"):
        if not isinstance(attributes.get(name, "" if name != "problem" else None), str):
            raise TypeError(f"its attribute `{name}` must be text")
    for name, kind in (("warnings", list), ("diagnostics", dict), ("versions", dict)):
        if not isinstance(json.loads(attributes.get(name, "[]" if kind is list else "{}")), kind):
            raise TypeError(f"its attribute `{name}` must be a JSON {kind.__name__}")


def _split_complex(data: xr.Dataset) -> xr.Dataset:
    plain = data.copy()
    for name in [str(key) for key in data.variables if np.iscomplexobj(data[key].values)]:
        values = data[name].variable
        plain = plain.drop_vars(name)
        for suffix, part in (("_re", values.real), ("_im", values.imag)):
            plain[name + suffix] = (values.dims, part.values, values.attrs)
    return plain


def _join_complex(plain: xr.Dataset) -> xr.Dataset:
    data = plain
    for name in [str(key)[:-3] for key in plain.data_vars if str(key).endswith("_re")]:
        if name + "_im" in plain.data_vars:
            joined = plain[name + "_re"] + 1j * plain[name + "_im"]
            data = data.assign({name: joined.assign_attrs(plain[name + "_re"].attrs)})
            data = data.drop_vars([name + "_re", name + "_im"])
    return data
