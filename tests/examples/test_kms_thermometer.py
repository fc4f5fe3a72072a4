"""The example runs, and its three views meet at the Gibbs state."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np

EXAMPLE = Path(__file__).parents[2] / "examples" / "kms_thermometer.py"


def test_master_equation_circuit_and_diffuson_meet(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    curves = runpy.run_path(str(EXAMPLE))["main"](quick=True)
    gibbs = float(curves["gibbs"])
    assert abs(curves["master equation"][-1] - gibbs) < 0.01
    assert abs(curves["circuit"][-1] - gibbs) < 0.03
    assert abs(float(curves["diffuson"]) - gibbs) < 0.1
    assert np.abs(curves["circuit"] - curves["master equation"]).max() < 0.3
    assert "stationary diffuson" in capsys.readouterr().out
