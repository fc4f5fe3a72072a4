"""The averaged closure of the diffuson: a d x d system for the thermometer's levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LevelSums", "averaged_propagator", "solve_averaged"]


@dataclass(frozen=True, slots=True, eq=False)
class LevelSums:
    """Sums over the bath states of each thermometer level, at one (E, s).

    With A_k = |G_k|^2 and Gamma_k^b the broadening of k into level b:

    Args:
        densities: R_a = sum_{k in a} -Im G_k, shape (d,).
        squares: S0_a = sum_{k in a} A_k, shape (d,).
        flows: F_ab = sum_{k in a} A_k Gamma_k^b, shape (d, d).
    """

    densities: NDArray[np.float64]
    squares: NDArray[np.float64]
    flows: NDArray[np.float64]

    @classmethod
    def from_cavity(cls, green: NDArray[np.complex128], partial: NDArray[np.float64], s: float) -> LevelSums:
        """Sum a solution of the cavity equation; R_a = (s/2) S0_a + sum_b F_ab holds by construction."""
        weight: NDArray[np.float64] = np.asarray(np.abs(green) ** 2, np.float64)
        squares: NDArray[np.float64] = weight.sum(axis=1)
        flows: NDArray[np.float64] = np.einsum("ak,abk->ab", weight, partial)
        return cls(s / 2 * squares + flows.sum(axis=1), squares, flows)


def solve_averaged(sums: LevelSums, source: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return c with R_a c_a - sum_b F_ab c_b = source_a."""
    solution: NDArray[np.float64] = np.asarray(np.linalg.solve(np.diag(sums.densities) - sums.flows, source), float)
    return solution


def averaged_propagator(sums: LevelSums) -> NDArray[np.float64]:
    """Return P = (1 - T)^{-1} diag(S0), T_ab = F_ab / R_b, shape (d, d).

    Reference: A. V. Lunkin, arXiv:2603.12234, eq. 17.
    """
    scales = np.linalg.solve(np.diag(sums.densities) - sums.flows, np.diag(sums.squares))
    propagator: NDArray[np.float64] = sums.densities[:, None] * scales
    return propagator
