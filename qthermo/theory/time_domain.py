"""C(t) of the diffuson: energy integral, then inverse Laplace transform along a line parallel to the imaginary axis."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import simpson
from scipy.interpolate import make_interp_spline

from qthermo.errors import NotConvergedWarning
from qthermo.models import BathEigenbasis
from qthermo.progress import Progress
from qthermo.theory.diffuson import Controls, DiffusonSolution, solve_diffuson
from qthermo.theory.fast_pairs import find_fast_pairs

__all__ = ["Contour", "build_contour", "diffuson_autocorrelation", "invert_cosine"]

_GROWTH = 1.5
_TOLERANCE = 3e-5
_CUTOFF = 8.0
_KNEE = 6.0


class Contour:
    """Where the propagator is needed: s = shift + i omega_j, E_m = centre + width tan(theta_m), |E_m - centre| < reach.

    omega_j = k sinh(j h), k = 6 shift, is even on the scale of the shift, below which nothing is sharper, and reaches
    the cutoff with few nodes. Beyond `reach` P_ab falls as delta_ab / E^2, which is added (`tail`); energies there
    would find nothing but single pairs of extreme coupling.
    """

    __slots__ = ("centre", "energies", "frequencies", "knee", "reach", "shift", "step", "weights")

    def __init__(
        self, *, shift: float, cutoff: float, centre: float, width: float, reach: float, nodes: tuple[int, int]
    ) -> None:
        self.shift, self.centre, self.reach = shift, centre, reach
        self.knee = _KNEE * shift
        self.step = np.arcsinh(cutoff / self.knee) / (nodes[1] - 1)
        self.frequencies = self.knee * np.sinh(self.step * np.arange(nodes[1]))
        last = np.arctan(reach / width)
        angles = last * ((2 * np.arange(nodes[0]) + 1) / nodes[0] - 1)
        self.energies = centre + width * np.tan(angles)
        self.weights = width * 2 * last / nodes[0] / np.cos(angles) ** 2

    @property
    def laplace(self) -> NDArray[np.complex128]:
        """The Laplace variable s at every frequency."""
        return np.asarray(self.shift + 1j * self.frequencies)

    @property
    def tail(self) -> float:
        """The integral of 1/(E - centre)^2 over all energies beyond the reach."""
        return 2 / self.reach


def build_contour(basis: BathEigenbasis, longest: float, nodes: tuple[int, int]) -> Contour:
    """Return a contour for times up to `longest`, wide enough for the couplings of the model."""
    rows = np.zeros(basis.energies.shape)
    for (a, b), block in basis.blocks.items():
        if a != b:
            square = np.abs(block) ** 2
            rows[a] += square.sum(axis=1)
            rows[b] += square.sum(axis=0)
    norms = np.sqrt(rows)
    shift = _GROWTH / max(longest, 1e-3)
    cutoff = _CUTOFF * float(np.quantile(norms, 0.75)) + 2 * float(np.ptp(basis.level_energies)) + 20 * shift
    centre = float(basis.energies.mean())
    width = 2 * float(np.std(basis.energies) + np.median(norms)) + shift
    reach = float(np.abs(basis.energies - centre).max()) + cutoff
    return Contour(shift=shift, cutoff=cutoff, centre=centre, width=width, reach=reach, nodes=nodes)


def diffuson_autocorrelation(
    basis: BathEigenbasis,
    times: NDArray[np.float64],
    controls: Controls,
    nodes: tuple[int, int],
    tolerance: float,
    progress: Progress,
) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, Any]]:
    """Return C(t) = Tr[Z(t) Z] / D at infinite temperature, its estimated error, and a report.

    With c(s) = int dE sum_ab z_a z_b P_ab / int dE sum_ab P_ab, the Laplace transform of C is c(s) / s (Parseval), and

        C(t) = 1 + (2/pi) e^{eta t} int_0^inf d omega cos(omega t) Re[(c(s) - 1) / s],     s = eta + i omega.

    Lines beyond the cutoff come from single pairs of states (`find_fast_pairs`) and are added as cosines.
    The denominator follows from Ward's identity on the same nodes, so that most of the quadrature's error cancels.
    The error is the change from leaving out every second frequency, plus that from every second energy, plus the tail
    beyond the cutoff, |f| min(cutoff/2, 1/t): what is left out there are oscillations faster than the cutoff.

    Args:
        basis: the model in the bath's eigenbasis.
        times: t >= 0.
        controls: of the diffuson.
        nodes: numbers of energies and of frequencies.
        tolerance: a larger error warns.
        progress: see `qthermo.solve`.

    Cost: one diffuson with complex s for each pair of an energy and a frequency.
    """
    controls = replace(controls, tolerance=max(controls.tolerance, _TOLERANCE))
    contour = build_contour(basis, float(times.max()), nodes)
    energies, laplace = np.meshgrid(contour.energies, contour.laplace, indexing="ij")
    values = basis.level_values
    solution = solve_diffuson(basis, energies.ravel(), laplace.ravel(), values[:, None], controls, progress)
    fast = find_fast_pairs(basis, float(contour.frequencies[-1]))
    inside = 1 - float(fast.shares[fast.frequencies > 2 * contour.reach].sum())
    tail_area = inside * contour.tail * float((values**2).sum()) * basis.num_bath_states
    grid = _collect(solution, contour, values, laplace)
    transforms = [_combine(grid, slice(k, None, n), tail_area / n) for k, n in ((0, 1), (0, 2), (1, 2))]
    full, *halves = [inside * invert_cosine(contour, transform, times, 1) for transform in transforms]
    coarse = inside * invert_cosine(contour, transforms[0], times, 2)
    last = transforms[0][-1].real
    cutoff = contour.frequencies[-1]
    tail = 2 / np.pi * np.exp(contour.shift * times) * abs(last) * np.minimum(cutoff / 2, 1 / np.maximum(times, 1e-9))
    errors = np.abs(full - coarse) + np.abs(halves[0] - halves[1]) / 2 + tail * (times > 0)
    if errors.max() > tolerance:
        warnings.warn(
            f"The inverse Laplace transform must be good to {tolerance:g}, but its error is estimated as "
            f"{errors.max():.2g} at t={times[np.argmax(errors)]:g}; raise `energy_nodes` and `frequency_nodes`, or "
            f"take shorter times.",
            NotConvergedWarning,
            stacklevel=3,
        )
    report = {"laplace_shift": contour.shift, "cutoff_frequency": float(cutoff), "fast_pairs": fast.weights.size}
    return np.where(times > 0, full + fast.correlator(times), 1.0), errors, report | solution.report


def _collect(
    solution: DiffusonSolution, contour: Contour, values: NDArray[np.float64], laplace: NDArray[Any]
) -> NDArray[Any]:
    """Return numerator, denominator and s at each node, weighted, shape (3, energy, frequency)."""
    signed = np.einsum("qam,a->q", solution.propagator, values).reshape(laplace.shape)
    total = ((values**2) @ solution.sums.densities.T).reshape(laplace.shape) * 2 / laplace
    weights = contour.weights[:, None]
    return np.stack([signed * weights, total * weights, laplace])


def _combine(grid: NDArray[Any], nodes: slice, tail: float) -> NDArray[Any]:
    """Return (c(s) - 1) / s from some of the energies, and what lies beyond them."""
    signed, total = grid[0, nodes].sum(axis=0) + tail, grid[1, nodes].sum(axis=0) + tail
    return np.asarray((signed / total - 1) / grid[2, 0])


def invert_cosine(
    contour: Contour, transform: NDArray[Any], times: NDArray[np.float64], stride: int
) -> NDArray[np.float64]:
    """Return 1 + (2/pi) e^{eta t} int d omega cos(omega t) Re f(omega), f a spline through every `stride`-th node."""
    positions = contour.step * np.arange(transform.size)
    spline = make_interp_spline(positions[::stride], transform.real[::stride], k=3)
    end = float(positions[::stride][-1])
    count = 2 * int(np.ceil(8 * contour.frequencies[-1] * max(times.max(), 1.0))) + 401
    omega = np.linspace(0, contour.knee * np.sinh(end), count)
    integrand = spline(np.arcsinh(omega / contour.knee))
    integrals = np.array([simpson(integrand * np.cos(omega * t), x=omega) for t in times])
    result = 1 + 2 / np.pi * np.exp(contour.shift * times) * integrals
    return np.asarray(np.where(times == 0, 1.0, result))
