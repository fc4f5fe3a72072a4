"""C(t) from a spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.exact.spectrum import Block

__all__ = ["thermal_autocorrelation"]

_CHUNK = 64


def thermal_autocorrelation(blocks: Sequence[Block], times: NDArray[np.float64], beta: float) -> NDArray[Any]:
    """Return C(t) = sum_mn p_m |Z_mn|^2 e^{i (E_m - E_n) t}, p_m = e^{-beta E_m} / Z, shape (time,).

    Real at beta = 0, complex otherwise. Cost: D^2 per block and time.
    """
    ground = min(float(block.energies[0]) for block in blocks)
    partition = sum(float(np.exp(-beta * (block.energies - ground)).sum()) for block in blocks)
    total = np.zeros(times.size, np.complex128)
    for block in blocks:
        weights = np.exp(-beta * (block.energies - ground)) / partition
        strengths = np.abs(block.observable) ** 2
        for start in range(0, times.size, _CHUNK):
            chunk = slice(start, start + _CHUNK)
            phases = np.exp(1j * np.outer(block.energies, times[chunk]))
            total[chunk] += np.einsum("m,mt,mt->t", weights, phases, strengths @ phases.conj())
    return total.real if beta == 0 else total
