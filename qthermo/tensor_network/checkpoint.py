"""Checkpoints: chains and numbers in one npz file, written beside its place and renamed, read back exactly."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import FileError
from qthermo.problems import Problem, problem_parameters

__all__ = ["fingerprint", "load_checkpoint", "method_fields", "save_checkpoint"]

_HEADER = "qthermo_checkpoint"
_VERSION = 1


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
    """Write arrays and JSON values so that a crash at any moment leaves the old file or the new one.

    Raises:
        FileError: the place cannot be written.
    """
    path = Path(path)
    header = json.dumps({"version": _VERSION, "key": key, "state": state})
    buffer = io.BytesIO()
    stored: dict[str, Any] = {_HEADER: np.frombuffer(header.encode(), np.uint8), **arrays}
    np.savez(buffer, **stored)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as problem:
        raise FileError(f"A checkpoint must go to a writable place, but {path} is not: {problem}.") from None


def load_checkpoint(path: str | Path, key: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
    """Return the arrays and values that were saved under this key, or None if there is no file.

    Raises:
        FileError: the file is damaged, foreign, or belongs to another run.
    """
    path = Path(path)
    if not path.exists():
        return None
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        header = json.loads(arrays.pop(_HEADER).tobytes())
        found, state = (header["version"], header["key"]), header["state"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise FileError(f"{path} must be a checkpoint of qthermo, but is damaged or foreign; remove it.") from None
    if found != (_VERSION, key):
        raise FileError(
            f"{path} must belong to this run, but was written for another model, problem or method; "
            "remove it or name another file."
        )
    return arrays, state
