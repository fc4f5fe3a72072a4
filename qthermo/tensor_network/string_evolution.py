"""One operator in the Heisenberg picture under terms on any number of sites: each Pauli string is an exact rotation.

Jump operators on one site or two neighbours join as gates of the adjoint Lindblad equation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.operators import PauliString, PauliSum, build_schedule, group_commuting, repeat_schedule
from qthermo.tensor_network.canonical_chain import CanonicalChain
from qthermo.tensor_network.pauli_mpo import LEFT_MULTIPLICATION
from qthermo.tensor_network.pauli_transfer import LETTERS, bond_generators, exponentiate, local_generator
from qthermo.tensor_network.run_estimate import count_all_steps, full_bonds
from qthermo.tensor_network.trotter_steps import GateCache, count_steps

__all__ = ["StringEvolution", "rotation_tensors"]

_GATE, _FAR_GATE = 100.0, 2500.0
"""Real multiplications over chi^3 of a gate on neighbours, and of a longer rotation on each of its bonds."""


def rotation_tensors(string: PauliString, angle: float) -> list[NDArray[np.float64]]:
    """Return O -> e^{i angle P} O e^{-i angle P} in the Pauli basis, W[left, right, out, in], on the span of P.

    With theta = 2 angle it is (1 + cos theta)/2 O + (1 - cos theta)/2 P O P + sin(theta)/2 i[P, O]. The first two are
    products over the sites. With P_k O = (S_k + i K_k) O on a site, the third is -sin(theta) Im prod_k (S_k + i K_k):
    its real and imaginary part go along the bond: dimension 1 + 1 + 2. Sites between carry the identity.
    """
    first, last = string.sites[0], string.sites[-1]
    tensors = []
    for site in range(first, last + 1):
        product = LEFT_MULTIPLICATION[LETTERS.index(string.letters.get(site, "I"))]
        W = np.zeros((4, 4, 4, 4))
        W[0, 0] = np.eye(4)
        W[1, 1] = (product @ product.conj()).real  # P . P, since . P is the complex conjugate of P .
        W[2, 2] = W[3, 3] = product.real
        W[2, 3], W[3, 2] = product.imag, -product.imag
        tensors.append(W)
    theta = 2 * angle
    ends = np.array([(1 + np.cos(theta)) / 2, (1 - np.cos(theta)) / 2, 0.0, -np.sin(theta)])
    tensors[0] = tensors[0][:3].sum(axis=0, keepdims=True)
    tensors[-1] = np.einsum("lrij,r->lij", tensors[-1], ends)[:, None]
    return tensors


@dataclass(slots=True)
class StringEvolution:
    """The operator O(t) on all sites, evolved by Suzuki steps over groups of commuting Pauli strings.

    A stage is the product of the rotations of one group, which commute, so that a step is Suzuki's formula of the order
    asked for and nothing else. Strings on one site or on the same two neighbours are merged into one gate; a longer
    one is a matrix-product rotation of bond dimension 4 on its span, after which the span is brought to
    canonical form and truncated bond by bond. Strings outside the reach of O are passed over.

    Args:
        chain: O(t).
        groups: sums of commuting terms.
        jumps: gates of the jump operators on the bonds, or None; they are two groups more, of even and of odd bonds.
        order: Suzuki order.
        time_step: longest step.
        reach: first and last site on which O may differ from the identity.
        refinement: each of the steps that `time_step` asks for is divided into this many.

    Reference: M. Suzuki, doi:10.1016/0375-9601(90)90962-N.
    """

    chain: CanonicalChain
    groups: tuple[PauliSum, ...]
    jumps: GateCache | None
    order: int
    time_step: float
    reach: tuple[int, int]
    refinement: int = 1
    time: float = 0.0
    num_steps: int = 0

    @classmethod
    def from_terms(
        cls,
        chain: CanonicalChain,
        operator: PauliSum,
        hamiltonian: PauliSum,
        jumps: Sequence[tuple[float, PauliSum]] = (),
        *,
        order: int,
        time_step: float,
        refinement: int = 1,
    ) -> StringEvolution:
        """Return O(0) on all sites of a chain, ready to advance."""
        sites = operator.sites or (0,)
        groups = group_commuting(hamiltonian) or (PauliSum(),)
        gates = GateCache(bond_generators(PauliSum(), chain.num_sites, jumps), exponentiate) if jumps else None
        return cls(chain, groups, gates, order, time_step, (sites[0], sites[-1]), refinement)

    @property
    def num_groups(self) -> int:
        """The groups of a Suzuki step."""
        return len(self.groups) + (2 if self.jumps is not None else 0)

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
        """O(t), its sites in order."""
        return self.chain

    def count_multiplications(self, times: NDArray[np.float64]) -> float:
        """Return the real multiplications through `times`, were every bond full."""
        steps = self.refinement * count_all_steps(self.time, times, self.time_step)
        dimensions = full_bonds(self.num_sites, 4, self.chain.max_bond_dim)
        costs = []
        for group in self.groups:
            spans = {(s.sites[0], s.sites[-1]) if s.sites[-1] - s.sites[0] < 2 else s: s for s in group}
            bonds = [(s.sites[0], s.sites[-1]) for s in spans.values()]
            costs.append(sum((_GATE if b - a < 2 else _FAR_GATE) * (dimensions[a:b] ** 3).sum() for a, b in bonds))
        costs += [_FAR_GATE * (dimensions**3).sum()] * (self.num_groups - len(self.groups))
        return float(steps * sum(costs[stage.group] for stage in build_schedule(self.order, self.num_groups)))

    def advance(self, time: float) -> None:
        """Evolve to `time`, in whole steps no longer than `time_step`."""
        interval = time - self.time
        steps = self.refinement * count_steps(interval, self.time_step)
        schedule = build_schedule(self.order, self.num_groups)
        for stage in repeat_schedule(schedule, steps) if steps else ():
            length = stage.weight * interval / steps
            if stage.group < len(self.groups):
                self._apply_group(self.groups[stage.group], length)
            elif self.jumps is not None:
                self._apply_jumps(self.jumps.gates(length), stage.group - len(self.groups))
        self.time, self.num_steps = time, self.num_steps + steps

    def _apply_group(self, group: PauliSum, length: float) -> None:
        near: dict[tuple[int, ...], PauliSum] = {}
        for string, coefficient in group.items():
            sites = string.sites
            if sites[-1] - sites[0] < 2:
                near[sites] = near.get(sites, PauliSum()) + PauliSum([(string, coefficient)])
            elif self._is_within_reach(sites):
                self._rotate(string, coefficient.real * length)
        for sites, terms in near.items():
            if self._is_within_reach(sites):
                self._apply_near(sites, terms, length)

    def _is_within_reach(self, sites: tuple[int, ...]) -> bool:
        """Say whether O differs from the identity on the span, and if so take the span into the reach."""
        low, high = self.reach
        if sites[-1] < low or sites[0] > high:
            return False
        self.reach = (min(low, sites[0]), max(high, sites[-1]))
        return True

    def _apply_near(self, sites: tuple[int, ...], terms: PauliSum, length: float) -> None:
        gate = exponentiate(local_generator(terms, sites), length)
        if len(sites) == 2:
            self.chain.apply_gate(sites[0], gate)
        else:
            self.chain.tensors[sites[0]] = np.matmul(gate, self.chain.tensors[sites[0]])

    def _apply_jumps(self, gates: NDArray[np.float64], parity: int) -> None:
        """Apply the gates of every second bond; they are not orthogonal, so the canonical form is restored after."""
        for bond in range(parity, self.num_sites - 1, 2):
            if self._is_within_reach((bond, bond + 1)):
                self.chain.apply_gate(bond, gates[bond])
        self.chain.restore_canonical_form()

    def _rotate(self, string: PauliString, angle: float) -> None:
        first, last = string.sites[0], string.sites[-1]
        for site, W in enumerate(rotation_tensors(string, angle), start=first):
            tensor = self.chain.tensors[site]
            moved = np.tensordot(W, tensor, (3, 1)).transpose(0, 3, 2, 1, 4)
            shape = (W.shape[0] * tensor.shape[0], 4, W.shape[1] * tensor.shape[2])
            self.chain.tensors[site] = np.ascontiguousarray(moved).reshape(shape)
        self.chain.restore_canonical_form(first, last)
        self.chain.num_gates += 1

    def entanglement(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return entropy (nats) and dimension of every bond."""
        return self.chain.entropies(), np.array(self.chain.bond_dimensions)

    def to_record(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return all that `load_record` needs to go on exactly."""
        state, arrays = self.chain.to_record()
        return {"time": self.time, "num_steps": self.num_steps, "reach": list(self.reach), "chain": state}, arrays

    def load_record(self, state: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Take over what `to_record` returned."""
        num_sites = self.num_sites
        self.time, self.num_steps = float(state["time"]), int(state["num_steps"])
        self.reach = (int(state["reach"][0]), int(state["reach"][1]))
        self.chain.load_record(state["chain"], arrays)
        if self.num_sites != num_sites:
            raise ValueError("the operator is longer than the lattice")
