import itertools

import numpy as np
import pytest
import scipy.linalg
from reference_chain import reference_chain
from step_halving import UNTRUNCATED, halving_ratio

import qthermo as qt
from qthermo.tensor_network.swap_network import network_layers

COMPLEX = qt.models.spin_chain(
    hamiltonian=qt.PauliSum.from_text(
        "0.5 Z0 + 0.5 X0 X1 + 0.7 Y1 + 0.3 Z1 + 0.9 Y1 Z3 - 0.4 X2 + 0.6 X0 Y3 + 0.2 Y3 + 0.8 X2 Z4 + 0.3 Z0 Z4"
    )
)
ALL_TO_ALL = qt.models.sample_all_to_all_ising(num_bath_sites=4, seed=2)


def lower(site):
    return 0.5 * qt.PauliSum.pauli("X", site) + 0.5j * qt.PauliSum.pauli("Y", site)


@pytest.mark.parametrize("num_sites", [2, 5, 6])
def test_every_pair_meets_once_and_the_order_is_reversed(num_sites):
    layers = network_layers(num_sites)
    met = sorted((i, j) for layer in layers for _, i, j in layer)
    assert met == list(itertools.combinations(range(num_sites), 2))
    order = list(range(num_sites))
    for layer in layers:
        for bond, i, j in layer:
            assert (order[bond], order[bond + 1]) == (i, j)
            order[bond], order[bond + 1] = j, i
    assert order == list(range(num_sites))[::-1]


@pytest.mark.parametrize(("order", "low", "high"), [(2, 3.9, 4.1), (4, 15, 17)])
@pytest.mark.parametrize("model", [ALL_TO_ALL, COMPLEX], ids=["commuting pairs", "complex, not commuting"])
def test_the_error_falls_with_the_power_of_the_order(model, order, low, high):
    assert low < halving_ratio(model, 0.05, order) < high


def test_an_odd_number_of_passes_is_read_in_the_right_order():
    times = [0.1, 0.2, 0.33, 0.5]
    for doubling in (True, False):
        problem = qt.Autocorrelation(ALL_TO_ALL, times=times)
        data = qt.solve(problem, qt.HeisenbergTEBD(time_step=0.1, time_doubling=doubling, **UNTRUNCATED))
        np.testing.assert_allclose(data["correlator"], qt.solve(problem, qt.Dense())["correlator"], atol=1e-6)


@pytest.mark.parametrize(
    ("model", "jumps"),
    [
        (ALL_TO_ALL, [(0.1, lower(k)) for k in range(5)]),
        (COMPLEX, [(0.2, qt.PauliSum.pauli("ZX", 1, 2)), (0.1, lower(0))]),
        (COMPLEX, []),
    ],
)
def test_observables_and_jumps_agree_with_dense(model, jumps):
    problem = qt.Evolution(
        model, times=[0.1, 0.5, 1.0], initial_state="01+-0", jump_operators=jumps,
        observables={"Z0": qt.PauliSum.pauli("Z", 0), "far": qt.PauliSum.from_text("X1 Z4 + 0.3 Y2")},
    )  # fmt: skip
    data = qt.solve(problem, qt.HeisenbergTEBD(time_step=0.1, **UNTRUNCATED))
    np.testing.assert_allclose(data["expectation"], qt.solve(problem, qt.Dense())["expectation"], atol=1e-5)


def test_structure_factor_of_an_all_to_all_bath_agrees_with_dense():
    problem = qt.StructureFactor(ALL_TO_ALL, frequencies=[0.0, 1.0, 2.0], resolution=0.6)
    data = qt.solve(problem, qt.HeisenbergTEBD())
    np.testing.assert_allclose(data["structure_factor"], qt.solve(problem, qt.Dense())["structure_factor"], atol=2e-4)


def test_the_operator_is_handed_back_in_order_after_any_number_of_passes():
    H, Z = ALL_TO_ALL.hamiltonian.to_dense(5), ALL_TO_ALL.observable.to_dense(5)
    for time in (0.05, 0.1):
        U = scipy.linalg.expm(-1j * time * H)
        mpo = qt.HeisenbergTEBD(time_step=0.05, **UNTRUNCATED).evolve_operator(ALL_TO_ALL, time=time)
        np.testing.assert_allclose(mpo.to_dense(), U.conj().T @ Z @ U, atol=1e-6)


def test_bond_dimension_is_estimated_where_it_binds():
    problem = qt.Autocorrelation(qt.models.sample_all_to_all_ising(num_bath_sites=7, seed=1), times=[0.5, 1.0, 2.0])
    exact = qt.solve(problem, qt.Dense())["correlator"].values
    method = qt.HeisenbergTEBD(max_bond_dim=32, tolerance=1.0)
    data = qt.solve(problem, method)
    error = np.abs(data["correlator"].values - exact)
    assert np.all(error < 2 * (data["truncation_error"] + data["trotter_error"]).values + 1e-6)
    assert error[-1] > 1e-6


def test_a_killed_run_resumes_to_the_same_numbers(tmp_path):
    problem = qt.Autocorrelation(ALL_TO_ALL, times=[0.3, 0.6, 0.9, 1.2])
    straight = qt.solve(problem, qt.HeisenbergTEBD(max_bond_dim=8, tolerance=1.0))
    method = qt.HeisenbergTEBD(max_bond_dim=8, tolerance=1.0, checkpoint=str(tmp_path / "run.npz"))

    def interrupt(fraction, _words):
        if fraction > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        qt.solve(problem, method, progress=interrupt)
    resumed = qt.solve(problem, method)
    np.testing.assert_allclose(resumed["correlator"], straight["correlator"], rtol=1e-13)


def test_chains_are_evolved_without_swaps():
    data = qt.solve(qt.Autocorrelation(reference_chain(6, 2.0), times=[0.5]), qt.HeisenbergTEBD())
    assert '"light_cone"' in data.attrs["diagnostics"]
    assert '"num_swap_passes": 0' in data.attrs["diagnostics"]
