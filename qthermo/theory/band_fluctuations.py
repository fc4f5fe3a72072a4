"""How far single states of a band chain stray from the rate equation: a closed variance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import exprel

from qthermo.errors import UnsupportedError
from qthermo.models import BandChainModel
from qthermo.theory.band_rates import RateMatrix, build_rates

__all__ = ["has_closed_variance", "state_variance"]

_LARGEST = 32


def has_closed_variance(model: BandChainModel) -> bool:
    """Return whether `state_variance` holds: few configurations, and no third subunit in a band during an exchange."""
    space = model.space
    return len(space.configurations) <= _LARGEST and all(space.frame(link) == (1, 1) for link in space.links)


def state_variance(
    model: BandChainModel, weights: NDArray[np.float64], times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the variance of P_mu(t) over random initial states as the rates give it, shape (time, subunit).

    To leading order in the number of levels random blocks act at different times like independent ones, and the
    covariance C of the probabilities P of configurations over states obeys a linear equation beside dP/dt = G P,

        dC/dt = G C + C G^T + 2 M,   M_ab = -gamma_ab P_a P_b,   M_aa = sum_b gamma_ab P_a P_b,   C(0) = 0,

    gamma_ab = S_ab / (d_a d_b). Two subunits with one excitation: n Var = (1 - e^{-4x}) / 8 - (x / 2) e^{-4x},
    x = kappa t, at late times 1/8, the value of random unitary matrices.

    Args:
        model: a band chain of at most 32 configurations in which no subunit stands by with a choice of levels.
        weights: probability of each configuration at t = 0.
        times: t >= 0, 1/energy.

    Raises:
        UnsupportedError: the chain has more configurations, or subunits stand by.

    Cost: fourth power of the number of configurations for each bond and each time.
    """
    space = model.space
    if not has_closed_variance(model):
        raise UnsupportedError(
            f"A closed variance needs at most {_LARGEST} configurations, got {len(space.configurations)}, and no "
            'third subunit in a band during an exchange; take initial="average" with Dense.'
        )
    rates = build_rates(model)
    excited = (np.array(space.configurations) > 0).astype(np.float64)
    decay, modes, source = _source_modes(rates, np.asarray(weights, np.float64))
    views = (modes * np.sqrt(rates.dimensions)[:, None]).T @ excited
    found = np.empty((len(times), model.num_subunits))
    pairs = np.add.outer(decay, decay)
    for row, time in zip(found, times, strict=True):
        gap = time * (pairs[None, None] - pairs[:, :, None, None])
        grown = np.exp(time * np.maximum(pairs[None, None], pairs[:, :, None, None])) * time * exprel(-np.abs(gap))
        covariance = 2 * np.einsum("klij,klij->kl", source, grown)
        row[:] = np.einsum("km,kl,lm->m", views, covariance, views)
    return np.maximum(found, 0.0)


def _source_modes(
    rates: RateMatrix, weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return decay rates l_k <= 0 and modes of the symmetrised G, and 2 M's parts m_klij ~ e^{(l_i + l_j) t}.

    M is in the modes of G, m_kl = u_k M u_l with u = modes / sqrt(d), and P = sum_i c_i e^{l_i t}.
    """
    root = np.sqrt(rates.dimensions)
    decay, modes = np.linalg.eigh(rates.generator * (root / root[:, None]))
    amplitudes = modes * root[:, None] * (modes.T @ (weights / root))
    left = modes / root[:, None]
    size = decay.size
    source = np.zeros((size,) * 4)
    for a, b in zip(*np.nonzero(np.triu(rates.strengths, 1)), strict=True):
        slope = left[a] - left[b]
        gamma = rates.strengths[a, b] / (rates.dimensions[a] * rates.dimensions[b])
        flow = gamma * np.outer(amplitudes[a], amplitudes[b])
        source += np.multiply.outer(np.outer(slope, slope), flow)
    return decay, modes, source
