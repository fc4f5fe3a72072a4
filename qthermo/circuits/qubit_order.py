"""The one place where qthermo's site order meets qiskit's qubit order.

Site k is qubit k. qthermo writes site 0 as the leftmost Kronecker factor (the highest bit of a basis index), qiskit
writes qubit 0 as the rightmost (the lowest bit): vectors and matrices change over by reversing their axes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.quantum_info import SparsePauliOp

from qthermo.errors import InputError
from qthermo.operators import PauliSum

__all__ = ["from_qubit_order", "to_qubit_order", "to_sparse_pauli_op"]


def to_qubit_order(array: NDArray[Any]) -> NDArray[Any]:
    """Return a state vector (2^n,) or matrix (2^n, 2^n) of qthermo in qiskit's index order.

    Raises:
        InputError: an axis is no power of two long, or there are more than two axes.
    """
    num_qubits = array.shape[0].bit_length() - 1
    if array.ndim not in (1, 2) or any(length != 2**num_qubits for length in array.shape):
        raise InputError(f"An array of qubits must have shape (2^n,) or (2^n, 2^n), but has {array.shape}.")
    reverse = list(range(num_qubits))[::-1]
    axes = reverse if array.ndim == 1 else reverse + [num_qubits + k for k in reverse]
    flipped: NDArray[Any] = array.reshape((2,) * len(axes)).transpose(axes).reshape(array.shape)
    return np.ascontiguousarray(flipped)


def from_qubit_order(array: NDArray[Any]) -> NDArray[Any]:
    """Return a state vector or matrix of qiskit in qthermo's index order (the same reversal)."""
    return to_qubit_order(array)


def to_sparse_pauli_op(pauli_sum: PauliSum, num_sites: int | None = None) -> SparsePauliOp:
    """Return the Pauli sum as a qiskit operator on `num_sites` qubits, site k on qubit k."""
    n = pauli_sum.num_sites if num_sites is None else num_sites
    terms = [
        ("".join(string.letters.values()), list(string.sites), coefficient) for string, coefficient in pauli_sum.items()
    ]
    return SparsePauliOp.from_sparse_list(terms or [("", [], 0.0)], num_qubits=max(n, 1))
