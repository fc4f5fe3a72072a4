"""Lindblad generators of every construction, in the eigenbasis of H."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.kms.coarse_graining import CoarseGraining, build_jump_functions
from qthermo.kms.coherent import decay_rate, effective_decay, lamb_shift
from qthermo.kms.energy_basis import EnergyBasis
from qthermo.kms.filters import even_filter
from qthermo.linalg.superoperators import JumpMap, SparseMap

__all__ = ["Generator", "add_hamiltonian", "coarse_grained_generator", "filtered_generator", "jump_generator"]

_ROWS = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Generator:
    """L(rho) = -i[G, rho] + sum_k (L_k rho L_k^dag - {L_k^dag L_k, rho} / 2) on matrices <i|rho|j>.

    Args:
        basis: eigenbasis of H with the inverse temperature.
        map: the generator as a superoperator.
        is_balanced: whether it obeys KMS detailed balance by construction, so that the Gibbs state is its exact fixed
            point, its spectrum real and its discriminant symmetric.
    """

    basis: EnergyBasis
    map: JumpMap | SparseMap
    is_balanced: bool

    def apply(self, state: NDArray[Any]) -> NDArray[Any]:
        """Return L(rho)."""
        return self.map.apply(state)

    def discriminant(self) -> JumpMap | SparseMap:
        """Return D(X) = sigma^{-1/4} L(sigma^{1/4} X sigma^{1/4}) sigma^{-1/4}, Hermitian iff L is balanced."""
        return self.map.scale(np.exp(self.basis.beta * self.basis.bohr_frequencies / 4))


def jump_generator(basis: EnergyBasis, jumps: NDArray[Any], *, coherent: bool, balanced: bool) -> Generator:
    """Return the generator of given jumps [i, k, j], with or without the coherent term."""
    decay = decay_rate(jumps)
    total = effective_decay(decay, basis) if coherent else decay / 2
    return Generator(basis=basis, map=JumpMap(jumps, total), is_balanced=balanced and coherent)


def filtered_generator(
    basis: EnergyBasis, couplings: NDArray[Any], *, filter_name: str, coherent: bool = True
) -> Generator:
    """Return the generator with one jump L_a = sum_nu q(nu) e^{-beta nu / 4} A_nu per coupling.

    Args:
        basis: eigenbasis of H.
        couplings: <i|A_a|j>, index [i, a, j].
        filter_name: see `even_filter`.
        coherent: include G; without it the Gibbs state is only nearly stationary.

    Reference: Z. Ding, B. Li, L. Lin, arXiv:2404.05998.
    """
    nu = basis.bohr_frequencies
    weights = even_filter(filter_name, nu, basis.beta) * np.exp(-basis.beta * nu / 4)
    return jump_generator(basis, couplings * weights[:, None, :], coherent=coherent, balanced=True)


def coarse_grained_generator(
    basis: EnergyBasis, couplings: NDArray[Any], grain: CoarseGraining, *, coherent: str = "kms"
) -> Generator:
    """Return the Gaussian coarse-grained generator; with `grain.shifted` and coherent "kms" it is exactly balanced.

    Args:
        basis: eigenbasis of H.
        couplings: <i|A_a|j>, index [i, a, j].
        grain: window and rate.
        coherent: "kms" adds G; "lamb" the physical shift of a Gaussian environment; "none" neither.
    """
    jumps = _coarse_jumps(basis, couplings, grain)
    if coherent != "lamb":
        return jump_generator(basis, jumps, coherent=coherent == "kms", balanced=grain.shifted)
    decay = decay_rate(jumps) / 2 + 1j * lamb_shift(basis, couplings, grain)
    return Generator(basis=basis, map=JumpMap(jumps, decay), is_balanced=False)


def _coarse_jumps(basis: EnergyBasis, couplings: NDArray[Any], grain: CoarseGraining) -> NDArray[Any]:
    nu = basis.bohr_frequencies
    functions = build_jump_functions(grain, basis.beta, float(nu.max(initial=0.0)) + 1e-9)
    count, dim = functions.parity.size, basis.dimension
    jumps = np.empty((dim, count * couplings.shape[1], dim), couplings.dtype)
    step = max(1, _ROWS // (dim * functions.nodes.size))
    for start in range(0, dim, step):
        rows = slice(start, start + step)
        weights = functions.evaluate(nu[rows])
        block = weights.transpose(1, 0, 2)[:, :, None, :] * couplings[rows, None, :, :]
        jumps[rows] = block.reshape(block.shape[0], -1, dim)
    return jumps


def add_hamiltonian(generator: Generator, coupling: float) -> Generator:
    """Return -i[H, .] + coupling^2 L, the physical evolution at this coupling to the environment."""
    phases = 1j * np.diag(generator.basis.energies)
    if isinstance(generator.map, JumpMap):
        scaled = JumpMap(coupling * generator.map.jumps, coupling**2 * generator.map.decay + phases)
        return Generator(basis=generator.basis, map=scaled, is_balanced=False)
    from scipy.sparse import csr_array, diags_array

    nu = generator.basis.bohr_frequencies.ravel()
    matrix = csr_array(coupling**2 * generator.map.matrix - diags_array(1j * nu))
    return Generator(basis=generator.basis, map=SparseMap(matrix, generator.map.dimension), is_balanced=False)
