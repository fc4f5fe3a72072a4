"""The store: a folder with the study's canonical copy and one sealed shard per task, safe for many writers at once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from qthermo.errors import FileError, InputError
from qthermo.files import write_atomically
from qthermo.studies.shard import Shard, read_shard
from qthermo.studies.study import Study, Task
from qthermo.studies.study_file import parse_study

__all__ = ["STORE_SCHEMA", "Failure", "Scan", "Store", "create_store", "open_store", "update_plan"]

STORE_SCHEMA = 1
_STUDY = "study.json"
_PARTS = ("shards", "failed", "running", "checkpoints")
_STALE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a task has no shard.

    Args:
        kind: "error" for an exception of the method (the same at every try), "crash" for a worker that died, "memory"
            for one that ran out of memory; the last two are tried again by every run.
        exception: name of the exception.
        message: its words.
        traceback: where it was raised.
        created: when.
    """

    kind: str
    exception: str
    message: str
    traceback: str = ""
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @classmethod
    def from_exception(cls, error: BaseException) -> Failure:
        """Return the record of an exception, with its traceback."""
        out_of_memory = isinstance(error, MemoryError) or type(error).__name__ == "MemoryRefusedError"
        return cls(
            kind="memory" if out_of_memory else "error",
            exception=type(error).__name__,
            message=str(error),
            traceback="".join(traceback.format_exception(error)),
        )


@dataclass(slots=True)
class Scan:
    """What a folder holds: shards, failures, and sentences about files that do not belong or are damaged."""

    done: set[Task]
    failed: dict[Task, Failure]
    sentences: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A study's folder.

    Args:
        folder: the folder; it holds `study.json`, `shards/`, `failed/`, `running/` and what is collected.
        study: the study, with the plan that the folder records.
    """

    folder: Path
    study: Study

    def _name(self, task: Task) -> str:
        return f"p{task.point:04d}/{self.study.labels[task.method]}/r{task.realization:06d}"

    def shard_path(self, task: Task) -> Path:
        """Return where the task's shard is or will be."""
        return self.folder / "shards" / f"{self._name(task)}.npz"

    def failure_path(self, task: Task) -> Path:
        """Return where the record of the task's failure is or would be."""
        return self.folder / "failed" / f"{self._name(task)}.json"

    def claim_path(self, task: Task) -> Path:
        """Return the lock file that a process holds while it works on the task."""
        return self.folder / "running" / f"{self._name(task).replace('/', '-')}.lock"

    def checkpoint_path(self, task: Task) -> Path:
        """Return where a method may keep the state of an unfinished task."""
        return self.folder / "checkpoints" / self._name(task).replace("/", "-")

    def key(self, task: Task) -> dict[str, Any]:
        """Return what a shard must say of itself to be this task's."""
        label = self.study.labels[task.method]
        return {"study": self.study.digest, "point": task.point, "method": label, "realization": task.realization}

    def write_shard(self, task: Task, content: bytes) -> None:
        """Write a shard: whole or not at all; remove the record of an earlier failure.

        Raises:
            FileError: the place cannot be written; nothing was changed.
        """
        _write_with_folder(self.shard_path(task), content)
        with contextlib.suppress(OSError):
            self.failure_path(task).unlink()

    def write_failure(self, task: Task, failure: Failure) -> None:
        """Record why a task has no shard.

        Raises:
            FileError: the place cannot be written.
        """
        fields = {name: getattr(failure, name) for name in Failure.__slots__}
        _write_with_folder(self.failure_path(task), json.dumps({**self.key(task), **fields}, indent=1).encode())

    def read(self, task: Task) -> Shard:
        """Read and check a task's shard.

        Raises:
            FileError: it is damaged or foreign.
        """
        return read_shard(self.shard_path(task), self.key(task))

    def has_shard(self, task: Task) -> bool:
        """Return whether the task's shard is there (its content is not looked at)."""
        return self.shard_path(task).exists()

    def read_failure(self, task: Task) -> Failure | None:
        """Return the record of a task's failure, or None if there is none or it cannot be read."""
        try:
            record = json.loads(self.failure_path(task).read_text())
            return Failure(**{name: str(record[name]) for name in Failure.__slots__})
        except (OSError, ValueError, KeyError):
            return None

    @contextlib.contextmanager
    def claim(self, task: Task) -> Iterator[bool]:
        """Yield whether this process may work on the task; the claim ends with the block or the process's death.

        It spares work that another process does already. Correctness never depends on it: two writers of one task
        write the same numbers, and a rename is atomic.
        """
        path = self.claim_path(task)
        try:
            import fcntl

            handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
        except (ImportError, OSError):
            yield True
            return
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            except OSError:  # a file system without locks
                yield True
                return
            try:
                yield True
            finally:
                with contextlib.suppress(OSError):
                    path.unlink()
        finally:
            os.close(handle)

    def count_running(self) -> int:
        """Return the number of tasks that live processes of this machine hold."""
        try:
            import fcntl
        except ImportError:
            return 0
        count = 0
        for path in (self.folder / "running").glob("*.lock"):
            with contextlib.suppress(FileNotFoundError), path.open("rb") as handle:
                try:
                    fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except OSError:
                    count += 1
        return count

    def scan(self, *, verify: bool = False) -> Scan:
        """Return what is there.

        Args:
            verify: read every shard and check its seal; a damaged one is reported and not counted as done.
        """
        found = Scan(done=set(), failed={}, sentences=[])
        self._scan_shards(found, verify)
        for task, path in self._walk("failed", ".json", found.sentences):
            failure = self.read_failure(task)
            if failure is None:
                found.sentences.append(f"{path} must be the record of a failure, but cannot be read; it is ignored.")
            elif task not in found.done:
                found.failed[task] = failure
        return found

    def _scan_shards(self, found: Scan, verify: bool) -> None:
        for task, _path in self._walk("shards", ".npz", found.sentences):
            try:
                if verify:
                    self.read(task)
                found.done.add(task)
            except FileError as problem:
                found.sentences.append(str(problem))

    def _walk(self, part: str, suffix: str, sentences: list[str]) -> Iterator[tuple[Task, Path]]:
        """Yield tasks and paths in order; a sentence for every file that is none of ours."""
        methods = {label: k for k, label in enumerate(self.study.labels)}
        for folder, _subfolders, names in sorted(os.walk(self.folder / part)):
            *_, above, label = Path(folder).parts
            for name in sorted(names):
                path = Path(folder) / name
                if name.startswith(".") and name.endswith(".tmp"):
                    continue
                point, number = above[1:], name.removesuffix(suffix)[1:]
                known = label in methods and point.isdigit() and number.isdigit() and name.endswith(suffix)
                task = Task(int(number), int(point), methods[label]) if known else None
                place = self.shard_path if part == "shards" else self.failure_path
                if task is None or task.point >= len(self.study.points) or place(task) != path:
                    sentences.append(f"{path} does not belong to the study and is ignored; move it elsewhere.")
                else:
                    yield task, path

    def set_aside_damaged(self) -> list[str]:
        """Rename every shard that cannot be used to `NAME.damaged`, and return a sentence for each.

        Raises:
            FileError: the folder cannot be written.
        """
        sentences = []
        for task, path in self._walk("shards", ".npz", []):
            try:
                self.read(task)
            except FileError as problem:
                try:
                    path.rename(path.with_name(f".{path.name}.damaged.tmp"))
                except OSError as refusal:
                    raise FileError(f"{problem} It cannot be set aside: {refusal}.") from None
                sentences.append(f"{problem} It was set aside and is computed again.")
        return sentences

    def remove_stale_files(self) -> None:
        """Remove temporary files that a killed writer left more than an hour ago."""
        for path in self.folder.rglob(".*.tmp"):
            with contextlib.suppress(OSError):
                if not path.name.endswith(".damaged.tmp") and time.time() - path.stat().st_mtime > _STALE_SECONDS:
                    path.unlink()


def _write_with_folder(path: Path, content: bytes) -> None:
    if not path.parent.exists():
        _make_folder(path.parent)
    write_atomically(path, content)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise FileError(f"A study needs a folder that can be written, but {path} cannot be made: {problem}.") from None


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
        _make_folder(folder / part)
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
    except (ValueError, KeyError, TypeError):
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
