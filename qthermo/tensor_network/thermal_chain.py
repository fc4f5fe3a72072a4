"""e^{-beta H / 2} of a chain as a matrix-product operator in the Pauli basis, cooled from the identity."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.models import SpinModel
from qthermo.tensor_network.canonical_chain import CanonicalChain
from qthermo.tensor_network.environments import sandwich
from qthermo.tensor_network.pauli_mpo import LEFT_MULTIPLICATION, build_mpo_tensors
from qthermo.tensor_network.pauli_transfer import cooling_generators, exponentiate, letter_vector
from qthermo.tensor_network.trotter_steps import GateCache, count_steps, trotter_layers

__all__ = ["ThermalChain"]

_ORDER = 4


@dataclass(slots=True)
class ThermalChain:
    """R(beta) = e^{-beta H / 2}, up to `exp(log_norm)`, real in the Pauli basis: dR/d beta = -{H, R}/4.

    Args:
        model: a chain of spins.
        chain: R on all sites, of norm 1.
        step: longest Suzuki step (order 4) in beta.
    """

    model: SpinModel
    chain: CanonicalChain
    step: float
    beta: float = 0.0
    log_norm: float = 0.0
    _gates: GateCache = field(init=False)
    _energy_map: list[NDArray[Any]] = field(init=False)

    def __post_init__(self) -> None:
        generators = cooling_generators(self.model.hamiltonian, self.model.num_sites)
        self._gates = GateCache(generators, exponentiate)
        self._energy_map, _ = build_mpo_tensors(
            self.model.hamiltonian, self.model.num_sites, matrices=LEFT_MULTIPLICATION
        )

    @classmethod
    def at_infinite_temperature(
        cls, model: SpinModel, *, step: float, max_bond_dim: int, cutoff: float
    ) -> ThermalChain:
        """Return R(0) = 1."""
        identity = [letter_vector("I")] * model.num_sites
        return cls(model, CanonicalChain.from_product(identity, max_bond_dim, cutoff), step)

    def cool(self, beta: float) -> None:
        """Go on to `beta`, in whole steps no longer than `step`; the norm is divided out after each."""
        interval = beta - self.beta
        steps = count_steps(interval, self.step)
        for _ in range(steps):
            for parity, length in trotter_layers(_ORDER, interval / steps, 1):
                gates = self._gates.gates(length)
                for bond in range(parity, self.chain.num_sites - 1, 2):
                    self.chain.apply_gate(bond, gates[bond])
                self.chain.restore_canonical_form()
            self._normalise()
        self.beta = beta

    def _normalise(self) -> None:
        norm = math.sqrt(self.chain.norm_squared)
        self.chain.tensors[0] = self.chain.tensors[0] / norm
        self.chain.weights[1:] = [weight / norm for weight in self.chain.weights[1:]]
        self.log_norm += math.log(norm)

    @property
    def log_partition(self) -> float:
        """Ln Tr e^{-beta H}."""
        return 2 * self.log_norm + math.log(self.chain.norm_squared) + self.model.num_sites * math.log(2.0)

    @property
    def energy(self) -> float:
        """Tr[rho H] = Tr[R H R] / Tr[R R]."""
        tensors = self.chain.tensors
        return float(np.real(sandwich(tensors, self._energy_map, tensors))) / self.chain.norm_squared

    def multiply_first_site(self, letter_matrix: NDArray[Any], *, max_bond_dim: int, cutoff: float) -> CanonicalChain:
        """Return P_0 R / |R|, for the map R -> P_0 R on the first site."""
        tensors = [tensor.astype(np.complex128) for tensor in self.chain.tensors]
        first = np.einsum("ab,lbr->lar", letter_matrix, tensors[0])
        tensors[0] = first / math.sqrt(self.chain.norm_squared)
        return CanonicalChain.from_tensors(tensors, max_bond_dim, cutoff)
