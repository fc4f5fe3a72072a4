"""dask.distributed by address: identical numbers, also when a worker is killed in the middle."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from study_cases import cheap_study, cheap_tables, netcdf, toml_of

import qthermo as qt
from qthermo.cli import main
from qthermo.errors import ExecutionError
from qthermo.studies.folder import open_store

distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")


@pytest.fixture(scope="module")
def cluster():
    found = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", memory_limit=None, silence_logs=50
    )
    yield found
    found.close(timeout=60)  # the default gives a busy machine too little time


def study() -> qt.Study:
    return cheap_study(model={"num_bath_sites": 7}, ensemble={"num_realizations": 40})


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("dask") / "s"
    with ThreadPoolExecutor(1) as pool:
        qt.run_study(study(), folder, executor=pool, num_workers=1)
    return netcdf(folder)


def worker_pids(address: str) -> list[int]:
    with distributed.Client(address) as client:
        return list(client.run(os.getpid).values())


def test_a_killed_worker_changes_no_number(cluster, reference: bytes, tmp_path):
    victim = worker_pids(cluster.scheduler_address)[0]
    killed = []

    def kill_once(status: qt.studies.RunStatus) -> None:
        if status.computed >= 5 and not killed:
            os.kill(victim, signal.SIGKILL)
            killed.append(status.computed)

    status = qt.run_study(study(), tmp_path / "s", executor=cluster.scheduler_address, progress=kill_once)
    assert killed
    assert killed[0] < 80
    assert (status.done, status.failed) == (80, 0)
    assert netcdf(tmp_path / "s") == reference
    hosts = {open_store(tmp_path / "s").read(task).header["host"] for task in open_store(tmp_path / "s").scan().done}
    assert hosts


def test_workers_that_do_not_see_the_folder_send_their_shards(cluster, tmp_path, monkeypatch: pytest.MonkeyPatch):
    """The driver's folder is hidden from the workers by a path that means something else to them."""
    import qthermo.studies.order_loop as order_loop

    real = order_loop.Order
    monkeypatch.setattr(order_loop, "Order", lambda **words: real(**{**words, "folder": "/nowhere/to/be/seen"}))
    status = qt.run_study(cheap_study(), tmp_path / "s", executor=cluster.scheduler_address)
    monkeypatch.undo()
    assert (status.done, status.failed) == (12, 0)
    with ThreadPoolExecutor(1) as pool:
        qt.run_study(cheap_study(), tmp_path / "t", executor=pool, num_workers=1)
    assert netcdf(tmp_path / "s") == netcdf(tmp_path / "t")


def test_the_command_line_takes_an_address(cluster, tmp_path, monkeypatch: pytest.MonkeyPatch, capsys):
    (tmp_path / "s.toml").write_text(toml_of(cheap_tables()))
    words = ["qthermo", "study", "run", str(tmp_path / "s.toml"), "--dask", cluster.scheduler_address]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as exit_info:
        main()
    assert exit_info.value.code == 0
    assert "done 12, failed 0; computed 12" in capsys.readouterr().out


def test_no_scheduler_is_one_sentence(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("qthermo.studies.executors.CONNECT_SECONDS", 0.5)
    with pytest.raises(ExecutionError, match="dask scheduler must answer at tcp://127") as caught:
        qt.run_study(cheap_study(), tmp_path / "s", executor="tcp://127.0.0.1:9")
    assert "\n" not in str(caught.value)
