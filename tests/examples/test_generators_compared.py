"""The example runs; its balanced generators meet Gibbs, and its golden-rule generators follow the bath."""

from __future__ import annotations

import runpy
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "generators_compared.py"


def test_generators_meet_gibbs_and_follow_the_bath(capsys):
    tables = runpy.run_path(str(EXAMPLE))["main"](quick=True)
    for name, (residual, error, gap) in tables["fixed points"].items():
        assert gap > 0.01
        if "unshifted" in name:
            assert residual > 1e-3
            assert 1e-3 < error < 0.1
        else:
            assert residual < 1e-14
            assert error < 1e-10
    for rows in tables["error growth"].values():
        for errors in rows.values():
            assert errors[0] < 1e-6
            assert errors[-1] < 0.15
    for errors, places in tables["two baths"].values():
        assert errors["unshifted, lamb"][0] < 1e-6
        position, uncertainty = places["Davies limit, lamb"]
        assert position + 3 * uncertainty < 0.5
        assert errors["Davies limit, lamb"].max() > errors["unshifted, lamb"].max()
    assert "uncertainty of the judge" in capsys.readouterr().out
