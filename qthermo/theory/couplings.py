"""What the theory keeps of a model: energies of the uncoupled states and squared moduli of the couplings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.models import BathEigenbasis

__all__ = ["Couplings", "measure_excluded_weight"]


@dataclass(frozen=True, slots=True, eq=False)
class Couplings:
    """Energies eps_k and squared couplings W_kl of states k = (i, a).

    Args:
        energies: e_i + E_a, shape (d, N).
        weights: map from ordered pairs of different levels (a, b) to W, shape (N, N), rows in a, columns in b,
            contiguous; levels without coupling are missing.
    """

    energies: NDArray[np.float64]
    weights: Mapping[tuple[int, int], NDArray[Any]]

    @classmethod
    def from_eigenbasis(cls, basis: BathEigenbasis, dtype: type[np.floating[Any]] = np.float64) -> Couplings:
        """Take the squared moduli of the coupling blocks between different levels."""
        weights: dict[tuple[int, int], NDArray[Any]] = {}
        for (a, b), block in basis.blocks.items():
            if a != b and np.any(block):
                weights[a, b] = np.ascontiguousarray(np.abs(block) ** 2, dtype=dtype)
                weights[b, a] = np.ascontiguousarray(weights[a, b].T)
        return cls(basis.energies, weights)

    def neighbours(self, level: int) -> list[int]:
        """Return the levels that `level` is coupled to."""
        return [b for a, b in self.weights if a == level]


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
