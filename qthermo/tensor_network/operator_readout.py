"""What is read off an operator in the Pauli basis, which is the identity beyond its sites: overlaps and means."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qthermo.tensor_network.canonical_chain import CanonicalChain
from qthermo.tensor_network.pauli_transfer import TIME_REVERSAL, letter_vector

__all__ = ["component", "doubled", "mean_in_product", "overlap_with"]


def component(chain: CanonicalChain, letter: str) -> float:
    """Return Tr[P_0 O] / 2^L for a Pauli matrix P_0 on site 0."""
    outside = [letter_vector("I")] * (chain.num_sites - 1)
    return float(chain.project([letter_vector(letter), *outside]))


def doubled(chain: CanonicalChain) -> float:
    """Return Tr[O(-t) O(t)] / 2^L for real H and a real symmetric O(0), where O(-t) = O(t)*."""
    return float(chain.overlap(chain, TIME_REVERSAL))


def mean_in_product(chain: CanonicalChain, vectors: NDArray[np.float64]) -> float:
    """Return Tr[rho O] for the product state whose sites have <P> = vectors[k][P], shape (num_sites, 4)."""
    return float(chain.project(list(vectors[: chain.num_sites])))


def overlap_with(start: CanonicalChain, chain: CanonicalChain) -> float:
    """Return Tr[A O] / 2^L for an operator A on no more sites than O."""
    identity = letter_vector("I").reshape(1, 4, 1)
    padding = [identity] * (chain.num_sites - start.num_sites)
    return float(CanonicalChain([*start.tensors, *padding], [], 1, 0.0).overlap(chain))
