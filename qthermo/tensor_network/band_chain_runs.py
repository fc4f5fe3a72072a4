"""Band chains as matrix products: sites with all levels of a subunit, any number of excitations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.models import BandChainModel
from qthermo.problems import BandDynamics, subunit_answer
from qthermo.progress import Progress
from qthermo.tensor_network.checked_runs import ASKED, CHECKS, CheckedRuns, warn_if_lost
from qthermo.tensor_network.checkpoint import fingerprint, method_fields
from qthermo.tensor_network.sweep_environments import SweepEnvironments
from qthermo.tensor_network.sweep_evolution import SweepEvolution, product_tensors

if TYPE_CHECKING:
    from qthermo.tensor_network.tdvp import TDVP

__all__ = ["build_band_mpo", "measure_levels", "run_band_dynamics"]

_NEGLIGIBLE = 1e-14


def build_band_mpo(model: BandChainModel, *, offset: NDArray[np.float64] | None = None) -> list[NDArray[Any]]:
    """Return H of a band chain as an MPO, tensors W[left, right, out, in] with d levels a site.

    Args:
        model: the chain; all its levels are kept, whatever its total_energy.
        offset: energies to take off the levels of each subunit, shape (d,).

    Bond dimension 2 + the rank of the coupling between its two subunits, 2 n for one band of n levels.
    """
    d, n = model.local_dimension, model.num_subunits
    levels = np.diag(model.local_levels - (0.0 if offset is None else offset)).astype(np.complex128)
    left_parts: list[NDArray[Any]] = [np.zeros((0, d, d), np.complex128)]
    right_parts: list[NDArray[Any]] = []
    for bond in range(n - 1):
        matrix = model.bond_hamiltonian(bond).reshape(d, d, d, d).transpose(0, 2, 1, 3).reshape(d * d, d * d)
        u, s, v = np.linalg.svd(matrix)
        rank = int((s > _NEGLIGIBLE * max(float(s[0]), 1e-300)).sum())
        left_parts.append((v[:rank]).reshape(rank, d, d))
        right_parts.append((u[:, :rank] * s[:rank]).T.reshape(rank, d, d))
    right_parts.append(np.zeros((0, d, d), np.complex128))
    return [_site_tensor(levels, left_parts[k], right_parts[k], first=k == 0, last=k == n - 1) for k in range(n)]


def _site_tensor(
    local: NDArray[Any], finish: NDArray[Any], begin: NDArray[Any], *, first: bool, last: bool
) -> NDArray[Any]:
    """Return W with bond states (not begun, terms under way, done)."""
    d = local.shape[0]
    W = np.zeros((finish.shape[0] + 2, begin.shape[0] + 2, d, d), np.complex128)
    W[0, 0] = W[-1, -1] = np.eye(d)
    W[0, -1] = local
    W[0, 1:-1] = begin
    W[1:-1, -1] = finish
    W = W[:1] if first else W
    return W[:, -1:] if last else W


def measure_levels(tensors: list[NDArray[Any]]) -> NDArray[np.float64]:
    """Return the probability of every level of every site, shape (site, d).

    All tensors but the first must be right-orthonormal.
    """
    environment: NDArray[Any] = np.eye(1)
    rows = []
    for tensor in tensors:
        half = np.tensordot(environment, tensor, axes=(1, 0))
        rows.append(np.einsum("lsr,lsr->s", tensor.conj(), half).real)
        environment = np.tensordot(tensor.conj(), half, axes=([0, 1], [0, 1]))
    return np.array(rows)


def run_band_dynamics(problem: BandDynamics, method: TDVP, progress: Progress) -> Answer:
    """Answer `BandDynamics` from a product state; the conserved band energy is taken off, so that steps can be long."""
    model = problem.model
    counts = [band.num_levels for band in model.bands]
    offset = np.repeat([band.energy for band in model.bands], counts)
    mpo = build_band_mpo(model, offset=offset)
    state = product_tensors(problem.sample_local_states(0))
    runs = [
        SweepEvolution(
            SweepEnvironments(list(state), mpo),
            -1j,
            method.time_step,
            check.bond(method.max_bond_dim),
            method.truncation_error * check.cutoff_factor,
            refinement=check.refinement,
            krylov_tolerance=method.krylov_tolerance,
        )
        for check in (CHECKS if method.estimate_errors else (ASKED,))
    ]
    checked = CheckedRuns(
        runs,
        2,
        method.tolerance,
        stop=method.stop_at_tolerance,
        checkpoint=method.checkpoint,
        key=fingerprint(problem, method, method_fields(method)),
    )
    starts = np.cumsum([0, *counts])[:-1]

    def measure(run: SweepEvolution) -> NDArray[np.float64]:
        return np.asarray(np.add.reduceat(measure_levels(run.tensors), starts, axis=1))

    shape = (model.num_subunits, len(model.bands))
    values, errors = checked.measure(problem.times, measure, progress, shape=shape)
    excited = {name: error.max(axis=-1) for name, error in errors.items()}
    worst = {name: error.max(axis=1) for name, error in excited.items()}
    warn_if_lost(problem.times, worst, method.tolerance, stopped=method.stop_at_tolerance, what="the probability")
    asked = runs[0]
    diagnostics = {
        "max_bond_dim": asked.max_bond,
        "num_steps": asked.num_steps,
        "discarded_weight": asked.discarded_weight,
        "mpo_bond_dim": max(W.shape[1] for W in mpo),
    }
    return subunit_answer(problem, values, errors=excited, diagnostics=diagnostics)
