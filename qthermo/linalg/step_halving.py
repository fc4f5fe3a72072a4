"""The error that a finite step leaves, from values with the step halved and halved again."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["find_slow_halving", "step_error"]


def step_error(values: ArrayLike, order: int) -> NDArray[np.float64]:
    """Return an estimate of |C(h) - C(0)| from C(h), C(h/2), .., C(h/2^m).

    |C(h) - C(h/2)| + .. + |C(h/2^(m-1)) - C(h/2^m)| (1 + 1 / (2^p - 1)): the triangle inequality down to the last
    value, whose own error is Richardson's. Where the error goes as h^p from the start, this is that error; elsewhere,
    also where two steps agree by chance, it is a bound as soon as the last two steps have come to the power law.

    Args:
        values: shape (m + 1, ...), m at least 1.
        order: p, of the product formula or integrator.

    Returns:
        Shape (...).

    Reference: L. F. Richardson, doi:10.1098/rsta.1911.0009.
    """
    differences = np.abs(np.diff(np.asarray(values), axis=0))
    total: NDArray[np.float64] = differences.sum(axis=0) + differences[-1] / (2.0**order - 1)
    return total


def find_slow_halving(values: ArrayLike, order: int) -> tuple[float, float] | None:
    """Return the last two largest differences of `step_error` where they do not shrink as a power law would, or None.

    In the power law they shrink by 2^p. Up to half of the first may be left (3/4 at first order): the error of the last
    value, guessed from its power law, is a small part of the whole then.
    """
    differences = np.abs(np.diff(np.asarray(values), axis=0))
    former, last = float(differences[-2].max(initial=0.0)), float(differences[-1].max(initial=0.0))
    return None if last <= max(0.5, 1.5 / 2.0**order) * former else (former, last)
