"""Which Pauli rotations run side by side: grouping, local bases and edge-coloured layers. No qiskit here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import rustworkx as rx

from qthermo.operators import PauliString, PauliSum, group_commuting

__all__ = ["QubitwiseGroup", "build_layers", "order_groups", "round_robin_layers", "split_qubitwise"]

Layer = tuple[PauliString, ...]


@dataclass(frozen=True, slots=True)
class QubitwiseGroup:
    """Terms that carry at most one letter per site, so that one local rotation per site makes all of them diagonal."""

    terms: PauliSum
    basis: dict[int, str]


def order_groups(hamiltonian: PauliSum) -> tuple[PauliSum, ...]:
    """Return the commuting groups with the one that is cheapest in two-qubit gates first.

    A symmetric formula applies its first group once more than the others.
    """
    return tuple(sorted(group_commuting(hamiltonian), key=_two_qubit_cost))


def _two_qubit_cost(group: PauliSum) -> int:
    return sum(2 * (len(string.sites) - 1) for string in group)


def split_qubitwise(group: PauliSum) -> tuple[QubitwiseGroup, ...]:
    """Split commuting terms into parts with one letter per site, first fit, the longest terms first."""
    parts: list[tuple[dict[int, str], list[PauliString]]] = []
    for string in sorted(group, key=lambda s: -len(s.sites)):
        letters = string.letters
        for basis, strings in parts:
            if all(basis.get(site, letter) == letter for site, letter in letters.items()):
                basis.update(letters)
                strings.append(string)
                break
        else:
            parts.append((dict(letters), [string]))
    return tuple(QubitwiseGroup(PauliSum([(s, group[s]) for s in strings]), basis) for basis, strings in parts)


def build_layers(group: PauliSum, *, round_robin: bool = False) -> tuple[Layer, ...]:
    """Sort commuting terms into layers of disjoint terms: pairs by edge colouring, then longer ones, then single sites.

    A chain or a bipartite lattice needs as many layers as its largest number of neighbours, any other graph at most
    one more. With `round_robin` the pairs follow the tournament schedule of all sites.
    """
    pairs: dict[tuple[int, int], list[PauliString]] = {}
    for string in group:
        if len(string.sites) == 2:
            pairs.setdefault((string.sites[0], string.sites[1]), []).append(string)
    layers: list[Layer] = []
    colours = round_robin_layers(group.num_sites) if round_robin else _colour_pairs(list(pairs))
    for colour in colours:
        present = [pairs[pair] for pair in colour if pair in pairs]
        depth = max((len(strings) for strings in present), default=0)
        layers += [tuple(strings[k] for strings in present if k < len(strings)) for k in range(depth)]
    layers += _first_fit([string for string in group if len(string.sites) > 2])
    layers += _first_fit([string for string in group if len(string.sites) == 1])
    return tuple(layers)


def round_robin_layers(num_sites: int) -> list[list[tuple[int, int]]]:
    """Return the circle-method tournament: num_sites - 1 rounds (num_sites if odd) in which every pair meets once."""
    players = num_sites + num_sites % 2
    ring = list(range(players))
    rounds = []
    for _ in range(players - 1):
        games = [(ring[k], ring[players - 1 - k]) for k in range(players // 2)]
        rounds.append([(min(game), max(game)) for game in games if max(game) < num_sites])
        ring = [ring[0], ring[-1], *ring[1:-1]]
    return rounds


def _colour_pairs(pairs: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    if not pairs:
        return []
    graph = rx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(1 + max(max(pair) for pair in pairs)))
    graph.add_edges_from([(a, b, (a, b)) for a, b in pairs])
    colour = rx.graph_bipartite_edge_color if rx.is_bipartite(graph) else rx.graph_misra_gries_edge_color
    colours = colour(graph)
    layers: dict[int, list[tuple[int, int]]] = {}
    for index, (_, _, pair) in graph.edge_index_map().items():
        layers.setdefault(colours[index], []).append(pair)
    return [sorted(pairs) for _, pairs in sorted(layers.items())]


def _first_fit(strings: list[PauliString]) -> list[Layer]:
    layers: list[tuple[int, list[PauliString]]] = []
    for string in strings:
        support = string.x | string.z
        for k, (used, members) in enumerate(layers):
            if not used & support:
                layers[k] = (used | support, [*members, string])
                break
        else:
            layers.append((support, [string]))
    return [tuple(members) for _, members in layers]
