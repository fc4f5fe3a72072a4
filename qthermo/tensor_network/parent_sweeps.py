"""The gap of a thermalising Lindbladian by DMRG on its parent Hamiltonian."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.errors import NotConvergedError, UnsupportedError
from qthermo.kms.energy_basis import site_couplings
from qthermo.kms.parent import parent_terms
from qthermo.kms.patches import find_patch
from qthermo.models import SpinModel
from qthermo.problems import MixingGap, gap_answer
from qthermo.progress import Progress
from qthermo.seeds import Stream, sample_generator
from qthermo.tensor_network.canonical_chain import CanonicalChain
from qthermo.tensor_network.ground_state_sweeps import DmrgSweeps, energy_variance
from qthermo.tensor_network.parent_mpo import add_mpos, build_parent_mpo, projector_mpo
from qthermo.tensor_network.sweep_environments import SweepEnvironments

if TYPE_CHECKING:
    from qthermo.tensor_network.dmrg import DMRG

__all__ = ["check_chain", "run_mixing_gap"]

_SMALL_SWEEPS, _LOCAL_DIM = 12, 6
_PROJECTED_BOND, _PROJECTED_WEIGHT = 10, 1e-13
_FIRST_LIFT = 5.0
_NOISES = (1e-3, 1e-5)


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
        NotConvergedError: E1 changes by more than `tolerance` from chi/2 to chi.
    """
    model = problem.model
    if not isinstance(model, SpinModel):
        raise UnsupportedError("DMRG needs a model of spins.")
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
    ground = DmrgSweeps(SweepEnvironments(_identity_state(mpo), mpo), method.truncation_error, _LOCAL_DIM)
    _converge(ground, method, method.max_bond_dim, method.max_sweeps, "E0", progress)
    lift = _FIRST_LIFT
    excited, coarse = _excite(mpo, ground, lift, method, progress)
    while excited.energy - ground.energy > 0.8 * lift:
        lift *= 4
        excited, coarse = _excite(mpo, ground, lift, method, progress)
    change = abs(coarse - excited.energy)
    if change > method.tolerance:
        raise NotConvergedError(
            f"The gap must change by less than tolerance = {method.tolerance:g} from half the bond dimension, but "
            f"changes by {change:.2g}: raise max_bond_dim above {method.max_bond_dim}."
        )
    variance = energy_variance(excited.environments.tensors, mpo) - excited.energy**2
    diagnostics = {
        "truncation_error": change,
        "variance": variance,
        "excited_energy": excited.energy,
        "mpo_bond_dimension": max(W.shape[1] for W in mpo),
        "max_bond_dim_reached": max(excited.environments.bond_dimensions),
        "num_sweeps": ground.num_sweeps + excited.num_sweeps,
    }
    gap = excited.energy - ground.energy
    return gap_answer(gap, None, certificate=ground.energy, diagnostics=diagnostics)


def _excite(
    mpo: list[NDArray[Any]], ground: DmrgSweeps, lift: float, method: DMRG, progress: Progress
) -> tuple[DmrgSweeps, float]:
    """Return the lowest state above the ground state, lifted out of the way, and its energy at chi/2."""
    short = CanonicalChain.from_tensors(list(ground.environments.tensors), _PROJECTED_BOND, _PROJECTED_WEIGHT)
    tensors = list(short.tensors)
    tensors[0] = tensors[0] / np.linalg.norm(tensors[0])
    lifted = add_mpos(mpo, projector_mpo(tensors, lift))
    half = max(method.max_bond_dim // 2, 2)
    candidates = []
    for k in range(method.num_starts):
        sweeps = DmrgSweeps(
            SweepEnvironments(_start_state(mpo, method.seed, k), lifted), method.truncation_error, _LOCAL_DIM
        )
        for noise in _NOISES:
            progress(0.3, f"start {k + 1} of {method.num_starts}")
            sweeps.sweep(min(half, 8), noise)
        candidates.append(sweeps)
    best = candidates[int(np.argmin([candidate.energy for candidate in candidates]))]
    _converge(best, method, half, _SMALL_SWEEPS, "E1", progress)
    coarse = best.energy
    _converge(best, method, method.max_bond_dim, method.max_sweeps, "E1", progress)
    return best, coarse


def _converge(sweeps: DmrgSweeps, method: DMRG, bond: int, most: int, name: str, progress: Progress) -> None:
    def report() -> None:
        progress(0.5, f"{name} = {sweeps.energy:.8g} at bond dimension {bond}")

    if not sweeps.converge(bond, method.sweep_tolerance, most, (), report) and bond == method.max_bond_dim:
        raise NotConvergedError(
            f"{name} must settle to sweep_tolerance = {method.sweep_tolerance:g}, but did not in {most} sweeps at bond "
            f"dimension {bond}: raise max_sweeps or max_bond_dim, or relax it."
        )


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
