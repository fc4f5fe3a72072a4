"""What the avalanche theory assumes, measured: hybridisation curves k, structure factors v, widths, and G.

The last localised spin is the one that is added; all the rest is its bath. Functions take a `GrainModel` and return
arrays; averages over realizations are the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
import scipy.optimize
from numpy.typing import ArrayLike, NDArray

from qthermo.checks import check_choice, check_finite_array, check_integer, check_real
from qthermo.errors import InputError, NotConvergedError
from qthermo.exact.spectrum import diagonalise
from qthermo.linalg.spectral_histograms import fold_weights, mean_gap_ratio, nearest_levels
from qthermo.models import GrainModel
from qthermo.progress import silent

__all__ = [
    "GEstimate",
    "WidthFit",
    "estimate_coupling_parameter",
    "fit_width",
    "hybridisation_curve",
    "mean_gap_ratio",
    "structure_factor_by_moments",
    "structure_factor_histogram",
]

READINGS = ("opposite", "joint")


def hybridisation_curve(
    model: GrainModel, *, edges: ArrayLike, energy: float = 0.0, num_states: int = 1
) -> NDArray[np.float64]:
    """Return k(omega) = sum_bs |<b,s|psi>|^2 delta(omega - E(b,s) + E), averaged over the states nearest to `energy`.

    |b,s> are eigenstates without the last localised spin's coupling, psi those with it; int k = 1 over all omega.

    Args:
        model: a grain with at least one localised spin.
        edges: of the bins in omega, ascending, energy.
        energy: target.
        num_states: how many psi.

    Returns:
        k averaged over each bin, shape (bins,).

    Raises:
        InputError: there is no localised spin, or a number is out of range.

    Cost: eigendecompositions of bath and of the whole, D^3.
    """
    bins, count = _check_bins(edges), check_integer("num_states", num_states, minimum=1, maximum=model.dimension)
    bath, energies, vectors = _split_last(model)
    levels, states = _states_near(model.to_matrix(), check_real("energy", energy), count)
    psi = states.reshape(bath.dimension, 2, count)
    weights = np.abs(np.einsum("ib,isk->bsk", vectors.conj(), psi)) ** 2
    joint = energies[:, None] + model.fields[-1] * np.array([1.0, -1.0])
    differences = joint[:, :, None] - levels
    return fold_weights(differences.ravel(), weights.ravel() / count, bins)


def structure_factor_histogram(
    model: GrainModel, operator: str, *, edges: ArrayLike, energy: float = 0.0, num_states: int = 1
) -> NDArray[np.float64]:
    """Return v(omega) = sum_k |<k|X|psi>|^2 delta(omega - E_k + E_psi), averaged over the psi nearest to `energy`.

    Args:
        model: a grain.
        operator: X on this site, as in `OperatorSpread`.
        edges: of the bins in omega, ascending, energy.
        energy: target.
        num_states: how many psi.

    Returns:
        v averaged over each bin, shape (bins,); int v = 1 over all omega.

    Raises:
        InputError: the operator is unknown, or a number is out of range.

    Cost: D^3.
    """
    bins, count = _check_bins(edges), check_integer("num_states", num_states, minimum=1)
    levels, states = diagonalise(model.to_matrix())
    chosen = nearest_levels(levels, check_real("energy", energy), count)
    image = _flip(states[:, chosen], model.find_site(operator), model.num_sites)
    weights = np.abs(states.conj().T @ image) ** 2
    return fold_weights((levels[:, None] - levels[chosen]).ravel(), weights.ravel() / chosen.size, bins)


def structure_factor_by_moments(
    model: GrainModel, operator: str, *, frequencies: ArrayLike, energy: float = 0.0, num_moments: int = 1000,
    seed: int = 0,
) -> NDArray[np.float64]:  # fmt: skip
    """Return v(omega) of the state nearest to `energy` from Chebyshev moments, for spaces too large to diagonalise.

    The kernel smooths by pi / num_moments of half the spectral width.

    Args:
        model: a grain.
        operator: X on this site.
        frequencies: omega, energy.
        energy: target.
        num_moments: number of moments.
        seed: entropy of the start vector.

    Raises:
        InputError: the operator is unknown, or a number is out of range.
        NotConvergedError: psi was not found.

    Cost: about 8 D products with H for psi, num_moments / 2 more.
    """
    from qthermo.exact.lanczos_spread import random_start
    from qthermo.linalg.long_lanczos import find_states
    from qthermo.linalg.spectral_moments import chebyshev_moments, smooth_moments, spectral_interval

    omega = check_finite_array("frequencies", frequencies, ndim=1)
    check_integer("num_moments", num_moments, minimum=2)
    split, letters = model.to_split_operator()
    start = random_start(split.shape, split.dtype, seed)
    centre, radius, _ = spectral_interval(split, start)
    found = find_states(
        split, start, target=check_real("energy", energy), num_states=1, tolerance=1e-8, max_steps_per_level=8.0,
        report=silent,
    )  # fmt: skip
    if found.residuals[0] > 1e-8:
        raise NotConvergedError(f"The state near energy {energy:g} was not found: change `energy` or `seed`.")
    vector = letters[model.find_site(operator)].act(found.vectors[0])
    moments = chebyshev_moments(
        split, vector, num_moments=num_moments, centre=centre, radius=radius, report=silent
    )  # fmt: skip
    points = (found.energies[0] + omega - centre) / radius
    inside = np.abs(points) < 1
    values = np.zeros(omega.size)
    values[inside] = smooth_moments(moments, points[inside]) / radius
    return values


@dataclass(frozen=True, slots=True)
class WidthFit:
    """Half width w of a hybridisation curve, and its standard error."""

    width: float
    stderr: float


def fit_width(edges: ArrayLike, curves: NDArray[np.float64]) -> WidthFit:
    """Fit 1 / (pi w (1 + (omega/w)^2)), averaged over each bin, to the mean of curves; the error is a jackknife.

    Args:
        edges: of the bins, shape (bins + 1,).
        curves: k of each realization, shape (realization, bins), at least two.

    Raises:
        InputError: there are fewer than two curves, or their bins do not fit.
        NotConvergedError: the fit finds no width.
    """
    bins = _check_bins(edges)
    values = check_finite_array("curves", curves, ndim=2)
    if len(values) < 2 or values.shape[1] != bins.size - 1:
        raise InputError(
            f"Argument `curves` must hold at least two curves of {bins.size - 1} bins, but has shape {values.shape}."
        )
    whole = _fit_mean(bins, values.mean(axis=0))
    count = len(values)
    left_out = np.array([_fit_mean(bins, np.delete(values, k, axis=0).mean(axis=0)) for k in range(count)])
    stderr = float(np.sqrt((count - 1) / count * ((left_out - left_out.mean()) ** 2).sum()))
    return WidthFit(whole, stderr)


@dataclass(frozen=True, slots=True)
class GEstimate:
    """G of the last localised spin, and what it is made of: G = |g| rho sqrt(M)."""

    value: float
    density: float
    mean_square: float


def estimate_coupling_parameter(
    model: GrainModel, *, reading: str = "joint", window: float = 1.0, energy: float = 0.0
) -> GEstimate:
    """Return G = |g_n| rho sqrt(M) with M the mean of delta_{s,-s'} |<b|X|b'>|^2 over the window |E(b',s') - E(b,s)|.

    |b,s> is the eigenstate without g_n nearest to `energy`. The prescription of the reference can be read in two ways:
    "joint" averages over all (b', s') in the window, those with s' = s counting as zeros, and takes rho as the density
    of the |b', s'>; "opposite" averages over s' = -s alone and takes the density of the bath. The first is sqrt(2)
    times the second, and the one that gives the reference's G = 0.67 for its chain of 9 spins at g = 0.2.

    Args:
        model: a grain with at least one localised spin.
        reading: "joint" or "opposite".
        window: half width, energy.
        energy: target.

    Raises:
        InputError: there is no localised spin, or a number is out of range.

    Cost: one eigendecomposition of the bath.

    Reference: W. De Roeck, F. Huveneers, Phys. Rev. B 95, 155129 (2017), arXiv:1608.01815, section V B.
    """
    check_choice("reading", reading, READINGS)
    reach = check_real("window", window, minimum=0, exclusive=True)
    bath, energies, vectors = _split_last(model)
    signs = np.array([1.0, -1.0])
    joint = energies[:, None] + model.fields[-1] * signs
    b, s = np.unravel_index(np.abs(joint - check_real("energy", energy)).argmin(), joint.shape)
    site = bath.num_grain_spins - 1 if model.layout == "lioms" else bath.num_sites - 1
    image = _flip(vectors[:, [b]], site, bath.num_sites)
    elements = np.abs(vectors.conj().T @ image)[:, 0] ** 2
    near = np.abs(joint - joint[b, s]) <= reach
    total = float(elements[near[:, 1 - s]].sum())
    if reading == "joint":
        terms, density = int(near.sum()), float(np.sum(np.abs(joint - energy) <= reach) / (2 * reach))
    else:
        terms = int(near[:, 1 - s].sum())
        density = float(np.sum(np.abs(energies - energy) <= reach) / (2 * reach))
    mean = total / max(terms, 1)
    return GEstimate(float(abs(model.couplings[-1]) * density * np.sqrt(mean)), density, mean)


def _fit_mean(edges: NDArray[np.float64], curve: NDArray[np.float64]) -> float:
    """Return the width of the Lorentzian, averaged over each bin, that is nearest to the curve."""

    def miss(log_width: float) -> float:
        steps = np.diff(np.arctan(edges / np.exp(log_width))) / (np.pi * np.diff(edges))
        return float(((steps - curve) ** 2).sum())

    guess = np.log(1 / (np.pi * max(float(curve.max()), 1e-300)))
    found = scipy.optimize.minimize_scalar(miss, bounds=(guess - 3, guess + 3), method="bounded")
    if not abs(float(found.x) - guess) < 2.9:
        raise NotConvergedError("The Lorentzian fit found no width: take other bins or more realizations.")
    return float(np.exp(found.x))


def _split_last(model: GrainModel) -> tuple[GrainModel, NDArray[np.float64], NDArray[Any]]:
    """Return the bath of the last localised spin, and its eigenvalues and eigenvectors."""
    if model.num_lioms == 0:
        raise InputError("The model must have at least one localised spin, the one that is added, but it has none.")
    bath = model.attach(fields=model.fields[:-1], couplings=model.couplings[:-1])
    energies, vectors = diagonalise(bath.to_matrix())
    return bath, energies, vectors


def _states_near(matrix: NDArray[Any], energy: float, count: int) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return eigenvalues and eigenvectors (columns) nearest to `energy`, without the rest of the spectrum."""
    spread = float(np.linalg.norm(matrix)) / np.sqrt(len(matrix))
    reach = 4 * count * spread / len(matrix)
    while True:
        levels, states = scipy.linalg.eigh(matrix, subset_by_value=(energy - reach, energy + reach))
        if levels.size >= count:
            chosen = nearest_levels(levels, energy, count)
            return levels[chosen], states[:, chosen]
        reach *= 2


def _flip(vectors: NDArray[Any], site: int, num_sites: int) -> NDArray[Any]:
    flipped: NDArray[Any] = vectors[np.arange(len(vectors)) ^ (1 << (num_sites - 1 - site))]
    return flipped


def _check_bins(edges: ArrayLike) -> NDArray[np.float64]:
    bins = check_finite_array("edges", edges, ndim=1)
    if bins.size < 2 or np.any(np.diff(bins) <= 0):
        raise InputError("Argument `edges` must hold at least two ascending values.")
    return bins
