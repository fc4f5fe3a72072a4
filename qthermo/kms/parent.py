"""The parent Hamiltonian: -D as a Hamiltonian of ket and bra, with sqrt(sigma) as its ground state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.kms.energy_basis import diagonalise, to_real_matrix
from qthermo.kms.filters import even_filter
from qthermo.kms.patches import find_patch, restrict
from qthermo.linalg.local_operators import apply_local
from qthermo.linalg.superoperators import JumpMap
from qthermo.operators import PauliSum

__all__ = ["ParentTerm", "parent_map", "parent_terms"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ParentTerm:
    """One coupling's part X -> K X + X K^dag - M X M^dag of the parent Hamiltonian.

    Args:
        sites: the patch of M.
        jump: M, Hermitian or antihermitian, in the computational basis of `sites`.
        outer_sites: the patch of K.
        decay: K, Hermitian, in the computational basis of `outer_sites`.
    """

    sites: tuple[int, ...]
    jump: NDArray[Any]
    outer_sites: tuple[int, ...]
    decay: NDArray[Any]


def parent_terms(
    hamiltonian: PauliSum,
    couplings: Sequence[PauliSum],
    *,
    beta: float,
    filter_name: str,
    radius: int,
    outer_radius: int | None = None,
) -> tuple[ParentTerm, ...]:
    """Return the terms of a local parent Hamiltonian by the construction of two radii.

    M = sum_nu q(nu) A_nu on the patch of `radius` defines, with the whole H, an exactly balanced generator
    L = sigma^{1/4} M sigma^{-1/4}, whatever the patch. Its K solves M^dag sqrt(sigma) M = K sqrt(sigma) +
    sqrt(sigma) K; here sigma is that of the patch of `outer_radius`, so that K alone is approximate. The lowest
    eigenvalue E0, which is 0 for the exact K, certifies the result. With outer_radius = radius the terms are positive
    one by one, and E0 >= 0 measures their frustration.

    Cost: one eigenproblem of the outer patch per coupling.
    """
    outer_radius = radius if outer_radius is None else outer_radius
    terms = []
    for coupling in couplings:
        sites = find_patch(hamiltonian, coupling.sites, radius)
        inner = diagonalise(restrict(hamiltonian, sites), len(sites), beta)
        symmetric = even_filter(filter_name, inner.bohr_frequencies, beta) * inner.transform(
            to_real_matrix(restrict(coupling, sites), len(sites))
        )
        jump = inner.vectors @ symmetric @ inner.vectors.conj().T
        outer_sites = find_patch(hamiltonian, coupling.sites, outer_radius)
        outer = diagonalise(restrict(hamiltonian, outer_sites), len(outer_sites), beta)
        places = [outer_sites.index(site) for site in sites]
        wide = outer.vectors.conj().T @ apply_local(jump, places, outer.vectors)
        roots = np.sqrt(outer.populations)
        decay = (wide.conj().T * roots) @ wide / (roots[:, None] + roots[None, :])
        terms.append(
            ParentTerm(
                sites=sites,
                jump=jump,
                outer_sites=outer_sites,
                decay=outer.vectors @ decay @ outer.vectors.conj().T,
            )
        )
    return tuple(terms)


def parent_map(terms: Sequence[ParentTerm], num_sites: int) -> JumpMap:
    """Return D = -(parent Hamiltonian) as a map of matrices in the computational basis. Memory: J D^2 numbers."""
    identity = np.eye(2**num_sites)
    jumps = np.stack([apply_local(term.jump, term.sites, identity) for term in terms], axis=1)
    decay = sum(apply_local(term.decay, term.outer_sites, identity) for term in terms)
    return JumpMap(jumps, np.asarray(decay))
