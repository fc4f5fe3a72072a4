import importlib.util
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def load_example(name):
    spec = importlib.util.spec_from_file_location("figure", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", [f"avalanche_figure_{k}" for k in range(3, 8)])
def test_figures_run_quickly_and_resume(name, tmp_path, monkeypatch, capsys):
    module = load_example(name)
    monkeypatch.chdir(tmp_path)
    path = module.main(quick=True)
    assert path.stat().st_size > 10_000
    printed = capsys.readouterr().out
    assert "nan" not in printed
    kept = sorted((file, file.stat().st_mtime_ns) for file in (tmp_path / name).iterdir())
    assert kept
    module.main(quick=True)
    assert kept == sorted((file, file.stat().st_mtime_ns) for file in (tmp_path / name).iterdir())
    assert capsys.readouterr().out == printed


def test_dynamics_run_quickly(tmp_path, monkeypatch, capsys):
    module = load_example("avalanche_dynamics")
    monkeypatch.chdir(tmp_path)
    assert module.main(quick=True).stat().st_size > 10_000
    assert "nan" not in capsys.readouterr().out
