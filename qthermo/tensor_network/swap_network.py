"""One operator in the Heisenberg picture under couplings of any pairs of spins: gates and swaps in one network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.operators import PauliSum, build_schedule, repeat_schedule
from qthermo.tensor_network.canonical_chain import CanonicalChain
from qthermo.tensor_network.pauli_transfer import exponentiate, local_generator
from qthermo.tensor_network.run_estimate import count_all_steps, full_bonds
from qthermo.tensor_network.trotter_steps import GateCache, count_steps

__all__ = ["SwapEvolution", "network_layers", "pair_generators"]

_GATE = 800.0
"""Real multiplications of one gate with a full spectrum, over chi^3."""


def network_layers(num_sites: int) -> list[list[tuple[int, int, int]]]:
    """Return the layers of the odd-even transposition network: (bond, i, j) with i < j, in which every pair meets once.

    Layer k holds every second bond from k % 2 on. Swapping each pair that meets reverses the order of the sites.
    """
    order = list(range(num_sites))
    layers = []
    for k in range(num_sites):
        layer = [(bond, order[bond], order[bond + 1]) for bond in range(k % 2, num_sites - 1, 2)]
        for bond, i, j in layer:
            order[bond], order[bond + 1] = j, i
        layers.append(layer)
    return layers


def pair_generators(
    hamiltonian: PauliSum, num_sites: int, jumps: Sequence[tuple[float, PauliSum]]
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """Return the generators of dO/dt on every site and on every pair, and whether those of the pairs commute.

    Args:
        hamiltonian: terms on at most two sites.
        num_sites: number of sites.
        jumps: pairs of rate and jump operator on at most two sites.

    Shapes: (num_sites, 4, 4) and (num_sites, num_sites, 16, 16), of which only the part i < j is filled. Pairs are
    known to commute if every site carries the same letter in all of them, as in Ising models.
    """
    parts: dict[tuple[int, ...], PauliSum] = {}
    letters: list[set[str]] = [set() for _ in range(num_sites)]
    for string, coefficient in hamiltonian.items():
        parts[string.sites] = parts.get(string.sites, PauliSum()) + PauliSum([(string, coefficient)])
        if len(string.sites) == 2:
            for site, letter in string.letters.items():
                letters[site].add(letter)
    single = np.zeros((num_sites, 4, 4))
    double = np.zeros((num_sites, num_sites, 16, 16))
    for sites, operator in parts.items():
        if sites:
            (single if len(sites) == 1 else double)[sites] += local_generator(operator, sites)
    for rate, jump in jumps:
        if jump.sites:
            (single if len(jump.sites) == 1 else double)[jump.sites] += local_generator(
                PauliSum(), jump.sites, [(rate, jump)]
            )
    commuting = all(len(found) < 2 for found in letters) and all(len(jump.sites) < 2 for _, jump in jumps)
    return single, double, commuting


@dataclass(slots=True)
class SwapEvolution:
    """The operator O(t) on all sites, evolved by Suzuki steps over fields and pairs.

    A pass through the network applies exp(length G_ij) to every pair where it meets, and leaves the sites in reverse
    order; the next pass takes the layers in reverse, which brings them back. Where the pairs commute one pass is
    exact; if not, two passes of half the length are a palindrome. Either way a step is Suzuki's formula of the order
    asked for: fields of every site, pairs, and back.

    Args:
        chain: O(t), sites in order or reversed.
        fields: generators of the sites, stacked.
        pairs: gates of the pairs, in the order of `layers`.
        layers: see `network_layers`.
        order: Suzuki order.
        time_step: longest step.
        refinement: each of the steps that `time_step` asks for is divided into this many.
        is_unitary: whether the gates are orthogonal; if not, the canonical form is restored after every layer.
        is_commuting: whether the generators of the pairs commute.

    Cost: N (N - 1) / 2 gates per pass. Reference: I. D. Kivlichan et al., arXiv:1711.04789.
    """

    chain: CanonicalChain
    fields: GateCache
    pairs: GateCache
    layers: list[list[tuple[int, int, int]]]
    order: int
    time_step: float
    refinement: int = 1
    is_unitary: bool = True
    is_commuting: bool = False
    is_reversed: bool = False
    time: float = 0.0
    num_steps: int = 0
    num_passes: int = 0

    @classmethod
    def from_terms(
        cls,
        chain: CanonicalChain,
        hamiltonian: PauliSum,
        jumps: Sequence[tuple[float, PauliSum]],
        *,
        order: int,
        time_step: float,
        refinement: int = 1,
    ) -> SwapEvolution:
        """Return O(0) on all sites of a chain, ready to advance; terms and jumps act on at most two sites."""
        single, double, commuting = pair_generators(hamiltonian, chain.num_sites, jumps)
        layers = network_layers(chain.num_sites)
        generators = np.array([double[i, j] for layer in layers for _, i, j in layer])
        return cls(
            chain, GateCache(single, exponentiate), GateCache(generators, exponentiate), layers, order, time_step,
            refinement, is_unitary=not jumps, is_commuting=commuting,
        )  # fmt: skip

    @property
    def num_sites(self) -> int:
        """The number of sites."""
        return self.chain.num_sites

    @property
    def max_bond(self) -> int:
        """The largest bond dimension now."""
        return self.chain.max_bond

    @property
    def discarded_weight(self) -> float:
        """What every truncation dropped, relative to the norm^2 at its time, in sum."""
        return self.chain.discarded_weight

    @property
    def ordered(self) -> CanonicalChain:
        """O(t) with its sites in order, for reading only: it is in canonical form from one of its ends."""
        if not self.is_reversed:
            return self.chain
        return CanonicalChain([tensor.transpose(2, 1, 0) for tensor in self.chain.tensors[::-1]], [], 1, 0.0)

    def count_multiplications(self, times: NDArray[np.float64]) -> float:
        """Return the real multiplications through `times`, were every bond full."""
        stages = sum(stage.group for stage in build_schedule(self.order, 2))
        passes = stages * (1 if self.is_commuting else 2)
        steps = self.refinement * count_all_steps(self.time, times, self.time_step)
        dimensions = full_bonds(self.chain.num_sites, 4, self.chain.max_bond_dim)
        return float(steps * passes * len(self.layers) / 2 * _GATE * (dimensions**3).sum())

    def advance(self, time: float) -> None:
        """Evolve to `time`, in whole steps no longer than `time_step`."""
        interval = time - self.time
        steps = self.refinement * count_steps(interval, self.time_step)
        for stage in repeat_schedule(build_schedule(self.order, 2), steps) if steps else ():
            length = stage.weight * interval / steps
            if stage.group == 0:
                self._turn_sites(length)
            elif self.is_commuting:
                self._pass_network(length)
            else:
                self._pass_network(length / 2)
                self._pass_network(length / 2)
        self.time, self.num_steps = time, self.num_steps + steps

    def _turn_sites(self, length: float) -> None:
        gates = self.fields.gates(length)
        tensors = self.chain.tensors[::-1] if self.is_reversed else self.chain.tensors
        turned = [np.matmul(gate, tensor) for gate, tensor in zip(gates, tensors, strict=True)]
        self.chain.tensors = turned[::-1] if self.is_reversed else turned
        self._restore()

    def _pass_network(self, length: float) -> None:
        gates = self.pairs.gates(length).reshape(-1, 4, 4, 4, 4)
        swaps = gates.transpose(0, 1, 2, 4, 3) if self.is_reversed else gates.transpose(0, 2, 1, 3, 4)
        swaps = np.ascontiguousarray(swaps).reshape(-1, 16, 16)
        places = [(k, bond) for k, layer in enumerate(self.layers) for bond, _, _ in layer]
        last_layer = -1
        visits = zip(places, swaps, strict=True)
        for (layer, bond), swap in reversed(list(visits)) if self.is_reversed else visits:
            if last_layer not in (-1, layer):
                self._restore()
            self.chain.apply_gate(bond, swap, moves_sites=True)
            last_layer = layer
        self._restore()
        self.is_reversed = not self.is_reversed
        self.num_passes += 1

    def _restore(self) -> None:
        if not self.is_unitary:
            self.chain.restore_canonical_form()

    def entanglement(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return entropy (nats) and dimension of every bond, sites in order."""
        step = -1 if self.is_reversed else 1
        return self.chain.entropies()[::step], np.array(self.chain.bond_dimensions[::step])

    def to_record(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return all that `load_record` needs to go on exactly."""
        state, arrays = self.chain.to_record()
        counts = {"time": self.time, "num_steps": self.num_steps, "num_passes": self.num_passes}
        return {**counts, "chain": state}, arrays

    def load_record(self, state: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Take over what `to_record` returned."""
        self.time = float(state["time"])
        self.num_steps, self.num_passes = int(state["num_steps"]), int(state["num_passes"])
        self.is_reversed = self.num_passes % 2 == 1
        self.chain.load_record(state["chain"], arrays)
        if self.num_sites != len(self.layers):
            raise ValueError("the operator is longer than the lattice")
