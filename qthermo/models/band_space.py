"""The Hilbert space of a chain of subunits with energy bands: configurations, their blocks, and H acting on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["Band", "BandSpace", "Link", "Pair", "conserving_pairs", "count_states", "energy_key", "list_links"]

Pair = tuple[int, int]
"""The bands of two neighbouring subunits, left one first."""

_ENERGY_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """`num_levels` levels evenly spread over `width` around `energy`."""

    energy: float
    num_levels: int
    width: float = 0.0

    @property
    def levels(self) -> NDArray[np.float64]:
        """The levels E + ((k + 1/2)/n - 1/2) width."""
        k = np.arange(self.num_levels)
        return np.asarray(self.energy + ((k + 0.5) / self.num_levels - 0.5) * self.width, np.float64)


@dataclass(frozen=True, slots=True)
class Link:
    """Two configurations that differ on one bond; H couples block `row` with block `column` by (I, V, I)."""

    row: int
    column: int
    bond: int
    pairs: tuple[Pair, Pair]


def energy_key(energy: float) -> float:
    """Return the energy rounded so that sums in another order compare equal."""
    return round(energy, _ENERGY_DIGITS) + 0.0


def count_states(bands: Sequence[Band], num_subunits: int, total_energy: float | None) -> int:
    """Return the dimension of the space of all states, or of those with the given sum of band energies."""
    if total_energy is None:
        return int(sum(band.num_levels for band in bands) ** num_subunits)
    counts = {0.0: 1}
    for _ in range(num_subunits):
        wider: dict[float, int] = {}
        for energy, count in counts.items():
            for band in bands:
                key = energy_key(energy + band.energy)
                wider[key] = wider.get(key, 0) + count * band.num_levels
        counts = wider
    return counts.get(energy_key(total_energy), 0)


def conserving_pairs(bands: Sequence[Band]) -> list[tuple[Pair, Pair]]:
    """Return all ((i, j), (k, l)) with (i, j) < (k, l) and E_i + E_j = E_k + E_l."""
    numbers = range(len(bands))
    sums = {(i, j): energy_key(bands[i].energy + bands[j].energy) for i in numbers for j in numbers}
    return [(here, there) for here, there in combinations(sums, 2) if sums[here] == sums[there]]


@dataclass(frozen=True, eq=False)
class BandSpace:
    """Product space of `num_subunits` subunits, all of it or the part with a given sum of band energies.

    A configuration says in which band each subunit is; its states are the products of levels, the last subunit's
    running fastest. States of one configuration are neighbours in the basis.
    """

    bands: tuple[Band, ...]
    num_subunits: int
    total_energy: float | None
    blocks: Sequence[Mapping[tuple[Pair, Pair], NDArray[Any]]] = field(repr=False)
    """For each bond the coupling blocks, including their strength."""

    @cached_property
    def configurations(self) -> tuple[tuple[int, ...], ...]:
        """All configurations, in lexicographic order from the right: one excitation moves from left to right."""
        found: list[tuple[int, ...]] = [()]
        for _ in range(self.num_subunits):
            found = [(*head, band) for head in found for band in range(len(self.bands))]
            if self.total_energy is not None:
                found = [head for head in found if self._can_reach(head)]
        return tuple(sorted(found, reverse=True))

    def _can_reach(self, head: tuple[int, ...]) -> bool:
        energies = [band.energy for band in self.bands]
        missing = float(self.total_energy or 0.0) - sum(energies[band] for band in head)
        left = self.num_subunits - len(head)
        slack = 10.0**-_ENERGY_DIGITS
        if left == 0:
            return abs(missing) <= slack
        return left * min(energies) - slack <= missing <= left * max(energies) + slack

    @cached_property
    def block_dimensions(self) -> NDArray[np.int64]:
        """The number of states of each configuration."""
        sizes = np.array([band.num_levels for band in self.bands])
        return np.array([int(np.prod(sizes[list(c)])) for c in self.configurations], np.int64)

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Where each configuration lies in the basis."""
        ends = list(accumulate(int(size) for size in self.block_dimensions))
        return tuple(slice(end - int(size), end) for end, size in zip(ends, self.block_dimensions, strict=True))

    @property
    def dimension(self) -> int:
        """The number of states."""
        return int(self.block_dimensions.sum())

    @cached_property
    def diagonal(self) -> NDArray[np.float64]:
        """The sum of the level energies of every state."""
        parts = []
        for configuration in self.configurations:
            total = np.zeros(1)
            for band in configuration:
                total = np.add.outer(total, self.bands[band].levels).ravel()
            parts.append(total)
        return np.concatenate(parts)

    @cached_property
    def band_energies(self) -> NDArray[np.float64]:
        """The sum of the band energies of every state: it commutes with H."""
        energies = [sum(self.bands[band].energy for band in c) for c in self.configurations]
        return np.repeat(np.array(energies), self.block_dimensions)

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """All pairs of configurations that H couples."""
        return list_links(self.configurations, [tuple(bond) for bond in self.blocks])

    def frame(self, link: Link) -> Pair:
        """Return the dimensions of the subunits left and right of the link's bond."""
        sizes = [self.bands[band].num_levels for band in self.configurations[link.row]]
        return int(np.prod(sizes[: link.bond], dtype=int)), int(np.prod(sizes[link.bond + 2 :], dtype=int))

    def apply(self, vector: NDArray[Any]) -> NDArray[Any]:
        """Return H @ vector for a vector, shape (dimension,), or several as columns."""
        wide = vector.reshape(vector.shape[0], -1)
        out = self.diagonal[:, None] * wide.astype(np.result_type(wide, self._dtype), copy=False)
        for link in self.links:
            block = self.blocks[link.bond][link.pairs]
            left, right = self.frame(link)
            row, column = self.slices[link.row], self.slices[link.column]
            out[row] += _act(block, wide[column], left, right).reshape(out[row].shape)
            back = _act(block.T, wide[row].conj(), left, right).conj()
            out[column] += back.reshape(out[column].shape)
        applied: NDArray[Any] = out.reshape(vector.shape)
        return applied

    @property
    def _dtype(self) -> np.dtype[Any]:
        return np.result_type(np.float64, *(block for bond in self.blocks for block in bond.values()))

    @cached_property
    def components(self) -> tuple[tuple[int, ...], ...]:
        """The configurations in groups between which H has no path, each ascending."""
        ends = np.array([(link.row, link.column) for link in self.links]).reshape(-1, 2).T
        size = len(self.configurations)
        graph = coo_array((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(size, size))
        count, labels = connected_components(graph, directed=False)
        return tuple(tuple(np.flatnonzero(labels == label).tolist()) for label in range(count))

    def to_dense(self, component: Sequence[int] | None = None) -> NDArray[Any]:
        """Return H as a matrix, or its part on the states of the configurations of one of `components`."""
        chosen = range(len(self.configurations)) if component is None else component
        ends = np.cumsum([0, *self.block_dimensions[list(chosen)]])
        places = {number: slice(*ends[k : k + 2]) for k, number in enumerate(chosen)}
        matrix = np.zeros((ends[-1],) * 2, self._dtype)
        np.fill_diagonal(matrix, np.concatenate([self.diagonal[self.slices[number]] for number in chosen]))
        for link in self.links:
            if link.row in places:
                left, right = self.frame(link)
                block = np.kron(np.eye(left), np.kron(self.blocks[link.bond][link.pairs], np.eye(right)))
                row, column = places[link.row], places[link.column]
                matrix[row, column] += block
                matrix[column, row] += block.conj().T
        return matrix


def _act(block: NDArray[Any], states: NDArray[Any], left: int, right: int) -> NDArray[Any]:
    """Return (I_left (x) block (x) I_right) @ states."""
    columns = right * states.shape[1]
    if left == 1:
        return np.asarray(block @ states.reshape(-1, columns))
    return np.asarray(np.matmul(block, states.reshape(left, -1, columns)))


def list_links(
    configurations: Sequence[tuple[int, ...]], pairs: Sequence[Sequence[tuple[Pair, Pair]]]
) -> tuple[Link, ...]:
    """Return every link between configurations; `pairs` names the blocks that each bond has."""
    number = {configuration: k for k, configuration in enumerate(configurations)}
    links = []
    for configuration, row in number.items():
        for bond, known in enumerate(pairs):
            for here, there in known:
                if configuration[bond : bond + 2] == here:
                    other = (*configuration[:bond], *there, *configuration[bond + 2 :])
                    links.append(Link(row, number[other], bond, (here, there)))
    return tuple(links)
