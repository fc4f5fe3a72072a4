import numpy as np
import pytest
from reference_chain import reference_chain

import qthermo as qt


def all_to_all(num_sites):
    J = np.triu(np.random.default_rng(1).standard_normal((num_sites, num_sites)), 1) / np.sqrt(num_sites)
    terms = [(J[i, j], {i: "Z", j: "Z"}) for i in range(num_sites) for j in range(i + 1, num_sites)]
    terms += [(1.0, {i: "X"}) for i in range(num_sites)]
    return qt.models.spin_chain(hamiltonian=qt.PauliSum.from_letters(terms))


def test_all_to_all_reference_numbers():
    # N = 12 from |0..0>: <Z_0> at t = 0.5, 1, 2 by exact evolution
    problem = qt.Evolution(all_to_all(12), times=[0.5, 1.0, 2.0], initial_state="0" * 12)
    data = qt.solve(problem, qt.TDVP(max_bond_dim=64, estimate_errors=False))
    np.testing.assert_allclose(data["expectation"].values[:, 0], [0.557962, -0.252822, -0.359102], atol=2e-4)


def test_full_bonds_leave_no_error_of_the_step():
    problem = qt.Evolution(reference_chain(6, 1.0), times=[1.0], initial_state="0+1-0+")
    method = qt.TDVP(truncation_error=1e-24, estimate_errors=False, krylov_tolerance=1e-12)
    exact = qt.solve(problem, qt.Dense())["expectation"]
    np.testing.assert_allclose(qt.solve(problem, method)["expectation"], exact, atol=1e-9)


def test_terms_that_open_several_bonds_at_once_are_not_lost():
    # X0 Z1 Z2 X3 alone turns |0000> into cos(t) |0000> - i sin(t) |1001>: no pair of neighbours generates it
    H = qt.PauliSum.pauli("XZZX", 0, 1, 2, 3)
    times = np.linspace(0, 1, 5)
    problem = qt.Evolution(qt.models.spin_chain(hamiltonian=H), times=times, initial_state="0000")
    data = qt.solve(problem, qt.TDVP(estimate_errors=False))
    np.testing.assert_allclose(data["expectation"].values[:, 0], np.cos(2 * times), atol=1e-8)


def test_energy_is_conserved_even_where_the_bond_dimension_binds():
    model = all_to_all(8)
    problem = qt.Evolution(model, times=[0.0, 1.0, 3.0], initial_state="0" * 8, observables={"H": model.hamiltonian})
    method = qt.TDVP(max_bond_dim=4, truncation_error=1e-20, estimate_errors=False, time_step=0.02)
    energy = qt.solve(problem, method)["expectation"].values[:, 0]
    np.testing.assert_allclose(energy, energy[0], atol=2e-2)


@pytest.mark.parametrize("beta", [0.0, 0.5])
def test_correlator_of_an_all_to_all_bath_agrees_with_dense(beta):
    model = qt.models.sample_all_to_all_ising(num_bath_sites=4, seed=2)
    problem = qt.Autocorrelation(model, times=np.linspace(0, 1.5, 4), beta=beta)
    data = qt.solve(problem, qt.TDVP(time_step=0.05, estimate_errors=False))
    np.testing.assert_allclose(data["correlator"], qt.solve(problem, qt.Dense())["correlator"], atol=2e-4)
    assert np.isrealobj(data["correlator"].values) == (beta == 0)


def test_correlator_of_a_complex_hamiltonian():
    H = qt.PauliSum.from_text("0.5 Z0 + 0.5 X0 X1 + 0.7 Y1 + 0.3 Z1 + 0.9 Y1 Z3 - 0.4 X2 + 0.6 X0 Y3 Z2 + 0.2 Y3")
    problem = qt.Autocorrelation(qt.models.spin_chain(hamiltonian=H), times=[0.5, 1.0])
    data = qt.solve(problem, qt.TDVP(time_step=0.05, estimate_errors=False))
    np.testing.assert_allclose(data["correlator"], qt.solve(problem, qt.Dense())["correlator"], atol=2e-4)


def test_estimates_bound_the_errors_and_a_tight_bond_dimension_warns():
    problem = qt.Evolution(all_to_all(10), times=np.linspace(0.5, 3, 6), initial_state="0" * 10)
    exact = qt.solve(problem, qt.Dense())["expectation"].values
    with pytest.warns(qt.NotConvergedWarning, match="max_bond_dim"):
        data = qt.solve(problem, qt.TDVP(max_bond_dim=8, tolerance=2e-3))
    error = np.abs(data["expectation"].values - exact)
    estimate = (data["truncation_error"] + data["trotter_error"]).values
    assert np.isnan(error[-1]).all()
    known = np.isfinite(error)
    assert np.all(error[known] < 2 * estimate[known] + 1e-5)


def test_resuming_gives_the_same_numbers(tmp_path):
    problem = qt.Evolution(all_to_all(6), times=[0.2, 0.4, 0.6], initial_state="0" * 6)
    path = str(tmp_path / "run.npz")

    def interrupt(fraction, _words):
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        qt.solve(problem, qt.TDVP(checkpoint=path), progress=interrupt)
    resumed = qt.solve(problem, qt.TDVP(checkpoint=path))["expectation"].values
    np.testing.assert_array_equal(resumed, qt.solve(problem, qt.TDVP())["expectation"].values)


def test_jump_operators_are_refused():
    problem = qt.Evolution(
        reference_chain(4, 1.0), times=[1.0], initial_state="0000", jump_operators=[(0.1, qt.PauliSum.pauli("X", 0))]
    )
    with pytest.raises(qt.UnsupportedError, match="HeisenbergTEBD"):
        qt.solve(problem, qt.TDVP())


def test_entropies_are_those_of_the_exact_state():
    # exp(-i t X0 X1) |00> has Schmidt weights cos^2 t and sin^2 t across its bond
    H = qt.PauliSum.from_text("X0 X1 + 0.3 Z2")
    times = np.array([0.0, 0.3, 0.7])
    problem = qt.Evolution(qt.models.spin_chain(hamiltonian=H), times=times, initial_state="000")
    data = qt.solve(problem, qt.TDVP(record_entropy=True, estimate_errors=False))
    p = np.clip(np.array([np.cos(times) ** 2, np.sin(times) ** 2]), 1e-300, 1)
    np.testing.assert_allclose(data["entropy"].values[:, 0], -(p * np.log(p)).sum(axis=0), atol=1e-6)
    np.testing.assert_allclose(data["entropy"].values[:, 1], 0.0, atol=1e-6)
