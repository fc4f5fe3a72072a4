"""exp(t A) v along a grid of times, by Arnoldi with a step that keeps the estimated error below a tolerance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from qthermo.errors import NotConvergedError

__all__ = ["KrylovPoint", "evolve_exponential"]

_MOST_BASES = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class KrylovPoint:
    """exp(t A) v at one time, the products with A and the error estimate accumulated so far."""

    vector: NDArray[Any]
    num_products: int
    error: float


def evolve_exponential(
    apply: Callable[[NDArray[Any]], NDArray[Any]],
    start: NDArray[Any],
    times: NDArray[np.float64],
    *,
    tolerance: float = 1e-10,
    krylov_dim: int = 30,
) -> Iterator[KrylovPoint]:
    """Yield exp(t A) v at ascending times t >= 0.

    In each Krylov space K of dimension m the exponential is approximated by |v| V exp(t H) e_1 and its error by the
    last entry of the next term, h_{m+1,m} |v| int_0^t e_m exp(s H) e_1 ds. Every requested time that a space reaches
    is read from it.

    Args:
        apply: v -> A v on flat arrays.
        start: v.
        times: ascending.
        tolerance: bound on the estimated error over the whole path, relative to |v|.
        krylov_dim: m; memory is m + 1 vectors.

    Raises:
        NotConvergedError: the steps became too small for the times asked.

    Cost: about sqrt(5 t |A|) products for a real negative spectrum and short t, growing in proportion to t beyond.

    Reference: Y. Saad, SIAM J. Numer. Anal. 29, 209 (1992).
    """
    now, vector, products, error = 0.0, start, 0, 0.0
    pending = list(times)
    end = float(pending[-1])
    rate = tolerance * float(np.linalg.norm(start)) / end if end > 0 else tolerance
    while pending and pending[0] <= now:
        yield KrylovPoint(vector, products, error)
        pending.pop(0)
    for _ in range(_MOST_BASES):
        if not pending:
            return
        basis, hessenberg, spent = _arnoldi(apply, vector, min(krylov_dim, vector.size))
        products += spent
        norm = float(np.linalg.norm(vector))
        step, local = _choose_step(hessenberg, norm, end - now, rate)
        if step < 1e-12 * end:
            break
        while pending and pending[0] <= now + step * (1 + 1e-14):
            here = min(pending.pop(0) - now, step)
            part = norm * (_exponential(hessenberg, here) @ basis)
            yield KrylovPoint(part, products, error + local * here / step)
        vector = norm * (_exponential(hessenberg, step) @ basis)
        now, error = now + step, error + local
    if pending:
        raise NotConvergedError(
            f"The evolution must reach t = {end:g}, but its Krylov steps became too small at t = {now:g}; "
            "raise the tolerance or shorten the times."
        )


def _arnoldi(
    apply: Callable[[NDArray[Any]], NDArray[Any]], start: NDArray[Any], size: int
) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Return orthonormal rows V (m, N) and H of shape (m + 1, m), or (m, m) if the space is invariant."""
    dtype = start.dtype
    basis = np.empty((size + 1, start.size), dtype)
    hessenberg = np.zeros((size + 1, size), dtype)
    basis[0] = start / np.linalg.norm(start)
    scale = 0.0
    for k in range(size):
        image = apply(basis[k])
        scale = max(scale, float(np.linalg.norm(image)))
        for _ in range(2):
            overlap = basis[: k + 1].conj() @ image
            image = image - overlap @ basis[: k + 1]
            hessenberg[: k + 1, k] += overlap
        length = float(np.linalg.norm(image))
        if length <= 1e-14 * scale:
            return basis[: k + 1], hessenberg[: k + 1, : k + 1], k + 1
        hessenberg[k + 1, k] = length
        basis[k + 1] = image / length
    return basis[:size], hessenberg, size


def _exponential(hessenberg: NDArray[Any], step: float) -> NDArray[Any]:
    size = hessenberg.shape[1]
    column: NDArray[Any] = scipy.linalg.expm(step * hessenberg[:size])[:, 0]
    return column


def _choose_step(hessenberg: NDArray[Any], norm: float, longest: float, rate: float) -> tuple[float, float]:
    """Return a step whose error estimate stays below rate * step, and the estimate."""
    size = hessenberg.shape[1]
    if hessenberg.shape[0] == size:
        return longest, 0.0
    augmented = np.zeros((size + 1, size + 1), hessenberg.dtype)
    augmented[: size + 1, :size] = hessenberg
    step = longest
    for _ in range(200):
        error = norm * float(abs(scipy.linalg.expm(step * augmented)[size, 0]))
        if np.isfinite(error) and error <= rate * step:
            return step, error
        shrink = 0.5 if not np.isfinite(error) else 0.9 * (rate * step / error) ** (1 / size)
        step *= min(max(shrink, 0.1), 0.95)
    return 0.0, np.inf
