"""Population dynamics of the cavity equation and the ladder for a Levy bath of infinite size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qthermo.linalg import population_kernels as kernels
from qthermo.theory.averaged_closure import LevelSums

__all__ = ["LevyLaw", "PopulationRun", "run_population"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevyLaw:
    """The bath's law: P(|V| > v) = (scale/v)^mu / N, energies drawn from `samples` (None: standard normal)."""

    exponent: float
    scale: float
    level_energies: NDArray[np.float64]
    samples: NDArray[np.float64] | None

    def draw_energies(self, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw bath energies."""
        return rng.standard_normal(count) if self.samples is None else rng.choice(self.samples, count)

    def draw_weights(
        self, count: int, num_neighbours: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Draw the K largest |V|^2 of a state and the mean sum of the others, given where the K-th lies.

        For mu < 2 they are scale^2 t_k^(-2/mu) with t_k the arrival times of a unit Poisson process, and the rest sums
        up to scale^2 t_K^(1 - 2/mu) / (2/mu - 1). For mu > 2 the sum is scale^2 mu / (mu - 2), self-averaging.
        """
        if self.exponent > 2:
            total = self.scale**2 * self.exponent / (self.exponent - 2)
            return np.zeros((count, 0)), np.full(count, total)
        times = np.cumsum(rng.standard_exponential((count, num_neighbours)), axis=1)
        power = 2 / self.exponent
        rest = self.scale**2 * times[:, -1] ** (1 - power) / (power - 1)
        return self.scale**2 * times**-power, rest


@dataclass(frozen=True, slots=True, eq=False)
class PopulationRun:
    """Block averages <X_ab>, shape (blocks, p, d, d), and <log Gamma>, (blocks, p, d); Gamma last, (p, d*M)."""

    propagator: NDArray[np.float64]
    log_broadening: NDArray[np.float64]
    broadenings: NDArray[np.float64]


def run_population(
    law: LevyLaw,
    points: NDArray[np.complex128],
    *,
    num_members: int,
    num_neighbours: int,
    burn_in: int,
    num_blocks: int,
    block_length: int,
    rng: np.random.Generator,
) -> PopulationRun:
    """Iterate the population and average <X_ab> = lim P_ab / N over sweeps.

    The random graph is bipartite between the thermometer's two levels, so members of one level are drawn from those of
    the other. In each sweep the part of the ladder along the slow mode -Im G of each level is set such that the means
    of X stay, so that a conserved probability needs no 1/s sweeps to build up.

    Args:
        law: the bath.
        points: E + i s/2, shape (p,).
        num_members: M, of each level.
        num_neighbours: K, couplings of a member that are drawn one by one.
        burn_in: sweeps before the averages.
        num_blocks: blocks of sweeps, for standard errors.
        block_length: sweeps in a block.
        rng: random numbers.
    """
    d, p = law.level_energies.size, points.size
    state = np.ones((d, num_members, p * (2 + d)))
    state[..., :p], state[..., p : 2 * p] = 0.0, -1 / (points.imag + 0.3)
    propagator = np.zeros((num_blocks, p, d, d))
    logs = np.zeros((num_blocks, p, d))
    for sweep in range(-burn_in, num_blocks * block_length):
        state, means, broadenings = _sweep(law, points, state, num_neighbours, rng)
        if sweep >= 0:
            block = sweep // block_length
            propagator[block] += means / block_length
            logs[block] += np.log(broadenings).mean(axis=1).T / block_length
    return PopulationRun(propagator, logs, np.ascontiguousarray(broadenings.transpose(2, 0, 1)).reshape(p, -1))


def _sweep(
    law: LevyLaw,
    points: NDArray[np.complex128],
    state: NDArray[np.float64],
    num_neighbours: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Renew both levels from each other; return the state, <X_ab>, shape (p, d, d), and Gamma, shape (d, M, p).

    The state of a member is Re G and Im G at every point, then X for every final level and point.
    """
    (d, members, _), p = state.shape, points.size
    green = np.empty((d, members, p), np.complex128)
    ladder = np.empty((d, members, d, p))
    broadening = np.empty((d, members, p))
    for a in range(d):
        weights, rest = law.draw_weights(members, num_neighbours, rng)
        total = rest[:, None] * state[1 - a].mean(axis=0)
        kernels.sum_over_parents(weights, rng.integers(0, members, weights.shape), state[1 - a], total)
        bare = points - (law.draw_energies(members, rng) + law.level_energies[a])[:, None]
        green[a] = 1.0 / (bare - total[:, :p] - 1j * total[:, p : 2 * p])
        broadening[a] = -total[:, p : 2 * p]
        ladder[a] = np.abs(green[a][:, None, :]) ** 2 * (
            total[:, 2 * p :].reshape(members, d, p) + np.eye(d)[a][:, None]
        )
    partial = np.zeros((d, d, members, p))
    for a in range(d):
        partial[a, 1 - a] = broadening[a]
    sums = LevelSums.from_cavity(np.abs(green) ** 2, partial, 2 * points.imag)
    before = state[..., 2 * p :].reshape(d, members, d, p)
    scales = sums.solve((ladder - before).sum(axis=1).transpose(2, 0, 1))
    for a in range(d):
        ladder[a] += (np.abs(green[a]) ** 2 * broadening[a])[:, None, :] * scales[:, 1 - a, :].T
    columns = [green.real, green.imag, ladder.reshape(d, members, d * p)]
    return np.concatenate(columns, axis=-1), ladder.mean(axis=1).transpose(2, 0, 1), broadening
