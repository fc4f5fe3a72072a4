"""The manifest of a hardware bundle: JSON with the SHA-256 of every file and a seal of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qthermo.errors import FileError
from qthermo.files import write_atomically
from qthermo.models import SpinModel
from qthermo.models.model import record
from qthermo.operators import PauliSum

__all__ = [
    "AUTOCORRELATION",
    "MANIFEST",
    "RELAXATION",
    "describe_model",
    "read_manifest",
    "rebuild_model",
    "write_manifest",
]

MANIFEST = "manifest.json"
AUTOCORRELATION = "autocorrelation"
RELAXATION = "relaxation"
_FORMAT = "qthermo-bundle"
_VERSION = 1
_MAX_BYTES = 50_000_000
_KEYS: Mapping[str, Any] = {
    "model": dict, "times": list, "num_shots": int, "estimator": str, "sites": list, "files": dict,
}  # fmt: skip
_KEYS_OF: Mapping[str, Mapping[str, Any]] = {
    AUTOCORRELATION: {
        "num_steps": int, "trotter_order": int, "layout": str, "time_steps": list, "trotter_value": (list, type(None)),
        "reference": (dict, type(None)),
    },
    RELAXATION: {"method": dict, "beta": (int, float), "initial_state": object, "couplings": str, "circuits": list},
}  # fmt: skip


def write_manifest(directory: Path, content: Mapping[str, Any]) -> Path:
    """Write `content` with the hashes of the bundle's files (named in content["files"]) and a seal; return its path."""
    hashes = {name: _digest((directory / name).read_bytes()) for name in content["files"]}
    sealed = {"format": _FORMAT, "format_version": _VERSION, **content, "files": hashes}
    sealed["seal"] = _seal(sealed)
    return write_atomically(directory / MANIFEST, (json.dumps(sealed, indent=1) + "\n").encode())


def read_manifest(directory: Path) -> dict[str, Any]:
    """Return the manifest of a bundle after checking its seal and the SHA-256 of every file.

    Raises:
        FileError: the manifest or a file is missing, foreign, or was changed.
    """
    path = directory / MANIFEST
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise FileError(f"A manifest must have at most {_MAX_BYTES} bytes, but {path} is larger.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise FileError(f"A bundle must hold {MANIFEST}, but {path} cannot be read ({problem.strerror}).") from None
    except (ValueError, RecursionError) as problem:
        raise FileError(f"{path} must be JSON, but is damaged ({problem}); export the bundle again.") from None
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise FileError(f"{path} must be the manifest of a qthermo bundle, but is something else.")
    if content.get("format_version") != _VERSION:
        raise FileError(
            f"{path} has version {content.get('format_version')!r}, but this qthermo reads {_VERSION}; use another one."
        )
    if content.pop("seal", None) != _seal(content):
        raise FileError(f"{path} was changed: its content does not match its seal; export the bundle again.")
    kind = content.setdefault("kind", AUTOCORRELATION)
    if kind not in _KEYS_OF:
        raise FileError(f"{path} must be of a kind among {', '.join(_KEYS_OF)}, but is of {kind!r}.")
    for key, kinds in {**_KEYS, **_KEYS_OF[kind]}.items():
        if key not in content:
            raise FileError(f"{path} must hold the key `{key}`, but does not; export the bundle again.")
        if not isinstance(content[key], kinds) or isinstance(content[key], bool):
            found = type(content[key]).__name__
            raise FileError(f"{path} must be written by qthermo, but its key `{key}` is a {found}; export it again.")
    _check_files(directory, content["files"])
    return content


def _check_files(directory: Path, hashes: Mapping[str, str]) -> None:
    for name, expected in hashes.items():
        if Path(name).name != name:
            raise FileError(f"A bundle's files must lie in its own folder, but the manifest names {name!r}.")
        path = directory / name
        if not path.is_file():
            raise FileError(f"The bundle must hold {name}, but {path} is missing; export the bundle again.")
        if _digest(path.read_bytes()) != expected:
            raise FileError(f"{path} was changed: its SHA-256 does not match the manifest; export the bundle again.")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _seal(content: Mapping[str, Any]) -> str:
    unsealed = {key: value for key, value in content.items() if key != "seal"}
    return _digest(json.dumps(unsealed, sort_keys=True).encode())


def describe_model(model: SpinModel) -> dict[str, Any]:
    """Return a spin model as JSON values from which `rebuild_model` makes it again."""
    return {
        "family": model.family,
        "parameters": {key: record(value) for key, value in model.parameters.items()},
        "num_sites": model.num_sites,
        "thermometer": str(model.thermometer),
        "bath": str(model.bath),
        "coupling": str(model.coupling),
    }


def rebuild_model(description: Mapping[str, Any]) -> SpinModel:
    """Return the model that `describe_model` described."""
    parts = {name: PauliSum.from_text(description[name]) for name in ("thermometer", "bath", "coupling")}
    return SpinModel(
        family=description["family"],
        parameters=description["parameters"],
        num_sites=description["num_sites"],
        **parts,
    )
