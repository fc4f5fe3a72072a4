"""The cavity equation at many points at once: messages for strong pairs, matrix products for the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.linalg import strong_pairs as kernels
from qthermo.theory.split_couplings import SplitCouplings

__all__ = ["CavitySolution", "solve_cavity"]

_SLACK = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class CavitySolution:
    """The solution of the cavity equation at p points.

    Args:
        points: z, shape (p,).
        green: G_k, shape (d, N, p).
        partial: Sigma_k^b, the self-energy of (i, a) from level b, shape (d, d, N, p).
        messages: for (a, b), the messages into a from b on the strong edges, shape (edges, p).
        iterations: passes made.
        residuals: the largest relative change of a G_k in the last pass, shape (p,).
        largest_weak: the largest |x| of a weak pair.
    """

    points: NDArray[np.complex128]
    green: NDArray[np.complex128]
    partial: NDArray[np.complex128]
    messages: dict[tuple[int, int], NDArray[np.complex128]]
    iterations: int
    residuals: NDArray[np.float64]
    largest_weak: float

    @property
    def broadenings(self) -> NDArray[np.float64]:
        """Gamma_k = -Im Sigma_k, shape (p, d*N)."""
        total = -self.partial.imag.sum(axis=1)
        return np.ascontiguousarray(total.reshape(-1, self.points.size).T)

    def count_resonant(self, couplings: SplitCouplings) -> NDArray[np.int64]:
        """Return at every point the number of pairs with W_kl |G_{k->l} G_{l->k}| > 1."""
        total = np.zeros(self.points.size, np.int64)
        for (a, b), edges in couplings.strong.items():
            if a < b:
                total += kernels.count_resonant(edges.weights, edges.mirror, self.messages[a, b], self.messages[b, a])
        return total


@dataclass(slots=True, eq=False)
class _State:
    """Green functions now and one update ago, and the strong messages."""

    green: NDArray[np.complex128]
    before: NDArray[np.complex128]
    partial: NDArray[np.complex128]
    messages: dict[tuple[int, int], NDArray[np.complex128]] = field(default_factory=dict)


def solve_cavity(
    couplings: SplitCouplings, points: NDArray[np.complex128], *, tolerance: float, max_iterations: int
) -> CavitySolution:
    """Solve G_{k->j} = 1 / (z - eps_k - sum_{l != j} W_kl G_{l->k}) at every point.

    Passes go level after level, undamped. The message of a weak pair follows from the Green functions of its ends at
    the passes that it depends on,

        g_{l->k} = G_l - W G_l^2 G_k' + W^2 (G_l^2 G_l'' + G_l^3) G_k'^2 + O(x^3) G_l,

    G_k' of the pass before and G_l'' of the one before that, so that the iteration behaves as message passing does.
    Pairs that turn out strong on the way, or when it has converged, are moved and the passes go on.

    Args:
        couplings: the couplings; pairs may be moved from weak to strong.
        points: z, shape (p,), Im z > 0.
        tolerance: the largest relative change of a G_k at which the passes stop.
        max_iterations: passes at most; the caller compares `residuals` with `tolerance`.

    Cost: per pass and point 12 products of N^2 weights for each pair of levels, plus the strong edges.
    """
    state = _start(couplings, points)
    iterations, residuals = 0, np.full(points.size, np.inf)
    largest, next_check = np.inf, 3
    while iterations < max_iterations:
        iterations += 1
        residuals = _pass(couplings, points, state)
        converged = bool(np.all(residuals <= tolerance))
        if not converged and iterations < next_check:
            continue
        next_check = 2 * iterations
        sizes = np.abs(state.green).max(axis=-1)
        largest = couplings.largest_weak(sizes)
        if largest > _SLACK * couplings.threshold:
            _move(couplings, state, sizes)
        elif converged:
            break
    return CavitySolution(points, state.green, state.partial, state.messages, iterations, residuals, largest)


def _start(couplings: SplitCouplings, points: NDArray[np.complex128]) -> _State:
    d, n = couplings.energies.shape
    green = 1.0 / (points + 1j * 0.1 - couplings.energies[:, :, None])
    partial = np.zeros((d, d, n, points.size), np.complex128)
    messages = {(a, b): green[b][edges.senders] for (a, b), edges in couplings.strong.items()}
    return _State(green, green.copy(), partial, messages)


def _move(couplings: SplitCouplings, state: _State, sizes: NDArray[np.float64]) -> None:
    """Move pairs from weak to strong; their first messages follow from the Green functions of their ends."""
    old_edges, old_messages = dict(couplings.strong), state.messages
    couplings.move(sizes)
    state.messages = {}
    for (a, b), edges in couplings.strong.items():
        sender = state.green[b][edges.senders]
        messages = sender / (1 + edges.weights[:, None] * sender * state.green[a][edges.receivers])
        messages[edges.find(old_edges[a, b])] = old_messages[a, b]
        state.messages[a, b] = messages


def _pass(couplings: SplitCouplings, points: NDArray[np.complex128], state: _State) -> NDArray[np.float64]:
    """Update every level once; return the largest relative change at each point."""
    change = np.zeros(points.size)
    for a in range(couplings.energies.shape[0]):
        bare = points - couplings.energies[a][:, None]
        weak = {b: _weak_self_energy(couplings, state, a, b) for b in couplings.neighbours(a)}
        for b, part in weak.items():
            edges = couplings.strong[a, b]
            state.partial[a, b] = part
            kernels.gather_edges(edges.offsets, edges.weights, state.messages[a, b], state.partial[a, b])
        inverse = bare - sum(state.partial[a, b] for b in weak)
        change = np.maximum(change, np.abs(state.green[a] * inverse - 1.0).max(axis=0))
        for b, part in weak.items():
            edges = couplings.strong[a, b]
            rest = bare - part - sum(state.partial[a, c] for c in weak if c != b)
            kernels.send_cavity_edges(
                edges.offsets, edges.weights, edges.mirror, state.messages[a, b], rest, state.messages[b, a]
            )
        state.before[a] = state.green[a]
        state.green[a] = 1.0 / inverse
    return change


def _weak_self_energy(couplings: SplitCouplings, state: _State, a: int, b: int) -> NDArray[Any]:
    """Return what the weak pairs with level b add to the self-energy of level a, shape (N, p)."""
    sender, old, receiver = state.green[b], state.before[b], state.green[a]
    square = sender * sender
    (first,), (second,), (third,) = couplings.apply_weak(a, b, [[sender], [square], [square * (sender + old)]])
    return np.asarray(first + receiver * (receiver * third - second))
