"""What classical diffusion looks like: the simple random walk and the Gaussian it tends to."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from qthermo.checks import check_finite_array, check_integer, check_real

__all__ = ["gaussian_profile", "simple_walk"]


def simple_walk(num_steps: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the positions -t .. t of a simple random walk after t steps and their probabilities.

    P(x) = t! / (((t+x)/2)! ((t-x)/2)!) / 2^t where t + x is even; the variance is t.

    Raises:
        InputError: the number of steps is negative or no whole number.
    """
    t = check_integer("num_steps", num_steps, minimum=0)
    x = np.arange(-t, t + 1, dtype=np.int64)
    logs = gammaln(t + 1) - gammaln((t + x) / 2 + 1) - gammaln((t - x) / 2 + 1) - t * np.log(2)
    return x, np.where((t + x) % 2 == 0, np.exp(logs), 0.0)


def gaussian_profile(positions: ArrayLike, variance: float) -> NDArray[np.float64]:
    """Return exp(-x^2 / 2 sigma^2) / sqrt(2 pi sigma^2), shape of `positions`.

    Raises:
        InputError: the variance is not positive.
    """
    spread = check_real("variance", variance, minimum=0, exclusive=True)
    x = check_finite_array("positions", positions, ndim=1)
    return np.asarray(np.exp(-(x**2) / (2 * spread)) / np.sqrt(2 * np.pi * spread))
