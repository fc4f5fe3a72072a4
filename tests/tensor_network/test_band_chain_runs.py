"""Band chains as matrix products against exact diagonalisation, with several excitations and beyond it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import qthermo as qt
from qthermo.models import sample_band_chain
from qthermo.tensor_network.band_chain_runs import build_band_mpo


def contract(mpo: list[np.ndarray]) -> np.ndarray:
    total = mpo[0][0]
    for W in mpo[1:]:
        total = np.einsum("kab,klcd->lacbd", total, W)
        total = total.reshape(W.shape[1], total.shape[1] * total.shape[2], -1)
    return total[0]


@pytest.mark.parametrize("num_levels", [2, [1, 2]])
def test_mpo_is_the_hamiltonian(num_levels):
    model = sample_band_chain(
        num_subunits=3, num_levels=num_levels, band_width=0.1, coupling=0.2, seed=1, all_energies=True
    )
    d = model.local_dimension
    mpo = build_band_mpo(model)
    total = sum(np.kron(np.kron(np.eye(d**k), np.diag(model.local_levels)), np.eye(d ** (2 - k))) for k in range(3))
    total = total + np.kron(model.bond_hamiltonian(0), np.eye(d)) + np.kron(np.eye(d), model.bond_hamiltonian(1))
    assert_allclose(contract(mpo), total, atol=1e-13)
    if num_levels == 2:
        assert mpo[1].shape[:2] == (6, 6)


@pytest.mark.parametrize("configuration", [(1, 0, 0, 0), (1, 1, 0, 0), (1, 0, 1, 1)])
def test_several_excitations_move_as_in_the_exact_solution(configuration):
    model = sample_band_chain(num_subunits=4, num_levels=3, band_width=0.5, coupling=0.2, seed=2, all_energies=True)
    problem = qt.BandDynamics(model, times=[0.0, 1.0, 2.5], initial="product", configuration=configuration, seed=3)
    exact = qt.solve(problem, qt.Dense())
    network = qt.solve(problem, qt.TDVP(max_bond_dim=32, time_step=0.1))
    assert_allclose(network["probability"], exact["probability"], atol=1e-4)
    assert_allclose(network["energy"].sum("subunit"), sum(configuration), atol=1e-8)
    bound = network["truncation_error"] + network["trotter_error"]
    assert np.all(np.abs(network["probability"] - exact["probability"]) < 2 * bound + 1e-6)


def test_chain_beyond_diagonalisation_keeps_its_energy():
    model = sample_band_chain(num_subunits=14, num_levels=3, band_width=0.5, coupling=0.2, seed=2, all_energies=True)
    problem = qt.BandDynamics(model, times=[0.0, 1.0], initial="product", configuration=(1, 0) * 7)
    assert model.dimension == 4**14
    data = qt.solve(problem, qt.TDVP(max_bond_dim=24, time_step=0.1, estimate_errors=False))
    assert_allclose(data["energy"].sum("subunit"), 7, atol=1e-6)
    assert 0.02 < float(data["probability"][1, 1]) < 0.9


def test_long_chain_is_refused_by_the_others_at_once():
    model = sample_band_chain(num_subunits=40, num_levels=3, band_width=0.5, coupling=0.2, seed=2, all_energies=True)
    problem = qt.BandDynamics(model, times=[1.0], initial="product", configuration=(1, 0) * 20)
    for method in (qt.Dense(), qt.Chebyshev(), qt.RateEquation()):
        with pytest.raises(qt.InputError, match=r"(?i)methods that can: TDVP"):
            qt.solve(problem, method)


@pytest.mark.parametrize("configuration", [(1, 0, 0), (0, 1, 0)])
def test_random_state_of_one_band_is_a_product_state(configuration):
    model = sample_band_chain(num_subunits=3, num_levels=3, band_width=0.5, coupling=0.2, seed=2)
    problem = qt.BandDynamics(model, times=[0.0, 1.0, 2.5], configuration=configuration, seed=3)
    exact = qt.solve(problem, qt.Dense())
    network = qt.solve(problem, qt.TDVP(max_bond_dim=16, time_step=0.1, estimate_errors=False))
    assert_allclose(network["probability"], exact["probability"], atol=1e-4)


def test_other_states_are_refused():
    model = sample_band_chain(num_subunits=3, num_levels=3, band_width=0.5, coupling=0.2, seed=2, total_energy=2.0)
    vector = np.eye(model.dimension)[0]
    for initial, found in (("haar", "'haar'"), ("average", "'average'"), (vector, "a vector")):
        problem = qt.BandDynamics(model, times=[1.0], initial=initial)
        with pytest.raises(qt.UnsupportedError, match=f'got initial={found} .*: take initial="product"'):
            qt.solve(problem, qt.TDVP())
    with pytest.raises(qt.UnsupportedError, match="with 2 states"):
        qt.solve(qt.BandDynamics(model, times=[1.0], initial="product", num_states=2), qt.TDVP())
    for wrong, words in (((1, 0), "3 bands"), ((1, 0, 0), "total_energy 2"), ((2, 0, 0), "between 0 and 1")):
        with pytest.raises(qt.InputError, match=words):
            qt.BandDynamics(model, times=[1.0], configuration=wrong)
