"""Weights that cancel leading errors: multi-product formulas in the step, zero-noise extrapolation in the noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import InputError

__all__ = ["multi_product_weights", "remaining_order", "shot_factor", "zero_noise_weights"]


def multi_product_weights(num_steps: Sequence[int], trotter_order: int = 2) -> NDArray[np.float64]:
    """Return a_j with sum_j a_j = 1 that cancel the leading powers of 1/k_j in sum_j a_j C_{k_j}.

    A symmetric formula of order p with k steps has errors k^-p, k^-(p+2), ..; order 1 has k^-1, k^-2, ..

    Args:
        num_steps: distinct numbers of steps k_j.
        trotter_order: p.

    Raises:
        InputError: the numbers are not distinct and positive.

    Reference: A. Carrera Vazquez, D. J. Egger, D. Ochsner, S. Woerner, Quantum 7, 1067 (2023), arXiv:2207.11268.
    """
    counts = np.asarray(num_steps, dtype=float)
    exponents = [remaining_order(k, trotter_order) for k in range(1, counts.size)]
    return _cancel(1 / counts, np.array(exponents), "num_steps")


def remaining_order(num_terms: int, trotter_order: int) -> int:
    """Return the power of the step that is left of the error when `num_terms` results have cancelled what they can."""
    return trotter_order + (1 if trotter_order == 1 else 2) * (num_terms - 1)


def zero_noise_weights(noise_factors: Sequence[float]) -> NDArray[np.float64]:
    """Return a_j with sum_j a_j = 1 and sum_j a_j f_j^q = 0, q = 1 .. m - 1: the polynomial through all points at zero.

    Raises:
        InputError: the factors are not distinct and positive.

    Reference: K. Temme, S. Bravyi, J. M. Gambetta, Phys. Rev. Lett. 119, 180509 (2017), arXiv:1612.02058.
    """
    factors = np.asarray(noise_factors, dtype=float)
    return _cancel(factors, np.arange(1, factors.size), "noise_factors")


def shot_factor(weights: NDArray[np.float64]) -> float:
    """Return (sum_j |a_j|)^2: how many times more shots the combination needs for the same standard error."""
    return float(np.abs(weights).sum() ** 2)


def _cancel(nodes: NDArray[np.float64], exponents: NDArray[np.int64], name: str) -> NDArray[np.float64]:
    if nodes.size < 2 or np.any(~np.isfinite(nodes)) or np.any(nodes <= 0) or np.unique(nodes).size < nodes.size:
        raise InputError(f"Argument `{name}` must hold at least two distinct positive numbers, but is {nodes}.")
    scaled = nodes / nodes.max()
    matrix = np.vstack([np.ones(nodes.size), *(scaled**power for power in exponents)])
    right = np.zeros(nodes.size)
    right[0] = 1
    weights: NDArray[np.float64] = np.linalg.solve(matrix, right)
    return weights
