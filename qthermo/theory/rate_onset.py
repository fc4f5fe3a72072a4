"""How the rates of a band chain set in: second order of the time-convolutionless expansion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline
from scipy.linalg import expm

from qthermo.models import BandChainModel
from qthermo.theory.band_rates import RateMatrix, box_sum_density, build_rates, pair_strength

__all__ = ["OnsetRates", "build_onset_rates"]

_STEP = np.pi / 16
"""Spacing of the table of g, in units of 1/(largest width)."""
_PANELS = 20_000
"""Panels of 16 spacings up to which g is tabulated; there it has come within 1/(pi^2 _PANELS) of 1."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)


@dataclass(frozen=True, slots=True, eq=False)
class OnsetRates:
    """dP/dt = sum_k g_k(t) G_k P, each part of the rates with the bands' own onset, g_k(0) = 0, g_k(oo) = 1.

    Args:
        parts: the rates of pairs of bands with the same four widths.
        widths: those widths, without zeros, energy.
    """

    parts: tuple[RateMatrix, ...]
    widths: tuple[tuple[float, ...], ...]

    def evolve(self, start: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return P(t), shape (time, configuration); with one part the rates' own P at the time int_0^t g.

        Several parts do not commute: the time is cut into panels of pi / (largest width), in each the exponential of
        the integrated rates (first order of Magnus).
        """
        grid = np.asarray(times, np.float64)
        end = float(grid.max(initial=0.0))
        elapsed = [onset_time(widths, end) for widths in self.widths]
        if len(self.parts) == 1:
            return self.parts[0].evolve(start, elapsed[0](grid))
        stops = np.unique(np.concatenate([_stops(end, max(max(widths) for widths in self.widths)), grid, [0.0]]))
        clocks = np.stack([clock(stops) for clock in elapsed])
        generators = np.stack([part.generator for part in self.parts])
        found, state = [np.asarray(start, np.float64)], np.asarray(start, np.float64)
        for step in np.diff(clocks, axis=1).T:
            state = expm(np.tensordot(step, generators, axes=1)) @ state
            found.append(state)
        return np.array(found)[np.searchsorted(stops, grid)]


def build_onset_rates(model: BandChainModel) -> OnsetRates:
    """Return the rates of a band chain with their onset after about 1/band_width.

    S_ab(t) = 2 lambda^2 n_a n_b int_0^t prod_i sinc(delta_i s / 2) ds over the widths delta_i of the four bands, the
    second order in lambda for states that are random in every configuration; its limit is 2 pi lambda^2
    int rho_a rho_b dE. For two bands of width delta the rates come late by (2 / pi delta) (ln(delta t) + 1.577).

    Cost: as `build_rates`; unequal widths need one exponential for every pi / band_width of time.

    Raises:
        InputError: two single levels are coupled, so that no continuum is there to decay into.

    Reference: H.-P. Breuer, J. Gemmer, M. Michel, Phys. Rev. E 73, 016139 (2006), doi:10.1103/PhysRevE.73.016139.
    """
    space = model.space
    full = build_rates(model)
    found: dict[tuple[float, ...], NDArray[np.float64]] = {}
    for link in space.links:
        left, right = space.frame(link)
        value = left * right * pair_strength(model, *link.pairs)
        bands = [model.bands[band] for pair in link.pairs for band in pair]
        widths = tuple(sorted(band.width for band in bands if band.width > 0))
        strengths = found.setdefault(widths, np.zeros_like(full.strengths))
        strengths[link.row, link.column] += value
        strengths[link.column, link.row] += value
    if not found:
        return OnsetRates((full,), ((1.0,),))
    return OnsetRates(tuple(RateMatrix(part, full.dimensions) for part in found.values()), tuple(found))


def onset_time(widths: tuple[float, ...], end: float) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return t -> int_0^t g(s) ds for t <= end, g(t) = int_0^t f / int_0^oo f, f(s) = prod_i sinc(delta_i s / 2)."""
    spacing = _STEP / max(widths)
    count = max(int(np.ceil(min(end / spacing, 16.0 * _PANELS))), 4)
    grid = np.asarray(spacing * np.arange(count + 1), np.float64)
    inner = np.asarray(grid[:-1, None] + spacing * (1 + _NODES) / 2, np.float64)
    pieces = (_sincs(widths, inner) @ _WEIGHTS) * spacing / 2
    integral = np.concatenate([[0.0], np.cumsum(pieces)])
    limit = np.pi * box_sum_density(widths)
    clock = CubicHermiteSpline(grid, integral / limit, _sincs(widths, grid) / limit).antiderivative()
    last = float(grid[-1])

    def elapsed(times: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(clock(np.minimum(times, last)) + np.maximum(times - last, 0.0))

    return elapsed


def _sincs(widths: tuple[float, ...], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return prod_i sin(delta_i s / 2) / (delta_i s / 2)."""
    return np.asarray(np.prod([np.sinc(width * times / (2 * np.pi)) for width in widths], axis=0))


def _stops(end: float, width: float) -> NDArray[np.float64]:
    """Return the ends of the panels, eight times finer at first, where the parts of the rates set in."""
    panel = np.pi / width
    fine = np.arange(0.0, min(end, 20 * panel), panel / 8)
    return np.concatenate([fine, np.arange(20 * panel, min(end, _PANELS * panel), panel)])
