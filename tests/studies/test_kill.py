"""SIGKILL at random moments: no shard lost or damaged, and the same file at the end as without."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from study_cases import cheap_study, cheap_tables, netcdf, toml_of

import qthermo as qt
from qthermo.studies.folder import open_store


def start(path: Path, folder: Path) -> subprocess.Popen:
    words = [sys.executable, "-m", "qthermo", "study", "run", str(path), "--folder", str(folder), "--workers", "2"]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def kill_and_resume(tmp_path: Path, *, num_realizations: int, num_kills: int, spread: float) -> list[bytes]:
    """Return the netCDF files of a run killed many times and of one left alone; shards are checked on the way."""
    changes = {"model": {"num_bath_sites": 7}, "ensemble": {"num_realizations": num_realizations}}
    path = tmp_path / "study.toml"
    path.write_text(toml_of(cheap_tables(**changes)))
    rng = np.random.default_rng(1)
    folder, kept, kills = tmp_path / "s", {}, 0
    for _ in range(num_kills):
        process = start(path, folder)
        before = len(kept)
        deadline = time.monotonic() + 60
        while process.poll() is None and len(list(folder.glob("shards/*/*/r*.npz"))) <= before:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(rng.uniform(0, spread))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        store = open_store(folder)
        scan = store.scan(verify=True)
        assert scan.sentences == []
        assert scan.failed == {}
        for task, content in kept.items():
            assert store.shard_path(task).read_bytes() == content, "a shard was lost or written again"
        kept = {task: store.shard_path(task).read_bytes() for task in scan.done}
    assert kills >= num_kills - 1, "the runs must not finish before they are killed"
    last = start(path, folder)
    _, words = last.communicate(timeout=300)
    assert last.returncode == 0, words
    qt.run_study(cheap_study(**changes), tmp_path / "whole", num_workers=1)
    return [netcdf(folder), netcdf(tmp_path / "whole")]


def test_two_kills(tmp_path):
    resumed, whole = kill_and_resume(tmp_path, num_realizations=60, num_kills=2, spread=0.1)
    assert resumed == whole


@pytest.mark.slow
def test_twenty_kills_of_two_hundred_realizations(tmp_path):
    resumed, whole = kill_and_resume(tmp_path, num_realizations=200, num_kills=20, spread=0.06)
    assert resumed == whole


def test_two_commands_on_one_folder(tmp_path):
    changes = {"ensemble": {"num_realizations": 80}}
    path = tmp_path / "study.toml"
    path.write_text(toml_of(cheap_tables(**changes)))
    commands = [start(path, tmp_path / "s") for _ in range(2)]
    for process in commands:
        _, words = process.communicate(timeout=120)
        assert (process.returncode, words) == (0, "")
    assert len(open_store(tmp_path / "s").scan(verify=True).done) == 160
    qt.run_study(cheap_study(**changes), tmp_path / "whole", num_workers=1)
    assert netcdf(tmp_path / "s") == netcdf(tmp_path / "whole")


def test_a_task_killed_midway_goes_on_from_its_checkpoint(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """One realization of a long evolution is killed after its first checkpoint; the rest is computed, not the whole."""
    import qthermo.tensor_network.checked_runs as checked_runs

    tables = cheap_tables(
        model={"num_bath_sites": 11, "disorder": 2.0},
        problem={"times": [0.0, 1.0, 2.0, 3.0, 4.0]},
        methods=[{"name": "HeisenbergTEBD", "max_bond_dim": 24, "stop_at_tolerance": False}],
        ensemble={"num_realizations": 1},
        output={"checkpoints": True},
    )
    path, folder = tmp_path / "study.toml", tmp_path / "s"
    path.write_text(toml_of(tables))
    process = start(path, folder)
    deadline = time.monotonic() + 120
    while not list(folder.glob("checkpoints/p*")):
        assert process.poll() is None, "the run must not finish before its first checkpoint"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert open_store(folder).scan().done == set()

    times_done = []
    load = checked_runs.load_checkpoint

    def watched(place, key):
        stored = load(place, key)
        times_done.append(stored[1]["done"] if stored else None)
        return stored

    monkeypatch.setattr(checked_runs, "load_checkpoint", watched)
    study = qt.parse_study(tables)
    for place in (folder, tmp_path / "whole"):
        with ThreadPoolExecutor(1) as pool:
            assert qt.run_study(study, place, executor=pool, num_workers=1).done == 1
    assert times_done[0] > 0
    assert times_done[1] is None
    assert netcdf(folder) == netcdf(tmp_path / "whole")
