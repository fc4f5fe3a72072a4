"""The exact channel of collisions as dense matrices: averaged over frequencies, or along a given sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from qthermo.kms.collisions import Collisions, CollisionScheme
from qthermo.linalg.superoperators import JumpMap
from qthermo.operators import PauliSum, build_schedule

__all__ = ["averaged_channel", "collide", "collision_operators", "step_unitary"]


def step_unitary(
    hamiltonian: PauliSum, num_sites: int, time_step: float, *, groups: Sequence[PauliSum] | None = None, order: int = 1
) -> NDArray[np.complex128]:
    """Return e^{-i H dt}, or one Suzuki step of it over the given commuting groups. Cost: D^3 per group."""
    dim = 2**num_sites
    if groups is None:
        return _exponential(hamiltonian, num_sites, time_step)
    total = np.eye(dim, dtype=np.complex128)
    for stage in build_schedule(order, len(groups)) if groups else ():
        total = _exponential(groups[stage.group], num_sites, time_step * stage.weight) @ total
    return total


def _exponential(hamiltonian: PauliSum, num_sites: int, time: float) -> NDArray[np.complex128]:
    energies, vectors = scipy.linalg.eigh(hamiltonian.to_dense(num_sites))
    result: NDArray[np.complex128] = (vectors * np.exp(-1j * time * energies)) @ vectors.conj().T
    return result


def collision_operators(
    scheme: CollisionScheme, step: NDArray[np.complex128], coupling: Any, frequencies: NDArray[np.float64]
) -> NDArray[np.complex128]:
    """Return the Kraus operators <b|U|0>, b = 0, 1, of collisions with one coupling, shape (frequencies, 2, D, D).

    U is the product over kicks j, the first rightmost, of exp(-i theta_j A (x) X_j) (step (x) 1). A squares to one, so
    that a kick is cos(theta) - i sin(theta) A (x) X_j. Cost: 4 K D^3 per frequency and kick.
    """
    dim = step.shape[0]
    inside = np.zeros((dim, 2, frequencies.size, dim), np.complex128)
    inside[:, 0] = np.eye(dim)[:, None, :]
    for time, angle in zip(scheme.kick_times, scheme.kick_angles, strict=True):
        inside = (step @ inside.reshape(dim, -1)).reshape(inside.shape)
        moved = (coupling @ inside.reshape(dim, -1)).reshape(inside.shape)
        phase = np.exp(1j * frequencies * time)[None, :, None]
        inside *= np.cos(angle)
        inside[:, 0] -= 1j * np.sin(angle) * phase.conj() * moved[:, 1]
        inside[:, 1] -= 1j * np.sin(angle) * phase * moved[:, 0]
    return inside.transpose(2, 1, 0, 3)


def averaged_channel(
    scheme: CollisionScheme, step: NDArray[np.complex128], couplings: Sequence[PauliSum], *, num_nodes: int = 30
) -> JumpMap:
    """Return the average over couplings and frequencies of one collision, as a map rho -> sum_k K rho K^dag.

    Args:
        scheme: the collisions.
        step: evolution of the system between kicks, see `step_unitary`.
        couplings: Pauli strings.
        num_nodes: nodes of the average over frequencies.

    Memory: 2 num_nodes D^2 complex numbers per coupling.
    """
    dim = step.shape[0]
    num_sites = dim.bit_length() - 1
    frequencies, probabilities = scheme.quadrature(num_nodes)
    weights = np.sqrt(probabilities / len(couplings))[:, None, None, None]
    parts = [
        (weights * collision_operators(scheme, step, a.to_sparse(num_sites), frequencies)).reshape(-1, dim, dim)
        for a in couplings
    ]
    return JumpMap(np.ascontiguousarray(np.concatenate(parts).transpose(1, 0, 2)), np.zeros((dim, dim)))


def collide(
    state: NDArray[np.complex128],
    collisions: Collisions,
    scheme: CollisionScheme,
    step: NDArray[np.complex128],
    couplings: Sequence[PauliSum],
) -> NDArray[np.complex128]:
    """Return the state after a given sequence of collisions."""
    num_sites = state.shape[0].bit_length() - 1
    matrices = [a.to_sparse(num_sites) for a in couplings]
    for place, frequency in zip(collisions.couplings, collisions.frequencies, strict=True):
        kraus = collision_operators(scheme, step, matrices[place], np.array([frequency]))[0]
        state = sum((k @ state @ k.conj().T for k in kraus), np.zeros_like(state))
    return state
