"""Study files: the grid, the seeds, and every error at once with its path."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_cases import cheap_study, cheap_tables, toml_of

import qthermo as qt
from qthermo.seeds import Stream, spawn_seed
from qthermo.studies.study_check import check_combinations
from qthermo.studies.study_toml import to_toml

FILE = """
[model]
family = "imbrie_chain"
num_bath_sites = [2, 3]
disorder = 2
[model.thermometer]
coupling = [0.5, 1]
[problem]
name = "autocorrelation"
times = "0:2:3"
beta = [0, 1, 2]
[[methods]]
name = "dense"
[[methods]]
name = "heisenberg-tebd"
label = "mps"
max_bond_dim = 8
[ensemble]
num_realizations = 5
seed = 3
"""


@pytest.fixture
def study(tmp_path) -> qt.Study:
    path = tmp_path / "sweep.toml"
    path.write_text(FILE)
    return qt.load_study(path)


def test_lists_in_place_of_scalars_span_the_grid(study: qt.Study):
    assert study.name == "sweep"
    assert [axis.name for axis in study.axes] == ["num_bath_sites", "thermometer_coupling", "beta"]
    assert study.grid_shape == (2, 2, 3)
    assert len(study.points) == 12
    assert study.points[7] == {
        "model.num_bath_sites": 3,
        "model.thermometer.coupling": 0.5,
        "problem.beta": 1.0,
    }
    assert study.point_name(7) == "num_bath_sites=3, thermometer_coupling=0.5, beta=1"
    assert len(list(study.tasks())) == 12 * 2 * 5
    assert study.labels == ("Dense", "mps")
    assert study.judge == "Dense"


def test_a_task_has_the_model_problem_and_method_that_python_would_make(study: qt.Study):
    problem = study.build_problem(7, 4)
    thermometer = qt.Thermometer(coupling=0.5)
    expected = qt.models.sample_imbrie_chain(
        num_bath_sites=3, disorder=2.0, seed=3, realization=4, thermometer=thermometer
    )
    assert problem.model.hamiltonian == expected.hamiltonian
    assert problem.beta == 1.0
    assert np.array_equal(problem.times, [0.0, 1.0, 2.0])
    assert study.build_method(1, 4) == qt.HeisenbergTEBD(max_bond_dim=8)


def test_every_field_of_every_problem_can_be_given():
    observables = {"name": "Evolution", "times": [0, 1], "initial_state": "010", "observables": ["Z0", "0.5 X1 X2"]}
    evolution = cheap_study(problem=observables, methods=[{"name": "Dense"}])
    problem = evolution.build_problem(0, 0)
    assert problem.observables["0.5 X1 X2"] == 0.5 * qt.PauliSum.pauli("XX", 1, 2)
    jumps = cheap_study(problem={**observables, "jump_operators": [[0.1, "X0"]]}).build_problem(0, 0)
    assert jumps.jump_operators == ((0.1, qt.PauliSum.pauli("X", 0)),)
    laplace = cheap_tables()
    laplace["problem"] = {"name": "propagator", "laplace": "0.1:10:3", "energies": 0.5}
    problem = qt.parse_study(laplace).build_problem(0, 0)
    assert np.allclose(problem.laplace, [0.1, 1, 10])
    assert np.array_equal(problem.energies, [0.5])


def test_realizations_share_disorder_between_points_and_methods_unless_told_otherwise():
    shared = cheap_study(model={"disorder": [1.0, 2.0]})
    fields = [np.array(shared.build_model(p, 5).parameters["fields"]) for p in (0, 1)]
    assert np.allclose(fields[1], 2 * fields[0])
    assert not np.allclose(shared.build_model(0, 6).parameters["fields"], fields[0])
    apart = cheap_study(model={"disorder": [1.0, 2.0]}, ensemble={"independent_points": True})
    fields = [np.array(apart.build_model(p, 5).parameters["fields"]) for p in (0, 1)]
    assert not np.allclose(fields[1], 2 * fields[0])
    assert apart.digest != shared.digest


def test_methods_that_draw_numbers_get_a_seed_for_every_realization():
    study = cheap_study(methods=[{"name": "Krylov"}, {"name": "Dense"}])
    seeds = {study.build_method(0, r).seed for r in range(20)}
    assert seeds == {spawn_seed(7, Stream.METHOD, r) for r in range(20)}
    assert len(seeds) == 20


def test_the_seed_may_stand_in_the_model_table():
    tables = cheap_tables(model={"seed": 11})
    del tables["ensemble"]["seed"]
    assert qt.parse_study(tables).seed == 11
    with pytest.raises(qt.InputError, match=r"`model.seed` and `ensemble.seed` must agree, but are 11 and 7"):
        cheap_study(model={"seed": 11})


def test_tables_and_toml_give_the_same_study_again(study: qt.Study):
    assert qt.parse_study(study.to_tables()).to_tables() == study.to_tables()
    again = qt.parse_study(tomllib.loads(to_toml(study.to_tables())))
    assert again.digest == study.digest
    assert again.to_tables() == study.to_tables()


def test_the_digest_is_of_the_numbers_and_not_of_their_spelling():
    assert cheap_study(model={"disorder": [1, 4]}).digest == cheap_study(model={"disorder": [1.0, 4.0]}).digest
    assert cheap_study(problem={"beta": 0}).digest == cheap_study(problem={"beta": 0.0}).digest
    assert cheap_study(ensemble={"num_realizations": 9}).digest == cheap_study().digest
    assert cheap_study(model={"disorder": [1.0, 5.0]}).digest != cheap_study().digest
    assert cheap_study(ensemble={"seed": 8}).digest != cheap_study().digest


def test_everything_wrong_is_named_at_once():
    tables = {
        "colour": 1,
        "model": {"family": "imbrie_chain", "num_bath_sites": [2, "x", 4.5], "disordr": 2, "realization": 1},
        "problem": {"name": "autocorrelation", "betta": 1, "times": "0:1", "beta": [0, True]},
        "methods": [
            {"name": "Dense", "speed": 3},
            {"name": "HeisenbergTEBD", "max_bond_dim": 0, "time_step": -1.0},
            {"name": "Dense"},
            {"name": "magic"},
            {"name": "Krylov", "seed": 3},
            {"name": "TDVP", "checkpoint": "x"},
        ],
        "ensemble": {"num_realisations": 5, "target_stderr": -1.0, "judge": "nobody", "confidence": 2.0},
        "output": {"folder": 3},
    }
    with pytest.raises(qt.InputError) as caught:
        qt.parse_study(tables)
    text = str(caught.value)
    for words in (
        "`colour` is unknown",
        "`model.disordr` is unknown; did you mean `disorder`",
        "`model.disorder` is missing",
        "`model.realization` is set by the study",
        "`model.num_bath_sites[1]`",
        "`model.num_bath_sites[2]`",
        "`problem.betta` is unknown; did you mean `beta`",
        "`problem.times` cannot be read",
        "`problem.beta` cannot be read",
        "`methods[0].speed` is unknown",
        "`methods[1].max_bond_dim` must be",
        "`methods[1].time_step` must be",
        "`methods[2].label` must differ",
        "`methods[3].name`",
        "`methods[4].seed` is spawned for every realization",
        "`methods[5].checkpoint` is chosen",
        "`ensemble.num_realisations` is unknown; did you mean `num_realizations`",
        "`ensemble.num_realizations` is missing",
        "`ensemble.target_stderr` must be greater than 0",
        "`ensemble.confidence` must be less than 1",
        "`output.folder`",
    ):
        assert words in text, words
    assert text.startswith(f"{text.count(chr(10))} things must be mended")


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({}, "table [model]"),
        (cheap_tables(method={"name": "Dense"}), "either [method] or [[methods]]"),
        (cheap_tables(methods=[]), "at least one table [[methods]]"),
        (cheap_tables(model={"disorder": []}), "at least one value"),
        (cheap_tables(model={"seed": [1, 2]}), "realizations take the place of a list of seeds"),
        (cheap_tables(model={"family": "ladder"}), "`model.family` must be one of"),
        (cheap_tables(name="a/b"), "`name` must be"),
        (cheap_tables(methods=[{"name": "Dense", "label": "../x"}]), "`methods[0].label` must be"),
        (cheap_tables(ensemble={"judge": "Krylov"}), "`ensemble.judge` must be one of Dense"),
        (cheap_tables(ensemble=3), "table [ensemble]"),
        (cheap_tables(problem={"name": "spectrum"}), "`problem.name` must be one of"),
    ],
)
def test_bad_tables(tables, words: str):
    with pytest.raises(qt.InputError) as caught:
        qt.parse_study(tables)
    assert words in str(caught.value)


def test_impossible_combinations_are_named_at_once():
    study = cheap_study(
        model={"disorder": [1.0, -1.0], "num_bath_sites": [2, 40]},
        methods=[{"name": "Dense"}, {"name": "GoldenRule"}, {"name": "Davies"}],
    )
    with pytest.raises(qt.InputError) as caught:
        check_combinations(study)
    text = str(caught.value)
    assert "At num_bath_sites=2, disorder=-1 and 1 more grid points, model or problem: Argument `disorder`" in text
    assert "At num_bath_sites=40, disorder=1, method Dense: Dense for a Hilbert space of dimension" in text
    assert "At num_bath_sites=2, disorder=1, method GoldenRule: GoldenRule does not answer Autocorrelation" in text
    assert "method Davies: Davies does not answer Autocorrelation" in text


def test_workers_that_do_not_fit_together_are_refused(monkeypatch: pytest.MonkeyPatch):
    study = cheap_study(model={"num_bath_sites": 8, "disorder": 1.0})
    need = check_combinations(study).memory["Dense"]
    monkeypatch.setenv("QTHERMO_MEMORY_LIMIT", str(int(3 * need)))
    check_combinations(study, num_workers=2)
    with pytest.raises(qt.InputError, match="take at most 2 workers"):
        check_combinations(study, num_workers=4)


def test_overrides_replace_keys(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(toml_of(cheap_tables()))
    study = qt.load_study(
        path,
        overrides=[
            "model.disorder=3",
            "ensemble.num_realizations=8",
            "methods.Dense.label=ed",
            "model.thermometer.coupling=1",
        ],
    )
    assert study.model["disorder"] == 3.0
    assert study.model["thermometer"] == {"coupling": 1.0}
    assert study.axes == ()
    assert study.ensemble.num_realizations == 8
    assert study.labels == ("ed",)
    assert qt.load_study(path, overrides=["methods.0.name=Krylov"]).methods[0]["name"] == "Krylov"
    for override, words in {
        "model.disordr=3": "did you mean `disorder`",
        "methods.mps.time_step=1": "must name one of the methods Dense",
        "name.x=1": "must name a key of a table",
        "name.x.y=1": "must lead through tables",
        "model": "key=value",
    }.items():
        with pytest.raises(qt.InputError) as caught:
            qt.load_study(path, overrides=[override])
        assert words in str(caught.value)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
PLACES = ["model.disorder", "model.x", "problem.times", "problem.beta", "problem.name", "methods", "ensemble.seed"]
PLACES += ["ensemble.num_realizations", "ensemble.target_stderr", "output.folder", "model.thermometer", "name"]


@given(st.dictionaries(st.sampled_from(PLACES), values, max_size=3))
def test_any_table_is_a_study_or_a_clear_error(changes: dict):
    tables = cheap_tables()
    for path, value in changes.items():
        first, _, last = path.partition(".")
        if last:
            tables[first] = {**tables.get(first, {}), last: value}
        else:
            tables[first] = value
    try:
        study = qt.parse_study(tables)
        check_combinations(study)
    except qt.InputError:
        return
    assert qt.parse_study(study.to_tables()).digest == study.digest


def test_what_counts_as_a_scalar_for_an_axis():
    from typing import Literal

    from qthermo.studies.study_tables import is_scalar

    assert all(is_scalar(hint) for hint in (int, float, str, bool, Literal["goe", "gue"], float | None, int | str))
    assert not any(is_scalar(hint) for hint in (list[int], tuple[int, int], np.ndarray, str | np.ndarray | None))
