"""The averaged closure of the diffuson: a d x d system for the thermometer's levels, at many points at once.

Everything is written for a pair of Green functions, G at z = E + i s/2 and G' at z' = E - (i s/2)^* (the same point for
real s). With D_k = G_k conj(G'_k) and Y_k = i (G_k - conj(G'_k)) / 2, which for real s are |G_k|^2 and -Im G_k.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LevelSums"]

_SLOW = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class LevelSums:
    """Sums over the bath states of each thermometer level, for q pairs (E, s).

    With Gamma_k^b the broadening of k into level b, i (Sigma_k^b - conj(Sigma'_k^b)) / 2 with a minus sign:

    Args:
        densities: R_a = sum_{k in a} Y_k, shape (q, d).
        squares: S0_a = sum_{k in a} D_k, shape (q, d).
        flows: F_ab = sum_{k in a} D_k Gamma_k^b, shape (q, d, d).
        exchanges: sum_{k in a} Y_k Gamma_k^b, shape (q, d, d).
    """

    densities: NDArray[Any]
    squares: NDArray[Any]
    flows: NDArray[Any]
    exchanges: NDArray[Any]

    @classmethod
    def from_cavity(cls, products: NDArray[Any], partial: NDArray[Any], s: NDArray[Any]) -> LevelSums:
        """Sum D, shape (d, N, q), and the broadenings Gamma_k^b, shape (d, d, N, q).

        R_a = (s/2) S0_a + sum_b F_ab holds by construction.
        """
        squares = np.asarray(products.sum(axis=1).T)
        flows = np.asarray(np.einsum("akq,abkq->qab", products, partial))
        spectral = products * (s / 2 + partial.sum(axis=1))
        exchanges = np.asarray(np.einsum("akq,abkq->qab", spectral, partial))
        return cls(s[:, None] / 2 * squares + flows.sum(axis=2), squares, flows, exchanges)

    def take(self, chosen: slice) -> LevelSums:
        """Return some of the pairs."""
        return LevelSums(self.densities[chosen], self.squares[chosen], self.flows[chosen], self.exchanges[chosen])

    @property
    def is_slow(self) -> NDArray[np.bool_]:
        """Whether T = F / R, which one pass of the ladder applies to the levels, shrinks its largest mode slowly."""
        transfer = self.flows / self.densities[:, None, :]
        return np.asarray(np.abs(np.linalg.eigvals(transfer)).max(axis=1) > _SLOW)

    @property
    def matrix(self) -> NDArray[Any]:
        """The matrix diag(R) - F of the level balance, shape (q, d, d)."""
        return np.asarray(np.eye(self.densities.shape[1]) * self.densities[:, None, :] - self.flows)

    def solve(self, source: NDArray[Any]) -> NDArray[Any]:
        """Return c with R_a c_a - sum_b F_ab c_b = source_a, for sources of shape (q, d, m)."""
        return np.asarray(np.linalg.solve(self.matrix, source))

    def propagator(self) -> NDArray[Any]:
        """Return P = (1 - T)^{-1} diag(S0), T_ab = F_ab / R_b, shape (q, d, d).

        Reference: A. V. Lunkin, arXiv:2603.12234, eq. 17.
        """
        source = np.eye(self.densities.shape[1]) * self.squares[:, None, :]
        return np.asarray(self.densities[:, :, None] * self.solve(source))
