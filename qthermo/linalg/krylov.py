"""Krylov subspaces of a linear map given as a callable: its exponential on a vector, also along times, lowest pair."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from qthermo.errors import NotConvergedError

__all__ = ["KrylovPoint", "KrylovResult", "apply_exponential", "evolve_exponential", "find_lowest"]

Apply = Callable[[NDArray[Any]], NDArray[Any]]
_MAX_HALVINGS = 20
_MOST_BASES = 100_000
_BREAKDOWN = 1e-14


@dataclass(frozen=True, slots=True, eq=False)
class KrylovPoint:
    """exp(t A) v at one time, the products with A and the error estimate accumulated so far."""

    vector: NDArray[Any]
    num_products: int
    error: float


@dataclass(frozen=True, slots=True)
class KrylovResult:
    """A vector, the number of applications of the map, the estimated error, and for eigenpairs the value."""

    vector: NDArray[Any]
    num_applications: int
    residual: float
    value: float = 0.0


class _Subspace:
    """An orthonormal Krylov basis, grown one vector at a time with two passes of Gram-Schmidt."""

    def __init__(self, apply: Apply, vector: NDArray[Any], max_dim: int, dtype: Any) -> None:
        self.apply = apply
        self.norm = float(np.linalg.norm(vector))
        self.basis = np.empty((max_dim + 1, vector.size), dtype)
        self.basis[0] = vector / self.norm if self.norm > 0 else vector
        self.projected = np.zeros((max_dim + 1, max_dim), dtype)
        self.size = 0
        self.scale = 1e-300

    def grow(self, image: NDArray[Any] | None = None) -> bool:
        """Take in one more vector, the map's image of the last; return False where the subspace is closed."""
        j = self.size
        new = self.apply(self.basis[j]) if image is None else image
        known = self.basis[: j + 1]
        self.scale = max(self.scale, float(np.linalg.norm(new)))
        first = known.conj() @ new
        new = new - first @ known
        second = known.conj() @ new
        new -= second @ known
        self.projected[: j + 1, j] = first + second
        length = float(np.linalg.norm(new))
        self.projected[j + 1, j] = length
        self.size = j + 1
        if length <= _BREAKDOWN * self.scale:
            return False
        self.basis[j + 1] = new / length
        return True


def apply_exponential(
    apply: Apply, vector: NDArray[Any], factor: complex, *, tolerance: float = 1e-12, max_dim: int = 30
) -> KrylovResult:
    """Return exp(factor A) v for a linear map A.

    The map needs no symmetry: the projection on the Krylov subspace is a Hessenberg matrix, tridiagonal for a
    Hermitian or an antisymmetric A. Where `max_dim` vectors do not reach the tolerance, the factor is halved.

    Args:
        apply: v -> A v, for flat arrays.
        vector: v, flat, real or complex; the result is real if v, A and the factor are.
        factor: for example -1j * time_step.
        tolerance: of the error estimate relative to |v|.
        max_dim: largest subspace.

    Reference: Y. Saad, SIAM J. Numer. Anal. 29, 209 (1992), doi:10.1137/0729014.
    """
    scalar = factor.real if isinstance(factor, complex) and factor.imag == 0 else factor
    done, pieces, count, residual, current, level = 0.0, 1.0, 0, 0.0, vector, 0
    while done < 1.0:
        piece = min(pieces, 1.0 - done)
        found = _exponential_once(apply, current, scalar * piece, tolerance * piece, max_dim)
        count += found.num_applications
        if found.residual > tolerance * piece and level < _MAX_HALVINGS:
            pieces, level = pieces / 2, level + 1
            continue
        current, done, residual = found.vector, done + piece, residual + found.residual
    return KrylovResult(current, count, residual)


def _exponential_once(
    apply: Apply, vector: NDArray[Any], factor: complex, tolerance: float, max_dim: int
) -> KrylovResult:
    image = apply(vector)
    dtype = np.result_type(vector.dtype, image.dtype, np.asarray(factor).dtype, np.float64)
    space = _Subspace(apply, vector, min(max_dim, vector.size), dtype)
    if space.norm == 0.0:
        return KrylovResult(vector.astype(dtype), 1, 0.0)
    column, residual = np.ones(1, dtype), np.inf
    while space.size < space.projected.shape[1]:
        open_ended = space.grow(image / space.norm if space.size == 0 else None)
        m = space.size
        if open_ended and m % 2 and m < space.projected.shape[1]:
            continue
        column = scipy.linalg.expm(factor * space.projected[:m, :m])[:, 0]
        residual = abs(factor * space.projected[m, m - 1] * column[-1]) if open_ended else 0.0
        if residual <= tolerance:
            break
    result = space.norm * (column @ space.basis[: column.size])
    return KrylovResult(result, space.size, float(residual))


def evolve_exponential(
    apply: Apply,
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
        basis, hessenberg, norm = _fill_subspace(apply, vector, krylov_dim)
        products += hessenberg.shape[1]
        step, local = _choose_step(hessenberg, norm, end - now, rate)
        if step < 1e-12 * end:
            break
        while pending and pending[0] <= now + step * (1 + 1e-14):
            here = min(pending.pop(0) - now, step)
            part = norm * (_first_column(hessenberg, here) @ basis)
            yield KrylovPoint(part, products, error + local * here / step)
        vector = norm * (_first_column(hessenberg, step) @ basis)
        now, error = now + step, error + local
    if pending:
        raise NotConvergedError(
            f"The evolution must reach t = {end:g}, but its Krylov steps became too small at t = {now:g}; "
            "raise the tolerance or shorten the times."
        )


def _fill_subspace(apply: Apply, start: NDArray[Any], max_dim: int) -> tuple[NDArray[Any], NDArray[Any], float]:
    """Return orthonormal rows V (m, N), H of shape (m + 1, m), or (m, m) if the space is closed, and |start|."""
    space = _Subspace(apply, start, min(max_dim, start.size), start.dtype)
    while space.size < space.projected.shape[1]:
        if not space.grow():
            return space.basis[: space.size], space.projected[: space.size, : space.size], space.norm
    return space.basis[: space.size], space.projected, space.norm


def _first_column(hessenberg: NDArray[Any], step: float) -> NDArray[Any]:
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


def find_lowest(apply: Apply, vector: NDArray[Any], *, tolerance: float = 1e-12, max_dim: int = 20) -> KrylovResult:
    """Return the lowest eigenpair of a Hermitian map that the Krylov subspace of `vector` holds.

    Args:
        apply: v -> A v, for flat arrays.
        vector: the start, flat, not zero.
        tolerance: of the residual |A v - lambda v|.
        max_dim: largest subspace; where it ends the search, `residual` says how far it came.

    Reference: C. Lanczos, J. Res. Natl. Bur. Stand. 45, 255 (1950), doi:10.6028/jres.045.026.
    """
    space = _Subspace(apply, vector, min(max_dim, vector.size), np.result_type(vector.dtype, np.float64))
    value, weights, residual = 0.0, np.ones(1), np.inf
    while space.size < space.projected.shape[1]:
        open_ended = space.grow()
        m = space.size
        values, vectors = np.linalg.eigh(space.projected[:m, :m])
        value, weights = float(values[0]), vectors[:, 0]
        residual = abs(space.projected[m, m - 1] * weights[-1]) if open_ended else 0.0
        if residual <= tolerance:
            break
    return KrylovResult(weights @ space.basis[: weights.size], space.size, float(residual), value)
