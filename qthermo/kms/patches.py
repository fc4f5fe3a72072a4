"""Quasi-local jump operators: H cut to a patch around the coupling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.kms.coherent import coherent_term, decay_rate
from qthermo.kms.energy_basis import EnergyBasis, diagonalise, to_real_matrix
from qthermo.kms.filters import even_filter
from qthermo.kms.generators import Generator
from qthermo.linalg.local_operators import apply_local
from qthermo.linalg.superoperators import JumpMap
from qthermo.operators import PauliString, PauliSum

__all__ = ["PatchJump", "find_patch", "patch_generator", "patch_jumps", "restrict"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PatchJump:
    """A jump operator and its share of the coherent term on a few sites.

    Args:
        sites: ascending; the first is the leftmost Kronecker factor.
        jump: L in the computational basis of the patch, real if H is.
        coherent: G_a, Hermitian.
    """

    sites: tuple[int, ...]
    jump: NDArray[Any]
    coherent: NDArray[np.complex128]


def find_patch(hamiltonian: PauliSum, centre: Iterable[int], radius: int) -> tuple[int, ...]:
    """Return the sites that `radius` bonds of the Hamiltonian connect with the centre; radius 0 is the centre."""
    patch = set(centre)
    for _ in range(radius):
        reached = [string.sites for string in hamiltonian if patch & set(string.sites)]
        patch |= {site for sites in reached for site in sites}
    return tuple(sorted(patch))


def restrict(operator: PauliSum, sites: Sequence[int]) -> PauliSum:
    """Return the terms that act inside `sites` only, renumbered 0, 1, ..."""
    places = {site: k for k, site in enumerate(sites)}
    inside = [(string, c) for string, c in operator.items() if set(string.sites) <= places.keys()]
    return PauliSum(
        [(PauliString.from_letters({places[j]: a for j, a in string.letters.items()}), c) for string, c in inside]
    )


def patch_jumps(
    hamiltonian: PauliSum, couplings: Sequence[PauliSum], *, beta: float, filter_name: str, radius: int
) -> tuple[PatchJump, ...]:
    """Return the filtered jump of each coupling, H replaced by its terms inside the patch of this radius.

    The error of L falls as a Gaussian ("gaussian"), exponentially ("smooth_metropolis") or faster ("imaginary_time")
    in the radius, on the scale v beta. Cost: one eigenproblem of the patch per coupling.
    """
    jumps = []
    bases: dict[PauliSum, EnergyBasis] = {}
    for coupling in couplings:
        sites = find_patch(hamiltonian, coupling.sites, radius)
        local = restrict(hamiltonian, sites)
        if local not in bases:
            bases[local] = diagonalise(local, len(sites), beta)
        basis = bases[local]
        nu = basis.bohr_frequencies
        weights = even_filter(filter_name, nu, beta) * np.exp(-beta * nu / 4)
        jump = weights * basis.transform(to_real_matrix(restrict(coupling, sites), len(sites)))
        shift = coherent_term(decay_rate(jump[:, None, :]), basis)
        back = basis.vectors
        jumps.append(PatchJump(sites=sites, jump=back @ jump @ back.conj().T, coherent=back @ shift @ back.conj().T))
    return tuple(jumps)


def patch_generator(basis: EnergyBasis, patches: Sequence[PatchJump], *, coherent: bool = True) -> Generator:
    """Return the generator of patch-truncated jumps in the eigenbasis of the whole H; nearly balanced only."""
    vectors = basis.vectors
    jumps = np.stack([vectors.conj().T @ apply_local(p.jump, p.sites, vectors) for p in patches], axis=1)
    decay = decay_rate(jumps) / 2
    if coherent:
        for patch in patches:
            shift = 1j * patch.coherent if np.iscomplexobj(patch.jump) else -patch.coherent.imag
            decay = decay + vectors.conj().T @ apply_local(shift, patch.sites, vectors)
    return Generator(basis=basis, map=JumpMap(jumps, decay), is_balanced=False)
