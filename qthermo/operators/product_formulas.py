"""Suzuki product formulas as data, and the ways to group a Pauli sum for them.

A formula approximates exp(-i t sum_g H_g) by a product of exp(-i w_k t H_{g_k}). Tensor networks and circuits walk
through the same `Stage` list, so their Trotter errors are the same function of the time step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from qthermo.errors import InputError
from qthermo.operators.pauli_sum import PauliString, PauliSum

__all__ = ["Stage", "build_schedule", "group_bonds", "group_commuting", "repeat_schedule"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One factor exp(-i weight t H_group) of a product formula."""

    group: int
    weight: float


def build_schedule(order: int, num_groups: int) -> tuple[Stage, ...]:
    """Return the Suzuki formula of order 1, 2 or 4 for one step of unit length, first factor applied first.

    Order 2 is the palindrome S2(t) = prod_g e^(-i t H_g / 2) prod_g(reversed) e^(-i t H_g / 2); order 4 is
    S2(pt)^2 S2((1-4p)t) S2(pt)^2 with p = 1 / (4 - 4^(1/3)). The error of one run to a fixed time falls as step**order.

    Raises:
        InputError: `order` is not 1, 2 or 4, or there is no group.

    Reference: M. Suzuki, Phys. Lett. A 146, 319 (1990), doi:10.1016/0375-9601(90)90962-N.
    """
    if order not in (1, 2, 4):
        raise InputError(f"Argument `trotter_order` must be 1, 2 or 4, but is {order!r}.")
    if num_groups < 1:
        raise InputError("A product formula needs at least one group of terms, but got none.")
    forward = [Stage(group, 1.0) for group in range(num_groups)]
    if order == 1:
        return tuple(forward)
    halves = [Stage(group, 0.5) for group in range(num_groups)]
    strang = _merge(halves + halves[::-1])
    if order == 2:
        return strang
    outer = 1 / (4 - 4 ** (1 / 3))
    return _merge(
        Stage(stage.group, stage.weight * scale)
        for scale in (outer, outer, 1 - 4 * outer, outer, outer)
        for stage in strang
    )


def repeat_schedule(schedule: tuple[Stage, ...], num_steps: int) -> tuple[Stage, ...]:
    """Return `num_steps` steps in a row with equal neighbours merged."""
    return _merge(stage for _ in range(num_steps) for stage in schedule)


def _merge(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    merged: list[Stage] = []
    for stage in stages:
        if merged and merged[-1].group == stage.group:
            merged[-1] = Stage(stage.group, merged[-1].weight + stage.weight)
        else:
            merged.append(stage)
    return tuple(merged)


def group_commuting(hamiltonian: PauliSum) -> tuple[PauliSum, ...]:
    """Split into as few sums of mutually commuting terms as is cheap to find.

    If two sums suffice (the anticommutation graph of the terms is bipartite: Ising chains, lattices and all-to-all
    Ising baths with their thermometer), they are returned, most of the Z-only terms in the first. Otherwise: Z only,
    X only, Y only, and mixed terms where they fit first. The identity is left out: it is a global phase.

    Cost: the number of anticommuting pairs of terms if two sums suffice.
    """
    strings = [string for string in hamiltonian if string.sites]
    groups = _two_colour(strings) or _group_greedily(strings)
    return tuple(PauliSum([(string, hamiltonian[string]) for string in group]) for group in groups if group)


def _two_colour(strings: list[PauliString]) -> tuple[list[PauliString], list[PauliString]] | None:
    """Return two commuting groups, or None if the anticommutation graph has an odd cycle."""
    by_letter: dict[tuple[int, str], list[PauliString]] = {}
    for string in strings:
        for place in string.letters.items():
            by_letter.setdefault(place, []).append(string)
    side: dict[PauliString, int] = {}
    for start in strings:
        if start in side:
            continue
        side[start] = 0
        component = [start]
        for string in component:
            for other in _anticommuting(string, by_letter):
                if other not in side:
                    side[other] = 1 - side[string]
                    component.append(other)
                elif side[other] == side[string]:
                    return None
        if sum((1 if side[string] == 0 else -1) for string in component if not string.x) < 0:
            side.update({string: 1 - side[string] for string in component})
    return [s for s in strings if side[s] == 0], [s for s in strings if side[s] == 1]


def _anticommuting(string: PauliString, by_letter: dict[tuple[int, str], list[PauliString]]) -> Iterable[PauliString]:
    for site, letter in string.letters.items():
        for different in "XYZ".replace(letter, ""):
            for other in by_letter.get((site, different), ()):
                if not string.commutes_with(other):
                    yield other


def _group_greedily(strings: list[PauliString]) -> list[list[PauliString]]:
    mixed: list[PauliString] = []
    pure: dict[str, list[PauliString]] = {"Z": [], "X": [], "Y": []}
    for string in strings:
        letters = set(string.letters.values())
        if len(letters) == 1:
            pure[letters.pop()].append(string)
        else:
            mixed.append(string)
    groups = [group for group in pure.values() if group]
    for string in mixed:
        for group in groups:
            if all(string.commutes_with(other) for other in group):
                group.append(string)
                break
        else:
            groups.append([string])
    return groups


def group_bonds(hamiltonian: PauliSum, num_sites: int) -> tuple[PauliSum, ...]:
    """Split a nearest-neighbour Hamiltonian into one sum per bond (k, k+1), k = 0 .. num_sites - 2.

    A term on one site is shared equally by the bonds that touch it. Bonds of equal parity commute, so
    `build_schedule(order, 2)` with group 0 the even and group 1 the odd bonds evolves the chain. The identity is
    left out: it is a global phase.

    Raises:
        InputError: a term reaches beyond nearest neighbours, or there are fewer than two sites.
    """
    if num_sites < 2:
        raise InputError(f"A chain must have at least 2 sites to have bonds, but has {num_sites}.")
    bonds: list[list[tuple[PauliString, complex]]] = [[] for _ in range(num_sites - 1)]
    for string, coefficient in hamiltonian.items():
        sites = string.sites
        if not sites:
            continue
        if sites[-1] - sites[0] > 1 or sites[-1] >= num_sites:
            raise InputError(
                f"Every term must act on neighbouring sites of a chain of {num_sites}, but `{string}` does not."
            )
        if len(sites) == 2:
            bonds[sites[0]].append((string, coefficient))
        else:
            touching = [bond for bond in (sites[0] - 1, sites[0]) if 0 <= bond < num_sites - 1]
            for bond in touching:
                bonds[bond].append((string, coefficient / len(touching)))
    return tuple(PauliSum(terms) for terms in bonds)
