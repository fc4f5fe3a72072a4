"""Matrix-product trajectories of the collisions against exact channels: how the error falls, at up to 8 sites."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kms_reference import tilted_ising
from reference_models import kron_matrix

import qthermo as qt
from qthermo.circuits.collisions import build_scheme
from qthermo.circuits.layers import order_groups
from qthermo.kms import collide, site_couplings, step_unitary
from qthermo.kms.states import build_initial_state, site_polarisation
from qthermo.seeds import Stream, sample_generator

MPS = qt.CollisionCircuit(coupling=1.0, energy_width=1.0, time_step=0.25, protocol="mps", seed=4)


def chain_problem(num_sites: int, *rounds: int) -> qt.Relaxation:
    """The tilted chain at beta = 1 from all spins down, at whole numbers of collisions."""
    model = qt.models.spin_chain(hamiltonian=tilted_ising(num_sites))
    unit = MPS.time_per_round(beta=1.0, num_couplings=3 * num_sites)
    return qt.Relaxation(model, beta=1.0, times=unit * np.array(rounds))


def test_error_of_trajectories_falls_as_the_root_of_the_shots():
    """Against Aer's density matrices of the same sequences: a trajectory's <Z> has variance at most 1 - <Z>^2.

    The bound is for outcomes; expectation values of trajectories vary less, so one standard error of it is enough.
    """
    problem, errors = chain_problem(4, 2, 4, 6), []
    exact = qt.solve(problem, replace(MPS, protocol="density_matrix", num_sequences=3))["polarisation"].values
    for shots in (6, 384):
        found = qt.solve(problem, replace(MPS, num_sequences=3, num_shots=shots))["polarisation"].values
        errors.append(float(np.sqrt(np.mean((found - exact) ** 2))))
        assert errors[-1] < np.sqrt(np.mean(1 - exact**2) / (3 * shots))
    assert errors[1] < errors[0] / 2  # 1/8 expected of the means of many runs


def test_many_short_sequences_give_the_average_channel():
    """Two trajectories of each of 60 sequences: the spread over sequences is the whole error."""
    problem = chain_problem(4, 6)
    channel = qt.solve(problem, replace(MPS, protocol="channel"))
    sampled = qt.solve(problem, replace(MPS, num_sequences=60, num_shots=2))
    deviation = np.abs(sampled["polarisation"].values - channel["polarisation"].values)
    assert (deviation < 4 * sampled["stderr"].values).all()
    assert float(sampled["stderr"].max()) < 0.15
    assert (np.abs(channel["polarisation"].values + 1) > 0.3).all()  # far from where it began


@pytest.mark.parametrize("num_sites", [6, 8])
def test_longer_chains_agree_with_dense_channels_of_the_same_sequences(num_sites: int):
    """The density matrix of 8 sites, kick by kick, against 2 x 40 trajectories of matrix product states."""
    problem = chain_problem(num_sites, 4)
    hamiltonian, couplings = tilted_ising(num_sites), site_couplings("XYZ", num_sites)
    scheme = build_scheme(MPS, 1.0)
    step = step_unitary(hamiltonian, num_sites, scheme.spacing, groups=order_groups(hamiltonian), order=2)
    states = []
    for sequence in range(2):
        drawn = scheme.sample(sample_generator(MPS.seed, Stream.CIRCUIT, sequence), 4, len(couplings))
        start = build_initial_state("1" * num_sites).astype(complex)
        states.append(collide(start, drawn, scheme, step, couplings))
    mean = np.mean(states, axis=0)
    z = site_polarisation(np.diag(mean).real.copy())
    matrix = kron_matrix(hamiltonian, num_sites)
    energy = float(np.trace(mean @ matrix).real)
    spread = float(np.sqrt(np.trace(mean @ matrix @ matrix).real - energy**2))
    data = qt.solve(problem, replace(MPS, num_sequences=2, num_shots=40))
    deviation = data["polarisation"].values[0] - z
    assert np.mean(deviation**2) < np.mean(1 - z**2) / 80
    assert abs(float(data["energy"][0]) - energy) < 2 * spread / np.sqrt(80)
