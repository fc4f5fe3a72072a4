"""How the error of `HeisenbergTEBD` falls when its step is halved."""

from __future__ import annotations

from typing import Any

import qthermo as qt

UNTRUNCATED: dict[str, Any] = {"truncation_error": 0.0, "max_bond_dim": 256, "estimate_errors": False}


def halving_ratio(model: qt.models.SpinModel, time_step: float, order: int, *, time_doubling: bool = False) -> float:
    """|C(2) - exact| at a step over that at half of it, nothing truncated; 2^order where the power law holds."""
    problem = qt.Autocorrelation(model, times=[2.0])
    exact = qt.solve(problem, qt.Dense())["correlator"].values[0]
    whole, half = (
        qt.HeisenbergTEBD(time_step=step, trotter_order=order, time_doubling=time_doubling, **UNTRUNCATED)
        for step in (time_step, time_step / 2)
    )
    first, second = (abs(qt.solve(problem, method)["correlator"].values[0] - exact) for method in (whole, half))
    return float(first / second)
