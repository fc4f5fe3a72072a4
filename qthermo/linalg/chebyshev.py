"""e^{-iHt} psi at many times from one Chebyshev recursion, in real arithmetic wherever H and psi are real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal
from scipy.special import jv

from qthermo.linalg.chebyshev_kernels import accumulate

__all__ = ["ChebyshevEvolution", "Interval", "Step", "bound_spectrum", "count_terms", "evolve_chebyshev"]

Step = Callable[[NDArray[Any], NDArray[Any], NDArray[Any], float, float], None]
"""step(current, previous, out, scale, shift) sets out = scale (H - shift) current - previous."""

_BUFFER = 8
_SAFETY = 1.02
_NEGLIGIBLE = 1e-30


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval that holds the spectrum of H."""

    lower: float
    upper: float

    @property
    def centre(self) -> float:
        """The middle."""
        return (self.lower + self.upper) / 2

    @property
    def radius(self) -> float:
        """Half the width."""
        return (self.upper - self.lower) / 2


@dataclass(frozen=True, slots=True, eq=False)
class ChebyshevEvolution:
    """States at all times and what they cost.

    Args:
        parts: sums over even and over odd terms, shape (2, time, ...); complex if T_k start is.
        phases: e^{-i b t} at each time.
        num_terms: terms of the longest series.
        norm_error: largest relative change of the norm.
    """

    parts: NDArray[Any]
    phases: NDArray[np.complex128]
    num_terms: int
    norm_error: float

    def state(self, number: int) -> NDArray[np.complex128]:
        """Return e^{-iHt} start at one of the times."""
        even, odd = self.parts[:, number]
        evolved: NDArray[np.complex128] = self.phases[number] * (even + 1j * odd)
        return evolved

    def weights(self, number: int) -> NDArray[np.float64]:
        """Return |e^{-iHt} start|^2 at one of the times, component by component."""
        even, odd = self.parts[:, number]
        if np.iscomplexobj(even):
            return np.asarray((even.real - odd.imag) ** 2 + (even.imag + odd.real) ** 2)
        return np.asarray(even**2 + odd**2)


def bound_spectrum(step: Step, start: NDArray[Any], *, num_steps: int = 24) -> Interval:
    """Return an interval that holds the spectrum, from a few Lanczos steps.

    The extreme Ritz values lie inside; each is moved outwards by the residual of its Ritz vector, which bounds the
    distance to the next eigenvalue, and by 2 % of the width. No proof that nothing lies beyond: the caller compares the
    norm of what it evolves.

    Cost: `num_steps` products with H.
    Reference: Y. Zhou, R.-C. Li, doi:10.1016/j.laa.2010.06.034.
    """
    vector = start / np.linalg.norm(start)
    previous = np.zeros_like(vector)
    diagonal: list[float] = []
    off: list[float] = []
    work = np.empty_like(vector)
    zero = np.zeros_like(vector)
    for _ in range(num_steps):
        step(vector, zero, work, 1.0, 0.0)
        alpha = float(np.vdot(vector, work).real)
        work -= alpha * vector
        work -= (off[-1] if off else 0.0) * previous
        beta = float(np.linalg.norm(work))
        diagonal.append(alpha)
        off.append(beta)
        if beta <= 1e-12 * max(1.0, abs(alpha)):
            break
        previous, vector = vector, work / beta
    values, vectors = eigh_tridiagonal(np.array(diagonal), np.array(off[:-1]))
    residuals = off[-1] * np.abs(vectors[-1])
    lower, upper = values[0] - residuals[0], values[-1] + residuals[-1]
    margin = max(0.5 * (_SAFETY - 1) * (upper - lower), 1e-12 * max(1.0, abs(lower), abs(upper)))
    return Interval(float(lower - margin), float(upper + margin))


def count_terms(phase: float, tolerance: float) -> int:
    """Return how many terms of e^{-i phase x} = sum_k (2 - delta_k0) (-i)^k J_k(phase) T_k(x) reach the tolerance.

    J_k(phase) < (e phase / 2k)^k falls faster than exponentially beyond k = phase; the terms left out sum to less than
    twice the first one, which is compared with the tolerance.
    """
    k = int(phase) + 1
    width = max(4, int(2 * (phase + 1) ** (1 / 3)))
    while float(np.abs(jv(np.array([k, k + 1]), phase)).sum()) > tolerance / 4:
        k += width
    return k + 1


def evolve_chebyshev(
    step: Step,
    start: NDArray[Any],
    times: NDArray[np.float64],
    bounds: Interval,
    *,
    tolerance: float,
    notify: Callable[[float], None] = lambda share: None,
) -> ChebyshevEvolution:
    """Return e^{-iHt} start at all times t >= 0 from one recursion.

    e^{-iHt} = e^{-i b t} sum_k (2 - delta_k0) (-i)^k J_k(R t) T_k((H - b)/R) with the interval's centre b and
    radius R. If H and the start are real so is T_k start: even k then add to the real part only and odd k to the
    imaginary part, at half the arithmetic and storage.

    Args:
        step: the recursion's product with H.
        start: real or complex; its type is that of all T_k start.
        times: t >= 0, ascending, 1/energy.
        bounds: an interval that holds the spectrum; if it does not, the norm explodes.
        tolerance: largest sum of the terms left out.
        notify: called with the share of terms done.

    Returns:
        States and diagnostics; `norm_error` is the largest change of the norm.

    Cost: R t_max + O((R t_max)^(1/3)) products with H; each time adds one multiplication per component and term.
    Memory: 2 numbers per component and time, and a buffer of 16 vectors.
    Reference: H. Tal-Ezer, R. Kosloff, J. Chem. Phys. 81, 3967 (1984).
    """
    shape, size = start.shape, start.size
    radius = max(bounds.radius, 1e-300)
    num_terms = max(2, count_terms(radius * float(times[-1]), tolerance))
    is_complex = np.iscomplexobj(start)
    width = 2 * size if is_complex else size
    parts = np.zeros((2, times.size, width))
    buffers = np.empty((2, _BUFFER, *shape), start.dtype)
    flat = buffers.view(np.float64).reshape(2, _BUFFER, width)
    coefficients = _coefficients(num_terms, radius * times)
    filled, zero = 0, np.zeros_like(start)
    previous, current = zero, start
    for k in range(num_terms):
        slot = buffers[k % 2, filled]
        if k == 0:
            slot[...] = start
        else:
            step(current, zero if k == 1 else previous, slot, (1.0 if k == 1 else 2.0) / radius, bounds.centre)
        previous, current = current, slot
        if k % 2 == 1 or k == num_terms - 1:
            filled += 1
        if filled == _BUFFER or k == num_terms - 1:
            _flush(parts, flat, coefficients, k, filled)
            filled = 0
            notify((k + 1) / num_terms)
    sums = (parts.view(np.complex128) if is_complex else parts).reshape(2, times.size, *shape)
    evolution = ChebyshevEvolution(sums, np.exp(-1j * bounds.centre * times), num_terms, 0.0)
    norms = np.sqrt([evolution.weights(t).sum() for t in range(times.size)]) / np.linalg.norm(start)
    return replace(evolution, norm_error=float(np.abs(norms - 1).max()))


def _coefficients(num_terms: int, phases: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (2 - delta_k0) J_k(phase) with the signs of (-i)^k: 1, -1, -1, 1, repeating; shape (term, time)."""
    k = np.arange(num_terms)
    values = 2.0 * jv(k[:, None], phases[None, :])
    values[0] /= 2
    return np.asarray(values * np.array([1.0, -1.0, -1.0, 1.0])[k % 4][:, None])


def _flush(
    parts: NDArray[np.float64],
    flat: NDArray[np.float64],
    coefficients: NDArray[np.float64],
    last: int,
    filled: int,
) -> None:
    """Add the buffered terms up to number `last` to the sums over even and over odd terms."""
    first = last - (last % 2) - 2 * (filled - 1)
    for parity in range(2):
        weights = coefficients[first + parity : last + 1 : 2].T
        late = int(
            np.argmax(np.abs(weights).max(axis=1, initial=0.0) > _NEGLIGIBLE)
        )  # times ascend: earlier ones are done
        if weights.size:
            accumulate(parts[parity, late:], np.ascontiguousarray(weights[late:]), flat[parity])
