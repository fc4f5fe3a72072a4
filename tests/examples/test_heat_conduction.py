"""The example runs at small sizes and shows what the paper does."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np

EXAMPLE = Path(__file__).parents[2] / "examples" / "heat_conduction.py"


def test_figures_of_the_hilbert_average_paper(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = runpy.run_path(str(EXAMPLE))["main"](quick=True)
    for name in ("figure 2", "figure 3"):
        assert np.abs(found[name]["exact"] - found[name]["theory"]).max() < 0.35
        np.testing.assert_allclose(found[name]["exact"].sum(axis=1), 1, atol=1e-9)
    states = found["figure 4"]["states"]
    assert abs(states.mean() - found["figure 4"]["mean"].item()) < 5 * states.std() / np.sqrt(states.size)
    assert found["figure 4"]["level"].item() > np.quantile(states, 0.75)
    totals = found["figure 5"]
    assert totals[40][0] < totals[20][0]
    assert all(spread < total for total, _, spread in totals.values())
    for size, (total, spread) in found["prediction"].items():
        assert spread < total
        assert 0.5 < totals[size][2] / spread < 1.5
    assert list(found["inset"]) == [2, 3]
    assert found["temperatures"][np.argmax(found["figure 8"])] < 0.4
    for name in ("one band", "two bands"):
        assert 0.5 < found[name]["scale of onset"][0] < 1.5
        assert found[name]["scale of rates"][0] < found[name]["scale of onset"][0]
    assert found["E = 2"]["exact"][-8:].mean(axis=0)[1] > 0.7
    np.testing.assert_allclose(found["E = 3"]["exact"][-8:].mean(axis=0), 0.5, atol=0.1)
    assert "trace formula" in capsys.readouterr().out
