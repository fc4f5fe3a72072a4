"""Dilations of jump operators: a short coupling to an ancilla that is reset, as unitaries on patches.

U = exp(-i sqrt(dt) (L (x) |1><0| + L^dag (x) |0><1|)) on an ancilla in |0>, then e^{-i G_a dt}: the channel is
1 + dt L + O(dt^2), so that the fixed point is missed by O(dt).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from qthermo.kms.patches import PatchJump
from qthermo.linalg.local_operators import apply_local

__all__ = ["Dilation", "apply_sweep", "dilate"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dilation:
    """One step of one jump.

    Args:
        sites: the patch.
        unitary: U on ancilla (x) patch, the ancilla the leftmost Kronecker factor.
        coherent: e^{-i G_a dt} on the patch, or None.
    """

    sites: tuple[int, ...]
    unitary: NDArray[np.complex128]
    coherent: NDArray[np.complex128] | None


def dilate(patches: Sequence[PatchJump], time_step: float, *, coherent: bool = True) -> tuple[Dilation, ...]:
    """Return the unitaries of one sweep over all jumps with step dt. Cost: (2**(patch + 1))^3 each."""
    sweep = []
    for patch in patches:
        zero = np.zeros_like(patch.jump)
        generator = np.block([[zero, patch.jump.conj().T], [patch.jump, zero]])
        unitary = scipy.linalg.expm(-1j * np.sqrt(time_step) * generator)
        turn = scipy.linalg.expm(-1j * time_step * patch.coherent) if coherent else None
        sweep.append(Dilation(sites=patch.sites, unitary=unitary, coherent=turn))
    return tuple(sweep)


def apply_sweep(state: NDArray[np.complex128], sweep: Sequence[Dilation]) -> NDArray[np.complex128]:
    """Return the state after every dilation has acted once, the ancilla reset after each."""
    for dilation in sweep:
        half = dilation.unitary.shape[0] // 2
        stay, jump = dilation.unitary[:half, :half], dilation.unitary[half:, :half]
        state = _conjugate(stay, dilation.sites, state) + _conjugate(jump, dilation.sites, state)
        if dilation.coherent is not None:
            state = _conjugate(dilation.coherent, dilation.sites, state)
    return state


def _conjugate(
    operator: NDArray[np.complex128], sites: tuple[int, ...], state: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """Return O rho O^dag."""
    left = apply_local(operator, sites, state)
    return apply_local(operator, sites, left.conj().T).conj().T
