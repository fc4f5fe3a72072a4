"""The couplings that the theory treats wrongly."""

from __future__ import annotations

import numpy as np

from qthermo.models import BathEigenbasis

__all__ = ["measure_excluded_weight"]


def measure_excluded_weight(basis: BathEigenbasis) -> dict[str, float]:
    """Return what share of sum |V|^2 the theory treats wrongly.

    `diagonal_block_weight` lies in blocks (a, a), which the theory leaves out; `mean_coupling_weight` lies on the
    diagonals V_{(ia),(ib)} of the others, a mean of the bath operator that renormalises the thermometer.
    """
    inside = same = total = 0.0
    for (a, b), block in basis.blocks.items():
        weight = float(np.sum(np.abs(block) ** 2)) * (1 if a == b else 2)
        total += weight
        if a == b:
            inside += weight
        else:
            same += 2 * float(np.sum(np.abs(np.diagonal(block)) ** 2))
    if total == 0.0:
        return {"diagonal_block_weight": 0.0, "mean_coupling_weight": 0.0}
    return {"diagonal_block_weight": inside / total, "mean_coupling_weight": same / total}
