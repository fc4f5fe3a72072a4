"""Pairs of states so strongly coupled that they oscillate by themselves, faster than the rest can follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qthermo.models import BathEigenbasis

__all__ = ["FastPairs", "find_fast_pairs"]

_LARGEST_ADMIXTURE = 0.5
_PASSES = 50


@dataclass(frozen=True, slots=True, eq=False)
class FastPairs:
    """Lines of the autocorrelation: C(t) holds sum_p weights_p cos(frequencies_p t).

    Args:
        frequencies: Omega_p, shape (pairs,), energy.
        weights: what each line contributes to C(0), shape (pairs,).
        shares: what the two states of each pair contribute to C(0), lines or not, shape (pairs,).
    """

    frequencies: NDArray[np.float64]
    weights: NDArray[np.float64]
    shares: NDArray[np.float64]

    def correlator(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the part of C(t) that these pairs make, shape (time,)."""
        return np.asarray(np.cos(np.outer(times, self.frequencies)) @ self.weights)


def find_fast_pairs(basis: BathEigenbasis, cutoff: float) -> FastPairs:
    """Return the pairs whose frequency is above the cutoff.

    A pair k, l with V_kl far above all their other couplings and energies has the two energies of
    [[eps_k + S_k(E), V_kl], [V_lk, eps_l + S_l(E)]] with S_k(E) = sum_{j != l} |V_kj|^2 / (E - eps_j), each taken at
    its own E, and the frequency is their difference. What it holds of other states adds coherently, so that its weight
    is that of the pair to second order. Outside the band of the others nothing damps them.

    Args:
        basis: the model in the bath's eigenbasis.
        cutoff: the least frequency, energy.

    Cost: N for each candidate, |V_kl| > 0.4 cutoff; there are few of them.
    """
    energies = basis.energies
    norm = float((basis.level_values**2).sum()) * energies.shape[1]
    frequencies, weights, shares = [], [], []
    for (a, b), block in basis.blocks.items():
        if a == b:
            continue
        swing = (basis.level_values[a] - basis.level_values[b]) ** 2 / (2 * norm)
        whole = (basis.level_values[a] ** 2 + basis.level_values[b] ** 2) / norm
        for i, j in np.argwhere(np.abs(block) > 0.4 * cutoff):
            frequency, contrast, admixture = _resolve(basis, (a, int(i)), (b, int(j)), float(np.abs(block[i, j])))
            if frequency > cutoff and admixture < _LARGEST_ADMIXTURE:
                frequencies.append(frequency)
                weights.append(swing * contrast)
                shares.append(whole)
    return FastPairs(np.array(frequencies), np.array(weights), np.array(shares))


def _resolve(
    basis: BathEigenbasis, first: tuple[int, int], second: tuple[int, int], coupling: float
) -> tuple[float, float, float]:
    """Return the pair's frequency, its contrast sin^2(2 theta), and how much of other states it holds."""
    others = _neighbours(basis, first, second), _neighbours(basis, second, first)
    bare = basis.energies[first], basis.energies[second]
    found, contrast, admixture = [], 1.0, 0.0
    for side in (1, -1):
        energy = side * coupling + (bare[0] + bare[1]) / 2
        for _ in range(_PASSES):
            shifted = [e + float((w / (energy - x)).sum()) for e, (w, x) in zip(bare, others, strict=True)]
            half = np.hypot(coupling, (shifted[0] - shifted[1]) / 2)
            energy = (shifted[0] + shifted[1]) / 2 + side * half
        contrast *= coupling / half
        admixture = max(admixture, sum(float((w / (energy - x) ** 2).sum()) for w, x in others) / 2)
        found.append(energy)
    return found[0] - found[1], contrast, admixture


def _neighbours(
    basis: BathEigenbasis, state: tuple[int, int], partner: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return |V|^2 and energy of all states that couple to `state`, its partner left out."""
    level, index = state
    weights, energies = [], []
    for (a, b), block in basis.blocks.items():
        if a == b or level not in (a, b):
            continue
        other = b if level == a else a
        row = np.abs(block[index] if level == a else block[:, index]) ** 2
        if other == partner[0]:
            row[partner[1]] = 0.0
        weights.append(row)
        energies.append(basis.energies[other])
    return np.concatenate(weights), np.concatenate(energies)
