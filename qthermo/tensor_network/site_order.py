"""The order of sites along a matrix-product state: strongly coupled sites near each other."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from qthermo.operators import PauliSum

__all__ = ["find_positions", "permute_sites"]


def find_positions(hamiltonian: PauliSum, num_sites: int) -> NDArray[np.intp]:
    """Return the place of each site along the chain: the given order, or Fiedler's if it is better.

    The Fiedler vector, of the second eigenvalue of the Laplacian of the graph with weights c^2, relaxes the minimum of
    sum_ij c_ij^2 (place_i - place_j)^2. It orders every connected part, and is taken only if it lowers that sum.

    Reference: M. Fiedler, Czech. Math. J. 23, 298 (1973); G. Barcza et al., Phys. Rev. A 83, 012508 (2011).
    """
    weights = np.zeros((num_sites, num_sites))
    for string, coefficient in hamiltonian.items():
        for i, j in combinations(string.sites, 2):
            weights[i, j] += abs(coefficient) ** 2
            weights[j, i] += abs(coefficient) ** 2
    given = np.arange(num_sites)
    count, labels = connected_components(csr_array(weights), directed=False)
    order = np.concatenate([_order_component(weights, np.flatnonzero(labels == label)) for label in range(count)])
    positions = np.empty(num_sites, np.intp)
    positions[order] = given
    return positions if _stretch(weights, positions) < _stretch(weights, given) * (1 - 1e-9) else given


def _order_component(weights: NDArray[np.float64], sites: NDArray[np.intp]) -> NDArray[np.intp]:
    if sites.size < 3:
        return sites
    part = weights[np.ix_(sites, sites)]
    fiedler = np.linalg.eigh(np.diag(part.sum(axis=1)) - part)[1][:, 1]
    return sites[np.argsort(fiedler, kind="stable")]


def _stretch(weights: NDArray[np.float64], positions: NDArray[np.intp]) -> float:
    return float((weights * (positions[:, None] - positions[None, :]) ** 2).sum())


def permute_sites(operator: PauliSum, positions: NDArray[np.intp]) -> PauliSum:
    """Return the sum with site k moved to positions[k]."""
    return PauliSum.from_letters(
        (coefficient, {int(positions[site]): letter for site, letter in string.letters.items()})
        for string, coefficient in operator.items()
    )
