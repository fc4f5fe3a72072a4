"""A study's folder as a whole: made for one study, opened again, refused to another, extended."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from qthermo.errors import FileError, InputError
from qthermo.files import make_folder, write_atomically
from qthermo.studies.store import Store
from qthermo.studies.study import Study
from qthermo.studies.study_file import parse_study

__all__ = ["STORE_SCHEMA", "check_same", "create_store", "open_store", "update_plan"]

STORE_SCHEMA = 1
_STUDY = "study.json"
_PARTS = ("shards", "failed", "running", "checkpoints")


def create_store(study: Study, folder: Path) -> Store:
    """Return the store of `study` in `folder`, made if it is not there.

    Raises:
        InputError: the folder holds a study that would give other numbers; the differences are shown.
        FileError: the folder holds foreign files and no study, or cannot be written.
    """
    if (folder / _STUDY).exists():
        there = open_store(folder)
        check_same(there.study, study, folder)
        count = max(study.ensemble.num_realizations, there.study.ensemble.num_realizations)
        planned = replace(study, ensemble=replace(study.ensemble, num_realizations=count))
        store = Store(folder=folder, study=planned)
        if planned.to_tables() != there.study.to_tables():
            _write_study(store)
        return store
    if folder.exists() and not folder.is_dir():
        raise FileError(f"A study needs a folder, but {folder} is a file; name another with --folder.")
    ours = (*_PARTS, _STUDY)  # another process may be making the store at this moment
    foreign = [path.name for path in folder.glob("*") if path.name not in ours and not path.name.startswith(".")]
    if foreign:
        raise FileError(
            f"A study needs an empty folder or its own, but {folder} holds {foreign[0]} and no study; name another."
        )
    store = Store(folder=folder, study=study)
    for part in _PARTS:
        make_folder(folder / part, "A study")
    _write_study(store)
    return store


def check_same(there: Study, study: Study, folder: Path) -> None:
    """Raise unless both studies give the same numbers.

    Raises:
        InputError: showing every difference.
    """
    differences = list(_differences(there.identity, study.identity, ""))
    if differences:
        raise InputError(
            f"The study must be the one that {folder} was made for, but {'; '.join(differences)}: undo the change or "
            "name another folder."
        )


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif (
        isinstance(old, list)
        and isinstance(new, list)
        and old
        and new
        and all(isinstance(t, Mapping) for t in old + new)
    ):
        for k in range(max(len(old), len(new))):
            mine, other = (items[k] if k < len(items) else None for items in (old, new))
            yield from _differences(mine, other, f"{path}[{k}]")
    elif old != new:
        yield f"`{path}` is {_short(new)} instead of {_short(old)}"


def _short(value: Any) -> str:
    text = "not set" if value is None else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def open_store(folder: Path) -> Store:
    """Return the store that `folder` holds.

    Raises:
        FileError: there is none, it was changed by hand, or it is of a newer schema.
    """
    path = folder / _STUDY
    try:
        content = json.loads(path.read_text())
        schema, tables, digest = int(content["qthermo_study"]), content["study"], content["sha256"]
    except OSError:
        raise FileError(
            f"A study's folder must hold study.json, but {folder} does not; start with `qthermo study run`."
        ) from None
    except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError):
        raise FileError(f"{path} must be the copy of a study, but cannot be read; take it from a backup.") from None
    if schema > STORE_SCHEMA:
        raise FileError(
            f"{path} has schema {schema}, but this qthermo reads up to {STORE_SCHEMA}; install a newer one."
        )
    if _tables_digest(tables) != digest:
        raise FileError(
            f"{path} does not match its checksum: it was changed by hand; undo that, or use another folder."
        )
    return Store(folder=folder, study=parse_study(tables))


def update_plan(store: Store, *, num_realizations: int) -> Store:
    """Return the store with more realizations planned, and record that in the folder.

    Raises:
        InputError: there would be fewer.
        FileError: the folder cannot be written.
    """
    planned = store.study.ensemble.num_realizations
    if num_realizations < planned:
        raise InputError(f"A study of {planned} realizations can be extended, but not cut to {num_realizations}.")
    ensemble = replace(store.study.ensemble, num_realizations=num_realizations)
    extended = Store(folder=store.folder, study=replace(store.study, ensemble=ensemble))
    _write_study(extended)
    return extended


def _write_study(store: Store) -> None:
    tables = store.study.to_tables()
    content = {"qthermo_study": STORE_SCHEMA, "sha256": _tables_digest(tables), "study": tables}
    write_atomically(store.folder / _STUDY, json.dumps(content, indent=1).encode())


def _tables_digest(tables: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()
