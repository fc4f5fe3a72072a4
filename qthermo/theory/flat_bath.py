"""Cavity equation and ladder of a bath whose couplings depend on the energy difference only: integral equations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qthermo.theory.averaged_closure import LevelSums
from qthermo.theory.bath_spectrum import BathSpectrum

__all__ = ["FlatBathSolution", "golden_rule_rates", "solve_flat_bath"]

_LARGEST_GRID = 2**18


@dataclass(frozen=True, slots=True, eq=False)
class FlatBathSolution:
    """P_ab per density of states, shape (2, 2); Gamma_a(x) on the grid, shape (2, M); passes; residual."""

    propagator: NDArray[np.float64]
    broadenings: NDArray[np.float64]
    iterations: int
    residual: float


def golden_rule_rates(spectrum: BathSpectrum, levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return w_ab = 2 pi v(E_b - E_a), the golden-rule rate from level a to level b, shape (2, 2)."""
    rates = 2 * np.pi * spectrum(levels[None, :] - levels[:, None])
    np.fill_diagonal(rates, 0.0)
    return np.asarray(rates)


def solve_flat_bath(
    spectrum: BathSpectrum, levels: NDArray[np.float64], s: float, *, tolerance: float, max_iterations: int
) -> FlatBathSolution:
    """Solve cavity equation and ladder on a grid of bath energies x, relative to the total energy.

        Sigma_a(x) = int v(x' - x) G_b(x') dx',    G_a(x) = 1 / (i s/2 - x - E_a - Sigma_a(x)),
        X_ac(x) = |G_a(x)|^2 [ 1(a = c) + int v(x' - x) X_bc(x') dx' ],    P_ac = int X_ac dx,     b the other level.

    With a flat density of states int -Im G_a dx = pi exactly (G is analytic above the axis); the tails of P beyond the
    grid are 2/L. Convolutions by FFT, padded.

    Cost: O(M log M) per pass on M grid points, M about 10 bandwidths over s/4.
    """
    x, convolve = _grid(spectrum, levels, s)
    bare = 0.5j * s - x - levels[:, None]
    green = 1.0 / (bare + 0.5j * np.sqrt(spectrum.values.max() * spectrum.frequencies[-1]))
    iterations, residual = 0, np.inf
    sigma = np.zeros_like(green)
    while iterations < max_iterations and residual > tolerance:
        iterations += 1
        residual = 0.0
        for a in range(2):
            sigma[a] = convolve(green[1 - a])
            new = 1.0 / (bare[a] - sigma[a])
            residual = max(residual, float(np.abs(new / green[a] - 1).max()))
            green[a] = new
    if residual > tolerance:
        return FlatBathSolution(np.full((2, 2), np.nan), -sigma.imag, iterations, residual)
    propagator, more, residual = _solve_ladder(convolve, green, -sigma.imag, s, x, tolerance, max_iterations)
    return FlatBathSolution(propagator, -sigma.imag, iterations + more, residual)


def _grid(
    spectrum: BathSpectrum, levels: NDArray[np.float64], s: float
) -> tuple[NDArray[np.float64], Callable[[NDArray[np.complex128]], NDArray[np.complex128]]]:
    from scipy.fft import fft, ifft, next_fast_len

    share = np.cumsum(spectrum.values) / max(float(spectrum.values.sum()), 1e-300)
    band = float(spectrum.frequencies[np.searchsorted(share, 0.999)])
    reach = 4 * (band + np.ptp(levels)) + 20 * s
    step = min(s / 4, 0.02 * band)
    half = int(min(np.ceil(reach / step), _LARGEST_GRID // 2))
    step = reach / half
    x = step * np.arange(-half, half + 1)
    size = next_fast_len(2 * x.size)
    offsets = step * np.fft.fftfreq(size, 1 / size)
    kernel = fft(spectrum(offsets) * step)

    def convolve(values: NDArray[np.complex128]) -> NDArray[np.complex128]:
        return np.asarray(ifft(fft(values, size) * kernel)[: x.size])

    return x, convolve


def _solve_ladder(
    convolve: Callable[[NDArray[np.complex128]], NDArray[np.complex128]],
    green: NDArray[np.complex128],
    broadening: NDArray[np.float64],
    s: float,
    x: NDArray[np.float64],
    tolerance: float,
    max_iterations: int,
) -> tuple[NDArray[np.float64], int, float]:
    """Iterate X with the slow mode of each level set so that its integrals stay; return P, passes, residual."""
    step, weight = x[1] - x[0], np.abs(green) ** 2
    partial = np.zeros((2, 2, x.size, 1))
    partial[0, 1, :, 0], partial[1, 0, :, 0] = broadening
    sums = LevelSums.from_cavity(weight[:, :, None] * step, partial, np.array([s]))
    ladder = -green.imag[:, None, :] * sums.solve(sums.squares[:, :, None] * np.eye(2))[0][:, :, None]
    iterations, residual = 0, np.inf
    while iterations < max_iterations and residual > tolerance:
        iterations += 1
        new = np.empty_like(ladder)
        for a in range(2):
            for c in range(2):
                new[a, c] = weight[a] * ((a == c) + convolve(ladder[1 - a, c] + 0j).real)
        scales = sums.solve((new - ladder).sum(axis=2)[None] * step)[0]
        for a in range(2):
            new[a] += (weight[a] * broadening[a]) * scales[1 - a][:, None]
        residual = float(np.abs(new - ladder).max() / np.abs(new).max())
        ladder = new
    return ladder.sum(axis=2) * step + 2 / x[-1] * np.eye(2), iterations, residual
