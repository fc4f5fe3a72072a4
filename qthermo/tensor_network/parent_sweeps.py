"""The gap of a thermalising Lindbladian by DMRG on its parent Hamiltonian."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.errors import NotConvergedError, UnsupportedError
from qthermo.kms.energy_basis import site_couplings
from qthermo.kms.lost_gap import warn_of_lost_gap
from qthermo.kms.parent import parent_terms
from qthermo.kms.patches import find_patch
from qthermo.models import SpinModel
from qthermo.problems import MixingGap, gap_answer
from qthermo.progress import Progress
from qthermo.seeds import Stream, sample_generator
from qthermo.tensor_network.canonical_chain import CanonicalChain
from qthermo.tensor_network.ground_state_sweeps import DmrgSweeps, two_site_variance
from qthermo.tensor_network.journal import Journal
from qthermo.tensor_network.lift import Lift
from qthermo.tensor_network.parent_mpo import build_parent_mpo
from qthermo.tensor_network.sweep_environments import SweepEnvironments

if TYPE_CHECKING:
    from qthermo.tensor_network.dmrg import DMRG

__all__ = ["check_chain", "run_mixing_gap"]

_LOCAL_DIM, _LOCAL_SHARE = 6, 0.03
_LIFTED_BOND, _LIFTED_WEIGHT = 16, 1e-14
_FIRST_LIFT = 5.0
_START_BOND, _NOISES = 8, (1e-3, 1e-5)
_RAMP_SWEEPS = 12


def check_chain(problem: MixingGap, method: DMRG) -> None:
    """Raise unless every patch is a run of neighbouring sites.

    Raises:
        UnsupportedError: the Hamiltonian connects distant sites.
    """
    model = problem.model
    if not isinstance(model, SpinModel):
        raise UnsupportedError("DMRG needs a model of spins.")
    for site in range(model.num_sites):
        patch = find_patch(model.hamiltonian, (site,), max(method.patch_radius, method.outer_radius))
        if patch[-1] - patch[0] + 1 != len(patch):
            raise UnsupportedError(
                f"DMRG finds gaps of chains, whose patches are runs of sites, but that of site {site} is {patch}."
            )


def run_mixing_gap(problem: MixingGap, method: DMRG, progress: Progress) -> Answer:
    """Return E1 - E0 of the parent Hamiltonian of two radii, and E0, which certifies it.

    Raises:
        NotConvergedError: E0 or E1 changes by more than `tolerance` from chi/2 to chi, or does not settle.
    """
    model = problem.model
    if not isinstance(model, SpinModel):
        raise UnsupportedError("DMRG needs a model of spins.")
    warn_of_lost_gap(
        model.hamiltonian, model.num_sites, beta=problem.beta, letters=problem.couplings, filter_name=method.filter
    )
    progress(0.0, "building the parent Hamiltonian")
    terms = parent_terms(
        model.hamiltonian,
        site_couplings(problem.couplings, model.num_sites),
        beta=problem.beta,
        filter_name=method.filter,
        radius=method.patch_radius,
        outer_radius=method.outer_radius,
    )
    mpo = build_parent_mpo(terms, model.num_sites)
    journal = Journal.open(problem, method)
    ground = _sweeps(_identity_state(mpo), mpo, method, journal, "ground")
    _widen(ground, method, "E0", progress)
    lift = _FIRST_LIFT
    excited, change = _excite(ground, lift, method, journal, progress)
    while excited.energy - ground.energy > 0.8 * lift:
        lift *= 4
        excited, change = _excite(ground, lift, method, journal, progress)
    diagnostics = {
        "truncation_error": change,
        "two_site_variance": two_site_variance(excited.environments, excited.energy),
        "excited_energy": excited.energy,
        "mpo_bond_dimension": max(W.shape[1] for W in mpo),
        "max_bond_dim_reached": excited.max_bond,
        "num_sweeps": ground.num_sweeps + excited.num_sweeps,
    }
    gap = excited.energy - ground.energy
    return gap_answer(gap, None, certificate=ground.energy, diagnostics=diagnostics)


def _sweeps(
    state: list[NDArray[Any]], mpo: Sequence[NDArray[Any]], method: DMRG, journal: Journal, name: str
) -> DmrgSweeps:
    return DmrgSweeps(
        SweepEnvironments(state, mpo),
        method.truncation_error,
        _LOCAL_DIM,
        local_tolerance=_LOCAL_SHARE * method.sweep_tolerance**0.5,
        journal=journal,
        name=name,
    )


def _excite(
    ground: DmrgSweeps, lift: float, method: DMRG, journal: Journal, progress: Progress
) -> tuple[DmrgSweeps, float]:
    """Return the lowest state above the ground state, lifted out of the way, and the change of its energy."""
    mpo = ground.environments.mpo
    short = CanonicalChain.from_tensors(list(ground.environments.tensors), _LIFTED_BOND, _LIFTED_WEIGHT)
    known = [short.tensors[0] / np.linalg.norm(short.tensors[0]), *short.tensors[1:]]
    candidates = []
    for k in range(method.num_starts):
        sweeps = _sweeps(_start_state(mpo, method.seed, k), mpo, method, journal, f"lift {lift:g}, start {k}")
        sweeps.lift = Lift(known, lift)
        for noise in _NOISES:
            progress(0.3, f"start {k + 1} of {method.num_starts}")
            sweeps.sweep(min(method.max_bond_dim, _START_BOND), noise)
        candidates.append(sweeps)
    best = candidates[int(np.argmin([candidate.energy for candidate in candidates]))]
    return best, _widen(best, method, "E1", progress)


def _widen(sweeps: DmrgSweeps, method: DMRG, name: str, progress: Progress) -> float:
    """Sweep at doubled bond dimensions until one changes the energy by less than `tolerance`; return that change.

    Raises:
        NotConvergedError: the largest bond dimension still changes it by more, or does not settle.
    """
    bonds = _ramp(method.max_bond_dim)
    change = np.inf
    for k, bond in enumerate(bonds):
        before, final = sweeps.energy, k == len(bonds) - 1
        most = method.max_sweeps if final else _RAMP_SWEEPS
        settled = _settle(sweeps, bond, most, method.sweep_tolerance, lambda words: progress(0.5, f"{name} = {words}"))
        change = abs(before - sweeps.energy)
        if settled and k > 0 and change < method.tolerance:
            return change
        if final and not settled:
            raise NotConvergedError(
                f"{name} must settle to sweep_tolerance = {method.sweep_tolerance:g}, but did not in "
                f"{method.max_sweeps} sweeps at bond dimension {bond}: raise max_sweeps or max_bond_dim, or relax it."
            )
    raise NotConvergedError(
        f"{name} must change by less than tolerance = {method.tolerance:g} from half the bond dimension, but "
        f"changes by {change:.2g}: raise max_bond_dim above {method.max_bond_dim}."
    )


def _settle(sweeps: DmrgSweeps, bond: int, most: int, tolerance: float, report: Callable[[str], None]) -> bool:
    """Sweep until one changes the energy by less than `tolerance`; return whether it did."""
    before = sweeps.energy
    for _ in range(most):
        energy = sweeps.sweep(bond, 0.0)
        report(f"{energy:.8g} at bond dimension {bond}")
        if abs(before - energy) < tolerance:
            return True
        before = energy
    return False


def _ramp(max_bond_dim: int) -> list[int]:
    """Return bond dimensions that double up to the largest, at least two."""
    bonds = [max_bond_dim]
    while bonds[0] > _START_BOND or (len(bonds) == 1 and bonds[0] > 1):
        bonds.insert(0, bonds[0] // 2)
    return bonds


def _identity_state(mpo: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return the identity as a state of ket and bra, sqrt(sigma) at infinite temperature."""
    tensor = (np.eye(2) / np.sqrt(2)).reshape(1, 4, 1).astype(mpo[0].dtype)
    return [tensor.copy() for _ in mpo]


def _start_state(mpo: Sequence[NDArray[Any]], seed: int, start: int) -> list[NDArray[Any]]:
    """Return sum_j O_j with a random local operator O on each site (a spin wave), plus a little of everything."""
    rng = sample_generator(seed, Stream.SOLVER, start)
    one = (np.eye(2) / np.sqrt(2)).reshape(4)
    tensors = []
    for k in range(len(mpo)):
        tensor = 0.02 * rng.standard_normal((2, 4, 2))
        tensor[0, :, 0] += one
        tensor[1, :, 1] += one
        tensor[0, :, 1] += rng.standard_normal(4)
        tensor = tensor[:1] if k == 0 else tensor
        tensors.append((tensor[:, :, 1:] if k == len(mpo) - 1 else tensor).astype(mpo[0].dtype))
    chain = CanonicalChain.from_tensors(tensors, 8, 0.0)
    chain.tensors[0] = chain.tensors[0] / np.linalg.norm(chain.tensors[0])
    return chain.tensors
