"""A matrix-product vector in Hastings' form, and the gate that updates it: the inner loop of every TEBD here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.seeds import Stream, sample_generator
from qthermo.tensor_network.checkpoint import check_chain
from qthermo.tensor_network.splitting import Split, orthonormal_rows, split_full, split_warm

__all__ = ["CanonicalChain"]


@dataclass(slots=True)
class CanonicalChain:
    """The vector `B_0 B_1 ... B_{n-1}` with right-orthonormal B_k, k > 0, and the Gram factors of its left halves.

    Args:
        tensors: B_k, shape (left, d, right); B_0 carries the norm.
        weights: w_k on the bond left of site k, shape (any, left): the left half L_k has L_k^dag L_k = w_k^dag w_k.
        max_bond_dim: largest bond dimension kept.
        cutoff: weight discarded at most by one split that is not limited by `max_bond_dim`, relative to the norm^2.

    `discarded_weight` sums what every split dropped, relative to the norm^2 at that time.

    Reference: M. B. Hastings, J. Math. Phys. 50, 095207 (2009), arXiv:0903.3253.
    """

    tensors: list[NDArray[Any]]
    weights: list[NDArray[Any]]
    max_bond_dim: int
    cutoff: float
    discarded_weight: float = 0.0
    num_gates: int = 0
    num_full_splits: int = 0
    _rng: np.random.Generator = field(default_factory=lambda: sample_generator(0, Stream.SOLVER))

    @classmethod
    def from_product(cls, vectors: Sequence[NDArray[Any]], max_bond_dim: int, cutoff: float) -> CanonicalChain:
        """Return the product of one vector per site; all but the first must have norm 1."""
        norm = float(np.linalg.norm(vectors[0]))
        tensors = [np.array(v).reshape(1, -1, 1) for v in vectors]
        return cls(tensors, [np.eye(1)] + [norm * np.eye(1) for _ in vectors[1:]], max_bond_dim, cutoff)

    @classmethod
    def from_tensors(cls, tensors: Sequence[NDArray[Any]], max_bond_dim: int, cutoff: float) -> CanonicalChain:
        """Return any matrix-product vector in canonical form, truncated to the bond dimension."""
        chain = cls(list(tensors), [np.eye(1)] * len(tensors), max_bond_dim, cutoff)
        chain.restore_canonical_form()
        return chain

    @property
    def num_sites(self) -> int:
        """The number of sites."""
        return len(self.tensors)

    @property
    def bond_dimensions(self) -> list[int]:
        """The dimensions of the bonds between neighbouring sites."""
        return [tensor.shape[2] for tensor in self.tensors[:-1]]

    @property
    def max_bond(self) -> int:
        """The largest bond dimension now."""
        return max(self.bond_dimensions, default=1)

    @property
    def norm_squared(self) -> float:
        """The squared norm of the vector."""
        last = self.weights[-1] @ self.tensors[-1].reshape(self.tensors[-1].shape[0], -1)
        return float(np.vdot(last, last).real)

    def copy(self) -> CanonicalChain:
        """Return an independent copy (tensors are replaced, never written to, so they may be shared)."""
        return CanonicalChain(
            list(self.tensors), list(self.weights), self.max_bond_dim, self.cutoff,
            self.discarded_weight, self.num_gates, self.num_full_splits,
        )  # fmt: skip

    def to_record(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return all that `load_record` needs to go on exactly: JSON values and arrays."""
        state = {
            "discarded_weight": self.discarded_weight,
            "num_gates": self.num_gates,
            "num_full_splits": self.num_full_splits,
            "rng": self._rng.bit_generator.state,
        }
        arrays = {f"tensor{k}": tensor for k, tensor in enumerate(self.tensors)}
        return state, arrays | {f"weight{k}": weight for k, weight in enumerate(self.weights)}

    def load_record(self, state: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Take over what `to_record` returned.

        Raises:
            ValueError, LookupError, TypeError: that is not what it was given.
        """
        count = len(arrays) // 2
        tensors = [arrays[f"tensor{k}"] for k in range(count)]
        weights = [arrays[f"weight{k}"] for k in range(count)]
        check_chain(tensors, self.tensors[0], num_sites=max(count, self.num_sites))
        for tensor, weight in zip(tensors, weights, strict=True):
            if weight.ndim != 2 or weight.shape[1] != tensor.shape[0] or not np.isfinite(weight).all():
                raise ValueError("the weight of a bond does not fit its tensor")
        self.tensors, self.weights = tensors, weights
        self.discarded_weight = float(state["discarded_weight"])
        self.num_gates, self.num_full_splits = int(state["num_gates"]), int(state["num_full_splits"])
        self._rng.bit_generator.state = state["rng"]

    def apply_gate(self, site: int, gate: NDArray[Any], *, moves_sites: bool = False) -> None:
        """Apply a gate, shape (d*d, d*d), to the sites (site, site + 1) and truncate the bond between them.

        A gate that swaps its sites says so by `moves_sites`: the old right basis is then no guess of the new one.

        Cost: about 100 chi^3 multiplications at d = 4 where the bond is full.
        """
        old = self.tensors[site + 1]
        joined = self.join_sites(site, gate)
        left, d, right = self.tensors[site].shape[0], old.shape[1], old.shape[2]
        columns = d * right
        theta = (self.weights[site] @ joined.reshape(left, -1)).reshape(-1, columns)
        guess = None if moves_sites else old.reshape(-1, columns)
        self._split_bond(site, joined.reshape(-1, columns), theta, guess)

    def join_sites(self, site: int, gate: NDArray[Any]) -> NDArray[Any]:
        """Return gate B_site B_{site+1}, shape (left, d*d, right)."""
        first, second = self.tensors[site], self.tensors[site + 1]
        left, _, middle = first.shape
        pair = (first.reshape(-1, middle) @ second.reshape(middle, -1)).reshape(left, -1, second.shape[2])
        self.num_gates += 1
        evolved: NDArray[Any] = np.matmul(gate, pair)
        return evolved

    def _split_bond(self, site: int, joined: NDArray[Any], theta: NDArray[Any], guess: NDArray[Any] | None) -> None:
        columns = theta.shape[1]
        split = None if guess is None else self._split_near(theta, guess)
        if split is None:
            split = split_full(theta, self.max_bond_dim, self.cutoff)
            self.num_full_splits += 1
        d = self.tensors[site + 1].shape[1]
        self.tensors[site] = (joined @ split.basis.conj().T).reshape(
            self.tensors[site].shape[0], -1, split.basis.shape[0]
        )
        self.tensors[site + 1] = split.basis.reshape(-1, d, columns // d)
        self.weights[site + 1] = split.weight
        total = float(np.vdot(split.weight, split.weight).real) + split.discarded
        self.discarded_weight += split.discarded / total if total > 0 else 0.0

    def _split_near(self, theta: NDArray[Any], guess: NDArray[Any]) -> Split | None:
        """Return the split by subspace iteration from a guess, or None where the full spectrum is needed."""
        rank = guess.shape[0]
        extra, width = None, rank
        if rank < self.max_bond_dim:
            extra = self._rng.standard_normal((4 + rank // 6, theta.shape[0]))
            width += extra.shape[0]
        if width > min(theta.shape) // 2 or not np.isfinite(theta[0, 0]):
            return None
        return split_warm(theta, guess, extra, self.max_bond_dim, self.cutoff)

    def restore_canonical_form(self, first: int = 0, last: int | None = None) -> None:
        """Make every B_k right-orthonormal again and truncate: needed after gates that are not unitary.

        After a unitary that acts on the sites first .. last only, these suffice.

        Cost: one QR and one split per site.
        """
        end = self.num_sites - 1 if last is None else last
        for site in range(end, first, -1):
            left, d, right = self.tensors[site].shape
            matrix = self.tensors[site].reshape(left, d * right)
            basis = orthonormal_rows(matrix.copy() if left <= d * right else np.eye(d * right, dtype=matrix.dtype))
            self.tensors[site] = basis.reshape(-1, d, right)
            self.tensors[site - 1] = self.tensors[site - 1] @ (matrix @ basis.conj().T)
        for site in range(first, end):
            self._truncate_right_of(site)

    def _truncate_right_of(self, site: int) -> None:
        """Recompute the weight right of `site` from the one left of it, and truncate that bond."""
        left, _, right = self.tensors[site].shape
        theta = (self.weights[site] @ self.tensors[site].reshape(left, -1)).reshape(-1, right)
        split = split_full(theta, self.max_bond_dim, self.cutoff)
        self.tensors[site] = self.tensors[site] @ split.basis.conj().T
        following = self.tensors[site + 1]
        self.tensors[site + 1] = (split.basis @ following.reshape(right, -1)).reshape(-1, *following.shape[1:])
        self.weights[site + 1] = split.weight
        total = float(np.vdot(split.weight, split.weight).real) + split.discarded
        self.discarded_weight += split.discarded / total if total > 0 else 0.0

    def overlap(self, other: CanonicalChain, signs: NDArray[np.float64] | None = None) -> Any:
        """Return `sum_s conj(self_s) prod_k signs[s_k] other_s`, without conjugation if `signs` is given."""
        environment: NDArray[Any] = np.eye(1)
        for mine, theirs in zip(self.tensors, other.tensors, strict=True):
            bra = mine.conj() if signs is None else mine * signs[:, None]
            left = (environment @ theirs.reshape(theirs.shape[0], -1)).reshape(-1, theirs.shape[2])
            environment = bra.reshape(-1, bra.shape[2]).T @ left
        return environment[0, 0]

    def project(self, vectors: Sequence[NDArray[Any]]) -> Any:
        """Return `sum_s prod_k vectors[k][s_k] self_s`: the overlap with a product of (conjugated) vectors."""
        environment: NDArray[Any] = np.ones(1)
        for tensor, vector in zip(reversed(self.tensors), reversed(vectors), strict=True):
            environment = vector @ (tensor @ environment).T
        return environment[0]

    def entropies(self) -> NDArray[np.float64]:
        """Return the entanglement entropy of the normalised vector at each bond, in nats."""
        values = []
        for weight in self.weights[1:]:
            p = np.linalg.svd(weight, compute_uv=False) ** 2
            p = p[p > 0] / p.sum()
            values.append(float(-(p * np.log(p)).sum()))
        return np.array(values)
