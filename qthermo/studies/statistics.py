"""Means over realizations: standard error, count and bootstrap interval of every entry."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["bootstrap_interval", "combine_sampling_errors", "count_finite", "mean_of", "stderr_of"]

_CHUNK = 2_000_000


def count_finite(samples: NDArray[Any]) -> NDArray[np.int64]:
    """Return how many realizations (axis 0) have a finite value, for every entry."""
    return np.asarray(np.isfinite(samples).sum(axis=0), np.int64)


def mean_of(samples: NDArray[Any]) -> NDArray[Any]:
    """Return the mean over the finite values of axis 0; NaN where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an entry without values is NaN
        return np.asarray(np.nanmean(np.where(np.isfinite(samples), samples, np.nan), axis=0))


def stderr_of(samples: NDArray[Any]) -> NDArray[np.float64]:
    """Return the standard error of that mean, sqrt(sum |x - mean|^2 / (n - 1) / n); NaN for n < 2."""
    count = count_finite(samples)
    deviation = np.where(np.isfinite(samples), np.abs(samples - mean_of(samples)) ** 2, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = deviation.sum(axis=0) / np.where(count > 1, count - 1, np.nan) / count
    return np.asarray(np.sqrt(squares), np.float64)


def combine_sampling_errors(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard error of a mean of independently sampled numbers, sqrt(sum e_r^2) / n."""
    count = count_finite(errors)
    squares = np.where(np.isfinite(errors), errors, 0.0) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt(squares.sum(axis=0)) / np.where(count > 0, count, np.nan), np.float64)


def bootstrap_interval(
    samples: NDArray[np.float64], *, num_samples: int, confidence: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the percentile bootstrap interval of the mean of every entry of real samples, shape (realization, ...).

    Every bootstrap sample draws whole realizations with replacement, the same for all entries.

    Reference: B. Efron, Ann. Statist. 7, 1 (1979), doi:10.1214/aos/1176344552.
    Cost: num_samples * samples.size.
    """
    count = samples.shape[0]
    flat = samples.reshape(count, -1)
    weights = rng.multinomial(count, np.full(count, 1 / count), size=num_samples).astype(np.float64)
    good = np.isfinite(flat)
    filled = np.where(good, flat, 0.0)
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    bounds = np.full((2, flat.shape[1]), np.nan)
    step = max(1, _CHUNK // num_samples)
    for start in range(0, flat.shape[1], step):
        part = slice(start, start + step)
        present = weights @ good[:, part]
        with np.errstate(divide="ignore", invalid="ignore"):
            means = np.where(present > 0, (weights @ filled[:, part]) / present, np.nan)
        usable = good[:, part].any(axis=0)
        columns = np.flatnonzero(usable) + start
        if columns.size:
            bounds[:, columns] = np.nanquantile(means[:, usable], tails, axis=0)
    low, high = bounds.reshape(2, *samples.shape[1:])
    return low, high
