"""The Davies generator: transitions of different Bohr frequency do not interfere."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, eye_array, kron

from qthermo.kms.coherent import effective_decay
from qthermo.kms.energy_basis import EnergyBasis
from qthermo.kms.generators import Generator
from qthermo.kms.rates import even_rate
from qthermo.linalg.superoperators import SparseMap
from qthermo.memory import check_memory

__all__ = ["davies_generator"]

_TOLERANCE = 1e-9


def davies_generator(basis: EnergyBasis, couplings: NDArray[Any], *, rate: str) -> Generator:
    """Return L with alpha(nu1, nu2) = delta_{nu1, nu2} g(nu1), as a sparse matrix.

    Bohr frequencies closer than 1e-9 count as equal; within such a group the weight is
    s(mean nu) e^{-beta (nu1 + nu2) / 4}, so that detailed balance is exact for the energies as they are.

    Args:
        basis: eigenbasis of H.
        couplings: <i|A_a|j>, index [i, a, j].
        rate: "glauber" or "metropolis".

    Raises:
        MemoryRefusedError: the spectrum is so degenerate that the sparse matrix does not fit.

    Cost: sum over groups of (size)^2 elements: about 2 D^2 for a generic spectrum.

    Reference: E. B. Davies, Commun. Math. Phys. 39, 91 (1974).
    """
    dim, beta = basis.dimension, basis.beta
    nu = basis.bohr_frequencies.ravel()
    order = np.argsort(nu, kind="stable")
    starts = np.flatnonzero(np.diff(nu[order], prepend=-np.inf) > _TOLERANCE)
    sizes = np.diff(starts, append=nu.size)
    check_memory(
        100.0 * float((sizes.astype(float) ** 2).sum()),
        what="The Davies generator of so degenerate a spectrum",
        remedy="take CoarseGrained or KMSJumps, which need no Bohr frequency resolved.",
    )
    first, second = _pairs(order, starts, sizes)
    group = np.repeat(np.arange(sizes.size), sizes**2)
    means = np.add.reduceat(nu[order], starts) / sizes
    weights = even_rate(rate, means, beta)[group] * np.exp(-beta * (nu[first] + nu[second]) / 4)
    i, k, j, l_ = first // dim, first % dim, second // dim, second % dim
    flat = np.ascontiguousarray(couplings.transpose(0, 2, 1)).reshape(dim * dim, -1)
    values = weights * np.einsum("pa,pa->p", flat[first], flat[second].conj())
    sandwich = csr_array((values, (i * dim + j, k * dim + l_)), shape=(dim**2, dim**2))
    diagonal = i == j
    decay = coo_array((values[diagonal], (l_[diagonal], k[diagonal])), shape=(dim, dim)).toarray()
    effective = csr_array(effective_decay(decay, basis))
    identity = eye_array(dim, format="csr")
    matrix = csr_array(sandwich - kron(effective, identity) - kron(identity, effective.conj()))
    return Generator(basis=basis, map=SparseMap(matrix, dim), is_balanced=True)


def _pairs(
    order: NDArray[np.intp], starts: NDArray[np.intp], sizes: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return all ordered pairs of members of the same group, group by group."""
    repeats = np.repeat(sizes, sizes)
    first = np.repeat(order, repeats)
    group_starts = np.repeat(starts, sizes**2)
    ends = np.cumsum(repeats)
    local = np.arange(ends[-1]) - np.repeat(ends - repeats, repeats)
    return first, order[group_starts + local]
