"""Executors: a local pool that outlives its workers, dask by address, or any `concurrent.futures.Executor`."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Protocol

from qthermo.errors import ExecutionError
from qthermo.studies.worker import Order, Outcome, limit_threads_of_process, run_order

__all__ = ["CONNECT_SECONDS", "GivenExecutor", "LocalPool", "Workers", "connect_dask", "count_cores", "is_death"]

CONNECT_SECONDS = 10.0


class Workers(Protocol):
    """What the loop of a study needs of those who work for it."""

    num_workers: int

    def submit(self, order: Order, *, alone: bool = False) -> Future[Outcome]:
        """Start an order; `alone` in a process of its own, so that its death is nobody else's."""
        ...

    def renew(self) -> bool:
        """Replace a broken pool; return False if that is not possible."""
        ...

    def stop(self) -> None:
        """End at once; orders under way are dropped."""
        ...


def count_cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _prepare_worker(lifeline: Connection) -> None:
    """Set a worker up: one thread, deaf to Ctrl-C (the driver decides), and gone when the driver is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_threads_of_process()
    threading.Thread(target=_die_with, args=(lifeline,), daemon=True).start()


def _die_with(lifeline: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os._exit(1)


class LocalPool:
    """Processes of this machine, one BLAS thread each; they end when the driver does, even if it is killed.

    Args:
        num_workers: number of processes.
    """

    def __init__(self, num_workers: int) -> None:
        self.num_workers = num_workers
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload(["qthermo.studies.worker"])
        self._lifeline, self._held = self._context.Pipe(duplex=False)
        self._pools: list[ProcessPoolExecutor] = []
        self._futures: set[Future[Outcome]] = set()
        self._pool = self._start(num_workers)

    def _start(self, num_workers: int) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(
            num_workers, mp_context=self._context, initializer=_prepare_worker, initargs=(self._lifeline,)
        )
        self._pools.append(pool)
        return pool

    def submit(self, order: Order, *, alone: bool = False) -> Future[Outcome]:
        """Start an order, `alone` in a process of its own."""
        pool = self._start(1) if alone else self._pool
        future = pool.submit(run_order, order)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        if alone:
            future.add_done_callback(lambda _future: pool.shutdown(wait=False))
        return future

    def renew(self) -> bool:
        """Replace the broken pool."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._start(self.num_workers)
        return True

    def stop(self) -> None:
        """End all workers: idle ones in their own time, but at once if any is under way, by cutting the lifeline."""
        if self._futures:
            self._held.close()
        for pool in self._pools:
            pool.shutdown(wait=True, cancel_futures=True)
        self._pools.clear()
        self._held.close()
        self._lifeline.close()


class GivenExecutor:
    """An executor of the user's, which is never shut down here.

    Args:
        executor: any `concurrent.futures.Executor`.
        num_workers: how many orders it works on at a time.
    """

    def __init__(self, executor: Executor, num_workers: int, close: Callable[[], None] | None = None) -> None:
        self.num_workers = num_workers
        self._executor = executor
        self._close = close
        self._futures: set[Future[Outcome]] = set()

    def submit(self, order: Order, *, alone: bool = False) -> Future[Outcome]:
        """Start an order."""
        future = self._executor.submit(run_order, order)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return future

    def renew(self) -> bool:
        """Return False: what the user started only the user can start again."""
        return False

    def stop(self) -> None:
        """Cancel what has not begun."""
        for future in list(self._futures):
            future.cancel()
        if self._close is not None:
            self._close()


@contextlib.contextmanager
def connect_dask(address: str) -> Iterator[GivenExecutor]:
    """Yield the workers of a dask scheduler, for example "tcp://10.0.0.5:8786".

    Raises:
        ExecutionError: distributed is not installed, or the scheduler does not answer.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ExecutionError("Workers of dask need the package distributed: pip install 'qthermo[dask]'.") from None
    try:
        client: Any = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as problem:
        raise ExecutionError(f"A dask scheduler must answer at {address}, but does not: {problem}.") from None
    try:
        threads = sum(worker["nthreads"] for worker in client.scheduler_info(n_workers=-1)["workers"].values())
        yield GivenExecutor(client.get_executor(), max(threads, 1))
    finally:
        client.close()


def is_death(error: BaseException) -> bool:
    """Return whether an exception says that a worker died rather than that its task raised."""
    return isinstance(error, BrokenExecutor) or type(error).__name__ in ("KilledWorker", "CancelledError")
