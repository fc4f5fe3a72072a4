"""Collected averages against averages by hand."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from study_cases import cheap_study, cheap_tables, solve_by_hand

import qthermo as qt
from qthermo.studies.folder import create_store, open_store
from qthermo.studies.study import Task


def run(study: qt.Study, folder):
    with ThreadPoolExecutor(1) as pool:
        status = qt.run_study(study, folder, executor=pool, num_workers=1)
    return status, qt.collect_study(folder)


def test_mean_and_stderr_are_those_of_the_samples(tmp_path):
    _, data = run(cheap_study(ensemble={"bootstrap": 200}), tmp_path / "s")
    assert data["correlator"].dims == ("disorder", "label", "time")
    for disorder in (1.0, 4.0):
        samples = np.array([solve_by_hand(disorder, r) for r in range(6)])
        cell = data.sel(disorder=disorder, label="Dense")
        assert_allclose(cell["correlator"], samples.mean(axis=0), rtol=1e-14)
        assert_allclose(cell["correlator_disorder_stderr"], samples.std(axis=0, ddof=1) / np.sqrt(6), atol=1e-15)
        assert (cell["correlator_count"] == 6).all()
        assert (cell["correlator_bootstrap_low"] <= cell["correlator"] + 1e-15).all()
        assert (cell["correlator_bootstrap_high"] >= cell["correlator"] - 1e-15).all()
    assert data.attrs["complete"] == 1
    assert qt.parse_study(json.loads(data.attrs["study"])).digest == data.attrs["study_sha256"]
    environment = json.loads(data.attrs["environments"])[0]
    assert environment["blas"]
    assert environment["versions"]["numpy"] == np.__version__
    assert qt.load_result(qt.save_result(data, tmp_path / "r.nc")).identical(data)


def test_complex_correlators_and_grids_of_different_sizes(tmp_path):
    study = cheap_study(model={"num_bath_sites": [1, 2], "disorder": 1.0}, problem={"beta": 1.0})
    _, data = run(study, tmp_path / "s")
    assert np.iscomplexobj(data["correlator"])
    assert qt.load_result(qt.save_result(data, tmp_path / "r.nc")).identical(data)
    tables = cheap_tables(model={"num_bath_sites": [2, 3], "disorder": 1.0}, methods=[{"name": "Davies"}])
    tables["problem"] = {"name": "Relaxation", "beta": 1.0, "times": [0.0, 1.0]}
    _, data = run(qt.parse_study(tables), tmp_path / "t")
    assert data.sizes["site"] == 4
    small, large = (data["polarisation"].sel(num_bath_sites=n, label="Davies", time=0.0).values for n in (2, 3))
    assert_allclose(small, [-1, -1, -1, np.nan])
    assert_allclose(large, [-1, -1, -1, -1])
    assert data.attrs["main_variable"] == "trace_distance"


def test_single_numbers_need_no_own_dimension(tmp_path):
    tables = cheap_tables()
    tables["problem"] = {"name": "GroundState"}
    _, data = run(qt.parse_study(tables), tmp_path / "s")
    assert data["energy"].dims == ("disorder", "label")


def test_methods_are_compared_on_the_same_disorder(tmp_path):
    methods = [
        {"name": "Dense"},
        {"name": "HeisenbergTEBD"},
        {"name": "HeisenbergTEBD", "label": "rough", "time_step": 1.0},
    ]
    methods[2] |= {"trotter_order": 2, "estimate_errors": False}
    _, data = run(cheap_study(methods=methods), tmp_path / "s")
    lines = {(line.point, line.method): line for line in qt.compare_methods(data)}
    for disorder in ("1", "4"):
        assert lines[f"disorder={disorder}", "Dense"].verdict == "judge"
        assert lines[f"disorder={disorder}", "HeisenbergTEBD"].verdict == "agrees"
    rough = data.sel(disorder=4.0, label="rough")
    pairs = np.array([shard_values(tmp_path / "s", 1, 2, r) - solve_by_hand(4.0, r) for r in range(6)])
    assert_allclose(rough["deviation"], pairs.mean(axis=0), atol=1e-14)
    assert_allclose(rough["deviation_disorder_stderr"], pairs.std(axis=0, ddof=1) / np.sqrt(6), atol=1e-14)
    line = lines["disorder=4", "rough"]
    worst = np.argmax(np.abs(pairs.mean(axis=0)) / rough["deviation_allowed"].values)
    assert line.deviation == pytest.approx(pairs.mean(axis=0)[worst])
    assert line.largest == pytest.approx(np.abs(pairs.mean(axis=0)).max())
    assert lines["disorder=1", "rough"].verdict in ("agrees", "DISAGREES")


def shard_values(folder, point: int, method: int, realization: int) -> np.ndarray:
    return open_store(folder).read(Task(realization, point, method)).main


def test_verdicts_follow_from_deviation_and_errors():
    import xarray as xr

    def collected(deviation: float, stderr: float, name: str = "TDVP", truncation: float = 0.0) -> xr.Dataset:
        from qthermo.studies.method_comparison import allowed_deviation

        allowed = allowed_deviation(np.array([[0.0], [stderr]]), np.array([[0.0], [truncation]]))
        shape = (("label", "time"), np.array([[0.0], [deviation]]))
        variables = {
            "num_realizations": ("label", [9, 9]),
            "x": (("label", "time"), np.zeros((2, 1))),
            "deviation": shape,
            "deviation_disorder_stderr": (("label", "time"), np.array([[0.0], [stderr]])),
            "deviation_count": (("label", "time"), np.full((2, 1), 9)),
            "deviation_allowed": (("label", "time"), allowed),
        }
        coordinates = {"label": ["a", "b"], "method_name": ("label", ["Dense", name]), "time": [0.0]}
        return xr.Dataset(variables, coordinates, {"judge": "a", "main_variable": "x"})

    def verdict(*numbers, **words) -> str:
        return list(qt.compare_methods(collected(*numbers, **words)))[1].verdict

    assert verdict(0.039, 0.01) == "agrees"
    assert verdict(0.041, 0.01) == "DISAGREES"
    assert verdict(0.041, 0.01, truncation=0.001) == "agrees"
    assert verdict(0.1, 0.01, "CavityDiffuson") == "off by 0.1 (10 stderr)"
    assert verdict(0.1, float("nan")) == "too few realizations"
    with pytest.raises(qt.InputError, match="at least two methods"):
        list(qt.compare_methods(xr.Dataset()))


def test_error_kinds_keep_columns_of_their_own(tmp_path):
    circuit = {"name": "TrotterCircuit", "protocol": "shots", "num_shots": 200, "time_step": 0.5}
    study = cheap_study(model={"disorder": 1.0}, methods=[{"name": "Dense"}, circuit], ensemble={"num_realizations": 3})
    _, data = run(study, tmp_path / "s")
    sampled = data.sel(label="TrotterCircuit")
    shots = np.array([variable(tmp_path / "s", r, "stderr") for r in range(3)])
    assert_allclose(sampled["stderr"], np.sqrt((shots**2).sum(axis=0)) / 3)
    trotter = np.array([variable(tmp_path / "s", r, "trotter_error") for r in range(3)])
    assert_allclose(sampled["trotter_error"], trotter.mean(axis=0))
    assert data["stderr"].sel(label="Dense").isnull().all()
    assert "stderr_disorder_stderr" not in data
    assert [line.verdict for line in qt.compare_methods(data)] == ["judge", "agrees"]
    seeds = {study.build_method(1, r).seed for r in range(3)}
    assert len(seeds) == 3


def variable(folder, realization: int, name: str) -> np.ndarray:
    return open_store(folder).read(Task(realization, 0, 1)).variables[name].values


def test_entries_that_a_realization_lost_are_nan_unless_survivors_are_asked_for(tmp_path):
    network = {"name": "HeisenbergTEBD", "max_bond_dim": 4, "tolerance": 1e-3}
    study = {"model": {"num_bath_sites": 6, "disorder": 2.0}, "problem": {"times": [0.0, 1.0, 2.0, 4.0]}}
    strict, survivors = (
        run(cheap_study(**study, methods=[network], ensemble={"survivors": flag}), tmp_path / f"{flag}")[1]
        for flag in (False, True)
    )
    count = strict["correlator_count"].values.ravel()
    assert count[0] == 6
    assert (np.diff(count) <= 0).all()
    assert count[-1] < 6, "the case must lose something"
    assert_array_equal(np.isnan(strict["correlator"].values.ravel()), count < 6)
    assert_array_equal(np.isnan(survivors["correlator"].values.ravel()), count == 0)
    assert strict["num_warned"].item() > 0
    assert json.loads(strict.attrs["warnings"])


def propagator_study(methods) -> qt.Study:
    tables = cheap_tables(methods=methods)
    tables["problem"] = {"name": "Propagator", "laplace": [1.0]}
    return qt.parse_study(tables)


def test_failed_realizations_are_left_out_and_listed(tmp_path):
    methods = [{"name": "Dense"}, {"name": "CavityDiffuson", "max_iterations": 1}]
    study = propagator_study(methods)
    status, data = run(study, tmp_path / "s")
    assert status.failed == 12
    assert (data["num_failed"].sel(label="CavityDiffuson") == 6).all()
    assert (data["num_failed"].sel(label="Dense") == 0).all()
    failures = json.loads(data.attrs["failures"])
    assert len(failures) == 12
    assert {f["exception"] for f in failures} == {"NotConvergedError"}
    assert {f["method"] for f in failures} == {"CavityDiffuson"}
    failure = open_store(tmp_path / "s").scan().failed[Task(0, 0, 1)]
    assert "Traceback" in failure.traceback
    assert run(study, tmp_path / "s")[0].computed == 0, "an exception is final"
    with ThreadPoolExecutor(1) as pool:
        again = qt.run_study(study, tmp_path / "s", executor=pool, num_workers=1, retry_failed=True)
    assert again.computed == 12


def test_an_unfinished_study_says_so(tmp_path):
    study = cheap_study()
    with ThreadPoolExecutor(1) as pool:
        counter = iter(range(100))
        status = qt.run_study(
            study,
            tmp_path / "s",
            executor=pool,
            num_workers=1,
            should_stop=lambda: "enough" if next(counter) > 3 else "",
        )
    assert status.stopped == "enough"
    data = qt.collect_study(tmp_path / "s")
    assert data.attrs["complete"] == 0
    assert 0 < data["num_realizations"].values.sum() < 12
    create_store(study, tmp_path / "empty")
    with pytest.raises(qt.InputError, match="at least one realization"):
        qt.collect_study(tmp_path / "empty")


def test_grains_and_their_operators_need_nothing_of_their_own(tmp_path):
    tables = cheap_tables(ensemble={"num_realizations": 3})
    tables["model"] = {"family": "ergodic_grain", "kind": ["goe", "gue"], "num_grain_spins": 3, "num_lioms": 2}
    tables["problem"] = {"name": "OperatorSpread", "operators": ["grain", "liom:1"]}
    _, data = run(qt.parse_study(tables), tmp_path / "s")
    assert data["log_ipr"].dims == ("kind", "label", "operator")
    for kind in ("goe", "gue"):
        values = []
        for realization in range(3):
            grain = qt.models.sample_ergodic_grain(
                kind=kind, num_grain_spins=3, num_lioms=2, seed=7, realization=realization
            )
            problem = qt.OperatorSpread(grain, operators=("grain", "liom:1"))
            values.append(qt.solve(problem, qt.Dense())["log_ipr"].values)
        assert_allclose(data["log_ipr"].sel(kind=kind, label="Dense"), np.mean(values, axis=0))
