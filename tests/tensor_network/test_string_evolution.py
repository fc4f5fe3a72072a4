import numpy as np
import pytest
import scipy.linalg
from reference_chain import reference_chain
from step_halving import UNTRUNCATED, halving_ratio

import qthermo as qt
from qthermo.operators import PauliString
from qthermo.tensor_network.heisenberg_tebd import choose_route
from qthermo.tensor_network.pauli_transfer import PAULI_MATRICES
from qthermo.tensor_network.string_evolution import rotation_tensors

REAL = qt.models.spin_chain(
    hamiltonian=qt.PauliSum.from_text(
        "0.5 Z0 + 0.5 X0 Z1 X2 + 0.7 Z1 - 0.4 Z2 + 0.8 X1 X2 X3 + 0.3 X3 + 0.6 Y1 Z2 Y4 + 0.9 Z4 + 0.5 X0 X1"
    )
)
COMPLEX = qt.models.spin_chain(
    hamiltonian=qt.PauliSum.from_text(
        "0.5 Z0 + 0.6 X0 Y1 Z3 + 0.7 Y1 + 0.3 Z1 + 0.4 Y2 Z3 X4 - 0.4 X2 + 0.6 X0 X2 + 0.2 Y3 + 0.5 X1 X2 X3 X4"
        " + 0.8 Z4"
    )
)


@pytest.mark.parametrize("text", ["X0 X2", "Y0 Z1 Y2", "Z0 Y3", "Y0 X1 Z2 Y3", "X1 Y2 Z3"])
def test_a_rotation_is_that_of_the_dense_operator(text):
    (string,) = qt.PauliSum.from_text(text)
    first, last = string.sites[0], string.sites[-1]
    n, angle = last - first + 1, 0.37
    map_of_pauli = np.ones((1, 1, 1))  # (bond, out, in)
    for W in rotation_tensors(string, angle):
        map_of_pauli = np.einsum("lab,lrij->raibj", map_of_pauli, W).reshape(
            W.shape[1], map_of_pauli.shape[1] * 4, map_of_pauli.shape[2] * 4
        )
    P = qt.PauliSum([(PauliString(string.x >> first, string.z >> first), 1.0)]).to_dense(n)
    U = scipy.linalg.expm(1j * angle * P)
    basis = np.ones((1, 1, 1))
    for _ in range(n):
        basis = np.einsum("aij,bkl->abikjl", basis, PAULI_MATRICES).reshape(
            basis.shape[0] * 4, basis.shape[1] * 2, basis.shape[2] * 2
        )
    images = U @ basis @ U.conj().T
    exact = np.einsum("aij,bji->ab", basis, images) / 2**n
    np.testing.assert_allclose(map_of_pauli[0], exact, atol=1e-13)


@pytest.mark.parametrize(("order", "low", "high"), [(2, 3.8, 4.2), (4, 14.5, 17.5)])
@pytest.mark.parametrize("model", [REAL, COMPLEX], ids=["real", "complex"])
def test_the_error_falls_with_the_power_of_the_order(model, order, low, high):
    assert low < halving_ratio(model, 0.1, order) < high


def test_doubling_and_truncation_agree_with_dense_within_their_errors():
    H = qt.PauliSum.from_letters(
        [(0.5, {0: "Z"}), (0.5, {0: "X", 1: "X"})]
        + [(2.0 * np.cos(k), {k: "Z"}) for k in range(1, 8)]
        + [(1.0, {k: "X"}) for k in range(1, 8)]
        + [(0.6, {k: "Z", k + 1: "Z", k + 2: "Z"}) for k in range(1, 6)]
    )
    problem = qt.Autocorrelation(qt.models.spin_chain(hamiltonian=H), times=np.linspace(1, 4, 4))
    exact = qt.solve(problem, qt.Dense())["correlator"].values
    data = qt.solve(problem, qt.HeisenbergTEBD(max_bond_dim=24, time_step=0.2, tolerance=1e-2))
    error = np.abs(data["correlator"].values - exact)
    assert np.all(error < 2 * (data["truncation_error"] + data["trotter_error"]).values + 1e-5)
    assert error.max() < 5e-3


def test_observables_and_structure_factors_agree_with_dense():
    problem = qt.Evolution(
        COMPLEX, times=[0.1, 0.5], initial_state="01+-0",
        observables={"Z0": qt.PauliSum.pauli("Z", 0), "far": qt.PauliSum.from_text("X1 Z4 + 0.3 Y2")},
    )  # fmt: skip
    data = qt.solve(problem, qt.HeisenbergTEBD(time_step=0.05, **UNTRUNCATED))
    np.testing.assert_allclose(data["expectation"], qt.solve(problem, qt.Dense())["expectation"], atol=2e-6)
    problem = qt.StructureFactor(REAL, frequencies=[0.0, 1.0, 2.0], resolution=0.6)
    data = qt.solve(problem, qt.HeisenbergTEBD())
    np.testing.assert_allclose(data["structure_factor"], qt.solve(problem, qt.Dense())["structure_factor"], atol=2e-4)


def test_the_operator_is_handed_back():
    H, Z = REAL.hamiltonian.to_dense(5), REAL.observable.to_dense(5)
    U = scipy.linalg.expm(-0.5j * H)
    mpo = qt.HeisenbergTEBD(time_step=0.05, **UNTRUNCATED).evolve_operator(REAL, time=0.5)
    np.testing.assert_allclose(mpo.to_dense(), U.conj().T @ Z @ U, atol=1e-6)


def test_an_interrupted_run_goes_on_to_the_same_numbers(tmp_path):
    problem = qt.Autocorrelation(REAL, times=[0.3, 0.6, 0.9, 1.2])
    straight = qt.solve(problem, qt.HeisenbergTEBD(max_bond_dim=8, tolerance=1.0))
    method = qt.HeisenbergTEBD(max_bond_dim=8, tolerance=1.0, checkpoint=str(tmp_path / "run.npz"))

    def interrupt(fraction, _words):
        if fraction > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        qt.solve(problem, method, progress=interrupt)
    np.testing.assert_array_equal(qt.solve(problem, method)["correlator"], straight["correlator"])


def ladder(num_sites):
    next_nearest = [(0.3, {k: "Z", k + 2: "Z"}) for k in range(1, num_sites - 2)]
    return reference_chain(num_sites, 3.0).hamiltonian + qt.PauliSum.from_letters(next_nearest)


def test_few_terms_of_longer_range_are_rotated_one_by_one():
    assert choose_route(ladder(20), 20, has_jumps=False) == "strings"
    assert choose_route(ladder(20), 20, has_jumps=True) == "swaps"
    assert choose_route(REAL.hamiltonian, 5, has_jumps=False) == "strings"
    all_to_all = qt.models.sample_all_to_all_ising(num_bath_sites=9, seed=1).hamiltonian
    assert choose_route(all_to_all, 10, has_jumps=False) == "swaps"
    assert choose_route(reference_chain(20, 3.0).hamiltonian, 20, has_jumps=False) == "bonds"


def test_a_long_chain_with_next_nearest_couplings_sees_its_light_cone_only():
    times, method = [0.5, 1.0], qt.HeisenbergTEBD(estimate_errors=False)
    short = qt.PauliSum([(s, c) for s, c in ladder(40).items() if s.sites[-1] < 9])
    exact = qt.solve(qt.Autocorrelation(qt.models.spin_chain(hamiltonian=short), times=times), qt.Dense())
    data = qt.solve(qt.Autocorrelation(qt.models.spin_chain(hamiltonian=ladder(40)), times=times), method)
    np.testing.assert_allclose(data["correlator"], exact["correlator"], atol=2e-5)


@pytest.mark.parametrize(("order", "low", "high"), [(2, 3.7, 4.3), (4, 13.5, 18.5)])
def test_jumps_beside_terms_on_three_sites_agree_with_dense_and_fall_with_the_order(order, low, high):
    jumps = [(0.3, 0.5 * qt.PauliSum.pauli("X", k) + 0.5j * qt.PauliSum.pauli("Y", k)) for k in range(5)]
    jumps.append((0.2, qt.PauliSum.pauli("XZ", 1, 2)))
    problem = qt.Evolution(
        COMPLEX, times=[1.0], initial_state="01+-0", jump_operators=jumps,
        observables={"sum": qt.PauliSum.from_text("Z0 + X1 Z4 + 0.3 Y2")},
    )  # fmt: skip
    exact = qt.solve(problem, qt.Dense())["expectation"].values
    errors = []
    for step in (0.1, 0.05):
        method = qt.HeisenbergTEBD(time_step=step, trotter_order=order, **UNTRUNCATED)
        errors.append(abs(qt.solve(problem, method)["expectation"].values - exact).max())
    assert errors[1] < (1e-2 if order == 2 else 1e-4)
    assert low < errors[0] / errors[1] < high


def test_decay_beside_terms_that_commute_with_it_is_exponential():
    jumps = [(0.4, 0.5 * qt.PauliSum.pauli("X", k) - 0.5j * qt.PauliSum.pauli("Y", k)) for k in range(4)]  # |1><0|
    model = qt.models.spin_chain(hamiltonian=qt.PauliSum.from_text("0.5 Z0 + 0.7 Z0 Z1 Z2 + 0.2 Z3"))
    times = np.array([0.5, 1.5])
    problem = qt.Evolution(model, times=times, initial_state="0000", jump_operators=jumps)
    values = qt.solve(problem, qt.HeisenbergTEBD(**UNTRUNCATED))["expectation"].values[:, 0]
    np.testing.assert_allclose(values, 2 * np.exp(-0.4 * times) - 1, atol=1e-9)
