"""The loop of a study: orders go out, shards come in; whatever dies, what is done is kept."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import dataclass, field
from pathlib import Path

from qthermo.checks import check_integer
from qthermo.errors import ExecutionError, FileError, InputError
from qthermo.files import write_atomically
from qthermo.studies.agenda import Agenda
from qthermo.studies.executors import GivenExecutor, LocalPool, Workers, connect_dask, count_cores, is_death
from qthermo.studies.folder import create_store
from qthermo.studies.store import Failure, Store
from qthermo.studies.study import Study, Task
from qthermo.studies.study_check import check_combinations
from qthermo.studies.worker import Order, Outcome, limit_threads_of_driver, this_process

__all__ = ["RunStatus", "default_folder", "run_store", "run_study"]

_TICK = 0.2
_CRASHES = 2
_GRACE = 2.0


@dataclass(slots=True, kw_only=True)
class RunStatus:
    """How far a run is.

    Args:
        total: tasks of the study or shard that the next looks wait for, with those already done.
        done: tasks with a shard, computed in this run or before.
        failed: tasks recorded as failed.
        running: orders under way.
        computed: tasks computed in this run.
        seconds: since the run began.
        stderr: largest standard error at the last look of any unfinished point, or NaN.
        target: what it is to reach, or None.
        sentences: what was found in the folder that does not belong or was damaged.
        stopped: why the run ended early; empty if it did not.
    """

    total: int = 0
    done: int = 0
    failed: int = 0
    running: int = 0
    computed: int = 0
    seconds: float = 0.0
    stderr: float = float("nan")
    target: float | None = None
    sentences: list[str] = field(default_factory=list)
    stopped: str = ""

    @property
    def remaining_seconds(self) -> float:
        """The time that the remaining tasks will take at the rate of this run, or NaN before the first is done."""
        if self.computed == 0:
            return float("nan")
        return (self.total - self.done - self.failed) * self.seconds / self.computed


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
        loop = _Loop(agenda, workers, status, progress or (lambda _status: None))
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


class _Loop:
    """One run: hands out tasks, takes in outcomes, isolates tasks whose worker died."""

    def __init__(
        self, agenda: Agenda, workers: Workers, status: RunStatus, progress: Callable[[RunStatus], None]
    ) -> None:
        self._agenda, self._workers, self._status, self._progress = agenda, workers, status, progress
        self._store = agenda.store
        self._tables = json.dumps(self._store.study.to_tables())
        self._futures: dict[Future[Outcome], Task] = {}
        self._suspects: list[Task] = []
        self._alone: set[Task] = set()
        self._crashes: Counter[Task] = Counter()
        self._busy: dict[Task, float] = {}
        self._started = time.monotonic()
        self._refreshed = self._reported = time.monotonic()

    def run(self, asked_to_stop: Callable[[], str]) -> None:
        """Work until nothing is left or someone asks to stop."""
        self._report()
        while True:
            reason = asked_to_stop()
            if reason:
                self._wind_down()
                self._status.stopped = reason
                break
            self._hand_out()
            if self._futures:
                finished, _ = wait(self._futures, timeout=_TICK, return_when=FIRST_COMPLETED)
                self._take_in(finished)
            elif self._busy:
                time.sleep(_TICK)
            else:
                break
            self._look_at_busy()
            if time.monotonic() - self._reported > _TICK:
                self._report()
        self._report()

    def _hand_out(self) -> None:
        """Keep one order more under way than there are workers, so that none waits for the driver."""
        while self._suspects and len(self._futures) < self._workers.num_workers:
            suspect = self._suspects.pop()
            self._alone.add(suspect)
            self._submit(suspect, alone=True)
        while not self._suspects and len(self._futures) <= self._workers.num_workers:
            task = self._next()
            if task is None:
                return
            self._submit(task, alone=False)

    def _next(self) -> Task | None:
        task = self._agenda.next_task()
        waits = task is None or task.realization >= self._agenda.limit(task.point)
        if waits and time.monotonic() - self._refreshed > 1.0:
            self._refreshed = time.monotonic()
            self._agenda.refresh()  # other processes may have done what a look waits for
        return task

    def _submit(self, task: Task, *, alone: bool) -> None:
        order = Order(tables=self._tables, folder=str(self._store.folder.resolve()), task=task, driver=this_process())
        try:
            self._futures[self._workers.submit(order, alone=alone)] = task
        except (RuntimeError, OSError) as error:  # the pool broke meanwhile: its futures will say so
            if not is_death(error) or not self._workers.renew():
                raise ExecutionError(f"The executor no longer takes orders ({error}); all shards are kept.") from None
            self._suspects.append(task)

    def _take_in(self, finished: set[Future[Outcome]]) -> None:
        broken = False
        for future in finished:
            task = self._futures.pop(future)
            alone = task in self._alone
            self._alone.discard(task)
            error = CancelledError() if future.cancelled() else future.exception()
            if error is None:
                self._settle(future.result())
            elif not is_death(error):
                raise ExecutionError(f"A worker could not take its order: {type(error).__name__}: {error}.") from error
            else:
                broken = broken or (isinstance(error, BrokenExecutor) and not alone)
                self._blame(task, error, alone=alone)
        if broken:
            self._renew()

    def _renew(self) -> None:
        """After a worker's death: everyone who was under way is a suspect, and a new pool takes over."""
        wait(self._futures, timeout=10 * _TICK)
        for future in [f for f, task in self._futures.items() if task not in self._alone and f.done()]:
            task = self._futures.pop(future)
            if future.cancelled() or future.exception() is not None:
                self._suspects.append(task)
            else:
                self._settle(future.result())
        if not self._workers.renew():
            raise ExecutionError("The executor broke and cannot be started again from here; all shards are kept.")

    def _blame(self, task: Task, error: BaseException, *, alone: bool) -> None:
        """Try a task again whose worker died; record it as failed when that happened to it alone, twice."""
        final = type(error).__name__ == "KilledWorker"  # dask has tried it several times itself
        self._crashes[task] += alone or not isinstance(error, BrokenExecutor)
        if self._crashes[task] < _CRASHES and not final:
            self._suspects.append(task)
            return
        words = "its worker died each time, as when the system ends a process that needs too much memory"
        failure = Failure(kind="crash", exception="WorkerDied", message=words)
        self._store.write_failure(task, failure)
        self._agenda.finish(task, failed=True)

    def _settle(self, outcome: Outcome) -> None:
        task = outcome.task
        if outcome.status == "unwritable":
            raise FileError(outcome.words)
        if outcome.status == "busy":
            self._busy[task] = time.monotonic()
            return
        if outcome.content is not None:
            self._store.write_shard(task, outcome.content)
        elif outcome.failure is not None and not self._store.failure_path(task).exists():
            self._store.write_failure(task, outcome.failure)
        self._status.computed += outcome.status in ("done", "failed")
        self._agenda.finish(task, failed=outcome.status == "failed")

    def _look_at_busy(self) -> None:
        """See whether other processes have finished what they worked on; take it over if they died."""
        old = [task for task, since in self._busy.items() if time.monotonic() - since > _TICK]
        for task in old:
            del self._busy[task]
            if self._store.has_shard(task):
                self._agenda.finish(task)
            else:
                self._agenda.put_back(task)

    def _wind_down(self) -> None:
        """Give orders under way a moment to finish; what does not is dropped."""
        for future in list(self._futures):
            if future.cancel():
                del self._futures[future]
        finished, _ = wait(self._futures, timeout=_GRACE)
        self._take_in({future for future in finished if not future.cancelled() and future.exception() is None})

    def _report(self) -> None:
        status, agenda = self._status, self._agenda
        self._reported = time.monotonic()
        status.done, status.failed = len(agenda.done), len(agenda.failed)
        status.running = len(self._futures)
        status.total = status.done + status.failed + agenda.remaining
        status.seconds = time.monotonic() - self._started
        open_points = [value for point, value in agenda.stderr.items() if point not in agenda.used]
        status.stderr = max(open_points or agenda.stderr.values(), default=float("nan"))
        self._progress(status)
