"""What a worker does: one task, from the study's tables to a shard in the store."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import platform
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from qthermo.errors import FileError
from qthermo.solve import Method, run_method
from qthermo.studies.folder import open_store
from qthermo.studies.shard import encode_shard
from qthermo.studies.store import Failure, Store
from qthermo.studies.study import Study, Task
from qthermo.studies.study_file import parse_study

__all__ = ["Order", "Outcome", "limit_threads_of_driver", "limit_threads_of_process", "run_order", "this_process"]

_ONE_AT_A_TIME = threading.Lock()  # Python's warning filters and BLAS thread limits belong to the whole process


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a worker is told: a task of the study with these tables, the store's folder, and who asks."""

    tables: str
    folder: str
    task: Task
    driver: tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a worker answers.

    Args:
        task: the task.
        status: "done" (computed), "there" (already in the store), "busy" (another process works on it), "failed", or
            "unwritable" (the store cannot be written).
        seconds: wall time of the method.
        content: the shard, if the worker does not see the store and the driver must write it.
        failure: why it failed.
        words: the error, if unwritable.
    """

    task: Task
    status: str
    seconds: float = 0.0
    content: bytes | None = None
    failure: Failure | None = None
    words: str = ""


def this_process() -> tuple[str, int]:
    """Return host and process number."""
    return platform.node(), os.getpid()


@functools.cache
def limit_threads_of_process() -> None:
    """Let every numerical library of this process use one thread: a thread pool per worker costs a factor of 20."""
    from threadpoolctl import threadpool_limits

    for name in ("OPENBLAS", "OMP", "MKL", "BLIS", "NUMBA"):
        os.environ[f"{name}_NUM_THREADS"] = "1"  # for libraries that are loaded later
    threadpool_limits(1)
    if "numba" in sys.modules:
        sys.modules["numba"].set_num_threads(1)


@contextlib.contextmanager
def limit_threads_of_driver() -> Iterator[None]:
    """Limit BLAS to one thread while tasks run in the driver's own process, as threads of an executor.

    The last bits of a sum may depend on the number of threads. OpenBLAS takes the limit from the main thread only, so
    this is for the loop of a run and not for its tasks.
    """
    import scipy.linalg  # noqa: F401, a BLAS of its own, which must be there to be limited
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


@contextlib.contextmanager
def _one_numba_thread(order: Order) -> Iterator[None]:
    """Limit numba for the task: its limit belongs to the thread that asks for it."""
    if order.driver != this_process():
        limit_threads_of_process()
        yield
        return
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)


def run_order(order: Order) -> Outcome:
    """Run one task and put its shard into the store; never raises for what the task does."""
    study = _parse(order.tables)
    store = _find_store(order.folder, study.digest)
    if store is None:
        return _compute(Store(folder=Path(order.folder), study=study), order, visible=False)
    if store.has_shard(order.task):
        return Outcome(task=order.task, status="there")
    with store.claim(order.task) as mine:
        if not mine:
            return Outcome(task=order.task, status="busy")
        if store.has_shard(order.task):  # finished by another process just before the claim
            return Outcome(task=order.task, status="there")
        return _compute(store, order, visible=True)


def _compute(store: Store, order: Order, *, visible: bool) -> Outcome:
    task = order.task
    try:
        with _ONE_AT_A_TIME, _one_numba_thread(order):
            method = (
                _with_checkpoint(store, task) if visible else store.study.build_method(task.method, task.realization)
            )
            run = run_method(store.study.build_problem(task.point, task.realization), method)
        content = encode_shard(run, store.key(task))
    except Exception as error:  # a poisoned realization must not stop the others
        return _record_failure(store, task, Failure.from_exception(error), visible=visible)
    if not visible:
        return Outcome(task=task, status="done", seconds=run.wall_time, content=content)
    try:
        store.write_shard(task, content)
        _remove_checkpoint(store, task)
    except FileError as error:
        return Outcome(task=task, status="unwritable", words=str(error))
    return Outcome(task=task, status="done", seconds=run.wall_time)


def _record_failure(store: Store, task: Task, failure: Failure, *, visible: bool) -> Outcome:
    if visible:
        try:
            store.write_failure(task, failure)
        except FileError as error:
            return Outcome(task=task, status="unwritable", words=str(error))
    return Outcome(task=task, status="failed", failure=failure)


def _with_checkpoint(store: Store, task: Task) -> Method:
    method = store.study.build_method(task.method, task.realization)
    names = [field.name for field in fields(method)]  # type: ignore[arg-type]
    if not store.study.output.checkpoints or "checkpoint" not in names:
        return method
    kept: Any = replace(method, checkpoint=str(store.checkpoint_path(task)))  # type: ignore[type-var]
    checked: Method = kept
    return checked


def _remove_checkpoint(store: Store, task: Task) -> None:
    if store.study.output.checkpoints:
        place = store.checkpoint_path(task)
        for path in place.parent.glob(f"{place.name}*"):
            path.unlink(missing_ok=True)


@functools.lru_cache(maxsize=8)
def _parse(tables: str) -> Study:
    return parse_study(json.loads(tables))


@functools.lru_cache(maxsize=8)
def _find_store(folder: str, digest: str) -> Store | None:
    """Return the store if this process sees it: the same folder with the same study."""
    try:
        store = open_store(Path(folder))
    except FileError:
        return None
    return store if store.study.digest == digest else None
