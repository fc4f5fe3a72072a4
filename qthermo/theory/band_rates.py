"""Rates of the Hilbert-space average method: a Markov chain on the configurations of a band chain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import factorial

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import InputError
from qthermo.models import Band, BandChainModel
from qthermo.models.band_space import Pair

__all__ = [
    "Criterion",
    "RateMatrix",
    "box_sum_density",
    "build_rates",
    "check_criteria",
    "decay_constant",
    "pair_strength",
]

_MARGIN = 0.1
"""The first condition is marginal within this share of its bound."""
_DIGITS = 9
"""Sums of levels count as one energy if they agree to so many digits of the band's width."""
_SMALL = 0.1
"""The second one asks for a number much smaller than 1: up to here it is."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One of the conditions for the golden rule: its value, its bound and the verdict."""

    value: float
    bound: float
    verdict: str


@dataclass(frozen=True, slots=True, eq=False)
class RateMatrix:
    """dP/dt = G P with detailed balance: G_ba d_a is symmetric, d_a the number of states of configuration a.

    Args:
        strengths: S_ab = 2 pi lambda^2 int rho_a rho_b dE, symmetric, zero on the diagonal, energy.
        dimensions: d_a.
    """

    strengths: NDArray[np.float64]
    dimensions: NDArray[np.float64]

    @property
    def generator(self) -> NDArray[np.float64]:
        """G, with the rates S_ab / d_a from a to b; columns sum to 0."""
        rates = self.strengths / self.dimensions
        return np.asarray(rates - np.diag(rates.sum(axis=0)))

    def evolve(self, start: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return P(t), shape (time, configuration), by the spectrum of the symmetrised G."""
        root = np.sqrt(self.dimensions)
        values, vectors = np.linalg.eigh(self.generator * (root / root[:, None]))
        amplitudes = vectors.T @ (start / root)
        return np.asarray((np.exp(np.outer(times, values)) * amplitudes) @ vectors.T * root)


def build_rates(model: BandChainModel) -> RateMatrix:
    """Return the rates of a band chain, 2 pi lambda^2 int rho_a rho_b dE / d_a from configuration a to b.

    rho is the density of states of the two subunits that exchange energy; the others keep their level. With one band
    every rate is kappa = 2 pi lambda^2 n / band_width. Equal rates both ways would be wrong where dimensions differ:
    only rates over d_a lead to the equilibrium in which every state is equally likely.

    Raises:
        InputError: two single levels are coupled, so that no continuum is there to decay into.

    Reference: M. Michel, J. Gemmer, G. Mahler, arXiv:cond-mat/0511727, equations (27), (30)-(32) and (44).
    """
    space = model.space
    size = len(space.configurations)
    strengths = np.zeros((size, size))
    for link in space.links:
        left, right = space.frame(link)
        value = left * right * pair_strength(model, *link.pairs)
        strengths[link.row, link.column] += value
        strengths[link.column, link.row] += value
    return RateMatrix(strengths, space.block_dimensions.astype(np.float64))


def decay_constant(model: BandChainModel) -> float:
    """Return kappa = 2 pi lambda^2 n / band_width of the first excited band, energy.

    Raises:
        InputError: there is no excited band.
    """
    if len(model.bands) < 2:
        raise InputError("A decay constant needs a band above the lowest one, but the chain has one band only.")
    return pair_strength(model, (0, 1), (1, 0)) / (model.bands[0].num_levels * model.bands[1].num_levels)


def pair_strength(model: BandChainModel, here: tuple[int, int], there: tuple[int, int]) -> float:
    """Return 2 pi lambda^2 int rho_here rho_there dE for two subunits in these bands."""
    return 2 * np.pi * model.coupling**2 * _overlap([model.bands[band] for band in (*here, *there)])


def _overlap(bands: list[Band]) -> float:
    """Return int rho_ij rho_kl dE for flat bands, the difference of the centres being 0."""
    widths = tuple(band.width for band in bands if band.width > 0)
    if not widths:
        raise InputError(
            "The Hilbert-space average needs a band of levels to decay into, but two single levels are coupled; "
            "use Dense."
        )
    return float(np.prod([band.num_levels for band in bands])) * box_sum_density(widths)


def box_sum_density(widths: tuple[float, ...]) -> float:
    """Return the density at 0 of a sum of variables uniform on boxes of these widths: a B-spline at its middle."""
    order = len(widths) - 1
    total = 0.0
    for signs in product((-1, 1), repeat=len(widths)):
        shift = float(np.dot(signs, widths)) / 2
        power = (0.5 if shift == 0 else float(shift > 0)) if order == 0 else max(shift, 0.0) ** order
        total += float(np.prod(signs)) * power
    return total / (factorial(order) * float(np.prod(widths)))


def check_criteria(model: BandChainModel) -> dict[str, Criterion]:
    """Return the two conditions under which the rates hold, each at the pair of bands where it is worst.

    One band: lambda n / band_width >= 1/2, the coupling reaches beyond the level spacing; lambda^2 n / band_width^2
    << 1, a band decays more slowly than its width. In general sqrt(Gamma / (2 pi spacing)) >= 1/2 and
    Gamma / (2 pi width) << 1, with Gamma the rate at which a pair of bands decays on one bond into all others, in
    the faster of the two directions. `spacing` is that of the different energies e_i + e_j of the pair it goes to
    (two equal bands of n levels have n^2 states, but 2 n - 1 energies), `width` that of the wider pair.

    Reference: M. Michel, J. Gemmer, G. Mahler, arXiv:cond-mat/0511727, equation (29).
    """
    dense, weak = np.inf, 0.0
    for bond in model.blocks:
        rates = _bond_rates(model, bond)
        for here, there in bond:
            one, other = ([model.bands[b] for b in pair] for pair in (here, there))
            width = max(sum(band.width for band in pair) for pair in (one, other))
            if width == 0:
                return {name: Criterion(0.0, bound, "violated") for name, bound in (("dense", 0.5), ("weak", 1.0))}
            ratios = rates[here] / _level_spacing(other), rates[there] / _level_spacing(one)
            dense = min(dense, np.sqrt(max(ratios) / (2 * np.pi)))
            weak = max(weak, max(rates[here], rates[there]) / (2 * np.pi * width))
    first = "violated" if dense < 0.5 * (1 - _MARGIN) else "satisfied" if dense > 0.5 * (1 + _MARGIN) else "marginal"
    second = "satisfied" if weak < _SMALL else "marginal" if weak < 1 else "violated"
    return {"dense": Criterion(float(dense), 0.5, first), "weak": Criterion(weak, 1.0, second)}


def _bond_rates(model: BandChainModel, bond: Iterable[tuple[Pair, Pair]]) -> dict[Pair, float]:
    """Return the rate at which each pair of bands decays into all others on one bond."""
    rates: dict[Pair, float] = {}
    for here, there in bond:
        if any(model.bands[b].width > 0 for b in (*here, *there)):
            strength = pair_strength(model, here, there)
            for pair in (here, there):
                size = model.bands[pair[0]].num_levels * model.bands[pair[1]].num_levels
                rates[pair] = rates.get(pair, 0.0) + strength / size
    return rates


def _level_spacing(pair: Sequence[Band]) -> float:
    """Return the mean spacing of the different sums of levels of two bands; infinite for one energy."""
    left, right = (band.levels - band.energy for band in pair)
    scale = max(band.width for band in pair)
    if scale == 0:
        return np.inf
    sums = np.unique(np.round(np.add.outer(left, right) / scale, _DIGITS)) * scale
    return float((sums[-1] - sums[0]) / (sums.size - 1))
