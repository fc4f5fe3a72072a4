"""The example runs at small sizes and finds the three behaviours."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np

EXAMPLE = Path(__file__).parents[2] / "examples" / "quantum_diffusion.py"


def test_three_behaviours_and_the_transition(capsys):
    found = runpy.run_path(str(EXAMPLE))["main"](quick=True)
    for name, curve in found["behaviours"].items():
        assert curve["motion"].kind == name
    diffusive = found["behaviours"]["diffusive"]
    np.testing.assert_allclose(diffusive["msd"] / diffusive["ladder"], 1, atol=0.25)
    msd = [found["regimes"][disorder]["msd"][-1] for disorder in (6.0, 10.0, 25.0)]
    assert msd[0] > msd[1] > msd[2]
    np.testing.assert_allclose(found["regimes"][6.0]["profile"].sum(axis=1), 1, atol=1e-9)
    assert "confidence" in capsys.readouterr().out
