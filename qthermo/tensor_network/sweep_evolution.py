"""Two-site time-dependent variational principle: a matrix-product vector evolved by any MPO, in raw arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.linalg.krylov import apply_exponential
from qthermo.tensor_network.canonical_chain import CanonicalChain
from qthermo.tensor_network.checkpoint import check_chain
from qthermo.tensor_network.environments import sandwich
from qthermo.tensor_network.run_estimate import count_all_steps, full_bonds
from qthermo.tensor_network.subspace_expansion import expand_by_krylov
from qthermo.tensor_network.sweep_environments import SweepEnvironments
from qthermo.tensor_network.trotter_steps import count_steps

__all__ = ["SweepEvolution", "product_tensors"]

_EXPANSION = 1e-10
_WIDEST = 256
_APPLICATIONS = 15.0
"""Of the effective map, per pair and half step."""


@dataclass(slots=True)
class SweepEvolution:
    """The vector v(t) with dv/dt = factor * MPO v.

    One step of length h is a sweep to the right and one to the left, each over h/2: every pair of sites is evolved
    forwards with its effective map and split, and every site between two pairs backwards. The error of a run falls
    as h^2; what the bond dimension cannot hold is projected out. While the bonds are narrow, each step first opens them
    to what the MPO makes of v, which pairs of neighbours alone would miss.

    Args:
        environments: v and the MPO.
        factor: -1j for the Schroedinger equation, 1 for a real generator, -1 for imaginary time.
        time_step: longest step.
        max_bond_dim: largest bond dimension.
        cutoff: weight that one split may discard, relative to the norm.
        refinement: each of the steps that `time_step` asks for is divided into this many.
        krylov_tolerance: of every local exponential, relative.

    Reference: J. Haegeman, C. Lubich, I. Oseledets, B. Vandereycken, F. Verstraete, arXiv:1408.5056.
    """

    environments: SweepEnvironments
    factor: complex
    time_step: float
    max_bond_dim: int
    cutoff: float
    refinement: int = 1
    krylov_tolerance: float = 1e-10
    time: float = 0.0
    num_steps: int = 0
    num_applications: int = 0
    discarded_weight: float = 0.0

    @property
    def tensors(self) -> list[NDArray[Any]]:
        """The tensors of v, right-orthonormal but for the first."""
        return self.environments.tensors

    @property
    def max_bond(self) -> int:
        """The largest bond dimension now."""
        return max(self.environments.bond_dimensions)

    def count_multiplications(self, times: NDArray[np.float64]) -> float:
        """Return the real multiplications through `times`, were every bond full."""
        steps = self.refinement * count_all_steps(self.time, times, self.time_step)
        d = self.tensors[0].shape[1]
        dimensions = full_bonds(len(self.tensors), d, self.max_bond_dim)
        width = max(W.shape[1] for W in self.environments.mpo)
        is_complex = np.iscomplexobj(self.factor) or any(np.iscomplexobj(tensor) for tensor in self.tensors)
        applications = 2 * _APPLICATIONS * steps * 4 * width * d**3 * (dimensions**3).sum()
        return float(applications * (4.0 if is_complex else 1.0))

    def entanglement(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return entropy (nats) and dimension of every bond."""
        dimensions = self.environments.bond_dimensions
        chain = CanonicalChain.from_tensors(self.tensors, max(dimensions), 0.0)
        return chain.entropies(), np.array(dimensions)

    def advance(self, time: float) -> None:
        """Evolve to `time`, in whole steps no longer than `time_step`."""
        interval = time - self.time
        steps = self.refinement * count_steps(interval, self.time_step)
        for _ in range(steps):
            self._expand()
            self._step(interval / steps)
        self.time, self.num_steps = time, self.num_steps + steps

    def _expand(self) -> None:
        """Open the bonds to what the MPO makes of v, as long as they are narrow."""
        width = max(W.shape[1] for W in self.environments.mpo)
        if self.max_bond >= self.max_bond_dim or width * self.max_bond > _WIDEST:
            return
        wider = expand_by_krylov(self.tensors, self.environments.mpo, max_bond_dim=self.max_bond_dim, cutoff=_EXPANSION)
        self.environments = SweepEnvironments(wider, self.environments.mpo)

    def _step(self, length: float) -> None:
        half, last = self.factor * length / 2, self.environments.num_sites - 2
        for site in range(last):
            theta = self._evolve_pair(site, half)
            self.discarded_weight += self.environments.split_right(site, theta, self.max_bond_dim, self.cutoff)
            self._evolve_site(site + 1, -half)
        for site in range(last, -1, -1):
            theta = self._evolve_pair(site, 2 * half if site == last else half)
            self.discarded_weight += self.environments.split_left(site, theta, self.max_bond_dim, self.cutoff)
            if site > 0:
                self._evolve_site(site, -half)

    def _evolve_pair(self, site: int, factor: complex) -> NDArray[Any]:
        theta, apply = self.environments.pair_map(site)
        evolved = apply_exponential(apply, theta.ravel(), factor, tolerance=self.krylov_tolerance)
        self.num_applications += evolved.num_applications
        return evolved.vector.reshape(theta.shape)

    def _evolve_site(self, site: int, factor: complex) -> None:
        tensor = self.tensors[site]
        apply = self.environments.single_map(site)
        evolved = apply_exponential(apply, tensor.ravel(), factor, tolerance=self.krylov_tolerance)
        self.num_applications += evolved.num_applications
        self.tensors[site] = evolved.vector.reshape(tensor.shape)

    def expectation(self, mpo: list[NDArray[Any]]) -> Any:
        """Return <v| MPO |v>."""
        return sandwich(self.tensors, mpo, self.tensors)

    def to_record(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return all that `load_record` needs to go on exactly."""
        state = {
            "time": self.time,
            "num_steps": self.num_steps,
            "num_applications": self.num_applications,
            "discarded_weight": self.discarded_weight,
        }
        return state, {f"tensor{k}": tensor for k, tensor in enumerate(self.tensors)}

    def load_record(self, state: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Take over what `to_record` returned; the environments follow from the tensors."""
        self.time, self.num_steps = float(state["time"]), int(state["num_steps"])
        self.num_applications, self.discarded_weight = int(state["num_applications"]), float(state["discarded_weight"])
        tensors = [arrays[f"tensor{k}"] for k in range(len(arrays))]
        check_chain(tensors, self.tensors[0], num_sites=len(self.tensors))
        self.environments = SweepEnvironments(tensors, self.environments.mpo)


def product_tensors(vectors: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the tensors of a product of one vector per site."""
    return [np.array(vector).reshape(1, -1, 1) for vector in vectors]
