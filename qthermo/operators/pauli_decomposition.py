"""Dense matrices as Pauli sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.operators.pauli_sum import PauliString, PauliSum

__all__ = ["decompose_matrix"]

_LETTERS = "IXYZ"
_PAULIS = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


def decompose_matrix(matrix: NDArray[Any], sites: Sequence[int], *, cutoff: float = 1e-14) -> PauliSum:
    """Return sum_P Tr[P M] / 2^k P for a matrix on k spins, the first site leftmost.

    Args:
        matrix: shape (2^k, 2^k).
        sites: the k sites.
        cutoff: coefficients below this share of the largest one are left out.

    Cost: k 4^k multiplications.
    """
    count = len(sites)
    rest = np.asarray(matrix, np.complex128).reshape((2,) * (2 * count))
    for k in range(count):  # the first k axes are Pauli letters already
        rest = np.moveaxis(np.tensordot(_PAULIS, rest, axes=([2, 1], [k, count])), 0, k)
    coefficients = rest.reshape((4,) * count) / 2**count
    limit = cutoff * float(np.abs(coefficients).max(initial=0.0))
    terms = []
    for place in np.argwhere(np.abs(coefficients) > limit):
        letters = {site: _LETTERS[letter] for site, letter in zip(sites, place, strict=True) if letter}
        value = complex(coefficients[tuple(place)])
        terms.append((PauliString.from_letters(letters), value.real if abs(value.imag) <= limit else value))
    return PauliSum(terms)
