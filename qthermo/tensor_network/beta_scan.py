"""Correlators at many temperatures from one evolution of Z_0 and one cooling of the thermal state."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import NotConvergedWarning, UnsupportedError
from qthermo.models import SpinModel
from qthermo.problems import Autocorrelation
from qthermo.tensor_network.canonical_chain import CanonicalChain
from qthermo.tensor_network.heisenberg_evolution import OperatorEvolution
from qthermo.tensor_network.pauli_mpo import LEFT_MULTIPLICATION
from qthermo.tensor_network.pauli_transfer import bond_generators, exponentiate, letter_vector
from qthermo.tensor_network.thermal_chain import ThermalChain
from qthermo.tensor_network.trotter_steps import GateCache

if TYPE_CHECKING:
    from qthermo.tensor_network.purified_tebd import PurifiedTEBD

__all__ = ["scan_betas"]


def scan_betas(problem: Autocorrelation, betas: NDArray[np.float64], method: PurifiedTEBD) -> NDArray[np.complex128]:
    """Return Tr[Z_0 rho Z_0(t)], shape (beta, time); warn where half the bond dimension changes it too much."""
    values = _scan(problem, betas, method, method.max_bond_dim)
    if method.estimate_errors:
        change = np.abs(values - _scan(problem, betas, method, max(method.max_bond_dim // 2, 2)))
        if change.max() > method.tolerance:
            row, column = np.unravel_index(int(np.argmax(change > method.tolerance)), change.shape)
            warnings.warn(
                f"The scan must change by less than tolerance = {method.tolerance:g} with the bond dimension, but does "
                f"by {change[row, column]:.2g} at beta {betas[row]:g}, time {problem.times[column]:g}: "
                f"raise max_bond_dim above {method.max_bond_dim}.",
                NotConvergedWarning,
                stacklevel=3,
            )
    return values


def _scan(
    problem: Autocorrelation, betas: NDArray[np.float64], method: PurifiedTEBD, max_bond_dim: int
) -> NDArray[np.complex128]:
    model = problem.model
    if not isinstance(model, SpinModel):
        raise UnsupportedError("PurifiedTEBD needs a model of spins.")
    states = _thermal_operators(model, betas, method, max_bond_dim)
    chain = CanonicalChain.from_product([letter_vector("Z")], max_bond_dim, method.truncation_error)
    gates = GateCache(bond_generators(model.hamiltonian, model.num_sites), exponentiate)
    evolution = OperatorEvolution(chain, gates, method.trotter_order, method.time_step)
    outside = letter_vector("I").reshape(1, 4, 1)
    values = np.empty((betas.size, problem.times.size), np.complex128)
    for k, time in enumerate(problem.times):
        evolution.advance(float(time))
        tensors = [*evolution.chain.tensors, *[outside] * (model.num_sites - evolution.chain.num_sites)]
        padded = CanonicalChain(tensors, [], 1, 0.0)
        values[:, k] = [padded.overlap(state, np.ones(4)) for state in states]
    return values


def _thermal_operators(
    model: SpinModel, betas: NDArray[np.float64], method: PurifiedTEBD, max_bond_dim: int
) -> list[CanonicalChain]:
    """Return Z_0 rho / Tr[rho] for every beta, in one cooling run to e^{-beta H}."""
    thermal = ThermalChain.at_infinite_temperature(
        model, step=method.thermal_step, max_bond_dim=max_bond_dim, cutoff=method.thermal_truncation_error
    )
    identity = [letter_vector("I")] * model.num_sites
    operators = []
    for beta in betas:
        thermal.cool(2 * float(beta))
        tensors = [tensor.astype(np.complex128) for tensor in thermal.chain.tensors]
        tensors[0] = np.einsum("ab,lbr->lar", LEFT_MULTIPLICATION[3], tensors[0]) / thermal.chain.project(identity)
        operators.append(CanonicalChain(tensors, [], max_bond_dim, 0.0))
    return operators
