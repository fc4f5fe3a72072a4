"""The store: a folder with the study's canonical copy and one sealed shard per task, safe for many writers at once."""

from __future__ import annotations

import contextlib
import json
import os
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from qthermo.errors import FileError
from qthermo.files import make_folder, write_atomically
from qthermo.studies.shard import Shard, read_shard
from qthermo.studies.study import Study, Task

__all__ = ["Failure", "Scan", "Store"]

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
        make_folder(path.parent, "A study")
    write_atomically(path, content)
