"""The random-matrix theory of avalanches as plain functions: hybridisation, structure factors, and where it stops.

Energies in units of the model, hbar = 1; k and v are normalised, int k = 1 and int v = <V V>. Equations and their
numbers are those of W. De Roeck, F. Huveneers, Phys. Rev. B 95, 155129 (2017), arXiv:1608.01815. Two of its prefactors
are mended here: the half width of k is pi g^2 v (the paper leaves out pi), and equation 20 is normalised to 1.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qthermo.checks import check_integer, check_real

__all__ = [
    "CRITICAL_DECAY",
    "add_back_reaction",
    "back_reaction_weight",
    "broaden",
    "chain_widths",
    "crossover_length",
    "flow_coupling",
    "gaussian_factor",
    "hybridisation_parameter",
    "hybridisation_width",
    "log_ipr_of_spin",
    "log_ipr_of_structure_factor",
    "lorentzian",
    "shell_length",
    "spin_structure_factor",
    "spin_structure_factor_tail",
]

CRITICAL_DECAY = 1 / math.sqrt(2)
"""The decay alpha of g_i = g_1 alpha^(i-1) from which on the thermal region has no end: 1/zeta = log(2)/2."""


def lorentzian(omega: ArrayLike, width: float) -> NDArray[np.float64]:
    """Return k(omega) = 1 / (pi w (1 + (omega/w)^2)), w the half width at half height."""
    return np.asarray(1 / (np.pi * width * (1 + (np.asarray(omega) / width) ** 2)), np.float64)


def hybridisation_parameter(coupling: float, structure_factor: float, density: float) -> float:
    """Return G = g sqrt(v(2h) rho), equation 4; the spin thermalises where G >> 1."""
    return abs(coupling) * math.sqrt(structure_factor * density)


def hybridisation_width(coupling: float, structure_factor: float) -> float:
    """Return the half width w = pi g^2 v(2h) of k by the golden rule: half the decay rate 2 pi g^2 v."""
    return math.pi * coupling**2 * structure_factor


def broaden(structure_factor: NDArray[np.float64], omega: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Return v' = k * v * k on an even grid, equation 6: a convolution with a Lorentzian of half width 2w.

    What would leave the grid is lost; take a grid much wider than w.
    """
    step = omega[1] - omega[0]
    centred = (np.arange(2 * omega.size - 1) - (omega.size - 1)) * step
    # Each bin of the kernel is integrated, so that a width below the step keeps the weight.
    edges = np.arctan((centred + step / 2) / (2 * width)) - np.arctan((centred - step / 2) / (2 * width))
    return np.asarray(np.convolve(structure_factor, edges / np.pi, mode="valid"), np.float64)


def spin_structure_factor(omega: ArrayLike, field: float, width: float) -> NDArray[np.float64]:
    """Return v of X on the thermalised spin, equation 8: (k*k)(omega + 2h) / 2 + (k*k)(omega - 2h) / 2."""
    grid = np.asarray(omega)
    return (lorentzian(grid + 2 * field, 2 * width) + lorentzian(grid - 2 * field, 2 * width)) / 2


def spin_structure_factor_tail(omega: ArrayLike, field: float, width: float) -> NDArray[np.float64]:
    """Return v of X on the spin far from its peaks, (w/pi) [1/(2h - omega) + 1/(2h + omega)]^2, second order in g.

    X reaches a state at omega by two paths, the flip before or after the grain's transition, and their amplitudes add.
    Equation 8 takes them for independent and adds their squares: it lacks (w/pi) 2 / (4h^2 - omega^2), which raises v
    between the peaks and lowers it beyond them.

    Args:
        omega: at a distance from -2h and 2h that is large against w, energy.
        field: h.
        width: w = pi g^2 v(omega) of the bath, its half width k.
    """
    grid = np.asarray(omega)
    return np.asarray(width / np.pi * (1 / (2 * field - grid) + 1 / (2 * field + grid)) ** 2, np.float64)


def back_reaction_weight(coupling: float, field: float, bandwidth: float) -> float:
    """Return W = (g / max(xi, |h|))^2, the weight of each back-reaction peak, equation 13."""
    return (coupling / max(bandwidth, abs(field))) ** 2


def add_back_reaction(
    structure_factor: NDArray[np.float64], omega: NDArray[np.float64], *, coupling: float, field: float,
    width: float, bandwidth: float,
) -> NDArray[np.float64]:  # fmt: skip
    """Return (1 - 2W) k*v*k + W (k*k)(omega + 2h) + W (k*k)(omega - 2h), equation 14, with k for the cut-off k_0."""
    weight = back_reaction_weight(coupling, field, bandwidth)
    peaks = 2 * spin_structure_factor(omega, field, width)
    return (1 - 2 * weight) * broaden(structure_factor, omega, width) + weight * peaks


def flow_coupling(parameter: float, decay: float, num_spins: int = 1) -> float:
    """Return G after `num_spins` more thermalised spins: G' = G e^-a each, a = -log(alpha) - log(2)/2."""
    return parameter * (decay * math.sqrt(2)) ** num_spins


def crossover_length(grain_length: float, decay: float) -> float:
    """Return l_c = l_b log 2 / (2/zeta - log 2), equation 16; infinite from alpha = 1/sqrt(2) on.

    Args:
        grain_length: number of spins of the grain, l_b.
        decay: alpha = exp(-1/zeta), between 0 and 1.

    Raises:
        InputError: a number is out of range.
    """
    length = check_real("grain_length", grain_length, minimum=0)
    alpha = check_real("decay", decay, minimum=0, exclusive=True)
    excess = -2 * math.log(alpha) - math.log(2)
    return length * math.log(2) / excess if excess > 1e-12 else math.inf


def shell_length(grain_length: float, decay: float, dimension: int) -> float:
    """Return the least l >= 0 with C_d (l_b + l)^d log 2 <= 2 l / zeta, equation 17; infinite if there is none.

    C_d is the volume of the unit ball for d > 1; for d = 1 the spins stand on one side, C_1 = 1, which gives equation
    16 back.

    Args:
        grain_length: radius l_b of the grain, in lattice spacings.
        decay: alpha = exp(-1/zeta).
        dimension: d >= 1.

    Raises:
        InputError: a number is out of range.
    """
    d = check_integer("dimension", dimension, minimum=1)
    if d == 1:
        return crossover_length(grain_length, decay)
    length = check_real("grain_length", grain_length, minimum=0)
    rate = -2 * math.log(check_real("decay", decay, minimum=0, exclusive=True))
    volume = float(math.pi ** (d / 2) / math.gamma(d / 2 + 1) * math.log(2))
    if rate <= 0:
        return math.inf if length > 0 else 0.0
    # The difference f(r) = volume r^d - rate (r - l_b) has its minimum at r_0; below zero there it has two roots.
    lowest = float((rate / (volume * d)) ** (1 / (d - 1)))

    def excess(radius: float) -> float:
        return float(volume * radius**d - rate * (radius - length))

    if lowest <= length or excess(lowest) > 0:
        return math.inf if length > 0 else 0.0
    low, high = length, lowest
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high - length


def chain_widths(fields: ArrayLike, coupling: float, *, first_structure_factor: float) -> NDArray[np.float64]:
    """Return the half widths w_i of the spins of a chain, w_i = pi g^2 v_(i-1)(2 h_i), equations 19 and 20.

    Where fields differ by much more than w this is the recursion 21 with its prefactor,

        w_i = w_(i-1) (g/2)^2 [1/(h_i - h_(i-1))^2 + 1/(h_i + h_(i-1))^2],

    about (g/h)^2 w_(i-1) where neighbours differ by h/2: the widths shrink exponentially, with 2/zeta = 2 log(h/g).

    Args:
        fields: h_i of the spins, the nearest to the grain first.
        coupling: g between neighbours.
        first_structure_factor: v_0(2 h_1) of the grain's last spin.

    Limits: the two paths of `spin_structure_factor_tail` interfere, which makes the bracket
    [1/(h_(i-1) - h_i) + 1/(h_(i-1) + h_i)]^2: less where the field grows, more where it falls, and less by
    2 h_i h_(i-1) / (h_i^2 + h_(i-1)^2) in the geometric mean of a step up and one down.
    """
    h = np.atleast_1d(np.asarray(fields, np.float64))
    widths = np.empty(h.size)
    value = first_structure_factor
    for i in range(h.size):
        widths[i] = hybridisation_width(coupling, value)
        if i + 1 < h.size:
            value = float(spin_structure_factor(2 * h[i + 1], h[i], widths[i]))
    return widths


def gaussian_factor(*, is_real: bool) -> float:
    """Return log <|eta|^4> of normal matrix elements: log 3 if they are real, log 2 if complex; the paper takes 0."""
    return math.log(3 if is_real else 2)


def log_ipr_of_structure_factor(
    structure_factor: NDArray[np.float64], omega: NDArray[np.float64], density: float, *, is_real: bool = True
) -> float:
    """Return D = log(rho / int v^2) - log <|eta|^4> on an even grid."""
    square = float((structure_factor**2).sum() * (omega[1] - omega[0]))
    return math.log(density / square) - gaussian_factor(is_real=is_real)


def log_ipr_of_spin(width: float, density: float, *, is_real: bool = True) -> float:
    """Return D of X on a thermalised spin, log(8 pi rho w) - log <|eta|^4>: two Lorentzians of half width 2w."""
    return math.log(8 * math.pi * density * width) - gaussian_factor(is_real=is_real)
