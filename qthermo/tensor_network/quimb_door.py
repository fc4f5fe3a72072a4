"""Raw tensors to quimb objects and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.tensor_network.pauli_transfer import PAULI_MATRICES, letter_vector

if TYPE_CHECKING:
    from quimb.tensor import MatrixProductOperator, MatrixProductState

__all__ = ["to_quimb_mpo", "to_quimb_operator", "to_quimb_state"]


def to_quimb_mpo(tensors: Sequence[NDArray[Any]]) -> MatrixProductOperator:
    """Return the operator with tensors W[left, right, out, in], sites of any dimensions."""
    from quimb.tensor import MatrixProductOperator

    arrays = list(tensors)
    if len(arrays) == 1:
        return MatrixProductOperator([arrays[0][0, 0]], shape="lrud")
    arrays[0], arrays[-1] = arrays[0][0], arrays[-1][:, 0]
    return MatrixProductOperator(arrays, shape="lrud")


def to_quimb_operator(tensors: Sequence[NDArray[Any]], num_sites: int) -> MatrixProductOperator:
    """Return sum_P o_P P from the tensors of o_P, shape (left, 4, right); sites beyond them carry the identity."""
    identity = letter_vector("I").reshape(1, 4, 1)
    padded = [*tensors, *[identity] * (num_sites - len(tensors))]
    return to_quimb_mpo([np.einsum("lar,aud->lrud", tensor, PAULI_MATRICES) for tensor in padded])


def to_quimb_state(tensors: Sequence[NDArray[Any]]) -> MatrixProductState:
    """Return the state with tensors (left, 2, right), site 0 first."""
    from quimb.tensor import MatrixProductState

    arrays = list(tensors)
    arrays[0], arrays[-1] = arrays[0][0], arrays[-1][:, :, 0]
    return MatrixProductState(arrays, shape="lpr")
