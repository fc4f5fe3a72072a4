"""Relaxation of chains beyond exact diagonalisation: the density matrix as a matrix-product vector of (ket, bra)."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.errors import NotConvergedWarning, UnsupportedError
from qthermo.kms.energy_basis import site_couplings
from qthermo.kms.lost_gap import warn_of_lost_gap
from qthermo.kms.patches import find_patch, patch_jumps
from qthermo.models import SpinModel
from qthermo.operators import PauliSum
from qthermo.problems import Relaxation, relaxation_answer
from qthermo.progress import Progress
from qthermo.tensor_network.parent_mpo import build_jump_mpo
from qthermo.tensor_network.sweep_environments import SweepEnvironments
from qthermo.tensor_network.sweep_evolution import SweepEvolution

if TYPE_CHECKING:
    from qthermo.tensor_network.tdvp import TDVP

__all__ = ["build_patch_mpo", "check_relaxation", "pauli_expectations", "run_relaxation"]

_TRANSPOSED = {
    "I": np.array([1, 0, 0, 1]),
    "X": np.array([0, 1, 1, 0]),
    "Y": np.array([0, 1j, -1j, 0]),
    "Z": np.array([1, 0, 0, -1]),
}
"""Tr[P rho] = sum over (ket, bra) of <bra|P|ket> rho."""


def check_relaxation(problem: Relaxation, method: TDVP) -> None:
    """Raise unless the state is a string of bits and every patch a run of neighbouring sites.

    Raises:
        UnsupportedError: what does not fit.
    """
    model = problem.model
    if not isinstance(problem.initial_state, str):
        raise UnsupportedError("TDVP relaxes strings of bits only, but the initial state is an array.")
    for site in range(model.dimension.bit_length() - 1):
        patch = find_patch(_spins(problem).hamiltonian, (site,), method.patch_radius)
        if patch[-1] - patch[0] + 1 != len(patch):
            raise UnsupportedError(
                f"TDVP relaxes chains, whose patches are runs of sites, but that of site {site} is {patch}."
            )


def _spins(problem: Relaxation) -> SpinModel:
    if not isinstance(problem.model, SpinModel):
        raise UnsupportedError("TDVP needs a model of spins.")
    return problem.model


def build_patch_mpo(problem: Relaxation, *, filter_name: str, radius: int) -> list[NDArray[Any]]:
    """Return the generator with patch-truncated jumps and coherent terms as W[left, right, out, in]."""
    model = _spins(problem)
    couplings = site_couplings(problem.couplings, model.num_sites)
    patches = patch_jumps(model.hamiltonian, couplings, beta=problem.beta, filter_name=filter_name, radius=radius)
    decays = []
    for patch in patches:
        shift = 1j * patch.coherent if np.iscomplexobj(patch.jump) else -patch.coherent.imag
        decays.append((patch.sites, patch.jump.conj().T @ patch.jump / 2 + shift))
    return build_jump_mpo([(patch.sites, patch.jump) for patch in patches], decays, model.num_sites)


def run_relaxation(problem: Relaxation, method: TDVP, progress: Progress) -> Answer:
    """Evolve at full and at half resolution and return polarisation and energy with the change between them."""
    model = _spins(problem)
    warn_of_lost_gap(
        model.hamiltonian, model.num_sites, beta=problem.beta, letters=problem.couplings, filter_name=method.filter
    )
    mpo = build_patch_mpo(problem, filter_name=method.filter, radius=method.patch_radius)
    fine, evolution = _evolve(problem, model, mpo, method, 1, progress)
    trace, z, energy = fine
    values = {"polarisation": z / trace[:, None], "energy": energy / trace}
    diagnostics: dict[str, Any] = {
        "trace_error": float(np.abs(trace - 1).max()),
        "mpo_bond_dimension": max(W.shape[1] for W in mpo),
        "max_bond_dim_reached": evolution.max_bond,
        "num_applications": evolution.num_applications,
    }
    if method.estimate_errors:
        (coarse_trace, coarse_z, _), _ = _evolve(problem, model, mpo, method, 2, progress)
        change = np.abs(values["polarisation"] - coarse_z / coarse_trace[:, None])
        values["truncation_error"] = change
        if change.max() > method.tolerance:
            warnings.warn(
                f"The polarisation changes by {change.max():.2g} from half the bonds and twice the step, more than "
                f"tolerance = {method.tolerance:g}: raise max_bond_dim above {method.max_bond_dim} or lower time_step.",
                NotConvergedWarning,
                stacklevel=4,
            )
    return relaxation_answer(problem, values, diagnostics=diagnostics)


def _evolve(
    problem: Relaxation, model: SpinModel, mpo: list[NDArray[Any]], method: TDVP, coarsening: int, progress: Progress
) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]], SweepEvolution]:
    """Return Tr rho, Tr[rho Z_j] and Tr[rho H] at all times."""
    start = [
        np.eye(4)[3 if bit == "1" else 0].reshape(1, 4, 1).astype(mpo[0].dtype) for bit in str(problem.initial_state)
    ]
    evolution = SweepEvolution(
        SweepEnvironments(start, mpo),
        1.0,
        method.time_step * coarsening,
        max(method.max_bond_dim // coarsening, 2),
        method.truncation_error,
        krylov_tolerance=method.krylov_tolerance,
    )
    strings = [PauliSum.pauli("Z", site) for site in range(model.num_sites)]
    rows = []
    for k, time in enumerate(problem.times):
        progress((k + 1) / problem.times.size, f"t = {time:g}, bond dimension {evolution.max_bond}")
        evolution.advance(float(time))
        rows.append(pauli_expectations(evolution.tensors, [PauliSum.from_text("1"), *strings, model.hamiltonian]))
    table = np.array(rows)
    return (table[:, 0], table[:, 1:-1], table[:, -1]), evolution


def pauli_expectations(tensors: list[NDArray[Any]], operators: list[PauliSum]) -> list[float]:
    """Return Tr[rho O] of Hermitian sums from the tensors of rho; cost: chi^2 n per term, one chain for all tails."""
    identity = _TRANSPOSED["I"]
    tails: list[NDArray[Any]] = [np.ones(1)]
    for tensor in reversed(tensors):
        tails.insert(0, np.tensordot(tensor, identity, (1, 0)) @ tails[0])
    heads: list[NDArray[Any]] = [np.ones(1)]
    for tensor in tensors:
        heads.append(heads[-1] @ np.tensordot(tensor, identity, (1, 0)))
    values = []
    for operator in operators:
        total = 0.0
        for string, coefficient in operator.items():
            first, last = (string.sites[0], string.sites[-1]) if string.sites else (0, 0)
            head = heads[first]
            for site in range(first, last + 1):
                head = head @ np.tensordot(tensors[site], _TRANSPOSED[string.letters.get(site, "I")], (1, 0))
            total += float((coefficient * (head @ tails[last + 1])).real)
        values.append(total)
    return values
