"""The folder: whole shards or none, its own study only, and a sentence for everything that does not belong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from study_cases import cheap_study

import qthermo as qt
from qthermo.errors import FileError
from qthermo.solve import run_method
from qthermo.studies.folder import create_store, open_store, update_plan
from qthermo.studies.running import run_study
from qthermo.studies.shard import encode_shard
from qthermo.studies.store import Failure, Store
from qthermo.studies.study import Task
from qthermo.studies.worker import Order, run_order, this_process

TASK = Task(2, 1, 0)


def write_one(store: Store, task: Task) -> None:
    order = Order(
        tables=json.dumps(store.study.to_tables()), folder=str(store.folder), task=task, driver=this_process()
    )
    assert run_order(order).status == "done"


@pytest.fixture
def store(tmp_path) -> Store:
    return create_store(cheap_study(), tmp_path / "study")


def test_a_shard_holds_the_answer_exactly(store: Store):
    write_one(store, TASK)
    shard = store.read(TASK)
    expected = qt.solve(store.study.build_problem(1, 2), qt.Dense())
    np.testing.assert_array_equal(shard.main, expected["correlator"].values)
    np.testing.assert_array_equal(shard.coordinates["time"], [0.0, 1.0, 3.0])
    assert shard.variables["correlator"].dims == ("time",)
    assert shard.header["environment"]["versions"]["qthermo"] == qt.__version__
    assert store.scan(verify=True).done == {TASK}


def test_shards_hold_no_pickle(store: Store):
    write_one(store, TASK)
    with np.load(store.shard_path(TASK), allow_pickle=False) as stored:
        assert all(stored[name].dtype != object for name in stored.files)


def test_opening_gives_the_study_that_made_it(store: Store):
    assert open_store(store.folder).study.to_tables() == store.study.to_tables()
    assert create_store(cheap_study(), store.folder).study.digest == store.study.digest


def test_an_edited_study_is_refused_with_the_difference(store: Store):
    other = cheap_study(
        model={"disorder": [1.0, 5.0]}, methods=[{"name": "Dense"}, {"name": "Krylov"}], ensemble={"seed": 8}
    )
    with pytest.raises(qt.InputError) as caught:
        create_store(other, store.folder)
    text = str(caught.value)
    assert "`model.disorder` is [1.0, 5.0] instead of [1.0, 4.0]" in text
    assert "`methods[1]` is" in text
    assert "`ensemble.seed` is 8 instead of 7" in text
    assert "\n" not in text


def test_a_copy_edited_by_hand_is_refused(store: Store):
    path = store.folder / "study.json"
    path.write_text(path.read_text().replace("4.0", "5.0"))
    with pytest.raises(FileError, match="changed by hand"):
        open_store(store.folder)
    path.write_text("{")
    with pytest.raises(FileError, match="cannot be read"):
        open_store(store.folder)
    path.write_text('{"qthermo_study": 99, "study": {}, "sha256": ""}')
    with pytest.raises(FileError, match="schema 99"):
        open_store(store.folder)
    path.unlink()
    with pytest.raises(FileError, match=r"must hold study\.json"):
        open_store(store.folder)


def test_more_realizations_can_be_planned_but_not_fewer(store: Store):
    extended = update_plan(store, num_realizations=9)
    assert open_store(store.folder).study.ensemble.num_realizations == 9
    assert extended.study.digest == store.study.digest
    assert create_store(cheap_study(), store.folder).study.ensemble.num_realizations == 9
    with pytest.raises(qt.InputError, match="not cut to 3"):
        update_plan(extended, num_realizations=3)


def test_a_foreign_folder_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(FileError, match=r"holds thesis\.tex"):
        create_store(cheap_study(), tmp_path)
    with pytest.raises(FileError, match="is a file"):
        create_store(cheap_study(), tmp_path / "thesis.tex")
    assert os.listdir(tmp_path) == ["thesis.tex"]


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "text"])
def test_a_damaged_shard_is_set_aside_and_computed_again(tmp_path, damage: str):
    study = cheap_study()
    folder = tmp_path / "study"
    with_threads(study, folder)
    before = qt.collect_study(folder)
    store = open_store(folder)
    path = store.shard_path(TASK)
    whole = path.read_bytes()
    changed = {"truncated": whole[:-20], "flipped": whole[:90] + b"?" + whole[91:], "empty": b"", "text": b"hello"}[
        damage
    ]
    path.write_bytes(changed)
    with pytest.raises(FileError) as caught:
        qt.collect_study(folder)
    assert "study resume" in str(caught.value)
    assert "\n" not in str(caught.value)
    status = with_threads(study, folder)
    assert status.computed == 1
    assert len(status.sentences) == 1
    assert "set aside" in status.sentences[0]
    assert any(p.read_bytes() == changed for p in path.parent.glob(".*.damaged.tmp")), "nothing is thrown away"
    assert qt.collect_study(folder).identical(before)


def with_threads(study: qt.Study, folder: Path):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        return run_study(study, folder, executor=pool, num_workers=2)


def test_foreign_files_are_told_and_left_alone(tmp_path):
    study, folder = cheap_study(), tmp_path / "study"
    with_threads(study, folder)
    before = qt.collect_study(folder)
    strangers = ["shards/notes.txt", "shards/p0000/Dense/r1.npz", "shards/p0009/Dense/r000001.npz", "failed/x.json"]
    for name in strangers:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("mine")
    status = with_threads(study, folder)
    assert len(status.sentences) == len(strangers)
    for name in strangers:
        assert any(str(folder / name) in sentence for sentence in status.sentences)
        assert (folder / name).read_text() == "mine"
    assert qt.collect_study(folder).identical(before)


def test_a_shard_of_another_study_is_not_taken_for_ours(tmp_path):
    study, folder = cheap_study(), tmp_path / "a"
    with_threads(study, folder)
    with_threads(cheap_study(ensemble={"seed": 8}), tmp_path / "b")
    before = qt.collect_study(folder)
    path = open_store(folder).shard_path(TASK)
    shutil.copy(tmp_path / "b" / path.relative_to(folder), path)
    with pytest.raises(FileError, match="must belong to study"):
        qt.collect_study(folder)
    with_threads(study, folder)
    assert qt.collect_study(folder).identical(before)


def test_failures_are_recorded_and_forgotten_when_a_shard_arrives(store: Store):
    try:
        raise ValueError("poison")
    except ValueError as error:
        store.write_failure(TASK, Failure.from_exception(error))
    failure = store.scan().failed[TASK]
    assert (failure.kind, failure.exception, failure.message) == ("error", "ValueError", "poison")
    assert "test_store.py" in failure.traceback
    write_one(store, TASK)
    assert store.scan().failed == {}
    assert Failure.from_exception(MemoryError()).kind == "memory"


def test_a_claim_excludes_other_processes_and_ends_with_its_holder(store: Store):
    with store.claim(TASK) as mine, store.claim(TASK) as again:
        assert mine
        assert not again
        assert store.count_running() == 1
    with store.claim(TASK) as free:
        assert free
    assert store.count_running() == 0
    store.claim_path(TASK).touch()  # what a killed process leaves behind
    with store.claim(TASK) as after:
        assert after


def test_a_full_disk_stops_the_run_in_one_sentence_and_loses_nothing(tmp_path):
    folder = mounted(tmp_path, "size=220k")
    try:
        study = cheap_study(ensemble={"num_realizations": 60})
        with pytest.raises(FileError) as caught:
            with_threads(study, folder / "study")
        assert "No space left" in str(caught.value)
        assert "\n" not in str(caught.value)
        store = open_store(folder / "study")
        kept = store.scan(verify=True)
        assert kept.done
        assert not kept.sentences
        remount(folder, "size=8m")
        status = with_threads(study, folder / "study")
        assert status.computed == 120 - len(kept.done)
        with_threads(study, tmp_path / "other")
        assert qt.collect_study(folder / "study").identical(qt.collect_study(tmp_path / "other"))
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_read_only_folder_is_one_sentence(tmp_path):
    folder = mounted(tmp_path, "size=4m")
    try:
        study = cheap_study()
        with_threads(study, folder / "study")
        store = update_plan(open_store(folder / "study"), num_realizations=8)
        remount(folder, "ro")
        for attempt in (
            lambda: with_threads(store.study, folder / "study"),
            lambda: with_threads(study, folder / "new"),
            lambda: update_plan(store, num_realizations=9),
        ):
            with pytest.raises(FileError) as caught:
                attempt()
            assert "Read-only file system" in str(caught.value)
            assert "\n" not in str(caught.value)
        assert qt.collect_study(folder / "study").sizes["disorder"] == 2, "reading needs no writing"
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def mounted(tmp_path: Path, options: str) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    found = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True
    )
    if found.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {found.stderr.strip()}")
    return folder


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def test_old_folders_stay_readable():
    from qthermo.studies.folder import STORE_SCHEMA

    root = Path(__file__).parents[1] / "data"
    assert {path.name for path in root.glob("study_v*")} == {f"study_v{k}" for k in range(1, STORE_SCHEMA + 1)}
    for folder in sorted(root.glob("study_v*")):
        data = qt.collect_study(folder)
        frozen = qt.load_result(folder / "result.nc")
        assert data["correlator"].equals(frozen["correlator"]), folder.name
        assert data.attrs["data_sha256"] == frozen.attrs["data_sha256"]


def test_a_newer_shard_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch):
    import qthermo.studies.shard as module

    run = run_method(store.study.build_problem(0, 0), qt.Dense())
    monkeypatch.setattr(module, "SHARD_SCHEMA", 99)
    content = encode_shard(run, store.key(Task(0, 0, 0)))
    monkeypatch.undo()
    store.write_shard(Task(0, 0, 0), content)
    with pytest.raises(FileError, match="schema 99"):
        store.read(Task(0, 0, 0))


def test_the_environment_does_not_depend_on_what_else_is_loaded():
    from threadpoolctl import threadpool_info

    from qthermo.studies.shard import describe_environment

    code = "import json, qthermo.studies.shard as s; print(json.dumps(s.describe_environment()))"
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    import qiskit_aer  # noqa: F401, it brings a BLAS of its own

    assert any("aer" in pool["filepath"] for pool in threadpool_info()), "the case must be one"
    describe_environment.cache_clear()
    assert describe_environment() == json.loads(fresh)
