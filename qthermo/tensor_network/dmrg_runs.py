"""What `DMRG` runs: starts, growing bond dimensions, and the certificate of the energy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.errors import NotConvergedError, UnsupportedError
from qthermo.models import SpinModel
from qthermo.operators import PauliSum
from qthermo.problems import GroundState, ground_state_answer
from qthermo.progress import Progress
from qthermo.seeds import Stream, sample_generator
from qthermo.tensor_network.ground_state_sweeps import DmrgSweeps, energy_variance, random_state
from qthermo.tensor_network.journal import Journal
from qthermo.tensor_network.pauli_mpo import build_mpo_tensors
from qthermo.tensor_network.site_order import find_positions, permute_sites
from qthermo.tensor_network.sweep_environments import SweepEnvironments

if TYPE_CHECKING:
    from qthermo.tensor_network.dmrg import DMRG

__all__ = ["run_ground_state"]

_START_BOND, _START_NOISES = 16, (1e-2, 1e-3, 1e-4)
_RAMP_SWEEPS = 6
_VARIANCE_PER_ERROR = 100.0


def run_ground_state(problem: GroundState, method: DMRG, progress: Progress) -> tuple[Answer, list[NDArray[Any]]]:
    """Return the answer to `GroundState` and the state's tensors, in the order of the sweeps."""
    model = problem.model
    if not isinstance(model, SpinModel):
        raise UnsupportedError("DMRG needs a model of spins.")
    positions = np.arange(model.num_sites)
    if method.reorder_sites:
        positions = find_positions(model.hamiltonian, model.num_sites)
    hamiltonian = permute_sites(model.hamiltonian, positions)
    mpo, mpo_error = build_mpo_tensors(hamiltonian, model.num_sites)
    bonds = _ramp(method.max_bond_dim)
    start_energies, sweeps = _best_start(mpo, bonds[0], method, Journal.open(problem, method), progress)
    energies = []
    for k, bond in enumerate(bonds):
        share, final = (k + 1) / (len(bonds) + 1), k == len(bonds) - 1
        converged = sweeps.converge(
            bond,
            method.sweep_tolerance,
            method.max_sweeps if final else _RAMP_SWEEPS,
            _reporter(progress, sweeps, share, f"bond dimension {bond}"),
        )
        energies.append(sweeps.energy)
        if final and not converged:
            raise NotConvergedError(
                f"The energy must settle to sweep_tolerance = {method.sweep_tolerance:g}, but did not in "
                f"{method.max_sweeps} sweeps at bond dimension {bond}: raise max_sweeps or max_bond_dim, or relax it."
            )
    change = energies[-2] - energies[-1] if len(energies) > 1 else 0.0
    if change > method.tolerance:
        raise NotConvergedError(
            f"The energy {energies[-1]:.10g} must change by less than tolerance = {method.tolerance:g} from half the "
            f"bond dimension, but changes by {change:.2g}: raise max_bond_dim above {method.max_bond_dim}."
        )
    tensors = sweeps.environments.tensors
    variance = _check_variance(hamiltonian, sweeps, method)
    answer = ground_state_answer(
        sweeps.energy,
        variance=variance,
        truncation_error=max(change, 0.0),
        diagnostics={
            "num_sweeps": sweeps.num_sweeps,
            "max_bond_dim_reached": sweeps.max_bond,
            "discarded_weight": sweeps.discarded_weight,
            "mpo_bond_dimension": max(W.shape[1] for W in mpo),
            "mpo_error": mpo_error,
            "ramp": dict(zip(map(str, bonds), energies, strict=True)),
            "start_energies": start_energies,
            "positions": positions.tolist(),
        },
    )
    return answer, tensors


def _check_variance(hamiltonian: PauliSum, sweeps: DmrgSweeps, method: DMRG) -> float:
    """Return <H^2> - <H>^2, which is about (error of the energy) * (distance to the states mixed in)."""
    tensors = sweeps.environments.tensors
    shifted, _ = build_mpo_tensors(hamiltonian - sweeps.energy, len(tensors))
    variance = max(energy_variance(tensors, shifted), 0.0)
    if variance > _VARIANCE_PER_ERROR * method.tolerance:
        raise NotConvergedError(
            f"The energy's variance must be below {_VARIANCE_PER_ERROR:g} * tolerance = "
            f"{_VARIANCE_PER_ERROR * method.tolerance:g}, but is {variance:.2g} at energy {sweeps.energy:.10g}: raise "
            f"max_bond_dim above {method.max_bond_dim} or num_starts above {method.num_starts}."
        )
    return variance


def _ramp(max_bond_dim: int) -> list[int]:
    """Return bond dimensions that double up to the largest."""
    bonds = [max_bond_dim]
    while bonds[0] > _START_BOND or (len(bonds) == 1 and bonds[0] > 1):
        bonds.insert(0, bonds[0] // 2)
    return bonds


def _best_start(
    mpo: list[NDArray[Any]], bond: int, method: DMRG, journal: Journal, progress: Progress
) -> tuple[list[float], DmrgSweeps]:
    """Sweep every random start with falling noise and return their energies and the best."""
    dtype = np.float64 if all(np.isrealobj(W) for W in mpo) else np.complex128
    candidates = []
    for k in range(method.num_starts):
        rng = sample_generator(method.seed, Stream.SOLVER, k)
        state = random_state(len(mpo), min(bond, 4), rng, dtype)
        sweeps = DmrgSweeps(SweepEnvironments(state, mpo), method.truncation_error, journal=journal, name=f"start {k}")
        for noise in _START_NOISES:
            progress(0.0, f"start {k + 1} of {method.num_starts}")
            sweeps.sweep(bond, noise)
        candidates.append(sweeps)
    energies = [candidate.energy for candidate in candidates]
    return energies, candidates[int(np.argmin(energies))]


def _reporter(progress: Progress, sweeps: DmrgSweeps, share: float, words: str) -> Any:
    return lambda: progress(share, f"{words}, sweep {sweeps.num_sweeps}, energy {sweeps.energy:.8g}")
