"""Couplings split in two: a few strong pairs that need explicit messages, and many weak ones that need none.

For a weak pair the message differs from the Green function by a series in x = W_kl G_k G_l (Onsager's reaction term and
its successors), whose terms are products with elementwise powers of W. Pairs whose |x| exceeds a threshold at any
point are strong. Resonant pairs, |x| of order one, are always among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.linalg import strong_pairs as kernels
from qthermo.models import BathEigenbasis

__all__ = ["SplitCouplings", "StrongEdges", "split_couplings"]

_SAMPLED_ROWS = 64


@dataclass(frozen=True, slots=True, eq=False)
class StrongEdges:
    """Strong pairs seen from the receivers of one level: compressed rows, and each edge's number on the other side."""

    offsets: NDArray[np.int64]
    senders: NDArray[np.int64]
    weights: NDArray[np.float64]
    mirror: NDArray[np.int64]

    @property
    def receivers(self) -> NDArray[np.int64]:
        """The receiver of every edge."""
        return np.repeat(np.arange(self.offsets.size - 1), np.diff(self.offsets))

    def find(self, other: StrongEdges) -> NDArray[np.int64]:
        """Return the places of another list's edges, all of which must be here."""
        size = self.offsets.size - 1
        found: NDArray[np.int64] = np.searchsorted(
            self.receivers * size + self.senders, other.receivers * size + other.senders
        )
        return found


@dataclass(frozen=True, slots=True, eq=False)
class SplitCouplings:
    """Energies, weak couplings as matrices, strong ones as lists of edges.

    Args:
        energies: e_i + E_a, shape (d, N).
        weak: for a < b, W without the strong pairs, rows in a, columns in b.
        strong: for every ordered pair of coupled levels (a, b), the strong edges into a from b.
        threshold: the |x| above which a pair is strong; the series, cut at the third power, errs by 5 |x|^3 per pair.
    """

    energies: NDArray[np.float64]
    weak: Mapping[tuple[int, int], NDArray[Any]]
    strong: dict[tuple[int, int], StrongEdges]
    threshold: float

    def neighbours(self, level: int) -> list[int]:
        """Return the levels that `level` is coupled to."""
        return [b for a, b in self.strong if a == level]

    @property
    def num_strong(self) -> int:
        """The number of strong pairs."""
        return sum(edges.weights.size for (a, b), edges in self.strong.items() if a < b)

    def apply_weak(
        self, receiver: int, sender: int, columns: Sequence[Sequence[NDArray[Any]]]
    ) -> list[list[NDArray[Any]]]:
        """Return W @ x, W^2 @ x, ... (elementwise powers) for arrays x over the states of `sender`."""
        if receiver < sender:
            return kernels.apply_powers(self.weak[receiver, sender], columns, transposed=False)
        return kernels.apply_powers(self.weak[sender, receiver], columns, transposed=True)

    def largest_weak(self, sizes: NDArray[np.float64]) -> float:
        """Return the largest W_kl sizes_k sizes_l among the weak pairs; sizes bounds |G_k|, shape (d, N)."""
        return max(
            float(kernels.find_strong(matrix, sizes[a], sizes[b], np.inf)[1]) for (a, b), matrix in self.weak.items()
        )

    def move(self, sizes: NDArray[np.float64]) -> None:
        """Move weak pairs with W_kl sizes_k sizes_l above the threshold to the strong ones."""
        for (a, b), matrix in self.weak.items():
            old = self.strong[a, b]
            kept = old.receivers, old.senders
            matrix[kept] = old.weights
            self.strong[a, b], self.strong[b, a] = _extract(matrix, sizes[a], sizes[b], kept, self.threshold)


def split_couplings(
    basis: BathEigenbasis,
    points: NDArray[np.complex128],
    *,
    threshold: float,
    dtype: type[np.floating[Any]] = np.float64,
) -> SplitCouplings:
    """Split |V|^2 for the given points z, with the Green functions bounded by a guess of the broadenings.

    The guess need not be good: after the cavity equation is solved, `largest_weak` tells, and `move` mends.

    Cost: one pass over the couplings.
    """
    weights = {
        pair: np.ascontiguousarray(np.abs(block) ** 2, dtype=dtype)
        for pair, block in basis.blocks.items()
        if pair[0] != pair[1] and np.any(block)
    }
    sizes = _guess_sizes(basis.energies, weights, points)
    strong: dict[tuple[int, int], StrongEdges] = {}
    nothing = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for (a, b), matrix in weights.items():
        strong[a, b], strong[b, a] = _extract(matrix, sizes[a], sizes[b], nothing, threshold)
    return SplitCouplings(basis.energies, weights, strong, threshold)


def _extract(
    matrix: NDArray[Any],
    row_sizes: NDArray[np.float64],
    column_sizes: NDArray[np.float64],
    kept: tuple[NDArray[np.int64], NDArray[np.int64]],
    threshold: float,
) -> tuple[StrongEdges, StrongEdges]:
    """Cut the strong entries, and those kept from before, out of the matrix."""
    counts, _ = kernels.find_strong(matrix, row_sizes, column_sizes, threshold)
    found = [np.zeros((2, 0), np.int64)]
    for k in np.flatnonzero(counts):
        columns = np.flatnonzero(matrix[k] * row_sizes[k] * column_sizes > threshold)
        found.append(np.stack([np.full(columns.size, k), columns]))
    pairs = np.concatenate([*found, np.stack(kept)], axis=1)
    n, m = matrix.shape
    rows, columns = np.divmod(np.unique(pairs[0] * m + pairs[1]), m)
    values = matrix[rows, columns].astype(np.float64)
    matrix[rows, columns] = 0.0
    order = np.argsort(columns, kind="stable")
    back = np.empty_like(order)
    back[order] = np.arange(order.size)
    return (
        StrongEdges(_offsets(rows, n), columns, values, back),
        StrongEdges(_offsets(columns, m), rows[order], values[order], order),
    )


def _offsets(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=count))]).astype(np.int64)


def _guess_sizes(
    energies: NDArray[np.float64], weights: Mapping[tuple[int, int], NDArray[Any]], points: NDArray[np.complex128]
) -> NDArray[np.float64]:
    """Return a guess of max_z |G_k(z)|, shape (d, N), from the lower decile of the broadenings of sampled rows.

    Each term of the broadening saturates, W g / (1 + W g / Gamma), so that a single strong coupling does not count for
    more than the level repulsion it causes.
    """
    points = points[np.argsort(points.real, kind="stable")]
    sampled = points[np.unique(np.linspace(0, points.size - 1, 12).astype(int))]
    broadenings = np.empty((sampled.size, len(energies)))
    for broadening, z in zip(broadenings, sampled, strict=True):
        broadening[:] = z.imag
        for _ in range(6):
            broadening[:] = z.imag + np.array(
                [_sample_broadening(a, energies, weights, z, broadening) for a in range(len(energies))]
            )
    sizes = np.zeros(energies.shape)
    for a, row in enumerate(energies):
        widths = np.interp(points.real, sampled.real, broadenings[:, a])
        for z, width in zip(points, np.maximum(widths, points.imag), strict=True):
            np.maximum(sizes[a], 1.0 / np.hypot(z.real - row, width), out=sizes[a])
    return sizes


def _sample_broadening(
    level: int,
    energies: NDArray[np.float64],
    weights: Mapping[tuple[int, int], NDArray[Any]],
    z: complex,
    broadening: NDArray[np.float64],
) -> float:
    total: NDArray[np.float64] | float = 0.0
    for (a, b), matrix in weights.items():
        if level not in (a, b):
            continue
        other = b if level == a else a
        stride = max(1, matrix.shape[0] // _SAMPLED_ROWS)
        rows = matrix[::stride] if level == a else matrix[:, ::stride].T
        green = 1.0 / (z.real - energies[other] + 1j * broadening[other])
        total = total + (-green.imag * rows / (1.0 + rows * np.abs(green) / broadening[level])).sum(axis=1)
    return float(np.quantile(total, 0.1))
