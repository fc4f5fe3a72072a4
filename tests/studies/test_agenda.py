"""The stop at a target standard error: at the same count for every order of work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_cases import cheap_study, solve_by_hand

import qthermo as qt
from qthermo.studies.agenda import Agenda, prefix_stderr
from qthermo.studies.ensemble import Ensemble
from qthermo.studies.folder import create_store, open_store
from qthermo.studies.store import Scan
from qthermo.studies.study import Task


def test_looks_grow_by_a_quarter_and_end_at_the_plan():
    plan = Ensemble(num_realizations=40, target_stderr=0.1, min_realizations=10)
    assert list(plan.looks()) == [10, 13, 17, 22, 28, 35, 40]
    assert list(Ensemble(num_realizations=40).looks()) == [40]
    assert list(Ensemble(num_realizations=4, target_stderr=0.1).looks()) == [4]


def test_standard_error_of_a_prefix():
    samples = {k: np.array([float(k % 2), np.nan]) for k in range(10)}
    assert prefix_stderr(samples, 4) == pytest.approx(np.std([0, 1, 0, 1], ddof=1) / 2)
    assert prefix_stderr(samples, 1) == float("inf")


def run(study: qt.Study, folder, workers: int = 2):
    with ThreadPoolExecutor(workers) as pool:
        return qt.run_study(study, folder, executor=pool, num_workers=workers)


def test_the_stop_is_where_the_definition_says(tmp_path):
    study = cheap_study(ensemble={"num_realizations": 200, "target_stderr": 0.08, "min_realizations": 5})
    run(study, tmp_path / "study")
    data = qt.collect_study(tmp_path / "study")
    assert data.attrs["complete"] == 1
    for disorder in (1.0, 4.0):
        expected = 200
        for count in study.ensemble.looks():
            samples = np.array([solve_by_hand(disorder, r) for r in range(count)])
            if (samples.std(axis=0, ddof=1) / np.sqrt(count)).max() <= 0.08:
                expected = count
                break
        cell = data.sel(disorder=disorder, label="Dense")
        assert cell["num_realizations"] == expected
        np.testing.assert_allclose(cell["correlator"], samples.mean(axis=0))
        assert cell["correlator_disorder_stderr"].max() <= 0.08
    counts = data["num_realizations"].values.ravel()
    assert counts[0] < counts[1] < 200, "the weakly disordered chain needs fewer"


def test_surplus_shards_change_nothing(tmp_path):
    plan = {"num_realizations": 60, "target_stderr": 0.1, "min_realizations": 5}
    run(cheap_study(ensemble=plan), tmp_path / "few", workers=1)
    run(cheap_study(ensemble={"num_realizations": 60}), tmp_path / "all")
    create_store(cheap_study(ensemble=plan), tmp_path / "all")
    few, full = (qt.collect_study(tmp_path / name) for name in ("few", "all"))
    assert few.identical(full)
    done = [len(open_store(tmp_path / name).scan().done) for name in ("few", "all")]
    assert done[0] < done[1] == 120


@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_every_order_of_work_uses_the_same_realizations(random, workers: int):
    """A simulated run: numbers are drawn beforehand, tasks finish in any order, no store is needed."""
    study = cheap_study(ensemble={"num_realizations": 50, "target_stderr": 0.2, "min_realizations": 4})
    values = np.random.default_rng(1).normal(size=(2, 50))

    class Memory(Agenda):
        def _read(self, point: int, method: int, count: int):
            return {r: np.array([values[point, r]]) for r in range(count) if Task(r, point, method) in self.done}

    agenda = Memory(type("Store", (), {"study": study})())
    agenda.start(Scan(done=set(), failed={}, sentences=[]))
    under_way: list[Task] = []
    while True:
        while len(under_way) < workers and (task := agenda.next_task()) is not None:
            under_way.append(task)
        if not under_way:
            break
        agenda.finish(under_way.pop(random.randrange(len(under_way))))
    expected = {}
    for point in (0, 1):
        looks = [n for n in study.ensemble.looks() if values[point, :n].std(ddof=1) / np.sqrt(n) <= 0.2]
        expected[point] = looks[0] if looks else 50
    assert agenda.used == expected
    assert agenda.finished


def test_the_bias_of_the_stop_is_as_small_as_documented():
    """Normal samples: what is stated as the standard error against how much the means really scatter."""
    rng = np.random.default_rng(5)
    looks = list(Ensemble(num_realizations=300, target_stderr=0.15).looks())
    assert looks[:3] == [30, 38, 48]
    means, stated = [], []
    for samples in rng.normal(size=(4000, 300)):
        for count in looks:
            stderr = samples[:count].std(ddof=1) / np.sqrt(count)
            if stderr <= 0.15 or count == looks[-1]:
                break
        means.append(samples[:count].mean())
        stated.append(stderr)
    ratio = np.sqrt(np.mean(np.square(stated)) / np.mean(np.square(means)))
    assert 0.91 < ratio < 1.0
    assert abs(np.mean(means)) < 4 * np.std(means) / np.sqrt(4000)
