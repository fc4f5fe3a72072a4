"""The edge-resolved ladder at many points at once: messages for strong pairs, matrix products for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.linalg import strong_pairs as kernels
from qthermo.theory.averaged_closure import LevelSums
from qthermo.theory.cavity_equation import CavitySolution
from qthermo.theory.split_couplings import SplitCouplings

__all__ = ["LadderPairs", "LadderSolution", "pair_up", "solve_ladder"]


@dataclass(frozen=True, slots=True, eq=False)
class LadderPairs:
    """Cavity solutions joined to pairs of an upper and a lower line of the ladder.

    Args:
        s: the Laplace variable of each pair, shape (q,).
        upper: u_k = G_k(E + i s/2), shape (d, N, q).
        lower: v_k = conj(G_k(E - (i s/2)^*)), shape (d, N, q).
        products: D_k = u_k v_k, shape (d, N, q); real if s is.
        partial: broadenings Gamma_k^b, shape (d, d, N, q).
        edges: for (a, b), D of the message into a from b on the strong edges, shape (edges, q).
        ward: for (a, b), the slow mode Y of these messages.
    """

    s: NDArray[Any]
    upper: NDArray[np.complex128]
    lower: NDArray[np.complex128]
    products: NDArray[Any]
    partial: NDArray[Any]
    edges: dict[tuple[int, int], NDArray[Any]]
    ward: dict[tuple[int, int], NDArray[Any]]

    @property
    def is_real(self) -> bool:
        """Whether the two lines are conjugate to each other, so that the ladder is real."""
        return not np.iscomplexobj(self.products)


def pair_up(cavity: CavitySolution, upper: NDArray[np.intp], lower: NDArray[np.intp], s: NDArray[Any]) -> LadderPairs:
    """Join the solutions at points[upper] = E + i s/2 and points[lower] = E - (i s/2)^* for every ladder.

    Where both are the same point s is real and so is everything that the ladder holds.
    """
    same = np.array_equal(upper, lower)

    def product(values: NDArray[Any]) -> NDArray[Any]:
        if same:
            return np.asarray(np.abs(values[..., upper]) ** 2)
        return np.asarray(values[..., upper] * values[..., lower].conj())

    def difference(values: NDArray[Any]) -> NDArray[Any]:
        if same:
            return np.asarray(-values[..., upper].imag)
        return np.asarray(0.5j * (values[..., upper] - values[..., lower].conj()))

    return LadderPairs(
        s=s.real if same else s,
        upper=cavity.green[..., upper],
        lower=cavity.green[..., lower].conj(),
        products=product(cavity.green),
        partial=difference(cavity.partial),
        edges={pair: product(values) for pair, values in cavity.messages.items()},
        ward={pair: difference(values) for pair, values in cavity.messages.items()},
    )


@dataclass(frozen=True, slots=True, eq=False)
class LadderSolution:
    """sum_b P_ab f_b, shape (q, d, m); the passes made; its last relative change, shape (q,)."""

    propagator: NDArray[Any]
    iterations: int
    residuals: NDArray[np.float64]


@dataclass(slots=True, eq=False)
class _State:
    """Totals U_k = f_a + sum_l W X_{l->k}, shape (d, N, m * q), and strong messages X, shape (edges, m * q)."""

    totals: NDArray[Any]
    strong: dict[tuple[int, int], NDArray[Any]]


def solve_ladder(
    couplings: SplitCouplings,
    pairs: LadderPairs,
    sums: LevelSums,
    sources: NDArray[np.float64],
    *,
    tolerance: float,
    max_iterations: int,
) -> LadderSolution:
    """Solve the ladder for every source and every pair (E, s); the unit sources give the propagator P_ab.

        X_{k->j} = D_{k->j} [ f_a + sum_{l != j} W_kl X_{l->k} ],     k in a,
        sum_b P_ab f_b = sum_{k in a} D_k [ f_a + sum_l W_kl X_{l->k} ].

    Args:
        couplings: the couplings that the cavity solution belongs to.
        pairs: its pairs.
        sums: its sums over levels.
        sources: f, shape (d, m): m sources, numbers on the final levels.
        tolerance: the relative change of the answer at which the passes stop.
        max_iterations: passes at most; the caller compares `residuals` with `tolerance`.

    Passes go level after level, in place. What a weak pair sends is eliminated to the order of the cavity equation,
    with D_{l->k} = D_l |1 - x + 2 x^2|^2, x = W_kl G_k G_l; the totals U_k = f_a + sum_l W_kl X_{l->k} remain.
    After a pass the d slowest modes (U_k proportional to s/2 + Gamma_k on each level) are corrected by the averaged
    closure, which is the ladder projected on them, and left alone for a while when the residual grows;
    plain passes converge anyway, since the ladder is positive and loses to s.

    Cost: per pass, source and pair 12 products of N^2 weights for each two levels (24 if s is complex).
    """
    q = pairs.products.shape[2]
    weak = _weak_terms(couplings, pairs)
    source = np.repeat(sources, q, axis=1)
    scales = sums.solve(sums.squares[:, :, None] * sources)
    slow = pairs.s / 2 + pairs.partial.sum(axis=1)
    state = _start(couplings, pairs, slow, scales)
    column = np.asarray(sums.densities[:, :, None] * scales)
    residuals = np.full(q, np.inf)
    resume, delay = np.zeros(q, int), np.full(q, 4)
    iterations = 0
    while iterations < max_iterations and not np.all(residuals <= tolerance):
        iterations += 1
        before, previous = residuals, column
        column = _pass(couplings, pairs, weak, source, state)
        residuals = np.abs(column - previous).max(axis=(1, 2)) / np.abs(column).max(axis=(1, 2))
        rose = (residuals >= before) & (iterations > resume)
        resume[rose] = iterations + delay[rose]
        delay[rose] *= 2
        correcting = sums.is_slow & (iterations > resume) & (residuals > tolerance)
        if correcting.any():
            column = column + _correct(couplings, pairs, sums, weak, source, state, slow, column, correcting)
    return LadderSolution(column, iterations, residuals)


def _start(couplings: SplitCouplings, pairs: LadderPairs, slow: NDArray[Any], scales: NDArray[Any]) -> _State:
    flat = np.moveaxis(scales, 0, -1)  # (level, source, q)
    totals = np.stack([_outer(values, flat[a]) for a, values in enumerate(slow)])
    return _State(totals, {(a, b): _outer(values, flat[b]) for (a, b), values in pairs.ward.items()})


def _outer(values: NDArray[Any], factors: NDArray[Any]) -> NDArray[Any]:
    """Return values[k, q] factors[m, q] as a matrix with columns (m, q)."""
    return np.asarray((values[:, None, :] * factors).reshape(len(values), factors.size))


def _per_source(values: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """Repeat the columns q of `values` for every source."""
    return np.tile(values, (1, like.shape[1] // values.shape[1]))


def _weak_terms(couplings: SplitCouplings, pairs: LadderPairs) -> dict[tuple[int, int], NDArray[Any]]:
    """Return, for (a, b), the factor of U_k' in what k in a receives back from the weak pairs with b, shape (N, q)."""
    terms = {}
    for a, b in couplings.strong:
        D, u, v = pairs.products, pairs.upper, pairs.lower
        if pairs.is_real:
            _, (first,), (second,) = couplings.apply_weak(a, b, [[], [D[b]], [D[b] * u[b]]])
            terms[a, b] = D[a] * (4 * (u[a] * second).real - first)
        else:
            _, (first,), (up, low) = couplings.apply_weak(a, b, [[], [D[b]], [D[b] * u[b], D[b] * v[b]]])
            terms[a, b] = D[a] * (2 * (u[a] * up + v[a] * low) - first)
    return terms


def _receive(
    couplings: SplitCouplings, pairs: LadderPairs, weak: dict[tuple[int, int], NDArray[Any]], state: _State, a: int
) -> tuple[NDArray[Any], dict[int, NDArray[Any]]]:
    """Return sum_l W_kl X_{l->k} for k in level a over the weak pairs, and over the strong ones of each level b."""
    total = np.zeros_like(state.totals[a])
    strong = {}
    for b in couplings.neighbours(a):
        sent = _per_source(pairs.products[b], total) * state.totals[b]
        total += _receive_weak(couplings, pairs, a, b, sent)
        total += _per_source(weak[a, b], total) * state.totals[a]
        strong[b] = np.zeros_like(total)
        edges = couplings.strong[a, b]
        kernels.gather_edges(edges.offsets, edges.weights, state.strong[a, b], strong[b])
    return np.asarray(total), strong


def _receive_weak(couplings: SplitCouplings, pairs: LadderPairs, a: int, b: int, sent: NDArray[Any]) -> NDArray[Any]:
    """Return sum_l W_kl X_{l->k} over the weak pairs but for the part in U_k', from sent = D_l U_l."""
    D, u = _per_source(pairs.products[a], sent), _per_source(pairs.upper[a], sent)
    D_b, u_b = _per_source(pairs.products[b], sent), _per_source(pairs.upper[b], sent)
    if pairs.is_real:
        columns = [[sent], [sent * u_b], [sent * D_b, sent * u_b * u_b]]
        (first,), (second,), (third, fourth) = couplings.apply_weak(a, b, columns)
        return np.asarray(first - 2 * (u * second).real + 2 * D * third + 4 * (u * u * fourth).real)
    v, v_b = _per_source(pairs.lower[a], sent), _per_source(pairs.lower[b], sent)
    columns = [[sent], [sent * u_b, sent * v_b], [sent * D_b, sent * u_b * u_b, sent * v_b * v_b]]
    (first,), (up, low), (third, up2, low2) = couplings.apply_weak(a, b, columns)
    return np.asarray(first - u * up - v * low + 2 * (D * third + u * u * up2 + v * v * low2))


def _pass(
    couplings: SplitCouplings,
    pairs: LadderPairs,
    weak: dict[tuple[int, int], NDArray[Any]],
    source: NDArray[Any],
    state: _State,
) -> NDArray[Any]:
    """Update every level once; return P, shape (q, d, d)."""
    column = []
    for a in range(len(source)):
        received, strong = _receive(couplings, pairs, weak, state, a)
        received += source[a]
        for b in strong:
            edges = couplings.strong[a, b]
            rest = received + sum(strong[c] for c in strong if c != b)
            kernels.send_ladder_edges(
                edges.offsets, edges.weights, edges.mirror,
                state.strong[a, b], rest, pairs.edges[b, a], state.strong[b, a],
            )  # fmt: skip
        total = received + sum(strong.values())
        state.totals[a] = total
        column.append(_sum_level(pairs, total, a))
    return np.stack(column, axis=1)


def _sum_level(pairs: LadderPairs, totals: NDArray[Any], a: int) -> NDArray[Any]:
    """Return sum_{k in a} D_k U_k, shape (q, m)."""
    n, q = pairs.products[a].shape
    return np.asarray(np.einsum("kq,kmq->qm", pairs.products[a], totals.reshape(n, -1, q)))


def _correct(
    couplings: SplitCouplings,
    pairs: LadderPairs,
    sums: LevelSums,
    weak: dict[tuple[int, int], NDArray[Any]],
    source: NDArray[Any],
    state: _State,
    slow: NDArray[Any],
    column: NDArray[Any],
    correcting: NDArray[np.bool_],
) -> NDArray[Any]:
    """Add to each level the multiple of its slow mode that solves the projected equation; return the change of P."""
    received = []
    for a in range(len(source)):
        total, strong = _receive(couplings, pairs, weak, state, a)
        received.append(_sum_level(pairs, total + sum(strong.values()) + source[a], a))
    scales = sums.solve(np.stack(received, axis=1) - column) * correcting[:, None, None]
    shift = _start(couplings, pairs, slow, scales)
    state.totals += shift.totals
    for pair, values in shift.strong.items():
        state.strong[pair] += values
    return np.asarray(sums.densities[:, :, None] * scales)
