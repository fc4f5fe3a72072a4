"""The loop of a study: orders go out, shards come in; whatever dies, what is done is kept."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from dataclasses import dataclass, field

from qthermo.errors import ExecutionError, FileError
from qthermo.studies.agenda import Agenda
from qthermo.studies.executors import Workers, is_death
from qthermo.studies.store import Failure
from qthermo.studies.study import Task
from qthermo.studies.worker import Order, Outcome, this_process

__all__ = ["OrderLoop", "RunStatus"]

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


class OrderLoop:
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
