"""The example runs: noise damps the counts a little; the extrapolated values lie near those of the ideal circuit."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np

EXAMPLE = Path(__file__).parents[2] / "examples" / "circuit_to_hardware.py"


def test_counts_and_extrapolation_lie_near_the_exact_values(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    columns = runpy.run_path(str(EXAMPLE))["main"](quick=True)
    assert np.abs(columns["counts"] - columns["ideal circuit"]).max() < 4 * columns["stderr"].max() + 0.1
    assert np.abs(columns["zero noise"] - columns["ideal circuit"]).max() < 0.02
    assert "zero noise" in capsys.readouterr().out
