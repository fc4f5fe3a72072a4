"""Lifting a known state out of the way of a two-site sweep: H + weight |known><known|, without its MPO."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Lift"]


@dataclass(frozen=True, slots=True, eq=False)
class Lift:
    """A state of norm 1 as tensors (left, d, right), and the energy by which it is lifted.

    As an MPO the projector has the square of the state's bond dimension, and a sweep pays for it in every product; on
    a pair of sites it is the projector on one vector, the overlap with all other sites.
    """

    state: Sequence[NDArray[Any]]
    weight: float

    def add_to(
        self, apply: Callable[[NDArray[Any]], NDArray[Any]], tensors: Sequence[NDArray[Any]], site: int
    ) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """Return the map of flat pairs (site, site + 1) with the lift added; cost n chi^2 d p at bond dimension p."""
        known = self._on_pair(tensors, site)
        weighted = self.weight * known

        def lifted(flat: NDArray[Any]) -> NDArray[Any]:
            image: NDArray[Any] = apply(flat) + weighted * np.vdot(known, flat)
            return image

        return lifted

    def _on_pair(self, tensors: Sequence[NDArray[Any]], site: int) -> NDArray[Any]:
        """Return the known state with all sites but the pair's projected on the bases of `tensors`, flat."""
        left: NDArray[Any] = np.ones((1, 1))
        for mine, other in zip(tensors[:site], self.state[:site], strict=True):
            half = (left @ other.reshape(other.shape[0], -1)).reshape(-1, other.shape[2])
            left = mine.reshape(-1, mine.shape[2]).conj().T @ half
        right: NDArray[Any] = np.ones((1, 1))
        for mine, other in zip(reversed(tensors[site + 2 :]), reversed(self.state[site + 2 :]), strict=True):
            half = (other.reshape(-1, other.shape[2]) @ right).reshape(other.shape[0], -1)
            right = half @ mine.reshape(mine.shape[0], -1).conj().T
        first, second = self.state[site], self.state[site + 1]
        pair: NDArray[Any] = (left @ first.reshape(first.shape[0], -1)).reshape(-1, first.shape[2])
        pair = (pair @ second.reshape(second.shape[0], -1)).reshape(-1, second.shape[2]) @ right
        return pair.ravel()
