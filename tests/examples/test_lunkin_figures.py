import importlib.util
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("number", [3, 4, 5])
def test_figures_run_quickly(number, tmp_path, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location("figure", EXAMPLES / f"lunkin_figure_{number}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.chdir(tmp_path)
    path = module.main(quick=True)
    assert path.stat().st_size > 10_000
    assert "nan" not in capsys.readouterr().out
