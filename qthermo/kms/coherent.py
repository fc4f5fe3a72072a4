"""Hermitian parts of generators: the coherent term G that detailed balance asks for, and the physical Lamb shift."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import dawsn, expit

from qthermo.kms.coarse_graining import CoarseGraining
from qthermo.kms.energy_basis import EnergyBasis

__all__ = ["coherent_term", "decay_rate", "effective_decay", "lamb_shift"]


def decay_rate(jumps: NDArray[Any]) -> NDArray[Any]:
    """Return N = sum_k L_k^dag L_k of jumps stored as [i, k, j]. Cost: 2 J D^3."""
    flat = jumps.reshape(-1, jumps.shape[-1])
    result: NDArray[Any] = flat.conj().T @ flat
    return result


def coherent_term(decay: NDArray[Any], basis: EnergyBasis) -> NDArray[np.complex128]:
    """Return G_ij = (i/2) tanh(beta (E_i - E_j) / 4) N_ij, with which L = -i[G, .] + jumps obeys detailed balance.

    G is the same function of N for every balanced construction, and unique up to operators that commute with H.
    """
    tanh = np.tanh(basis.beta * basis.bohr_frequencies / 4)
    result: NDArray[np.complex128] = 0.5j * tanh * decay
    return result


def effective_decay(decay: NDArray[Any], basis: EnergyBasis) -> NDArray[Any]:
    """Return K = N/2 + i G = N_ij / (1 + e^{beta (E_i - E_j) / 2}), real if N is."""
    result: NDArray[Any] = decay * expit(-basis.beta * basis.bohr_frequencies / 2)
    return result


def lamb_shift(basis: EnergyBasis, couplings: NDArray[Any], grain: CoarseGraining) -> NDArray[Any]:
    """Return the second-order energy shift of a Gaussian environment, coupling^2 left out.

    H_LS = sum S(nu1, nu2) A_nu2^dag A_nu1, S = exp(-(nu1 - nu2)^2 / (8 s^2)) eta((nu1 + nu2) / 2),
    eta(nu) = -(D / W) pi^{-1/2} Dawson((nu + c) / (sqrt(2) W)), W^2 = s^2 + D^2, c = beta D^2 / 2 + shift.
    It is real where G is imaginary: the one never replaces the other.

    Args:
        basis: eigenbasis of H.
        couplings: <i|A_a|j>, index [i, a, j].
        grain: window and rate; the rate must be "gaussian" (others have a logarithmically divergent shift).

    Cost: D^3 Dawson functions and as many products per coupling.
    """
    s, width = grain.energy_width, float(np.hypot(grain.energy_width, grain.rate_width))
    centre = basis.beta * grain.rate_width**2 / 2 + grain.shift(basis.beta)
    energies = basis.energies
    mean = (energies[:, None] + energies[None, :]) / 2
    total = np.zeros((basis.dimension,) * 2, couplings.dtype)
    for i, energy in enumerate(energies):
        pairs = couplings[i].conj().T @ couplings[i]
        total += pairs * dawsn((energy - mean + centre) / (np.sqrt(2) * width))
    total *= -(grain.rate_width / width) / np.sqrt(np.pi)
    result: NDArray[Any] = total * np.exp(-(basis.bohr_frequencies**2) / (8 * s**2))
    return result
