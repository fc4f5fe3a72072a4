"""Operators on a few sites applied to arrays over many, without ever being written out in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["apply_local"]


def apply_local(matrix: NDArray[Any], sites: Sequence[int], array: NDArray[Any]) -> NDArray[Any]:
    """Return (O on `sites`, identity elsewhere) @ array, the array of shape (2**num_sites, columns).

    The first of `sites` is the leftmost Kronecker factor of `matrix`, shape (2**len(sites),) * 2.
    Cost: 2**len(sites) times the size of the array.
    """
    num_sites = array.shape[0].bit_length() - 1
    count = len(sites)
    tensor = array.reshape((2,) * num_sites + (-1,))
    operator = matrix.reshape((2,) * (2 * count))
    moved = np.tensordot(operator, tensor, axes=(range(count, 2 * count), list(sites)))
    result: NDArray[Any] = np.moveaxis(moved, range(count), sites).reshape(array.shape)
    return result
