"""Structure factors: how the bath operator's strength is spread over Bohr frequencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qthermo.checks import check_ascending, check_finite_array, check_real
from qthermo.errors import InputError
from qthermo.models import BathEigenbasis

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["BathSpectrum"]

_WIDE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BathSpectrum:
    """v(omega) of the bath part B of the coupling V = X (x) B, coupling strength included, diagonal part left out.

        v(omega) = (1/N) sum_{i != j} |B_ij|^2 delta(omega - e_j + e_i) = int dt/(2 pi) e^{i omega t} <B(t) B>,

    at infinite temperature, so that int v d omega = Tr B^2 / N (minus the diagonal). Even in omega.

    Args:
        frequencies: omega >= 0, ascending, starting at 0, energy.
        values: v >= 0, energy; zero beyond the last frequency.

    Raises:
        InputError: shapes differ, or a number is negative or not finite.
    """

    frequencies: NDArray[np.float64]
    values: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "frequencies", check_ascending("frequencies", self.frequencies))
        object.__setattr__(self, "values", check_finite_array("values", self.values, ndim=1))
        if self.values.shape != self.frequencies.shape:
            raise InputError(
                f"Argument `values` must have the shape {self.frequencies.shape} of `frequencies`, but has "
                f"{self.values.shape}."
            )
        if np.any(self.values < 0):
            raise InputError(f"Argument `values` must not be negative, but its least is {self.values.min():g}.")

    def __call__(self, omega: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return v at the given frequencies by linear interpolation."""
        return np.asarray(np.interp(np.abs(omega), self.frequencies, self.values, right=0.0))

    @classmethod
    def from_autocorrelation(
        cls, times: ArrayLike, correlator: ArrayLike, *, strength: float = 1.0, smoothing: float = 0.05
    ) -> BathSpectrum:
        """Transform samples of the bath's own autocorrelation <B(t) B> at infinite temperature.

        The samples may come from any method: exact diagonalisation, or tensor networks for chains beyond it. They are
        weighted by exp(-(smoothing t)^2 / 2), so that times up to about 4 / smoothing suffice. A constant part (the
        mean of the last tenth of the samples) is the diagonal of B and is taken out.

        Args:
            times: t >= 0, equally spaced from 0, with steps below pi / bandwidth.
            correlator: Re <B(t) B> at these times.
            strength: factor on v, the squared coupling g^2.
            smoothing: width of the Gaussian with which v is smoothed, energy.

        Raises:
            InputError: the times are not equally spaced from 0, or too short for the smoothing.
        """
        t = check_ascending("times", times)
        values = np.real(check_finite_array("correlator", correlator, ndim=1, complex_allowed=True))
        width = check_real("smoothing", smoothing, minimum=0, exclusive=True)
        if values.shape != t.shape or t.size < 4 or t[0] != 0 or not np.allclose(np.diff(t), t[1], rtol=1e-6):
            raise InputError("Argument `times` must be equally spaced from 0 and as many as the samples, but is not.")
        if t[-1] * width < 2.5:
            raise InputError(
                f"Argument `times` must reach 2.5 / smoothing = {2.5 / width:g}, but ends at {t[-1]:g}; take longer "
                f"times or a larger smoothing."
            )
        values = values - values[-max(t.size // 10, 1) :].mean()
        damped = values * np.exp(-0.5 * (width * t) ** 2)
        omega = width / 4 * np.arange(int(np.ceil(4 * np.pi / (t[1] * width))))
        weights = np.full(t.size, t[1])
        weights[0] /= 2
        spectrum = np.cos(np.outer(omega, t)) @ (weights * damped) / np.pi
        return cls(frequencies=np.array(omega, dtype=np.float64), values=strength * np.maximum(spectrum, 0.0))

    @classmethod
    def from_dataset(cls, data: xr.Dataset) -> BathSpectrum:
        """Take the answer of any method to the problem `StructureFactor`, at frequencies >= 0 starting from 0.

        That answer is int dt e^{i omega t} <B(t) B>, 2 pi times v. The diagonal of B (a peak at 0) stays in.

        Raises:
            InputError: the Dataset answers another problem.
        """
        if "structure_factor" not in data:
            raise InputError("Argument `data` must answer the problem StructureFactor, but has no `structure_factor`.")
        values = np.maximum(np.real(data["structure_factor"].values), 0.0) / (2 * np.pi)
        return cls(frequencies=data["frequency"].values, values=values)

    @classmethod
    def from_eigenbasis(cls, basis: BathEigenbasis, *, smoothing: float = 0.05, window: float = 1.5) -> BathSpectrum:
        """Sum |V_ij|^2 of the block between two levels over pairs whose mean energy is near the middle of the spectrum.

        Args:
            basis: a model of two thermometer levels in the bath's eigenbasis.
            smoothing: width of the Gaussian with which v is smoothed, energy.
            window: bath states i within this of the mean bath energy count, energy.
        """
        energies = basis.bath_energies
        weights = np.abs(basis.blocks[0, 1]) ** 2
        np.fill_diagonal(weights, 0.0)
        chosen = np.abs(energies - energies.mean()) <= window
        rows = weights[chosen] if chosen.any() else weights
        bohr = np.abs(energies[None, :] - (energies[chosen] if chosen.any() else energies)[:, None])
        fine = smoothing / 8
        count = int(np.ceil((np.ptp(energies) + _WIDE * smoothing) / fine)) + 1
        histogram = np.bincount((bohr / fine).round().astype(np.int64).ravel(), rows.ravel(), minlength=count)
        even = np.concatenate([histogram[:0:-1], histogram]) / (2 * len(rows) * fine)
        even[histogram.size - 1] *= 2
        kernel = np.exp(-0.5 * (fine * np.arange(-40, 41) / smoothing) ** 2)
        smooth = np.convolve(even, kernel / kernel.sum(), mode="same")[histogram.size - 1 :]
        omega: NDArray[np.float64] = fine * np.arange(smooth.size, dtype=np.float64)
        return cls(frequencies=np.asarray(omega, np.float64), values=smooth)
