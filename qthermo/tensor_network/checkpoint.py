"""Checkpoints: chains and numbers in one npz file, written beside its place and renamed, read back exactly."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import FileError
from qthermo.files import open_sealed, refuse_malformed, seal, write_atomically
from qthermo.problems import Problem, problem_parameters

__all__ = ["check_chain", "fingerprint", "load_checkpoint", "method_fields", "save_checkpoint"]

_HEADER = "qthermo_checkpoint"
_VERSION = 2
_WHAT = "a checkpoint of qthermo"


def fingerprint(problem: Problem, method: object, fields: Mapping[str, Any]) -> str:
    """Return a digest of all that fixes the numbers of a run: the model, the problem and the method's fields."""
    parts = {
        "problem": type(problem).__name__,
        "parameters": problem_parameters(problem),
        "family": problem.model.family,
        "model": dict(problem.model.parameters),
        "method": type(method).__name__,
        "fields": dict(fields),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def method_fields(method: Any) -> dict[str, Any]:
    """Return the fields that fix a method's numbers: all but the checkpoint's place."""
    return {f.name: getattr(method, f.name) for f in fields(method) if f.name != "checkpoint"}


def save_checkpoint(path: str | Path, key: str, arrays: Mapping[str, NDArray[Any]], state: Mapping[str, Any]) -> None:
    """Write arrays and JSON values, sealed, so that a crash at any moment leaves the old file or the new one.

    Raises:
        FileError: the place cannot be written.
    """
    header = json.dumps({"version": _VERSION, "key": key, "state": state})
    buffer = io.BytesIO()
    stored: dict[str, Any] = {_HEADER: np.frombuffer(header.encode(), np.uint8), **arrays}
    np.savez(buffer, **stored)
    write_atomically(Path(path), seal(buffer.getvalue()))


def load_checkpoint(path: str | Path, key: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
    """Return the arrays and values that were saved under this key, or None if there is no file.

    Raises:
        FileError: the file is damaged, foreign, of another version of the format, or belongs to another run.
    """
    path = Path(path)
    if not path.exists():
        return None
    body = _read_body(path)
    with refuse_malformed(path, _WHAT):
        arrays = _read_arrays(body)
        header = json.loads(arrays.pop(_HEADER).tobytes())
        version, found, state = header["version"], header["key"], dict(header["state"])
    if version != _VERSION:
        raise FileError(
            f"{path} must be a checkpoint of format {_VERSION}, but has format {str(version)[:20]}, of another version "
            "of qthermo; go on with that version, or remove the file to start again."
        )
    if found != key:
        raise FileError(
            f"{path} must belong to this run, but was written for another model, problem or method; "
            "remove it or name another file."
        )
    return arrays, state


def check_chain(tensors: Sequence[NDArray[Any]], start: NDArray[Any], *, num_sites: int) -> None:
    """Raise ValueError unless tensors read from a file are a finite vector on `num_sites` sites like those of `start`.

    Args:
        tensors: B_k, shape (left, d, right).
        start: a tensor of the run before it was loaded, for d and the type of the numbers.
        num_sites: the sites that the vector must have.
    """
    if len(tensors) != num_sites:
        raise ValueError(f"{num_sites} tensors must be there, not {len(tensors)}")
    left = 1
    for tensor in tensors:
        if tensor.ndim != 3 or tensor.dtype != start.dtype or tensor.shape[:2] != (left, start.shape[1]):
            raise ValueError("a tensor does not fit its neighbours")
        if not np.isfinite(tensor).all():
            raise ValueError("a tensor is not finite")
        left = tensor.shape[2]
    if left != 1:
        raise ValueError("the last bond is open")


def _read_body(path: Path) -> bytes:
    """Return what is under the seal; files of format 1 have none, and say so in their header."""
    try:
        return open_sealed(path, "A checkpoint of qthermo")
    except FileError as problem:
        content = path.read_bytes() if path.is_file() else b""
        if f"{_HEADER}.npy".encode() in content and b'{"version": 1, ' in content:
            return content
        raise FileError(
            f"{path} must be {_WHAT}, but is damaged or foreign ({problem}) Remove it, or name another file."
        ) from None


def _read_arrays(body: bytes) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except zipfile.BadZipFile as problem:
        raise ValueError(str(problem)) from None
