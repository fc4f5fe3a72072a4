"""Resolvents on vectors by Lanczos: (z - H)^-1 v at many z from one Krylov space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

__all__ = ["apply_resolvents"]

_CHECK_EVERY = 200
_CHUNK = 64


def apply_resolvents(
    apply: Callable[[NDArray[Any]], NDArray[Any]],
    vector: NDArray[Any],
    points: NDArray[np.complex128],
    *,
    tolerance: float,
    max_dim: int,
) -> tuple[NDArray[np.complex128], int, float]:
    """Return x_z = (z - H)^-1 v for all z, by two passes of Lanczos without reorthogonalisation.

    The first pass finds the tridiagonal matrix T, the second sums its basis vectors with the coefficients
    (z - T)^-1 e_1. Lost orthogonality only repeats eigenvalues in T; the residual stays beta_m |y_m| |v|.

    Args:
        apply: the Hermitian map H.
        vector: v, shape (D,).
        points: z, shape (p,), off the real axis.
        tolerance: largest residual |(z - H) x_z - v| / |v| accepted.
        max_dim: largest dimension m of the Krylov space.

    Returns:
        x, shape (p, D); the dimension m; the largest residual at it (above `tolerance` if `max_dim` was reached).

    Cost: 2 m applications of H and 2 m p D multiplications; m grows as the spectral width over Im z.

    Reference: A. Frommer, Computing 70, 87 (2003), doi:10.1007/s00607-003-1472-6.
    """
    length = float(np.linalg.norm(vector))
    diagonal: list[float] = []
    off: list[float] = []
    current, previous = vector / length, np.zeros_like(vector)
    residual = np.inf
    for m in range(1, max_dim + 1):
        alpha, beta, following = _step(apply, current, previous, off[-1] if off else 0.0)
        diagonal.append(alpha)
        off.append(beta)
        exhausted = beta < 1e-14
        if m % _CHECK_EVERY == 0 or m == max_dim or exhausted:
            last = max(abs(_coefficients(diagonal, off, z)[-1]) for z in points)
            residual = beta * last
            if residual <= tolerance or exhausted:
                break
        previous, current = current, following / beta
    coefficients = length * np.array([_coefficients(diagonal, off, z) for z in points], np.complex128)
    return _sum_basis(apply, vector / length, diagonal, off, coefficients), len(diagonal), float(residual)


def _step(
    apply: Callable[[NDArray[Any]], NDArray[Any]], current: NDArray[Any], previous: NDArray[Any], beta: float
) -> tuple[float, float, NDArray[Any]]:
    following = apply(current) - beta * previous
    alpha = float(np.vdot(current, following).real)
    following -= alpha * current
    return alpha, float(np.linalg.norm(following)), following


def _coefficients(diagonal: list[float], off: list[float], z: complex) -> NDArray[np.complex128]:
    """Return (z - T)^-1 e_1."""
    m = len(diagonal)
    bands = np.zeros((3, m), np.complex128)
    bands[0, 1:] = bands[2, :-1] = -np.array(off[: m - 1])
    bands[1] = z - np.array(diagonal)
    first = np.zeros(m, np.complex128)
    first[0] = 1.0
    solved: NDArray[np.complex128] = scipy.linalg.solve_banded((1, 1), bands, first, check_finite=False)
    return solved


def _sum_basis(
    apply: Callable[[NDArray[Any]], NDArray[Any]],
    start: NDArray[Any],
    diagonal: list[float],
    off: list[float],
    coefficients: NDArray[np.complex128],
) -> NDArray[np.complex128]:
    total = np.zeros((len(coefficients), start.size), np.complex128)
    basis = np.empty((_CHUNK, start.size), start.dtype)
    current, previous = start, np.zeros_like(start)
    for k, (alpha, beta) in enumerate(zip(diagonal, off, strict=True)):
        basis[k % _CHUNK] = current
        if (k + 1) % _CHUNK == 0 or k + 1 == len(diagonal):
            filled = k % _CHUNK + 1
            total += coefficients[:, k + 1 - filled : k + 1] @ basis[:filled]
        following = apply(current) - (off[k - 1] if k else 0.0) * previous - alpha * current
        previous, current = current, following / beta if beta else following
    return total
