"""The joint propagator of thermometer populations in the Laplace domain."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, Variable
from qthermo.checks import check_finite_array, check_real, frozen
from qthermo.errors import InputError
from qthermo.models import BathEigenbasis, Model
from qthermo.problems.checks import check_model_type

__all__ = ["Propagator", "propagator_answer"]

_QUANTILES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])


_LOG_BINS = np.linspace(-6.0, 3.0, 91)


@dataclass(frozen=True, slots=True, eq=False)
class Propagator:
    """The joint propagator of thermometer populations, P_ab(E,s) = sum_ij |G_{(ia),(jb)}(E + i s/2)|^2.

    G(z) = (z - H)^-1; i, j run over bath states, a, b over thermometer levels (level 0 has Z = +1 for a spin).

    Args:
        model: the model.
        energies: E, shape (num_energies,), energy.
        laplace: s, real and positive or complex with positive real part, shape (num_laplace,), in units of energy; the
            convention is int_0^inf dt e^{-st}. At complex s the second G of P_ab is taken at (E - is/2)^*.
        energy_window: standard deviation of a Gaussian p(E) around each energy, over which P_ab is averaged; the
            density of states at E decides the temperature that the thermometer is to reach.

    Raises:
        InputError: an energy is not finite, a Laplace variable has no positive real part, or the window is negative.

    The answer holds `propagator` (energy, laplace, initial, final), `autocorrelation` c(E,s) =
    sum_ab z_a z_b P_ab / sum_ab P_ab (energy, laplace), and the distribution of the level broadenings Gamma_k =
    -Im Sigma_k(E + is/2): `typical_broadening` exp <log Gamma>, `mean_broadening`, `broadening_quantile` (energy,
    laplace, quantile) and `broadening_histogram` (energy, laplace, log10_broadening), a density over log10 Gamma.

    Reference: A. V. Lunkin, arXiv:2603.12234.
    """

    model: Model
    energies: NDArray[np.float64] = field(kw_only=True)
    laplace: NDArray[Any] = field(kw_only=True)
    energy_window: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        check_model_type(self.model)
        object.__setattr__(self, "energy_window", check_real("energy_window", self.energy_window, minimum=0))
        for name in ("energies", "laplace"):
            given = np.atleast_1d(np.asarray(getattr(self, name)))
            values = check_finite_array(name, given, ndim=1, complex_allowed=name == "laplace")
            if values.size == 0:
                raise InputError(f"Argument `{name}` must hold at least one value, but is empty.")
            object.__setattr__(self, name, frozen(values))
        least = float(self.laplace.real.min())
        if least <= 0:
            raise InputError(
                f"Argument `laplace` must be positive (if complex: its real part), but is {least:g} somewhere."
            )

    @property
    def window_nodes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Offsets and weights of the average over the window, at most Re(s)/2 apart (P is analytic on that scale)."""
        if self.energy_window == 0:
            return np.zeros(1), np.ones(1)
        spacing = min(float(self.laplace.real.min()) / 2, self.energy_window / 2)
        half = math.ceil(5 * self.energy_window / spacing)
        offsets = spacing * np.arange(-half, half + 1)
        weights = np.exp(-0.5 * (offsets / self.energy_window) ** 2)
        normalised: NDArray[np.float64] = weights / weights.sum()
        return np.asarray(offsets, np.float64), normalised

    @property
    def points(self) -> tuple[NDArray[np.float64], NDArray[Any]]:
        """All points (E, s) to solve, as two flat arrays in the order (energy, laplace, window node)."""
        offsets, _ = self.window_nodes
        energies, laplace, shift = np.meshgrid(self.energies, self.laplace, offsets, indexing="ij")
        return (energies + shift).ravel(), laplace.ravel()


def propagator_answer(
    problem: Propagator,
    basis: BathEigenbasis,
    propagator: NDArray[Any],
    broadenings: NDArray[np.float64],
    *,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer from P_ab, shape (q, d, d), and Gamma_k, shape (q, d*N), at the q `problem.points`."""
    weights = problem.window_nodes[1]
    grid = (problem.energies.size, problem.laplace.size, weights.size)
    joint = np.einsum("eswab,w->esab", propagator.reshape(*grid, *propagator.shape[1:]), weights)
    signed = np.einsum("esab,a,b->es", joint, basis.level_values, basis.level_values)
    point = ("energy", "laplace")
    levels = np.arange(basis.num_levels)
    return Answer(
        variables={
            "autocorrelation": Variable(
                point, signed / joint.sum(axis=(-2, -1)), "1", "c(E,s) = sum_ab z_a z_b P_ab / sum_ab P_ab"
            ),
            "propagator": Variable((*point, "initial", "final"), joint, "1/energy^2", "P_ab(E,s)"),
            **_broadening_variables(broadenings.reshape(*grid, -1), weights),
        },
        coordinates={
            "energy": problem.energies,
            "laplace": problem.laplace,
            "initial": levels,
            "final": levels,
            "quantile": _QUANTILES,
            "log10_broadening": (_LOG_BINS[1:] + _LOG_BINS[:-1]) / 2,
        },
        diagnostics=diagnostics or {},
    )


def _broadening_variables(broadenings: NDArray[np.float64], weights: NDArray[np.float64]) -> dict[str, Variable]:
    """Return the statistics of Gamma_k, shape (energy, laplace, node, d*N), over states and window."""
    positive = np.maximum(broadenings, 1e-300)
    logs = np.log(positive)
    typical = np.exp(np.einsum("eswk,w->es", logs, weights) / logs.shape[-1])
    mean = np.einsum("eswk,w->es", broadenings, weights) / logs.shape[-1]
    flat = logs.reshape(*logs.shape[:2], -1)
    inside = np.clip(flat / np.log(10), _LOG_BINS[0], _LOG_BINS[-1])  # the outermost bins hold what lies beyond
    spread = np.repeat(weights, logs.shape[-1])
    quantiles = np.quantile(
        flat, _QUANTILES, axis=-1, weights=np.broadcast_to(spread, flat.shape), method="inverted_cdf"
    )
    histogram = np.apply_along_axis(
        lambda row: np.histogram(row, bins=_LOG_BINS, weights=spread)[0] / logs.shape[-1], -1, inside
    ) / np.diff(_LOG_BINS)
    point = ("energy", "laplace")
    return {
        "typical_broadening": Variable(point, typical, "energy", "exp of the mean log Gamma_k"),
        "mean_broadening": Variable(point, mean, "energy", "mean of Gamma_k"),
        "broadening_quantile": Variable(
            (*point, "quantile"), np.exp(np.moveaxis(quantiles, 0, -1)), "energy", "quantiles of Gamma_k"
        ),
        "broadening_histogram": Variable(
            (*point, "log10_broadening"), histogram, "1", "probability density of log10(Gamma_k / energy)"
        ),
    }
