"""Probabilities of a band chain by its spectrum: single states, and exact moments over all initial states."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.exact.spectrum import diagonalise
from qthermo.problems import BandDynamics, band_answer
from qthermo.progress import Progress

__all__ = ["exact_band_dynamics", "largest_component"]

_BATCH = 256
_LISTED = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """The spectrum of H on configurations that it links; `places` says where each lies in the vectors."""

    configurations: tuple[int, ...]
    places: tuple[slice, ...]
    energies: NDArray[np.float64]
    vectors: NDArray[Any]

    @property
    def members(self) -> list[tuple[int, slice]]:
        """Each configuration's number in the space and its place here."""
        return list(zip(self.configurations, self.places, strict=True))

    def propagator(self, time: float, place: slice) -> NDArray[Any]:
        """Return the columns of e^{-iHt} that belong to one configuration."""
        return np.asarray((self.vectors * np.exp(-1j * self.energies * time)) @ self.vectors[place].conj().T)


def largest_component(problem: BandDynamics) -> int:
    """Return the largest dimension to diagonalise; a bound if there are too many configurations to list."""
    model = problem.model
    if model.num_configurations > _LISTED:
        return model.dimension
    sizes = [int(model.space.block_dimensions[list(part)].sum()) for part in model.space.components if len(part) > 1]
    return max(sizes, default=0)


def exact_band_dynamics(problem: BandDynamics, progress: Progress) -> Answer:
    """Answer `BandDynamics`; cost D^3 once for each component, D^2 per time and state, D^2 n per time for the moments.

    A component is a set of configurations that H links, so one of energy; where it is a single one nothing moves.
    """
    components = _diagonalise(problem, progress)
    if isinstance(problem.initial, str) and problem.initial == "average":
        mean, variance = haar_moments(problem, components, progress)
        return band_answer(problem, mean[None], variance=variance)
    space = problem.model.space
    states = problem.initial_states()
    samples = np.empty((problem.num_states, problem.times.size, len(space.slices)))
    for k, part in enumerate(space.slices):
        samples[:, :, k] = _weight(states[part])[:, None]
    for component in components:
        _evolve(problem, component, states, samples, progress)
    return band_answer(problem, samples)


def _diagonalise(problem: BandDynamics, progress: Progress) -> list[Component]:
    """Return the spectra of all components of several configurations in which the initial state has weight."""
    space = problem.model.space
    weights = problem.initial_weights
    chosen = [part for part in space.components if len(part) > 1 and weights[list(part)].sum() > 0]
    found = []
    for k, part in enumerate(chosen):
        progress(k / len(chosen), f"diagonalising component {k + 1} of {len(chosen)}")
        ends = np.cumsum([0, *space.block_dimensions[list(part)]])
        places = tuple(slice(int(a), int(b)) for a, b in pairwise(ends))
        found.append(Component(part, places, *diagonalise(space.to_dense(part))))
    return found


def _weight(columns: NDArray[Any]) -> NDArray[np.float64]:
    """Return the squared norm of every column."""
    return np.asarray((columns.real**2 + columns.imag**2).sum(axis=0))


def _evolve(
    problem: BandDynamics,
    component: Component,
    states: NDArray[Any],
    samples: NDArray[np.float64],
    progress: Progress,
) -> None:
    """Write the probabilities of one component's configurations into samples, shape (state, time, configuration).

    Few states are evolved in the eigenbasis; for many it is cheaper to make the columns of e^{-iHt} that they need.
    """
    slices, weights = problem.model.space.slices, problem.initial_weights
    starts = [(k, place) for k, place in component.members if weights[k] > 0]
    inside = np.concatenate([states[slices[k]] for k, _ in starts])
    back = np.concatenate([component.vectors[place] for _, place in starts]).conj().T
    size, used = back.shape
    many = states.shape[1] * (size - used) > size * used
    amplitudes = inside if many else back @ inside
    for t, time in enumerate(problem.times):
        progress(t / problem.times.size, f"time {time:g}")
        phases = np.exp(-1j * component.energies * time)
        columns = (component.vectors * phases) @ back if many else component.vectors * phases
        for first in range(0, states.shape[1], _BATCH):
            evolved = columns @ amplitudes[:, first : first + _BATCH]
            for k, place in component.members:
                samples[first : first + _BATCH, t, k] = _weight(evolved[place])


def haar_moments(
    problem: BandDynamics, components: list[Component], progress: Progress
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean, shape (time, configuration), and variance, shape (time, subunit), over random initial states.

    For psi = sum_a sqrt(p_a) phi_a with independent uniform phi_a of dimension d_a, and A = e^{iHt} Q e^{-iHt} with the
    projector Q on "subunit mu excited", <A> has the mean sum_a p_a Tr A_aa / d_a and the variance
    sum_a p_a^2 (Tr A_aa^2 / d_a - (Tr A_aa / d_a)^2) / (d_a + 1) + sum_{a != b} p_a p_b |A_ab|^2 / (d_a d_b).
    """
    weights = problem.initial_weights
    mean = np.tile(weights, (problem.times.size, 1))
    variance = np.zeros((problem.times.size, problem.model.num_subunits))
    for number, component in enumerate(components):
        for t, time in enumerate(problem.times):
            progress((number + t / problem.times.size) / len(components), f"time {time:g}")
            mean[t, list(component.configurations)], spread = _component_moments(problem, component, time)
            variance[t] += spread
    return mean, variance


def _component_moments(
    problem: BandDynamics, component: Component, time: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean, shape (configuration,), and variance, shape (subunit,), that one component adds."""
    space = problem.model.space
    numbers = list(component.configurations)
    weights = problem.initial_weights[numbers]
    starts = np.flatnonzero(weights)
    excited = np.array(space.configurations)[numbers] > 0
    columns = [component.propagator(time, component.places[a]) for a in starts]
    mean = np.zeros(len(numbers))
    for a, column in zip(starts, columns, strict=True):
        mean += weights[a] / column.shape[1] * np.array([_weight(column[place]).sum() for place in component.places])
    variance = np.zeros(problem.model.num_subunits)
    for mu in range(variance.size):
        rows = np.repeat(excited[:, mu], space.block_dimensions[numbers])
        variance[mu] = _variance([column[rows] for column in columns], weights[starts])
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
