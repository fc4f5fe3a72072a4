"""Probabilities of a band chain by its spectrum: single states, and exact moments over all initial states."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.exact.spectrum import diagonalise
from qthermo.problems import BandDynamics, band_answer
from qthermo.progress import Progress

__all__ = ["exact_band_dynamics"]

_BATCH = 256


def exact_band_dynamics(problem: BandDynamics, progress: Progress) -> Answer:
    """Answer `BandDynamics`; cost D^3 once, D^2 per time and state, D^2 n per time for the moments."""
    progress(0.0, "diagonalising")
    energies, vectors = diagonalise(problem.model.space.to_dense())
    if isinstance(problem.initial, str) and problem.initial == "average":
        mean, variance = haar_moments(problem, energies, vectors, progress)
        return band_answer(problem, mean[None], variance=variance)
    if problem.num_states > _BATCH and problem.initial == "haar":
        return band_answer(problem, _many_states(problem, energies, vectors, progress))
    samples = []
    for k in range(problem.num_states):
        progress(k / problem.num_states, f"state {k + 1} of {problem.num_states}")
        state = problem.initial_states(k, k + 1)[:, 0]
        phases = np.exp(-1j * np.outer(energies, problem.times))
        evolved = vectors @ (phases * (vectors.conj().T @ state)[:, None])
        samples.append([_weight(evolved[part]) for part in problem.model.space.slices])
    return band_answer(problem, np.array(samples).transpose(0, 2, 1))


def _weight(columns: NDArray[Any]) -> NDArray[np.float64]:
    """Return the squared norm of every column."""
    return np.asarray((columns.real**2 + columns.imag**2).sum(axis=0))


def _many_states(
    problem: BandDynamics, energies: NDArray[np.float64], vectors: NDArray[Any], progress: Progress
) -> NDArray[np.float64]:
    """Return the probabilities of many states, one time after the other, from the blocks of e^{-iHt} they need."""
    space = problem.model.space
    starts = [k for k, weight in enumerate(problem.initial_weights) if weight > 0]
    columns = np.concatenate([np.arange(space.slices[k].start, space.slices[k].stop) for k in starts])
    samples = np.empty((problem.num_states, problem.times.size, len(space.slices)))
    states = problem.initial_states()[columns]
    back = vectors[columns].conj().T
    for t, time in enumerate(problem.times):
        progress(t / problem.times.size, f"time {time:g}")
        for c, part in enumerate(space.slices):
            propagator = (vectors[part] * np.exp(-1j * energies * time)) @ back
            for first in range(0, problem.num_states, _BATCH):
                samples[first : first + _BATCH, t, c] = _weight(propagator @ states[:, first : first + _BATCH])
    return samples


def haar_moments(
    problem: BandDynamics, energies: NDArray[np.float64], vectors: NDArray[Any], progress: Progress
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean, shape (time, configuration), and variance, shape (time, subunit), over random initial states.

    For psi = sum_a sqrt(p_a) phi_a with independent uniform phi_a of dimension d_a, and A = e^{iHt} Q e^{-iHt} with the
    projector Q on "subunit mu excited", <A> has the mean sum_a p_a Tr A_aa / d_a and the variance
    sum_a p_a^2 (Tr A_aa^2 / d_a - (Tr A_aa / d_a)^2) / (d_a + 1) + sum_{a != b} p_a p_b |A_ab|^2 / (d_a d_b).
    """
    space = problem.model.space
    weights = problem.initial_weights
    starts = [k for k, weight in enumerate(weights) if weight > 0]
    excited = np.array(space.configurations) > 0
    mean = np.zeros((problem.times.size, len(space.slices)))
    variance = np.zeros((problem.times.size, problem.model.num_subunits))
    for t, time in enumerate(problem.times):
        progress(t / problem.times.size, f"time {time:g}")
        phased = vectors * np.exp(-1j * energies * time)
        columns = [phased @ vectors[space.slices[a]].conj().T for a in starts]
        for a, column in zip(starts, columns, strict=True):
            share = weights[a] / space.block_dimensions[a]
            mean[t] += share * np.array([_weight(column[part]).sum() for part in space.slices])
        for mu in range(problem.model.num_subunits):
            rows = np.concatenate(
                [np.arange(part.start, part.stop) for part, on in zip(space.slices, excited[:, mu], strict=True) if on]
            )
            variance[t, mu] = _variance([column[rows] for column in columns], weights[starts])
    return mean, variance


def _variance(columns: list[NDArray[Any]], weights: NDArray[np.float64]) -> float:
    """Return the variance of <A> from the excited rows of e^{-iHt}, one array of columns for each configuration."""
    total = 0.0
    for a, one in enumerate(columns):
        size = one.shape[1]
        for b, other in enumerate(columns[: a + 1]):
            overlap = one.conj().T @ other
            square = float(np.vdot(overlap, overlap).real)
            if a == b:
                level = float(np.trace(overlap).real) / size
                total += weights[a] ** 2 * (square / size - level**2) / (size + 1)
            else:
                total += 2 * weights[a] * weights[b] * square / (size * other.shape[1])
    return total
