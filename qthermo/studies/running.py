"""Running a study: opens its folder and its workers, and computes what is not there yet."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path

from qthermo.checks import check_integer
from qthermo.errors import InputError
from qthermo.files import write_atomically
from qthermo.studies.agenda import Agenda
from qthermo.studies.executors import GivenExecutor, LocalPool, Workers, connect_dask, count_cores
from qthermo.studies.folder import create_store
from qthermo.studies.order_loop import OrderLoop, RunStatus
from qthermo.studies.store import Store
from qthermo.studies.study import Study
from qthermo.studies.study_check import check_combinations
from qthermo.studies.worker import limit_threads_of_driver, this_process

__all__ = ["default_folder", "run_store", "run_study"]


def default_folder(study: Study, study_file: str | Path) -> Path:
    """Return the folder that belongs to a study file: `output.folder` or the file's name with `-study`."""
    path = Path(study_file)
    return path.parent / (study.output.folder or f"{path.stem}-study")


def run_study(
    study: Study,
    folder: str | Path,
    *,
    executor: Executor | str | None = None,
    num_workers: int | None = None,
    shard: tuple[int, int] = (0, 1),
    time_limit: float | None = None,
    retry_failed: bool = False,
    progress: Callable[[RunStatus], None] | None = None,
    should_stop: Callable[[], str] | None = None,
) -> RunStatus:
    """Compute what `folder` does not hold yet; may be called again, interrupted, and run many times at once.

    Args:
        study: the study.
        folder: where shards are kept; made if it is not there.
        executor: None for processes of this machine, the address of a dask scheduler ("tcp://..."), or any
            `concurrent.futures.Executor` (it is not shut down).
        num_workers: orders at a time; by default the number of cores, or of dask's threads.
        shard: (i, n): only every n-th realization, from the i-th, as for a Slurm array.
        time_limit: seconds after which the run stops.
        retry_failed: try realizations again whose method raised.
        progress: called a few times a second.
        should_stop: asked a few times a second; words other than "" end the run and are its `stopped`.

    Returns:
        What was done, and why it stopped if something is left.

    Raises:
        InputError: a method cannot answer the problem at some grid point, or the folder belongs to another study; all
            reasons are shown.
        FileError: the folder cannot be written; what is there is kept.
        ExecutionError: an executor of the user's broke.
    """
    together = (num_workers or count_cores()) if executor is None else 1
    check_combinations(study, num_workers=together)
    store = create_store(study, Path(folder))
    return run_store(
        store,
        executor=executor,
        num_workers=num_workers,
        shard=shard,
        time_limit=time_limit,
        retry_failed=retry_failed,
        progress=progress,
        should_stop=should_stop,
    )


def run_store(
    store: Store,
    *,
    executor: Executor | str | None = None,
    num_workers: int | None = None,
    shard: tuple[int, int] = (0, 1),
    time_limit: float | None = None,
    retry_failed: bool = False,
    progress: Callable[[RunStatus], None] | None = None,
    should_stop: Callable[[], str] | None = None,
) -> RunStatus:
    """Compute what a store does not hold yet; see `run_study`."""
    index, count = shard
    check_integer("shard", count, minimum=1)
    check_integer("shard", index, minimum=0, maximum=count - 1)
    _check_writable(store)
    sentences = store.set_aside_damaged()
    store.remove_stale_files()
    retry = ("crash", "memory", "error") if retry_failed else ("crash", "memory")
    agenda = Agenda(store, shard=shard, retry=retry)
    scan = store.scan()
    agenda.start(scan)
    status = RunStatus(sentences=[*sentences, *scan.sentences], target=store.study.ensemble.target_stderr)
    deadline = float("inf") if time_limit is None else time.monotonic() + time_limit

    def asked_to_stop() -> str:
        if time.monotonic() > deadline:
            return "the time limit is reached"
        return should_stop() if should_stop is not None else ""

    with _open_workers(executor, num_workers, agenda.remaining) as workers:
        loop = OrderLoop(agenda, workers, status, progress or (lambda _status: None))
        loop.run(asked_to_stop)
    return status


def _check_writable(store: Store) -> None:
    probe = store.folder / "running" / f"probe-{this_process()[1]}"
    probe.parent.mkdir(exist_ok=True) if store.folder.is_dir() and not probe.parent.exists() else None
    write_atomically(probe, b"")
    with contextlib.suppress(OSError):
        probe.unlink()


@contextlib.contextmanager
def _open_workers(executor: Executor | str | None, num_workers: int | None, remaining: int) -> Iterator[Workers]:
    if num_workers is not None:
        check_integer("num_workers", num_workers, minimum=1)
    if isinstance(executor, str):
        with connect_dask(executor) as dask:
            yield dask
        return
    workers: Workers
    if executor is None:
        workers = LocalPool(max(1, min(num_workers or count_cores(), remaining)))
    elif isinstance(executor, Executor):
        workers = GivenExecutor(executor, num_workers or count_cores())
    else:
        raise InputError(
            f"Argument `executor` must be None, an address or a concurrent.futures.Executor, but is {executor!r}."
        )
    try:
        with contextlib.nullcontext() if executor is None else limit_threads_of_driver():
            yield workers
    finally:
        workers.stop()
