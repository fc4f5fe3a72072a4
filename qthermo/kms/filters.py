"""Filters of jump operators: L = sum_nu q(nu) e^{-beta nu / 4} A_nu with q even and real."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["FILTERS", "even_filter"]

FILTERS = ("gaussian", "imaginary_time", "smooth_metropolis")


def even_filter(name: str, nu: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    """Return q(nu), the part of the filter that detailed balance leaves free.

    "gaussian" exp(-((beta nu)^2 + 1) / 8), so that q e^{-beta nu / 4} = exp(-(beta nu + 1)^2 / 8); its weight is lost
    at |beta nu| >> 1. "smooth_metropolis" exp(-sqrt(1 + (beta nu)^2) / 4), whose full weight tends to 1 for energy
    given off. "imaginary_time" 1, L = e^{-beta H / 4} A e^{beta H / 4}, the most local and the least bounded.

    Reference: Z. Ding, B. Li, L. Lin, arXiv:2404.05998.
    """
    x = beta * nu
    if name == "gaussian":
        result: NDArray[np.float64] = np.exp(-(x**2 + 1) / 8)
    elif name == "smooth_metropolis":
        result = np.exp(-np.sqrt(1 + x**2) / 4)
    else:
        result = np.ones_like(x)
    return result
