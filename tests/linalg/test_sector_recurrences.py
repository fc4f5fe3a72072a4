"""Recurrences in the sectors of X against dense matrices and the general recurrences."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from qthermo.linalg.recurrences import Recurrences
from qthermo.linalg.sector_recurrences import SectorRecurrences
from qthermo.linalg.split_operator import Flip, SplitOperator


def sample_operator(*, mask: int, is_complex: bool, num_flips: int = 6) -> SplitOperator:
    """Eight rows, a core of sixteen, flips of random weight; every third leaves the core alone."""
    rng = np.random.default_rng(7 + mask)
    core = rng.standard_normal((16, 16)) + (1j * rng.standard_normal((16, 16)) if is_complex else 0)
    flips = tuple(
        Flip(row_mask=int(rng.integers(0, 8)), core_mask=0 if k % 3 == 2 else mask, weight=rng.standard_normal())
        for k in range(num_flips)
    )
    return SplitOperator(core=core + core.conj().T, diagonal=rng.standard_normal(8), flips=flips)


def sample_vector(operator: SplitOperator) -> np.ndarray:
    rng = np.random.default_rng(1)
    vector = rng.standard_normal(operator.shape).astype(operator.dtype)
    return vector + (1j * rng.standard_normal(operator.shape) if operator.dtype == np.complex128 else 0)


@pytest.mark.parametrize("is_complex", [False, True])
@pytest.mark.parametrize("mask", [8, 1, 5])
def test_product_is_that_of_the_matrix(mask: int, is_complex: bool):
    operator = sample_operator(mask=mask, is_complex=is_complex)
    steps, vector = operator.compile_steps(), sample_vector(operator)
    assert isinstance(steps, SectorRecurrences)
    inside = steps.enter(vector)
    out = np.empty_like(inside)
    steps.multiply(inside, out)
    assert_allclose(steps.leave(inside), vector, atol=1e-13)
    assert_allclose(steps.leave(out).ravel(), operator.to_matrix() @ vector.ravel(), atol=1e-12)


@pytest.mark.parametrize("is_complex", [False, True])
def test_both_recurrences_agree(is_complex: bool):
    """The first rows of T, before rounding grows, the basis vectors, and Chebyshev steps."""
    operator = sample_operator(mask=8, is_complex=is_complex)
    start = sample_vector(operator)
    start /= np.linalg.norm(start)
    rows, basis, chebyshev = [], [], []
    for steps in (SectorRecurrences(operator, 8), Recurrences(operator)):
        current = steps.enter(start)
        alpha, beta, kept = np.empty(12), np.empty(12), np.empty((12, start.size), start.dtype)
        steps.lanczos_steps(current.copy(), np.zeros_like(current), np.ones(2), alpha, beta, 0, kept)
        rows.append(np.stack([alpha, beta]))
        basis.append(np.stack([steps.leave(vector.reshape(current.shape)).ravel() for vector in kept]))
        out = np.empty_like(current)
        chebyshev.append(steps.chebyshev_step(current, np.zeros_like(current), 0.1, 3.0, out))
    assert_allclose(rows[0], rows[1], atol=1e-10)
    assert_allclose(basis[0], basis[1], atol=1e-10)
    assert_allclose(basis[0].conj() @ basis[0].T, np.eye(12), atol=1e-10)
    assert_allclose(chebyshev[0], chebyshev[1], atol=1e-12)


@pytest.mark.parametrize("kind", [SectorRecurrences, Recurrences])
def test_parts_of_a_run_are_the_run_to_the_last_bit(kind: type):
    """The second pass of Lanczos must repeat the first exactly, in whatever parts either is run."""
    operator = sample_operator(mask=8, is_complex=False)
    steps = kind(operator, 8) if kind is SectorRecurrences else kind(operator)
    start = steps.enter(sample_vector(operator))
    start /= np.linalg.norm(start)
    whole, nothing = np.empty((2, 400)), np.empty((0, start.size))
    steps.lanczos_steps(start.copy(), np.zeros_like(start), np.ones(2), *whole, 0, nothing)
    parts, kept = np.empty((2, 400)), np.empty((32, start.size))
    current, previous, scales = start.copy(), np.zeros_like(start), np.ones(2)
    for first in range(0, 400, 31):
        end = min(first + 31, 400)
        current, previous = steps.lanczos_steps(current, previous, scales, *parts[:, :end], first, kept)
    assert_array_equal(parts, whole)
