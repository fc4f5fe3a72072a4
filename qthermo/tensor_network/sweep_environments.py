"""The state of a two-site sweep: tensors, an MPO, and the environments between them; what TDVP and DMRG share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.tensor_network.splitting import split_full

__all__ = ["SweepEnvironments", "join_right"]


@dataclass(slots=True)
class SweepEnvironments:
    """A matrix-product state with its centre on one site, and <state| MPO |state> contracted from both ends.

    Args:
        tensors: (left, d, right) each; left-orthonormal below `centre`, right-orthonormal above it.
        mpo: W[left, right, out, in].
        centre: 0 at the start.

    `left[k]` holds the sites below k, already joined with W_k: shape (bra, out, w, ket, in). `right[k]` holds the
    sites above k: shape (w, ket, bra). Each product with the effective Hamiltonian is then two matrix products.
    """

    tensors: list[NDArray[Any]]
    mpo: Sequence[NDArray[Any]]
    centre: int = 0
    left: list[NDArray[Any]] = field(default_factory=list)
    right: list[NDArray[Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        n = len(self.tensors)
        self.left = [np.empty(0)] * n
        self.right = [np.empty(0)] * n
        self.left[0] = _join_left(np.ones((1, 1, 1)), self.mpo[0])
        self.right[-1] = np.ones((1, 1, 1))
        for site in range(n - 1, 0, -1):
            self.extend_right(site)

    @property
    def num_sites(self) -> int:
        """The number of sites."""
        return len(self.tensors)

    @property
    def bond_dimensions(self) -> list[int]:
        """The dimensions of the bonds between neighbouring sites."""
        return [tensor.shape[2] for tensor in self.tensors[:-1]]

    def extend_left(self, site: int) -> None:
        """Take site into the left environment of the next one; cost chi^3 w d^2."""
        tensor, left = self.tensors[site], self.left[site]
        bra, out, w, ket, inner = left.shape
        half = (left.reshape(bra * out * w, ket * inner) @ tensor.reshape(ket * inner, -1)).reshape(bra * out, -1)
        whole = tensor.reshape(bra * out, -1).conj().T @ half
        joined = _join_left(whole.reshape(-1, w, tensor.shape[2]), self.mpo[site + 1])
        self.left[site + 1] = joined

    def extend_right(self, site: int) -> None:
        """Take site into the right environment of the one before; cost chi^3 w d^2."""
        tensor = self.tensors[site]
        left, d, _ = tensor.shape
        joined = join_right(self.mpo[site], self.right[site])
        w = joined.shape[0]
        flat = tensor.reshape(left, -1)
        self.right[site - 1] = (flat @ joined.reshape(w, d * joined.shape[2], -1)) @ flat.conj().T

    def pair_map(self, site: int) -> tuple[NDArray[Any], Callable[[NDArray[Any]], NDArray[Any]]]:
        """Return theta of (site, site + 1), flat, and the effective Hamiltonian on it; cost 2 chi^3 w d^3 a product."""
        left, right = self.left[site], join_right(self.mpo[site + 1], self.right[site + 1])
        bra, out, w, ket, inner = left.shape
        left_matrix = left.reshape(bra * out * w, ket * inner)
        right_matrix = right.reshape(-1, right.shape[3] * right.shape[4])
        theta = self.tensors[site].reshape(ket * inner, -1) @ self.tensors[site + 1].reshape(
            self.tensors[site + 1].shape[0], -1
        )

        def apply(flat: NDArray[Any]) -> NDArray[Any]:
            half = left_matrix @ flat.reshape(ket * inner, -1)
            result: NDArray[Any] = half.reshape(bra * out, -1) @ right_matrix
            return result.ravel()

        return theta, apply

    def single_map(self, site: int) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """Return the effective Hamiltonian on the tensor of one site, for flat arrays."""
        left, right = self.left[site], self.right[site]
        bra, out, w, ket, inner = left.shape
        left_matrix = left.reshape(bra * out * w, ket * inner)
        right_matrix = right.reshape(-1, right.shape[2])

        def apply(flat: NDArray[Any]) -> NDArray[Any]:
            half = left_matrix @ flat.reshape(ket * inner, -1)
            result: NDArray[Any] = half.reshape(bra * out, -1) @ right_matrix
            return result.ravel()

        return apply

    def split_right(self, site: int, theta: NDArray[Any], max_rank: int, cutoff: float) -> float:
        """Split theta, (left d, d right), leave the centre on site + 1, and return the relative discarded weight."""
        split = split_full(np.ascontiguousarray(theta.T), max_rank, cutoff)
        self.replace_right(site, np.ascontiguousarray(split.basis.T), split.basis.conj() @ theta)
        return split.discarded / float(np.vdot(theta, theta).real)

    def replace_right(self, site: int, basis: NDArray[Any], centre: NDArray[Any]) -> None:
        """Put a left basis, (left d, rank), on site and the centre, (rank, d right), on site + 1."""
        d = self.tensors[site].shape[1]
        self.tensors[site] = basis.reshape(-1, d, basis.shape[1])
        self.tensors[site + 1] = centre.reshape(basis.shape[1], self.tensors[site + 1].shape[1], -1)
        self.centre = site + 1
        self.extend_left(site)

    def replace_left(self, site: int, basis: NDArray[Any], centre: NDArray[Any]) -> None:
        """Put a right basis, (rank, d right), on site + 1 and the centre, (left d, rank), on site."""
        d = self.tensors[site + 1].shape[1]
        self.tensors[site + 1] = basis.reshape(basis.shape[0], d, -1)
        self.tensors[site] = centre.reshape(-1, self.tensors[site].shape[1], basis.shape[0])
        self.centre = site
        self.extend_right(site + 1)

    def split_left(self, site: int, theta: NDArray[Any], max_rank: int, cutoff: float) -> float:
        """Split theta, leave the centre on site, and return the relative discarded weight."""
        split = split_full(theta, max_rank, cutoff)
        self.replace_left(site, split.basis, theta @ split.basis.conj().T)
        return split.discarded / float(np.vdot(theta, theta).real)


def _join_left(environment: NDArray[Any], W: NDArray[Any]) -> NDArray[Any]:
    """(bra, w, ket) and W[w, w', out, in] to (bra, out, w', ket, in)."""
    joined = np.tensordot(environment, W, (1, 0))
    return np.ascontiguousarray(joined.transpose(0, 3, 2, 1, 4))


def join_right(W: NDArray[Any], environment: NDArray[Any]) -> NDArray[Any]:
    """W[w, w', out, in] and (w', ket, bra) to (w, in, ket, out, bra)."""
    joined = np.tensordot(W, environment, (1, 0))
    return np.ascontiguousarray(joined.transpose(0, 2, 3, 1, 4))
