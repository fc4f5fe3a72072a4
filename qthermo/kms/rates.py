"""Balanced transition rates: g(nu) = e^{-beta nu} g(-nu), nu the energy gained by the system."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_ndtr

__all__ = ["RATES", "balanced_rate", "even_rate", "smeared_rate"]

RATES = ("gaussian", "glauber", "metropolis")
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(120)


def balanced_rate(rate: str, nu: NDArray[np.float64], beta: float, rate_width: float = 1.0) -> NDArray[np.float64]:
    """Return g(nu), at most 1.

    "glauber" 1 / (1 + e^{beta nu}); "metropolis" min(1, e^{-beta nu}); "gaussian"
    exp(-(nu + beta D^2 / 2)^2 / (2 D^2)) with D = rate_width, energy.
    """
    if rate == "glauber":
        result: NDArray[np.float64] = expit(-beta * nu)
    elif rate == "metropolis":
        result = np.exp(-beta * np.maximum(nu, 0.0))
    else:
        result = np.exp(-((nu + beta * rate_width**2 / 2) ** 2) / (2 * rate_width**2))
    return result


def even_rate(rate: str, nu: NDArray[np.float64], beta: float, rate_width: float = 1.0) -> NDArray[np.float64]:
    """Return s(nu) = e^{beta nu / 2} g(nu), which is even; computed from |nu| so that it is so to the last bit."""
    x = np.abs(nu)
    if rate == "glauber":
        result: NDArray[np.float64] = np.exp(-beta * x / 2) * expit(beta * x)
    elif rate == "metropolis":
        result = np.exp(-beta * x / 2)
    else:
        result = np.exp(-(x**2) / (2 * rate_width**2) - beta**2 * rate_width**2 / 8)
    return result


def smeared_rate(
    rate: str, nu: NDArray[np.float64], beta: float, *, energy_width: float, rate_width: float = 1.0, shift: float = 0.0
) -> NDArray[np.float64]:
    """Return h(nu) = int dw g(w + shift) N(w - nu; energy_width^2), the rate that a finite window sees.

    With shift = beta energy_width^2 / 2, h is balanced as g is. Closed forms for "gaussian" and "metropolis";
    Gauss-Hermite quadrature for "glauber" (error below 1e-12 for beta energy_width <= 2).
    """
    sigma, u = energy_width, nu + shift
    if rate == "gaussian":
        width = np.hypot(rate_width, sigma)
        result: NDArray[np.float64] = (
            rate_width / width * np.exp(-((u + beta * rate_width**2 / 2) ** 2) / (2 * width**2))
        )
    elif rate == "metropolis":
        uphill = -beta * u + (beta * sigma) ** 2 / 2 + log_ndtr(u / sigma - beta * sigma)
        result = np.exp(log_ndtr(-u / sigma)) + np.exp(uphill)
    else:
        samples = expit(-beta * (u[..., None] + sigma * _NODES))
        result = samples @ _WEIGHTS / np.sqrt(2 * np.pi)
    return result
