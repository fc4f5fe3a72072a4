"""What is left to do: the order of tasks, and the stop at a target standard error that no timing can change."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import FileError
from qthermo.studies.store import Scan, Store
from qthermo.studies.study import Task

__all__ = ["Agenda", "prefix_stderr"]


def prefix_stderr(samples: Mapping[int, NDArray[np.inexact]], count: int) -> float:
    """Return the largest standard error of the mean over the realizations below `count`, NaN-free entries only."""
    rows = [values for realization, values in sorted(samples.items()) if realization < count]
    if len(rows) < 2:
        return float("inf")
    stacked = np.array(rows)
    good = np.isfinite(stacked).all(axis=0)
    if not good.any():
        return float("inf")
    spread = stacked[:, good].std(axis=0, ddof=1) / np.sqrt(len(rows))
    return float(np.max(spread))


class Agenda:
    """The tasks of one run, and when each grid point has enough realizations.

    A point is finished at the first count of `Ensemble.looks` where all tasks below it are done or failed and the
    standard error of the mean over exactly these realizations meets the target. Shards beyond that count, which some
    worker computed meanwhile, are never used: the result is the same for every executor and every interruption.

    Args:
        store: the store.
        shard: (i, n): take only every n-th pair of realization and point, from the i-th.
        retry: kinds of failures (`Failure.kind`) that are tried again.
    """

    def __init__(self, store: Store, *, shard: tuple[int, int] = (0, 1), retry: Collection[str] = ()) -> None:
        self.store = store
        self._study = store.study
        self._shard = shard
        self._retry = retry
        self._looks = tuple(self._study.ensemble.looks())
        self._look = [0] * len(self._study.points)
        self._frontier = [0] * len(self._study.points)  # realizations below are complete for every method
        self._samples: dict[tuple[int, int], dict[int, NDArray[np.inexact]]] = {}
        self.used: dict[int, int] = {}
        self.stderr: dict[int, float] = {}
        self.done: set[Task] = set()
        self.failed: set[Task] = set()
        self.under_way: set[Task] = set()
        self._todo: list[deque[Task]] = [deque() for _ in self._study.points]

    def start(self, scan: Scan) -> None:
        """Take in what the store holds and list the tasks of this shard that are left."""
        self.done |= scan.done
        for task, failure in scan.failed.items():
            if failure.kind not in self._retry or not self._is_mine(task):
                self.failed.add(task)
        for task in self._study.tasks():
            if self._is_mine(task) and task not in self.done and task not in self.failed:
                self._todo[task.point].append(task)
        self.advance()

    def _is_mine(self, task: Task) -> bool:
        index, count = self._shard
        return (task.realization * len(self._study.points) + task.point) % count == index

    def advance(self) -> None:
        """Look at every point whose next count of realizations is complete."""
        for point in range(len(self._todo)):
            self._advance_point(point)

    def _advance_point(self, point: int) -> None:
        while point not in self.used and self._is_complete(point, self.limit(point)):
            self._decide(point)

    def limit(self, point: int) -> int:
        """Return the count of realizations at which the point is looked at next."""
        return self.used.get(point, self._looks[min(self._look[point], len(self._looks) - 1)])

    def _is_complete(self, point: int, count: int) -> bool:
        realization = self._frontier[point]
        while realization < count:
            tasks = [Task(realization, point, method) for method in range(len(self._study.methods))]
            if not all(task in self.done or task in self.failed for task in tasks):
                break
            realization += 1
        self._frontier[point] = realization
        return realization >= count

    def _decide(self, point: int) -> None:
        count, target = self.limit(point), self._study.ensemble.target_stderr
        if target is not None:
            self.stderr[point] = self.measure_stderr(point, count)
            if self._frontier[point] < count:  # a shard proved damaged and is to be computed again
                return
        if count == self._looks[-1] or (target is not None and self.stderr[point] <= target):
            self.used[point] = count
            self._todo[point].clear()
        else:
            self._look[point] += 1

    def measure_stderr(self, point: int, count: int) -> float:
        """Return the largest standard error over entries and methods of the first `count` realizations."""
        return max(prefix_stderr(self._read(point, method, count), count) for method in range(len(self._study.methods)))

    def _read(self, point: int, method: int, count: int) -> dict[int, NDArray[np.inexact]]:
        held = self._samples.setdefault((point, method), {})
        for realization in range(count):
            task = Task(realization, point, method)
            if realization not in held and task in self.done:
                try:
                    held[realization] = self.store.read(task).main
                except FileError:
                    self.done.discard(task)
                    self._frontier[point] = min(self._frontier[point], realization)
                    self._todo[point].appendleft(task)
        return held

    def next_task(self) -> Task | None:
        """Return the next task: the lowest realization first, those that a look waits for before any other."""
        best: tuple[bool, Task] | None = None
        for point, queue in enumerate(self._todo):
            while queue and (queue[0] in self.done or queue[0] in self.failed):
                queue.popleft()
            if queue:
                candidate = (queue[0].realization >= self.limit(point), queue[0])
                best = candidate if best is None else min(best, candidate)
        if best is None:
            return None
        task = self._todo[best[1].point].popleft()
        self.under_way.add(task)
        return task

    def put_back(self, task: Task) -> None:
        """Return a task that was not done to the agenda."""
        self.under_way.discard(task)
        if task.point not in self.used and task not in self.done:
            self._todo[task.point].appendleft(task)

    def finish(self, task: Task, *, failed: bool = False) -> None:
        """Note that a task is done or failed, and look again at its point."""
        self.under_way.discard(task)
        (self.failed if failed else self.done).add(task)
        self._advance_point(task.point)

    def refresh(self) -> None:
        """Take in shards and failures that other processes have written."""
        scan = self.store.scan()
        self.done |= scan.done
        self.failed |= {task for task in scan.failed if task not in self.under_way and not self._is_mine(task)}
        self.advance()

    @property
    def remaining(self) -> int:
        """The number of tasks that the next looks still wait for, in this shard."""
        count = len(self.under_way)
        for point, queue in enumerate(self._todo):
            limit = self.limit(point)
            count += sum(1 for task in queue if task.realization < limit)
        return count

    @property
    def finished(self) -> bool:
        """Whether every point has enough realizations."""
        return len(self.used) == len(self._todo)
