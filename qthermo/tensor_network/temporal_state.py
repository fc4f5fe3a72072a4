"""The influence functional of a chain on its first site, as a real matrix-product state in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.models import SpinModel
from qthermo.operators import PauliSum
from qthermo.tensor_network.canonical_chain import CanonicalChain
from qthermo.tensor_network.journal import Journal
from qthermo.tensor_network.pauli_transfer import bond_generators, exponentiate

__all__ = ["TemporalState", "build_temporal_state"]

_NEGLIGIBLE = 1e-14


@dataclass(frozen=True, slots=True)
class TemporalState:
    """What the bath does to the thermometer at each of its num_steps + 1 couplings.

    Args:
        tensors: F_k, shape (earlier, alpha, later).
        half: the thermometer's factors of half a coupling, shape (alpha, 4, 4).
        full: of a whole one. The couplings at both ends are halves, those between are whole.
        discarded_weight: sum of what the compressions dropped.
    """

    tensors: list[NDArray[np.float64]]
    half: NDArray[np.float64]
    full: NDArray[np.float64]
    discarded_weight: float

    def correlator(self, thermometer: PauliSum, step: float) -> NDArray[np.float64]:
        """Return C(k step), k = 0 .. num_steps, for a thermometer with Hamiltonian H_T on site 0.

        Each coupling stands between two half rotations by H_T. To end at step k, coupling k is halved, and the later
        ones act on a thermometer in the state 1, which does not disturb the bath.
        """
        rotations = [_rotation(thermometer, step * share) for share in (0.25, 0.5)]
        last = len(self.tensors) - 1
        closings = self._closings()
        values = np.empty(last + 1)
        state = np.zeros((4, 1))
        state[3] = 1.0
        for k, tensor in enumerate(self.tensors):
            ended = self._couple(rotations[0] @ state, tensor, self.half)
            values[k] = (rotations[0] @ ended)[3] @ closings[k] if k else 1.0
            if k == 0:
                state = rotations[0] @ ended
            elif k < last:
                state = rotations[1] @ self._couple(rotations[1] @ state, tensor, self.full)
        return values

    @staticmethod
    def _couple(
        state: NDArray[np.float64], tensor: NDArray[np.float64], factors: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        moved = np.tensordot(factors, state, (2, 0))
        result: NDArray[np.float64] = np.tensordot(moved, tensor, ((0, 2), (1, 0)))
        return result

    def _closings(self) -> list[NDArray[np.float64]]:
        last = len(self.tensors) - 1
        closings = [np.ones(1)] * (last + 1)
        for k in range(last, 0, -1):
            factors = self.half if k == last else self.full
            closings[k - 1] = np.tensordot(factors[:, 0, 0], self.tensors[k], (0, 1)) @ closings[k]
        return closings


def _rotation(thermometer: PauliSum, length: float) -> NDArray[np.float64]:
    """Return the 4 x 4 rotation of the thermometer's Pauli vector over `length`."""
    gate = exponentiate(bond_generators(thermometer, 2), length)[0]
    rotation: NDArray[np.float64] = gate.reshape(4, 4, 4, 4)[:, 0, :, 0]
    return rotation


def build_temporal_state(
    model: SpinModel,
    step: float,
    num_steps: int,
    *,
    max_bond_dim: int,
    cutoff: float,
    journal: Journal,
    name: str,
    report: Callable[[int], None],
) -> TemporalState:
    """Contract the bath from its far end, one spin at a time, and compress in time.

    The circuit is the Suzuki formula of order 2: even bonds half, odd bonds, even bonds half; the coupling to the
    thermometer is bond 0. Spins beyond the light cone of the circuit are left out. The journal keeps the state after
    every spin under `name`; `report` is called with each spin's number before it is contracted.

    Cost: per spin, num_steps splits of bonds of dimension 4 chi.
    Reference: M. C. Banuls et al., arXiv:0904.1926; A. Lerose, M. Sonner, D. A. Abanin, arXiv:2104.07607.
    """
    factors = _bond_factors(model, step)[: 2 * num_steps + 2]
    start = np.eye(4)[0].reshape(1, 4, 1, 1)
    left, discarded = journal.find(name) or (len(factors), 0.0)
    compressed: list[NDArray[np.float64]] = journal.find_arrays(name)
    for bond in range(left - 1, -1, -1):
        report(bond)
        passing = _passages(factors[bond + 1], compressed, bond + 1) if compressed else None
        tensors = _column(factors[bond][2], passing, is_even=bond % 2 == 0, num_steps=num_steps, start=start)
        chain = CanonicalChain.from_tensors(tensors, max_bond_dim, cutoff)
        compressed, discarded = chain.tensors, discarded + chain.discarded_weight
        journal.enter(name, [bond, discarded], compressed)
    half, full, _ = factors[0]
    return TemporalState(compressed, half, full, discarded)


def _bond_factors(model: SpinModel, step: float) -> list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Return, per bond, the left factors of half and whole gate and the right factors, each (alpha, 4, 4)."""
    bath = model.bath.shift_sites(-1)
    coupling = model.coupling if model.num_sites > 2 else model.coupling + model.bath
    generators = [bond_generators(coupling, 2)[0]]
    if model.num_sites > 2:
        generators += list(bond_generators(bath, model.num_bath_sites))
    factors = []
    for generator in generators:
        gates = np.concatenate([exponentiate(generator[None], step * share) for share in (0.5, 1.0)])
        shuffled = gates.reshape(2, 4, 4, 4, 4).transpose(0, 1, 3, 2, 4).reshape(32, 16)
        _, sigma, right = np.linalg.svd(shuffled, full_matrices=False)
        right = right[sigma > _NEGLIGIBLE * sigma[0]]
        left = (shuffled @ right.T).reshape(2, 4, 4, -1).transpose(0, 3, 1, 2)
        factors.append((left[0], left[1], right.reshape(-1, 4, 4)))
    return factors


def _passages(
    factors: tuple[NDArray[Any], NDArray[Any], NDArray[Any]], tensors: Sequence[NDArray[Any]], bond: int
) -> list[NDArray[np.float64]]:
    """Return sum_beta left_beta (x) F_k: maps (s, l) to (s', r), shape (s', s, l, r), for each gate of the bond."""
    half, full, _ = factors
    last = len(tensors) - 1
    ends = bond % 2 == 0
    return [np.tensordot(half if ends and k in (0, last) else full, tensor, (0, 1)) for k, tensor in enumerate(tensors)]


def _column(
    right: NDArray[Any], passing: list[NDArray[Any]] | None, *, is_even: bool, num_steps: int, start: NDArray[Any]
) -> list[NDArray[np.float64]]:
    """Return the temporal tensors of one spin and all beyond it, not compressed.

    An even left bond acts before each passage of the odd right bond and once after the last; an odd one acts between
    the passages of the even right bond.
    """
    count = num_steps + 1 if is_even else num_steps
    tensors = []
    for k in range(count):
        after = None if passing is None else (k if is_even else k + 1)
        if passing is None or after is None or after >= len(passing):
            width = 1 if passing is None else passing[-1].shape[3]
            moved = np.einsum("ats,lm->slatm", right, np.eye(width))
        else:
            moved = np.einsum("ats,utlm->slaum", right, passing[after])
        if k == 0 and passing is not None and not is_even:
            moved = np.einsum("tslm,tmaur->slaur", passing[0], moved)
        s, left, alpha, t, later = moved.shape
        tensors.append(moved.reshape(s * left, alpha, t * later))
    first, last = tensors[0], tensors[-1]
    tensors[0] = first.reshape(4, -1, *first.shape[1:])[0]
    last = tensors[-1]
    tensors[-1] = last.reshape(*last.shape[:2], 4, -1)[:, :, 0]
    return tensors
