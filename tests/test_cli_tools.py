"""`qthermo doctor|methods|models`: every method, problem and family is there; a sick installation has exit code 1."""

from __future__ import annotations

import inspect

import pytest
from test_cli import run  # noqa: F401, a fixture

from qthermo.solve import METHODS, PROBLEMS
from qthermo.studies import doctor
from qthermo.studies.model_file import FAMILIES


def test_methods_by_problems(run):  # noqa: F811
    code, out, _ = run("methods")
    header, *rows = [line.split() for line in out.splitlines()]
    assert code == 0
    assert header == ["method", *(problem.__name__ for problem in PROBLEMS)]
    assert [row[0] for row in rows] == [cls.__name__ for cls in METHODS]
    assert [row.count("x") for row in rows] == [len(cls.answers) for cls in METHODS]


def test_one_method(run):  # noqa: F811
    code, out, _ = run("methods", "heisenberg-tebd")
    assert code == 0
    assert "HeisenbergTEBD answers Autocorrelation" in out
    assert "max_bond_dim" in out
    code, _, err = run("methods", "Densse")
    assert code == 2
    assert "did you mean `Dense`?" in err


def test_models_and_their_keys(run):  # noqa: F811
    code, out, _ = run("models")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == list(FAMILIES)
    for name, sampler in FAMILIES.items():
        out = run("models", name)[1]
        table = out[out.index("key  ") :]
        assert [line.split()[0] for line in table.splitlines()[1:]] == list(inspect.signature(sampler).parameters)
    assert run("models", "chain")[0] == 2


def test_a_healthy_installation(run):  # noqa: F811
    code, out, err = run("doctor")
    assert (code, err) == (0, "")
    assert "all is well" in out
    assert "CavityDiffuson" in out


def test_a_sick_installation(run, monkeypatch: pytest.MonkeyPatch):  # noqa: F811
    sick = doctor.Package(name="numpy", found="1.0", least="2.1")
    monkeypatch.setattr(doctor, "list_packages", lambda: [sick])
    code, out, err = run("doctor", "--no-self-test")
    assert code == 1
    assert "TO INSTALL" in out
    assert "numpy is missing or too old" in err
