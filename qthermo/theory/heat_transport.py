"""Fourier's law for band chains: heat capacity, energy current and heat conductivity from the rates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qthermo.checks import check_ascending
from qthermo.errors import InputError
from qthermo.models import Band, BandChainModel
from qthermo.models.band_space import conserving_pairs
from qthermo.theory.band_rates import build_rates, decay_constant, pair_strength

__all__ = ["energy_current", "heat_capacity", "heat_conductivity", "single_band_conductivity"]


def heat_capacity(bands: Sequence[Band], temperatures: ArrayLike) -> NDArray[np.float64]:
    """Return c(T) = (1/T^2) d^2 ln Z / d beta^2 of one subunit, Z = sum_i n_i e^{-E_i/T}; shape of `temperatures`.

    Every band counts as degenerate at its centre, which holds for band_width << T.

    Raises:
        InputError: the temperatures do not ascend or are not positive.
    """
    T = check_ascending("temperatures", temperatures, exclusive=True)
    energies = np.array([band.energy for band in bands])
    weights = _boltzmann(bands, T)
    mean = weights @ energies
    return np.asarray((weights @ energies**2 - mean**2) / T**2)


def _boltzmann(bands: Sequence[Band], temperatures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of each band, shape (temperature, band)."""
    logs = np.log([band.num_levels for band in bands]) - np.outer(1 / temperatures, [band.energy for band in bands])
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def heat_conductivity(model: BandChainModel, temperatures: ArrayLike) -> NDArray[np.float64]:
    """Return kappa_th(T) in J = -kappa_th (T_1 - T_2) of two neighbours, bands of any number and size.

    kappa_th = sum_{a<b} S_ab (x_a - x_b)^2 e^{-E/T} / (T^2 Z^2) over the pairs a = (i, j), b = (k, l) of bands with the
    same energy E = E_i + E_j, x = (E_i - E_j)/2 and S_ab = 2 pi lambda^2 int rho_a rho_b dE.

    Args:
        model: a band chain; its total_energy does not matter, and V counts as coupling all pairs of equal energy.
        temperatures: T > 0, ascending, energy.

    Raises:
        InputError: the temperatures do not ascend, or two single levels are coupled.

    Reference: M. Michel, J. Gemmer, G. Mahler, arXiv:cond-mat/0511727, equation (47).
    """
    T = check_ascending("temperatures", temperatures, exclusive=True)
    energies = [band.energy for band in model.bands]
    shares = _boltzmann(model.bands, T) / np.array([band.num_levels for band in model.bands])
    total = np.zeros(T.size)
    for here, there in conserving_pairs(model.bands):
        displacement = (energies[here[0]] - energies[here[1]] - energies[there[0]] + energies[there[1]]) / 2
        strength = pair_strength(model, here, there)
        total += strength * displacement**2 * shares[:, here[0]] * shares[:, here[1]] / T**2
    return total


def single_band_conductivity(model: BandChainModel, temperatures: ArrayLike) -> NDArray[np.float64]:
    """Return kappa_th(T) = kappa n e^{-E/T} / (1 + n e^{-E/T})^2 (E/T)^2 of a chain with one band at energy E.

    Raises:
        InputError: the chain has another number of bands, or the temperatures do not ascend.

    Reference: M. Michel, J. Gemmer, G. Mahler, arXiv:cond-mat/0511727, equation (48).
    """
    T = check_ascending("temperatures", temperatures, exclusive=True)
    if len(model.bands) != 2 or model.bands[0].num_levels != 1:
        raise InputError(f"This formula needs a ground level and one band, but got {len(model.bands)} bands.")
    band = model.bands[1]
    excited = band.num_levels * np.exp(-band.energy / T)
    return np.asarray(decay_constant(model) * excited / (1 + excited) ** 2 * (band.energy / T) ** 2)


def energy_current(model: BandChainModel, probabilities: ArrayLike) -> NDArray[np.float64]:
    """Return the energy current through each bond, positive to the right, as the rates give it; shape (..., bond).

    One excitation: J = kappa E (P_mu - P_(mu+1)).

    Args:
        model: the band chain.
        probabilities: of each configuration of `model.space`, shape (..., configuration).

    Raises:
        InputError: the last axis has not one entry for each configuration.
    """
    space = model.space
    P = np.asarray(probabilities, np.float64)
    if P.shape[-1] != len(space.configurations):
        raise InputError(
            f"Argument `probabilities` must end in {len(space.configurations)} configurations, but has shape {P.shape}."
        )
    rates = build_rates(model)
    current = np.zeros((*P.shape[:-1], model.num_subunits - 1))
    for link in space.links:
        left, right = space.frame(link)
        strength = left * right * pair_strength(model, *link.pairs)
        flow = strength * (
            P[..., link.row] / rates.dimensions[link.row] - P[..., link.column] / rates.dimensions[link.column]
        )
        here, there = link.pairs
        current[..., link.bond] += flow * (model.bands[there[1]].energy - model.bands[here[1]].energy)
    return current
