"""The cavity equation and the edge-resolved ladder, message by message: the reference for faster solvers.

States k = (i, a) of H_T + H_B have energies eps_k, and W_kl = |V_kl|^2 joins states of different thermometer levels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import message_kernels as kernels
import numpy as np
from numpy.typing import NDArray

from qthermo.models import BathEigenbasis
from qthermo.theory.averaged_closure import LevelSums


@dataclass(frozen=True, slots=True, eq=False)
class Couplings:
    """Energies eps_k and squared couplings W_kl of states k = (i, a).

    Args:
        energies: e_i + E_a, shape (d, N).
        weights: map from ordered pairs of different levels (a, b) to W, shape (N, N), rows in a, columns in b,
            contiguous; levels without coupling are missing.
    """

    energies: NDArray[np.float64]
    weights: Mapping[tuple[int, int], NDArray[Any]]

    @classmethod
    def from_eigenbasis(cls, basis: BathEigenbasis, dtype: type[np.floating[Any]] = np.float64) -> Couplings:
        """Take the squared moduli of the coupling blocks between different levels."""
        weights: dict[tuple[int, int], NDArray[Any]] = {}
        for (a, b), block in basis.blocks.items():
            if a != b and np.any(block):
                weights[a, b] = np.ascontiguousarray(np.abs(block) ** 2, dtype=dtype)
                weights[b, a] = np.ascontiguousarray(weights[a, b].T)
        return cls(basis.energies, weights)

    def neighbours(self, level: int) -> list[int]:
        """Return the levels that `level` is coupled to."""
        return [b for a, b in self.weights if a == level]


@dataclass(frozen=True, slots=True, eq=False)
class CavityMessages:
    """The solution of the cavity equation at one point z.

    Args:
        green: G_k, shape (d, N).
        partial: Gamma_k^b, shape (d, d, N): entry [a, b, i] is the broadening of (i, a) into level b.
        messages: for each (a, b), real and imaginary parts of g_{l->k}, k in a, l in b.
        iterations: passes made.
        residual: the largest relative change of a G_k in the last pass.
    """

    green: NDArray[np.complex128]
    partial: NDArray[np.float64]
    messages: dict[tuple[int, int], tuple[NDArray[Any], NDArray[Any]]]
    iterations: int
    residual: float

    def sum_levels(self, s: float) -> LevelSums:
        """Return the sums over levels, one pair (E, s)."""
        return LevelSums.from_cavity(np.abs(self.green[..., None]) ** 2, self.partial[..., None], np.array([s]))


def solve_cavity_messages(
    couplings: Couplings,
    z: complex,
    *,
    tolerance: float,
    max_iterations: int,
    start: CavityMessages | None = None,
) -> CavityMessages:
    """Solve G_{k->j} = 1 / (z - eps_k - sum_{l != j} W_kl G_{l->k}) by undamped passes, level after level, in place.

    Args:
        couplings: energies and weights.
        z: E + i s/2, Im z > 0.
        tolerance: the largest relative change of a G_k at which the passes stop.
        max_iterations: passes at most; the caller compares `residual` with `tolerance`.
        start: messages of a nearby z; overwritten.

    Returns:
        The solution, converged or not.

    Cost: about 16 bytes of traffic per directed edge and pass; 5 to 20 passes unless s is below the level spacing.
    """
    d, n = couplings.energies.shape
    bare = z - couplings.energies
    green: NDArray[Any] = 1.0 / bare if start is None else start.green.copy()
    messages = _start_messages(couplings, green) if start is None else start.messages
    partial = np.zeros((d, d, n))
    self_energy = np.empty(n, np.complex128)
    iterations, residual = 0, np.inf
    while iterations < max_iterations and residual > tolerance:
        residual, iterations = 0.0, iterations + 1
        for a in range(d):
            inverse = bare[a].copy()
            for b in couplings.neighbours(a):
                kernels.gather_cavity(couplings.weights[a, b], *messages[a, b], self_energy)
                inverse -= self_energy
                partial[a, b] = -self_energy.imag
            for b in couplings.neighbours(a):
                kernels.send_cavity(couplings.weights[a, b], *messages[a, b], inverse, *messages[b, a])
            residual = max(residual, float(np.abs(green[a] * inverse - 1.0).max()))
            green[a] = 1.0 / inverse
    return CavityMessages(green, partial, messages, iterations, residual)


def _start_messages(
    couplings: Couplings, green: NDArray[np.complex128]
) -> dict[tuple[int, int], tuple[NDArray[Any], NDArray[Any]]]:
    messages = {}
    for (a, b), weights in couplings.weights.items():
        pair = np.empty(weights.shape, weights.dtype), np.empty(weights.shape, weights.dtype)
        for array, part in zip(pair, (green[b].real, green[b].imag), strict=True):
            array[:] = part[None, :]
        messages[a, b] = pair
    return messages


def solve_ladder_messages(
    couplings: Couplings, cavity: CavityMessages, s: float, *, tolerance: float, max_iterations: int
) -> tuple[NDArray[np.float64], int, float]:
    """Solve the ladder edge by edge for every final level b and return P_ab, passes and residual.

        X_{k->j} = |G_{k->j}|^2 [ 1(k in b) + sum_{l != j} W_kl X_{l->k} ],
        P_ab = sum_{k in a} |G_k|^2 [ 1(k in b) + sum_l W_kl X_{l->k} ].

    Passes go level after level, in place; after each, the d slowest modes (X proportional to -Im G on each level) are
    corrected by the averaged closure, which is the ladder projected on them. On small graphs that can hinder; it is
    dropped once the residual grows, and plain passes converge always, since the ladder is positive and loses to s.

    Cost: about 12 bytes of traffic per directed edge and pass.
    """
    d, _ = couplings.energies.shape
    sums = cavity.sum_levels(s)
    propagator = np.empty((d, d))
    passes, worst = 0, 0.0
    for b in range(d):
        column, count, residual = _solve_final_level(
            couplings, cavity, sums, b, tolerance=tolerance, max_iterations=max_iterations
        )
        propagator[:, b] = column
        passes, worst = passes + count, max(worst, residual)
    return propagator, passes, worst


def _solve_final_level(
    couplings: Couplings,
    cavity: CavityMessages,
    sums: LevelSums,
    final: int,
    *,
    tolerance: float,
    max_iterations: int,
) -> tuple[NDArray[np.float64], int, float]:
    d, n = couplings.energies.shape
    weight = np.abs(cavity.green) ** 2
    source = np.zeros(d)
    source[final] = 1.0
    scales = sums.solve((source * sums.squares)[:, :, None])[0, :, 0]
    ladder = {(a, b): -scales[b] * cavity.messages[a, b][1] for a, b in couplings.weights}
    column = scales * sums.densities[0]
    received = np.empty(n)
    iterations, residual, correcting = 0, np.inf, True
    while iterations < max_iterations and residual > tolerance:
        iterations += 1
        before, previous, column = residual, column, np.empty(d)
        for a in range(d):
            total = np.full(n, source[a])
            for b in couplings.neighbours(a):
                kernels.gather_ladder(couplings.weights[a, b], ladder[a, b], received)
                total += received
            for b in couplings.neighbours(a):
                kernels.send_ladder(couplings.weights[a, b], ladder[a, b], total, *cavity.messages[b, a], ladder[b, a])
            column[a] = weight[a] @ total
        residual = float(np.abs(column - previous).max() / column.max())
        correcting = correcting and residual < before
        if correcting and residual > tolerance:
            column = column + _correct_levels(couplings, cavity, sums, ladder, column, source)
    return column, iterations, residual


def _correct_levels(
    couplings: Couplings,
    cavity: CavityMessages,
    sums: LevelSums,
    ladder: dict[tuple[int, int], NDArray[Any]],
    column: NDArray[np.float64],
    source: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Add to each level the multiple of -Im G that makes the projected equation hold; return the change of P."""
    weight = np.abs(cavity.green) ** 2
    received = np.empty(couplings.energies.shape[1])
    defect: NDArray[np.float64] = source * sums.squares[0] - column
    for a, b in couplings.weights:
        kernels.gather_ladder(couplings.weights[a, b], ladder[a, b], received)
        defect[a] += weight[a] @ received
    scales = sums.solve(defect[None, :, None])[0, :, 0]
    for (a, b), values in ladder.items():
        values -= scales[b] * cavity.messages[a, b][1]
    return np.asarray(scales * sums.densities[0])


def count_resonant_pairs(couplings: Couplings, cavity: CavityMessages) -> int:
    """Return the number of pairs with W_kl |G_{k->l} G_{l->k}| > 1, where perturbation in V_kl fails."""
    return sum(
        int(kernels.measure_resonance(couplings.weights[a, b], *cavity.messages[a, b], *cavity.messages[b, a]))
        for a, b in couplings.weights
        if a < b
    )
