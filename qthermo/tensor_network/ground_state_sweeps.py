"""Two-site DMRG in raw arrays: several starts, growing bonds, perturbed density matrices, and the variance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from qthermo.linalg.krylov import find_lowest
from qthermo.tensor_network.canonical_chain import CanonicalChain
from qthermo.tensor_network.journal import Journal
from qthermo.tensor_network.lift import Lift
from qthermo.tensor_network.sweep_environments import SweepEnvironments, join_right

__all__ = ["DmrgSweeps", "energy_variance", "random_state", "two_site_variance"]


@dataclass(slots=True)
class DmrgSweeps:
    """Sweeps that lower <state| H |state>.

    Args:
        environments: the state and H.
        cutoff: weight that one split may discard.
        local_dim: largest Krylov subspace of a local minimisation.
        local_tolerance: residual at which a local minimisation stops.
        lift: a state kept out of the way.
        journal: keeps the state after every sweep; sweeps that it holds already are not repeated.
        name: under which it keeps them, unique in the run.
    """

    environments: SweepEnvironments
    cutoff: float
    local_dim: int = 3
    local_tolerance: float = 1e-9
    lift: Lift | None = None
    journal: Journal | None = None
    name: str = ""
    energy: float = np.inf
    max_bond: int = 1
    num_sweeps: int = 0
    discarded_weight: float = 0.0

    def sweep(self, max_bond_dim: int, noise: float) -> float:
        """Sweep right and left once and return the energy; `noise` is the weight of H rho H in the choice of bases."""
        if not self._recall():
            self._sweep_pairs(max_bond_dim, noise)
            self.max_bond = max(self.environments.bond_dimensions)
            self._keep()
        self.num_sweeps += 1
        return self.energy

    def _recall(self) -> bool:
        """Take the next sweep from the journal, if it is there; the state follows with the last one."""
        kept = (self.journal.find(self.name) or []) if self.journal is not None else []
        if self.journal is None or self.num_sweeps >= len(kept):
            return False
        self.energy, self.discarded_weight, self.max_bond = kept[self.num_sweeps]
        if self.num_sweeps == len(kept) - 1:
            self.environments = SweepEnvironments(self.journal.find_arrays(self.name), self.environments.mpo)
        return True

    def _keep(self) -> None:
        if self.journal is not None:
            done = [self.energy, self.discarded_weight, self.max_bond]
            before = self.journal.find(self.name) or []
            self.journal.enter(self.name, [*before, done], self.environments.tensors)

    def _sweep_pairs(self, max_bond_dim: int, noise: float) -> None:
        last = self.environments.num_sites - 2
        self.discarded_weight = 0.0
        for site in range(last):
            theta = self._minimise(site)
            if noise > 0:
                self._split_right_with_noise(site, theta, max_bond_dim, noise)
            else:
                self.discarded_weight += self.environments.split_right(site, theta, max_bond_dim, self.cutoff)
        for site in range(last, -1, -1):
            theta = self._minimise(site)
            if noise > 0:
                self._split_left_with_noise(site, theta, max_bond_dim, noise)
            else:
                self.discarded_weight += self.environments.split_left(site, theta, max_bond_dim, self.cutoff)

    def converge(self, max_bond_dim: int, tolerance: float, max_sweeps: int, report: Callable[[], None]) -> bool:
        """Sweep without noise until the energy falls by less than `tolerance`; return whether it did."""
        before = np.inf
        for _ in range(max_sweeps):
            energy = self.sweep(max_bond_dim, 0.0)
            report()
            if abs(before - energy) < tolerance:
                return True
            before = energy
        return False

    def _minimise(self, site: int) -> NDArray[Any]:
        theta, apply = self.environments.pair_map(site)
        if self.lift is not None:
            apply = self.lift.add_to(apply, self.environments.tensors, site)
        found = find_lowest(apply, theta.ravel(), tolerance=self.local_tolerance, max_dim=self.local_dim)
        self.energy = found.value
        return found.vector.reshape(theta.shape)

    def _split_right_with_noise(self, site: int, theta: NDArray[Any], max_bond_dim: int, noise: float) -> None:
        """Choose the left basis from rho + noise * sum_w H_w rho H_w, H_w the parts of H left of the bond."""
        left = self.environments.left[site]
        bra, out, w, ket, inner = left.shape
        images = (left.reshape(bra * out * w, ket * inner) @ theta).reshape(bra * out, -1)
        basis = _perturbed_basis(theta, images, max_bond_dim, noise, self.cutoff)
        self.environments.replace_right(site, basis, basis.conj().T @ theta)

    def _split_left_with_noise(self, site: int, theta: NDArray[Any], max_bond_dim: int, noise: float) -> None:
        """Choose the right basis in the same way from the parts of H right of the bond."""
        right = join_right(self.environments.mpo[site + 1], self.environments.right[site + 1])
        w, inner, ket = right.shape[:3]
        images = theta @ right.reshape(w, inner * ket, -1)
        columns = images.transpose(2, 0, 1).reshape(images.shape[2], -1)
        basis = _perturbed_basis(np.ascontiguousarray(theta.T), columns, max_bond_dim, noise, self.cutoff)
        self.environments.replace_left(site, np.ascontiguousarray(basis.T), theta @ basis.conj())


def _perturbed_basis(
    theta: NDArray[Any], images: NDArray[Any], max_rank: int, noise: float, cutoff: float
) -> NDArray[Any]:
    """Return the leading eigenvectors, as columns, of theta theta^dag plus `noise` of images images^dag."""
    gram = theta @ theta.conj().T
    perturbation = images @ images.conj().T
    gram += noise / max(float(np.trace(perturbation).real), 1e-300) * perturbation
    values, vectors = scipy.linalg.eigh(gram, driver="evd", overwrite_a=True, check_finite=False)
    rank = max(1, min(max_rank, int(np.count_nonzero(values > cutoff))))
    return np.ascontiguousarray(vectors[:, : -rank - 1 : -1])


def random_state(
    num_sites: int, bond_dim: int, rng: np.random.Generator, dtype: type[Any] = np.float64
) -> list[NDArray[Any]]:
    """Return a random matrix-product state of spins, right-orthonormal and of norm 1."""
    dims = [min(bond_dim, 2**k, 2 ** (num_sites - k)) for k in range(num_sites + 1)]
    tensors = []
    for k in range(num_sites):
        shape = (dims[k], 2, dims[k + 1])
        tensor = rng.standard_normal(shape)
        tensors.append(tensor + 1j * rng.standard_normal(shape) if dtype is np.complex128 else tensor)
    chain = CanonicalChain.from_tensors(tensors, bond_dim, 0.0)
    chain.tensors[0] = chain.tensors[0] / np.linalg.norm(chain.tensors[0])
    return chain.tensors


def energy_variance(tensors: Sequence[NDArray[Any]], mpo: Sequence[NDArray[Any]]) -> float:
    """Return |MPO v|^2; with the MPO of H - E this is the variance of the energy. Cost: chi^3 w^2 d."""
    environment: NDArray[Any] = np.ones((1, 1, 1, 1))
    for tensor, W in zip(tensors, mpo, strict=True):
        half = np.tensordot(environment, tensor, (3, 0))
        half = np.tensordot(half, W, ((2, 3), (0, 3)))
        half = np.tensordot(half, W.conj(), ((1, 4), (0, 2)))
        environment = np.tensordot(tensor.conj(), half, ((0, 1), (0, 4))).transpose(0, 3, 2, 1)
    return float(np.real(environment[0, 0, 0, 0]))


def two_site_variance(environments: SweepEnvironments, energy: float) -> float:
    """Return the part of |(H - E) state|^2 / |state|^2 that changes of two neighbouring sites hold.

    The centre moves to the right. In the order of the sweep, |(1 - A_k A_k^dag) H theta_k|^2 summed over the pairs,
    A_k the left basis, and what is left on the last site. Never above the variance, and near it where H is
    short-ranged. Cost: one product with the effective Hamiltonian per pair, where the variance takes chi^2 w^3 d^2.

    Reference: C. Hubig, J. Haegeman, U. Schollwoeck, Phys. Rev. B 97, 045125 (2018), arXiv:1711.01104.
    """
    total, last = 0.0, environments.num_sites - 2
    for site in range(last + 1):
        theta, apply = environments.pair_map(site)
        image = apply(theta.ravel()).reshape(theta.shape)
        basis, centre = np.linalg.qr(environments.tensors[site].reshape(theta.shape[0], -1))
        inside = basis.conj().T @ image
        outside = image - basis @ inside
        total += float(np.vdot(outside, outside).real)
        following = environments.tensors[site + 1]
        centre = centre @ following.reshape(following.shape[0], -1)
        if site == last:
            rest = inside - energy * centre
            return (total + float(np.vdot(rest, rest).real)) / float(np.vdot(centre, centre).real)
        environments.replace_right(site, basis, centre)
    return total
