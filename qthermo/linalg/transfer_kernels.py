"""The inner loop of transfer-matrix products."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["grow"]


@numba.njit(cache=True)
def grow(potential: NDArray[np.float64], energy: float) -> float:
    """Return ln of the factor by which (psi(x), psi(x+1)) grows along the chain, from (0.6, 0.8)."""
    before, here, total = 0.6, 0.8, 0.0
    for v in potential:
        before, here = here, (v - energy) * here - before
        size = abs(before) + abs(here)
        if size > 1e100 or size < 1e-100:
            total += np.log(size)
            before, here = before / size, here / size
    return float(total + 0.5 * np.log(before * before + here * here))
