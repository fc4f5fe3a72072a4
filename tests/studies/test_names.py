"""Methods and problems by name."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import qthermo as qt
from qthermo.solve import METHODS, PROBLEMS
from qthermo.studies.method_names import build_method, parse_options
from qthermo.studies.problem_names import build_problem, parse_grid

MODEL = qt.models.sample_imbrie_chain(num_bath_sites=2, disorder=1.0, seed=1)

MODELS = {
    "BandDynamics": qt.models.sample_band_chain(num_subunits=2, num_levels=3, band_width=0.1, coupling=0.1, seed=1),
    "WavePacket": qt.models.sample_anderson_lattice(shape=(5, 5), disorder=1.0, seed=1),
}


@pytest.mark.parametrize("cls", METHODS)
def test_every_method_has_a_name_with_or_without_hyphens(cls):
    assert build_method(cls.__name__, {}) == cls()
    hyphenated = "".join(f"-{c.lower()}" if c.isupper() else c for c in cls.__name__).strip("-")
    assert build_method(hyphenated, {}) == cls()


def test_options_are_read_as_toml_values():
    assert parse_options(["max_bond_dim=32", "time_step=0.1", "closure=edge", "flag=true"]) == {
        "max_bond_dim": 32,
        "time_step": 0.1,
        "closure": "edge",
        "flag": True,
    }
    assert build_method("heisenberg-tebd", {"max_bond_dim": 32}) == qt.HeisenbergTEBD(max_bond_dim=32)
    with pytest.raises(qt.InputError, match="did you mean `max_bond_dim`"):
        build_method("HeisenbergTEBD", {"max_bond": 3})
    with pytest.raises(qt.InputError, match="options are none"):
        build_method("Dense", {"speed": 3})
    with pytest.raises(qt.InputError, match="key=value"):
        parse_options(["chi"])
    with pytest.raises(qt.InputError, match="HeisenbergTEBD"):
        build_method("quantum", {})


def test_grids():
    assert_allclose(parse_grid("times", "0:1:3"), [0, 0.5, 1])
    assert_allclose(parse_grid("laplace", "0.1:10:3", geometric=True), [0.1, 1, 10])
    assert_allclose(parse_grid("times", "0.5, 2"), [0.5, 2])
    for text in ("", "a", "0:1", "0:1:0", "0:1:x", "0:1:2:3", "0:1:99999999999"):
        with pytest.raises(qt.InputError, match="start:stop:count"):
            parse_grid("times", text)
    with pytest.raises(qt.InputError, match="start:stop:count"):
        parse_grid("laplace", "0:1:3", geometric=True)


@pytest.mark.parametrize("cls", PROBLEMS)
def test_every_problem_has_a_name(cls):
    given = {"Evolution": {"initial_state": "0+1", "observables": "Z0; X1 X2"}}.get(cls.__name__, {})
    if cls.__name__ in ("MixingGap", "Relaxation"):
        given = {"beta": "0.5", "couplings": "XY"}
    if cls.__name__ == "ExcitedState":
        given = {"initial_state": "0+1"}
    if cls.__name__ == "OperatorSpread":
        given = {"operators": '["X0"]', "energy": "0.5"}
    if cls.__name__ == "StructureFactor":
        given = {"resolution": "0.1"}
    hyphenated = "".join(f"-{c.lower()}" if c.isupper() else c for c in cls.__name__).strip("-")
    problem = build_problem(hyphenated, MODELS.get(cls.__name__, MODEL), given)
    assert isinstance(problem, cls)
    if given and cls.__name__ != "OperatorSpread":
        with pytest.raises(qt.InputError, match="needs the field"):
            build_problem(hyphenated, MODEL, {})


def test_fields_are_read_and_checked():
    problem = build_problem("autocorrelation", MODEL, {"times": "0:1:2", "beta": "0.5"})
    assert problem.beta == 0.5
    assert np.array_equal(problem.times, [0.0, 1.0])
    evolution = build_problem("evolution", MODEL, {"initial_state": "010", "observables": "Z0; 0.5 X1 X2"})
    assert evolution.observables["0.5 X1 X2"] == 0.5 * qt.PauliSum.pauli("XX", 1, 2)
    with pytest.raises(qt.InputError, match="no field `laplace`"):
        build_problem("autocorrelation", MODEL, {"laplace": "1"})
    with pytest.raises(qt.InputError, match="did you mean `times`"):
        build_problem("autocorrelation", MODEL, {"time": "1"})
    with pytest.raises(qt.InputError, match=r"must be one of .*'spectrum'\."):
        build_problem("spectrum", MODEL, {})
    with pytest.raises(qt.InputError, match="did you mean `MixingGap`"):
        build_problem("MixngGap", MODEL, {})
