"""`BandLadder`: quantum diffusion of random band matrices without a free parameter."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import jv

from qthermo.answers import Answer
from qthermo.errors import UnsupportedError, ValidityWarning
from qthermo.models import BandMatrixModel
from qthermo.problems import Problem, WavePacket, wave_packet_answer
from qthermo.progress import Progress

__all__ = ["BandLadder", "jump_probabilities"]

_SLACK = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class BandLadder:
    """p_t(x) = sum_n P(n; t) S^n(x): a walk with the steps S(r) = <|H_(x,x+r)|^2>, its number of steps quantum.

    P(n; t) = 4 (n+1)^2 J_(n+1)(2t)^2 / (2t)^2 for rows with sum_r S(r) = 1, the ladder diagrams of the expansion in
    Chebyshev polynomials of the second kind. Then msd = sigma^2 sum_n n P(n; t) -> sigma^2 16 t / (3 pi), sigma^2 the
    variance of one step, W (W+1)/3 for the box; the kurtosis tends to 3.123, not to a Gaussian's 3.

    Errors: corrections of relative size t / (5 W^2) for complex Hermitian matrices, and weak localisation, about
    0.7 sqrt(t) / W, for real symmetric ones; beyond 5 % a `ValidityWarning` says so.
    Cost: one FFT per time.
    Reference: L. Erdos, A. Knowles, Commun. Math. Phys. 303, 509 (2011), arXiv:1002.1695.
    """

    answers: ClassVar[tuple[type, ...]] = (WavePacket,)

    def check(self, problem: Problem) -> None:
        """Accept band matrices."""
        if isinstance(problem, WavePacket) and not isinstance(problem.model, BandMatrixModel):
            raise UnsupportedError(f"BandLadder needs a band matrix, but got `{problem.model.family}`.")

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        return 16.0 * 8 * problem.model.dimension

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Sum the ladder in Fourier space."""
        if not isinstance(problem, WavePacket) or not isinstance(problem.model, BandMatrixModel):
            raise UnsupportedError(f"BandLadder does not answer {type(problem).__name__}.")
        model = problem.model
        (size,), total = model.shape, float(model.variances.sum())
        steps = np.zeros(size)
        np.add.at(steps, np.arange(-model.half_width, model.half_width + 1) % size, model.variances / total)
        factors = np.fft.rfft(steps).real
        shift = int((problem.origin or (0,))[0])
        error = _estimate_error(model, float(problem.times[-1]) * total**0.5)
        _warn(error)

        def weights(k: int) -> NDArray[np.float64]:
            progress(k / problem.times.size, "ladder")
            shares = jump_probabilities(float(problem.times[k]) * total**0.5)
            return np.roll(np.fft.irfft(np.polynomial.polynomial.polyval(factors, shares), size), shift)

        return wave_packet_answer(problem, weights, diagnostics={"estimated_relative_error": error})


def jump_probabilities(time: float) -> NDArray[np.float64]:
    """Return P(n; t) = 4 (n+1)^2 J_(n+1)(2t)^2 / (2t)^2 for n = 0, 1, ... until the rest is below 1e-15."""
    if time == 0:
        return np.ones(1)
    last = int(2 * time + 12 * (2 * time + 1) ** (1 / 3)) + 12
    n = np.arange(1, last + 1)
    return np.asarray((n * jv(n, 2 * time) / time) ** 2, np.float64)


def _estimate_error(model: BandMatrixModel, time: float) -> float:
    """Return the relative deficit of the msd, fitted to simulations with W = 8 .. 64 and t up to 64."""
    W = model.half_width
    return 0.7 * time**0.5 / W if model.is_real else 0.2 * time / W**2


def _warn(error: float) -> None:
    if error > _SLACK:
        warnings.warn(
            f"The ladder leaves out localisation, and the last time deviates by about {100 * error:.0f} %: take "
            "earlier times or a wider band, or compare with Chebyshev.",
            ValidityWarning,
            stacklevel=4,
        )
