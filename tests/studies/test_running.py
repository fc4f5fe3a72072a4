"""Same numbers for any executor, worker count and order; a worker's death costs its task and no other."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import psutil
import pytest
from study_cases import cheap_study, cheap_tables, netcdf, solve_by_hand

import qthermo as qt
from qthermo.errors import ExecutionError
from qthermo.studies.folder import open_store

METHODS = [{"name": "Dense"}, {"name": "Krylov", "num_vectors": 2}]


def study(**changes) -> qt.Study:
    return cheap_study(**{"ensemble": {"num_realizations": 5}, **changes})


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The netCDF file of an uninterrupted run by one process of this machine."""
    folder = tmp_path_factory.mktemp("reference")
    status = qt.run_study(study(), folder / "s", num_workers=1)
    assert (status.done, status.failed, status.stopped) == (10, 0, "")
    return netcdf(folder / "s")


def test_reference_is_right(reference: bytes, tmp_path):
    qt.run_study(study(), tmp_path / "s", num_workers=1)
    assert netcdf(tmp_path / "s") == reference
    data = qt.load_result(tmp_path / "s" / "result.nc")
    samples = np.array([solve_by_hand(4.0, r) for r in range(5)])
    np.testing.assert_allclose(data["correlator"].sel(disorder=4.0, label="Dense"), samples.mean(axis=0))


def test_two_local_workers(reference: bytes, tmp_path):
    qt.run_study(study(), tmp_path / "s", num_workers=2)
    assert netcdf(tmp_path / "s") == reference


def test_threads(reference: bytes, tmp_path):
    with ThreadPoolExecutor(3) as pool:
        qt.run_study(study(), tmp_path / "s", executor=pool, num_workers=3)
    assert netcdf(tmp_path / "s") == reference


@pytest.mark.parametrize("order", list(itertools.permutations(range(3)))[1::2])
def test_shards_of_an_array_in_any_order(reference: bytes, tmp_path, order):
    with ThreadPoolExecutor(1) as pool:
        for index in order:
            qt.run_study(study(), tmp_path / "s", executor=pool, num_workers=1, shard=(index, 3))
    assert netcdf(tmp_path / "s") == reference


def test_shards_with_a_target_agree_with_one_run(tmp_path):
    plan = {"num_realizations": 60, "target_stderr": 0.1, "min_realizations": 5}
    with ThreadPoolExecutor(1) as pool:
        qt.run_study(cheap_study(ensemble=plan), tmp_path / "one", executor=pool, num_workers=1)
        for index in (2, 0, 1):
            qt.run_study(cheap_study(ensemble=plan), tmp_path / "three", executor=pool, num_workers=1, shard=(index, 3))
    assert netcdf(tmp_path / "one") == netcdf(tmp_path / "three")


def test_extending_adds_only_what_is_missing(tmp_path):
    with ThreadPoolExecutor(1) as pool:
        first = qt.run_study(study(), tmp_path / "s", executor=pool, num_workers=1)
        again = qt.run_study(study(), tmp_path / "s", executor=pool, num_workers=1)
        more = cheap_study(ensemble={"num_realizations": 9})
        extended = qt.run_study(more, tmp_path / "s", executor=pool, num_workers=1)
        qt.run_study(more, tmp_path / "at-once", executor=pool, num_workers=1)
    assert (first.computed, again.computed, extended.computed) == (10, 0, 8)
    assert netcdf(tmp_path / "s") == netcdf(tmp_path / "at-once")


def test_random_methods_repeat_themselves_in_another_process(tmp_path):
    tables = cheap_tables(methods=METHODS, model={"num_bath_sites": 3})
    tables["problem"] = {"name": "Propagator", "laplace": [1.0]}
    sampled = qt.parse_study(tables)
    qt.run_study(sampled, tmp_path / "processes", num_workers=2)
    with ThreadPoolExecutor(1) as pool:
        qt.run_study(sampled, tmp_path / "thread", executor=pool, num_workers=1)
    assert netcdf(tmp_path / "processes") == netcdf(tmp_path / "thread")
    shards = [open_store(tmp_path / "thread").read(t).main for t in sorted(open_store(tmp_path / "thread").scan().done)]
    assert len({values.tobytes() for values in shards}) == len(shards)


def test_two_runs_at_once_share_the_work(reference: bytes, tmp_path):
    longer = cheap_study(ensemble={"num_realizations": 60})
    found = []

    def run() -> None:
        with ThreadPoolExecutor(2) as pool:
            found.append(qt.run_study(longer, tmp_path / "s", executor=pool, num_workers=2))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [status.stopped for status in found] == ["", ""]
    assert sum(status.computed for status in found) == 120, "no task was done twice"
    with ThreadPoolExecutor(1) as pool:
        qt.run_study(longer, tmp_path / "alone", executor=pool, num_workers=1)
    assert netcdf(tmp_path / "s") == netcdf(tmp_path / "alone")


SLOW = {"model": {"num_bath_sites": 9, "disorder": 1.0}, "ensemble": {"num_realizations": 6}}


def workers_of(process: psutil.Process) -> list[psutil.Process]:
    """The forkserver's children that hold a task: those of this process, youngest last."""
    return sorted((p for p in process.children(recursive=True) if is_worker(p)), key=lambda p: p.create_time())


def is_worker(process: psutil.Process) -> bool:
    try:
        return "forkserver" in " ".join(process.cmdline()) and not process.children()
    except psutil.NoSuchProcess:
        return False


def test_a_killed_worker_is_replaced(tmp_path):
    killed = []

    def kill_once(status: qt.studies.RunStatus) -> None:
        if not killed and status.computed >= 1:
            victim = workers_of(psutil.Process())[-1]
            victim.kill()
            killed.append(victim.pid)

    status = qt.run_study(cheap_study(**SLOW), tmp_path / "s", num_workers=2, progress=kill_once)
    assert killed
    assert (status.done, status.failed) == (6, 0)
    qt.run_study(cheap_study(**SLOW), tmp_path / "alone", num_workers=1)
    assert netcdf(tmp_path / "s") == netcdf(tmp_path / "alone")


POISON = """
import os, sys

def poison():
    from qthermo.exact.dense import Dense
    run = Dense.run
    def deadly(self, problem, progress):
        if problem.model.parameters["realization"] == 3 and problem.model.parameters["disorder"] == 1.0:
            os._exit(9)
        if problem.model.parameters["realization"] == 4:
            raise ValueError("realization 4 is poisoned")
        return run(self, problem, progress)
    Dense.run = deadly

if any("forkserver" in word for word in sys.argv) or "multiprocessing" in " ".join(sys.orig_argv):
    poison()
"""


def test_a_poisoned_realization_is_recorded_and_the_rest_go_on(tmp_path):
    """The forkserver of a process of its own loads the poison: a method that ends its process, or raises."""
    import subprocess

    (tmp_path / "sitecustomize.py").write_text(POISON)
    script = tmp_path / "drive.py"
    here = Path(__file__).parent
    script.write_text(
        f"import sys; sys.path.insert(0, {str(here)!r})\n"
        "from study_cases import cheap_study\nimport qthermo as qt\n"
        "if __name__ == '__main__':\n"
        "    status = qt.run_study(cheap_study(ensemble={'num_realizations': 6}), sys.argv[1], num_workers=2)\n"
        "    print(status.done, status.failed)\n"
    )
    folder = tmp_path / "s"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = [sys.executable, str(script), str(folder)]
    found = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=True)
    assert found.stdout.split() == ["9", "3"]
    failed = open_store(folder).scan().failed
    assert {(t.realization, t.point, f.kind) for t, f in failed.items()} == {
        (3, 0, "crash"),
        (4, 0, "error"),
        (4, 1, "error"),
    }
    poisoned = next(f for f in failed.values() if f.kind == "error")
    assert "realization 4 is poisoned" in poisoned.message
    assert "deadly" in poisoned.traceback
    healed = qt.run_study(cheap_study(ensemble={"num_realizations": 6}), folder, num_workers=1)
    assert (healed.computed, healed.failed) == (1, 2), "a crash is tried again, an exception is not"


def test_workers_go_when_their_driver_is_killed(tmp_path):
    import subprocess

    here = Path(__file__).parent
    script = tmp_path / "drive.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(here)!r})\n"
        "from study_cases import cheap_study\nimport qthermo as qt\n"
        "if __name__ == '__main__':\n"
        "    study = cheap_study(model={'num_bath_sites': 9}, ensemble={'num_realizations': 500})\n"
        "    qt.run_study(study, sys.argv[1], num_workers=2)\n"
    )
    process = subprocess.Popen([sys.executable, str(script), str(tmp_path / "s")])
    wait_for(lambda: (tmp_path / "s" / "study.json").exists() and open_store(tmp_path / "s").scan().done)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(workers_of(psutil.Process(process.pid))) == 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in family))


def wait_for(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Broken(Executor):
    """An executor whose workers have died."""

    def submit(self, fn, /, *args, **kwargs):
        future: Future = Future()
        future.set_exception(BrokenProcessPool("dead"))
        return future


class Deaf(Executor):
    """An executor that takes no orders."""

    def submit(self, fn, /, *args, **kwargs):
        raise RuntimeError("cannot schedule new futures after shutdown")


def test_a_given_executor_that_breaks_is_one_sentence(tmp_path):
    with pytest.raises(ExecutionError, match="shards are kept"):
        qt.run_study(study(), tmp_path / "s", executor=Broken(), num_workers=1)
    with pytest.raises(ExecutionError, match="shards are kept"):
        qt.run_study(study(), tmp_path / "s", executor=Deaf(), num_workers=1)
    with pytest.raises(qt.InputError, match="Executor"):
        qt.run_study(study(), tmp_path / "s", executor=3)  # type: ignore[arg-type]


def test_a_given_process_pool_works_and_stays_open(reference: bytes, tmp_path):
    from multiprocessing import get_context

    with ProcessPoolExecutor(1, mp_context=get_context("forkserver")) as pool:
        qt.run_study(study(), tmp_path / "s", executor=pool, num_workers=1)
        assert pool.submit(os.getpid).result() != os.getpid()
    assert netcdf(tmp_path / "s") == reference


def test_time_limit_and_stop_keep_what_is_done(reference: bytes, tmp_path):
    status = qt.run_study(study(), tmp_path / "s", num_workers=1, time_limit=1e-6)
    assert status.stopped == "the time limit is reached"
    asked = iter(range(1000))
    stop = qt.run_study(
        study(), tmp_path / "s", num_workers=1, should_stop=lambda: "SIGTERM" if next(asked) > 2 else ""
    )
    assert stop.stopped == "SIGTERM"
    assert open_store(tmp_path / "s").scan(verify=True).done
    qt.run_study(study(), tmp_path / "s", num_workers=1)
    assert netcdf(tmp_path / "s") == reference


def test_progress_tells_done_failed_running_and_eta(tmp_path):
    seen: list[tuple[int, int, float]] = []
    plan = {"num_realizations": 30, "target_stderr": 1e-6, "min_realizations": 5}
    with ThreadPoolExecutor(1) as pool:
        qt.run_study(
            cheap_study(ensemble=plan),
            tmp_path / "s",
            executor=pool,
            num_workers=1,
            progress=lambda s: seen.append((s.done, s.total, s.stderr)),
        )
    assert seen[0][0] == 0
    assert seen[-1][:2] == (60, 60)
    assert seen[-1][2] > 1e-6
    status = qt.studies.RunStatus(total=10, done=4, computed=4, seconds=2.0)
    assert status.remaining_seconds == pytest.approx(3.0)


def test_long_tasks_keep_checkpoints_if_asked(tmp_path, monkeypatch: pytest.MonkeyPatch):
    import qthermo.studies.worker as worker

    seen = []
    real = worker.run_method
    monkeypatch.setattr(worker, "run_method", lambda p, m: (seen.append(m.checkpoint), real(p, m))[1])
    network = cheap_study(methods=[{"name": "HeisenbergTEBD"}], output={"checkpoints": True})
    with ThreadPoolExecutor(1) as pool:
        qt.run_study(network, tmp_path / "s", executor=pool, num_workers=1)
    assert len(set(seen)) == 12
    assert all(Path(path).parent == (tmp_path / "s" / "checkpoints").resolve() for path in seen)
    assert not list((tmp_path / "s" / "checkpoints").iterdir()), "a finished task leaves none"


def test_tasks_in_the_driver_use_one_thread_and_leave_the_others_as_they_were(
    tmp_path, monkeypatch: pytest.MonkeyPatch
):
    import numba
    import scipy.linalg  # noqa: F401, its BLAS is to be listed
    from threadpoolctl import threadpool_info, threadpool_limits

    import qthermo.studies.worker as worker

    def counts() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    seen = []
    real = worker.run_method
    monkeypatch.setattr(
        worker, "run_method", lambda p, m: (seen.append((counts(), numba.get_num_threads())), real(p, m))[1]
    )
    with threadpool_limits(2), ThreadPoolExecutor(1) as pool:
        before = counts()
        qt.run_study(cheap_study(), tmp_path / "s", executor=pool, num_workers=1)
        assert counts() == before
    assert len(seen) == 12
    assert set(map(str, seen)) == {"({1}, 1)"}


def test_a_study_that_cannot_work_is_refused_before_it_begins(tmp_path):
    with pytest.raises(qt.InputError, match="Davies does not answer Autocorrelation"):
        qt.run_study(cheap_study(methods=[{"name": "Davies"}]), tmp_path / "s")
    assert not (tmp_path / "s").exists()
