"""One local operator evolving in the Heisenberg picture, as a matrix-product vector inside its light cone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.operators import build_schedule
from qthermo.tensor_network.canonical_chain import CanonicalChain
from qthermo.tensor_network.pauli_transfer import letter_vector
from qthermo.tensor_network.run_estimate import count_all_steps, full_bonds
from qthermo.tensor_network.trotter_steps import GateCache, count_steps, trotter_layers

__all__ = ["OperatorEvolution"]

_GATE = 100.0
"""Real multiplications of one gate over chi^3."""
_SMALL_GATE = 4e5
"""Real multiplications in the time of a gate on narrow bonds."""
_PROBED = 2e10
"""Real multiplications, some seconds, above which a bound is sharpened by a probe."""
_PROBE_BOND, _PROBE_MARGIN = 8, 2.0


@dataclass(slots=True)
class OperatorEvolution:
    """The operator O(t), the identity beyond site `chain.num_sites - 1`.

    A gate on a bond where O is still the identity does nothing, because the evolution is unital; so the chain starts
    with the sites of O and takes in a site when a gate on its border puts more than `chain.cutoff` of the norm there.

    Args:
        chain: O(t) on the sites of the light cone.
        gates: the gates of the whole lattice.
        order: Suzuki order.
        time_step: longest step.
        refinement: each of the steps that `time_step` asks for is divided into this many.
        is_unitary: whether the gates are orthogonal; if not, the canonical form is restored after every layer.
    """

    chain: CanonicalChain
    gates: GateCache
    order: int
    time_step: float
    refinement: int = 1
    is_unitary: bool = True
    time: float = 0.0
    num_steps: int = 0

    @property
    def num_sites(self) -> int:
        """The length of the whole lattice."""
        return len(self.gates.generators) + 1

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
        """O(t) on the sites of the light cone."""
        return self.chain

    def entanglement(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return entropy (nats) and dimension of every bond of the lattice."""
        outside = self.num_sites - self.chain.num_sites
        dimensions = np.pad(np.array(self.chain.bond_dimensions, np.intp), (0, outside), constant_values=1)
        return np.pad(self.chain.entropies(), (0, outside)), dimensions

    def count_multiplications(self, times: NDArray[np.float64]) -> float:
        """Return a bound on the real multiplications through `times`, sharpened by a probe where it is large.

        The first bound takes every bond in the reach of the gates as full. The probe evolves a copy at bond dimension
        8 and takes as full only the bonds that it fills: in a localised chain few.
        """
        steps = self.refinement * count_all_steps(self.time, times, self.time_step)
        layers = steps * (len(build_schedule(self.order, 2)) - 1)
        sites = min(self.num_sites, self.chain.num_sites + layers)
        dimensions = full_bonds(sites, 4, self.chain.max_bond_dim)
        factor = 4.0 if any(np.iscomplexobj(tensor) for tensor in self.chain.tensors) else 1.0
        bound = float(layers / 2 * (factor * _GATE * dimensions**3 + _SMALL_GATE).sum())
        return bound if bound < _PROBED else min(bound, factor * _PROBE_MARGIN * self._probe(times))

    def _probe(self, times: NDArray[np.float64]) -> float:
        chain = self.chain.copy()
        chain.max_bond_dim = min(_PROBE_BOND, chain.max_bond_dim)
        probe = replace(self, chain=chain, refinement=1)
        layers_of_step = self.refinement * (len(build_schedule(self.order, 2)) - 1)
        total = 0.0
        for time in times:
            before = probe.num_steps
            probe.advance(float(time))
            found = np.array(chain.bond_dimensions, np.float64)
            widest = full_bonds(chain.num_sites, 4, self.chain.max_bond_dim)
            dimensions = np.where(found < chain.max_bond_dim, found, widest)
            layers = layers_of_step * (probe.num_steps - before)
            total += layers / 2 * float((_GATE * dimensions**3 + _SMALL_GATE).sum())
        return total

    def advance(self, time: float) -> None:
        """Evolve to `time`, in whole steps no longer than `time_step`."""
        interval = time - self.time
        steps = self.refinement * count_steps(interval, self.time_step)
        for parity, length in trotter_layers(self.order, interval, steps):
            self._apply_layer(parity, length)
        self.time, self.num_steps = time, self.num_steps + steps

    def _apply_layer(self, parity: int, length: float) -> None:
        gates = self.gates.gates(length)
        border = self.chain.num_sites - 1
        for bond in range(parity, border, 2):
            self.chain.apply_gate(bond, gates[bond])
        if border % 2 == parity and border < self.num_sites - 1:
            self._cross_border(gates[border])
        if not self.is_unitary:
            self.chain.restore_canonical_form()

    def _cross_border(self, gate: NDArray[Any]) -> None:
        """Apply the gate between the last site and the first one outside; take that site in only if it matters."""
        chain = self.chain
        last = chain.tensors[-1]
        left = last.shape[0]
        moved = (last.reshape(left, 4) @ gate.reshape(16, 16)[:, ::4].T).reshape(left, 4, 4)
        weighted = (chain.weights[-1] @ moved.reshape(left, 16)).reshape(-1, 4, 4)
        total = float(np.vdot(weighted, weighted))
        outside = float(np.vdot(weighted[:, :, 1:], weighted[:, :, 1:]))
        if outside <= chain.cutoff * total:
            chain.tensors[-1] = np.ascontiguousarray(moved[:, :, :1])
            chain.discarded_weight += outside / total if total > 0 else 0.0
            chain.num_gates += 1
            return
        inner = chain.weights[-1] @ last.reshape(left, 4)
        chain.tensors.append(letter_vector("I").reshape(1, 4, 1))
        chain.weights.append(np.sqrt(np.vdot(inner, inner)) * np.eye(1))
        chain.apply_gate(chain.num_sites - 2, gate)

    def to_record(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return all that `load_record` needs to go on exactly."""
        state, arrays = self.chain.to_record()
        return {"time": self.time, "num_steps": self.num_steps, "chain": state}, arrays

    def load_record(self, state: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Take over what `to_record` returned."""
        self.time, self.num_steps = float(state["time"]), int(state["num_steps"])
        self.chain.load_record(state["chain"], arrays)
        if self.chain.num_sites > self.num_sites:
            raise ValueError("the operator is longer than the lattice")
