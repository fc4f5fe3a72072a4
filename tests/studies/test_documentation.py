"""docs/studies.md names every key, command and option, and its examples work."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
import typer

import qthermo as qt
from qthermo.cli.study import study_app
from qthermo.studies import Ensemble, Output

PAGE = (Path(__file__).parents[2] / "docs" / "studies.md").read_text()
STUDY_FILE = re.search(r"%%writefile sweep.toml\n(.*?)```", PAGE, re.DOTALL).group(1)
COMMANDS = typer.main.get_command(study_app).commands


@pytest.mark.parametrize("key", [f.name for cls in (Ensemble, Output) for f in fields(cls)])
def test_every_key_is_explained(key: str):
    assert f"| `{key}`" in PAGE


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_its_options_are_explained(name: str):
    assert f"qthermo study {name}" in PAGE
    for parameter in COMMANDS[name].params:
        for option in parameter.opts:
            if option.startswith("--") and option not in ("--help", "--output"):
                assert f"{option}" in PAGE, option


def test_the_first_example_is_a_study():
    study = qt.parse_study(tomllib.loads(STUDY_FILE))
    assert len(study.points) == 4
    assert study.ensemble.num_realizations == 100


def test_the_python_example_runs(tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    small = STUDY_FILE.replace("= 100", "= 2").replace("= 7", "= 2").replace("= 64", "= 8").replace("0:5:21", "0:1:3")
    (tmp_path / "sweep.toml").write_text(small)
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```{code-cell}\n(import .*?)```", PAGE, re.DOTALL).group(1)
    exec(compile(code, "studies.md", "exec"), {"__name__": "__main__"})
    out = capsys.readouterr().out
    assert out.count("judge") == 1
    assert "Autocorrelation of imbrie_chain" in out
