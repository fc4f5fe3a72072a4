"""Shards: the answer to one task as a sealed npz file; no pickle is written or read."""

from __future__ import annotations

import functools
import io
import json
import platform
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Variable
from qthermo.errors import FileError
from qthermo.files import open_sealed, refuse_malformed, seal
from qthermo.results import package_versions, to_json
from qthermo.solve import MethodRun

__all__ = ["SHARD_SCHEMA", "Shard", "describe_environment", "encode_shard", "read_shard"]

SHARD_SCHEMA = 1
_HEADER = "header"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """What one task answered.

    Args:
        variables: the answer's variables, its main one first.
        coordinates: their coordinates.
        header: key of the task, diagnostics, warnings, wall time, environment.
    """

    variables: Mapping[str, Variable]
    coordinates: Mapping[str, NDArray[Any]]
    header: Mapping[str, Any]

    @property
    def main(self) -> NDArray[Any]:
        """The values of the first variable."""
        return next(iter(self.variables.values())).values


@functools.cache
def describe_environment() -> dict[str, Any]:
    """Return what the numbers of this process may depend on: package versions, BLAS libraries, processor."""
    import scipy.linalg  # noqa: F401, its BLAS is to be listed whether or not the task has loaded it
    from threadpoolctl import threadpool_info

    libraries = [
        f"{pool['internal_api']} {pool.get('version')} {pool.get('architecture', '')}".strip()
        for pool in threadpool_info()
        if pool["user_api"] == "blas" and _is_ours(Path(pool["filepath"]))
    ]
    return {"versions": package_versions(), "blas": sorted(set(libraries)), "processor": platform.machine()}


def _is_ours(library: Path) -> bool:
    """Return whether numpy or scipy use a library: other packages bring their own, into `NAME.libs`, when imported."""
    owners = [part.removesuffix(".libs") for part in library.parts if part.endswith(".libs")]
    return all(owner in ("numpy", "scipy") for owner in owners)


def encode_shard(run: MethodRun, key: Mapping[str, Any]) -> bytes:
    """Return the sealed content of a shard file; `key` says which study and task it belongs to."""
    answer = run.answer
    header = {
        "schema": SHARD_SCHEMA,
        **key,
        "variables": [[name, list(v.dims), v.units, v.long_name] for name, v in answer.variables.items()],
        "coordinates": list(answer.coordinates),
        "diagnostics": dict(answer.diagnostics),
        "warnings": [str(warning.message) for warning in run.warnings],
        "wall_time": run.wall_time,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "environment": describe_environment(),
    }
    arrays: dict[str, Any] = {_HEADER: np.frombuffer(to_json(header).encode(), np.uint8)}
    arrays |= {f"v{k}": np.asarray(v.values) for k, v in enumerate(answer.variables.values())}
    arrays |= {f"c{k}": np.asarray(values) for k, values in enumerate(answer.coordinates.values())}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return seal(buffer.getvalue())


def read_shard(path: Path, key: Mapping[str, Any]) -> Shard:
    """Read a shard and check that it belongs to the study and task that `key` names.

    Raises:
        FileError: the file is damaged, foreign, of a newer schema, or another task's.
    """
    body = open_sealed(path, "A whole shard of a study")
    with refuse_malformed(path, "a shard of a study"):
        try:
            with np.load(io.BytesIO(body), allow_pickle=False) as stored:
                header = json.loads(stored[_HEADER].tobytes())
                variables = {
                    name: Variable(tuple(dims), stored[f"v{k}"], units, long_name)
                    for k, (name, dims, units, long_name) in enumerate(header["variables"])
                }
                coordinates = {name: stored[f"c{k}"] for k, name in enumerate(header["coordinates"])}
        except zipfile.BadZipFile as problem:
            raise ValueError(str(problem)) from None
        schema = int(header["schema"])
    if schema > SHARD_SCHEMA:
        raise FileError(
            f"{path} has schema {schema}, but this qthermo reads up to {SHARD_SCHEMA}; install a newer one."
        )
    for name, value in key.items():
        if header.get(name) != value:
            raise FileError(f"{path} must belong to {name} {value}, but was written for {header.get(name)}.")
    with refuse_malformed(path, "a shard of a study"):
        _check_content(variables, coordinates, header)
    return Shard(variables=variables, coordinates=coordinates, header=header)


def _check_content(
    variables: Mapping[str, Variable], coordinates: Mapping[str, NDArray[Any]], header: Mapping[str, Any]
) -> None:
    """Raise ValueError or TypeError unless header and shapes are what every reader of a shard relies on."""
    if not variables:
        raise ValueError("it holds no variable")
    for key, kind in (("warnings", list), ("environment", dict), ("diagnostics", dict)):
        if not isinstance(header.get(key), kind):
            raise TypeError(f"its header must hold `{key}`")
    if not all(isinstance(words, str) for words in header["warnings"]) or float(header.get("wall_time", -1)) < 0:
        raise TypeError("its header must hold warnings as text, and a wall time")
    for name, values in coordinates.items():
        if values.ndim != 1 or (np.issubdtype(values.dtype, np.number) and not np.isfinite(values).all()):
            raise ValueError(f"the coordinate `{name}` must be one row of finite numbers or of names")
    for name, variable in variables.items():
        shape = tuple(
            coordinates[d].size if d in coordinates else variable.values.shape[k] for k, d in enumerate(variable.dims)
        )
        if variable.values.shape != shape:
            raise ValueError(f"`{name}` must have the shape {shape} of its coordinates")
