import numpy as np
import pytest
from reference_chain import reference_chain

import qthermo as qt

LOWER = qt.PauliSum.from_letters([(0.5, {0: "X"}), (0.5j, {0: "Y"})])  # |0><1|


def everywhere(jump, rate, num_sites):
    return tuple((rate, jump.shift_sites(site)) for site in range(num_sites))


# <Z_0> at t = 1, 2 from |0..0>, L = 8, W = 2, rate 0.1 on every site, by exact integration of the Lindblad equation
@pytest.mark.parametrize(("jump", "exact"), [(LOWER, (0.734108, 0.298257)), (LOWER.adjoint(), (0.560389, 0.100646))])
def test_lindblad_reference_numbers(jump, exact):
    problem = qt.Evolution(
        reference_chain(8, 2.0), times=[1.0, 2.0], initial_state="0" * 8, jump_operators=everywhere(jump, 0.1, 8)
    )
    data = qt.solve(problem, qt.HeisenbergTEBD(time_step=0.1, truncation_error=1e-12))
    np.testing.assert_allclose(data["expectation"].values[:, 0], exact, atol=1e-5)


def test_two_site_jumps_and_several_observables_agree_with_dense():
    model = reference_chain(5, 1.0)
    hop = qt.PauliSum.pauli("XZ", 2, 3) + 0.5j * qt.PauliSum.pauli("YX", 2, 3)
    problem = qt.Evolution(
        model,
        times=[0.0, 0.4, 1.1],
        initial_state="01+-0",
        observables={"energy": model.hamiltonian, "Z4": qt.PauliSum.pauli("Z", 4), "XX": qt.PauliSum.pauli("XX", 0, 3)},
        jump_operators=[(0.3, hop), (0.2, LOWER.shift_sites(4))],
    )
    exact = qt.solve(problem, qt.Dense())["expectation"].values
    data = qt.solve(problem, qt.HeisenbergTEBD(time_step=0.05, truncation_error=1e-14))
    np.testing.assert_allclose(data["expectation"].values, exact, atol=2e-6)
    assert data["expectation"].dims == ("time", "observable")
    assert list(data["observable"].values) == ["energy", "Z4", "XX"]


def test_one_decaying_spin_is_exponential():
    H = qt.PauliSum.from_text("0.5 Z0 + 0.7 Z1")
    times = np.linspace(0, 3, 7)
    problem = qt.Evolution(
        qt.models.spin_chain(hamiltonian=H), times=times, initial_state="10", jump_operators=[(0.8, LOWER)]
    )
    for method in (qt.Dense(), qt.HeisenbergTEBD()):
        values = qt.solve(problem, method)["expectation"].values[:, 0]
        np.testing.assert_allclose(values, 1 - 2 * np.exp(-0.8 * times), atol=1e-8)


def test_energy_is_conserved_without_jumps():
    model = reference_chain(12, 2.0)
    problem = qt.Evolution(model, times=[0.5, 1.0], initial_state="0+1-" * 3, observables={"H": model.hamiltonian})
    start = model.hamiltonian
    vectors = {"0": {"Z": 1}, "1": {"Z": -1}, "+": {"X": 1}, "-": {"X": -1}}
    energy = sum(
        c.real * np.prod([vectors[problem.initial_state[s]].get(letter, 0) for s, letter in string.letters.items()])
        for string, c in start.items()
    )
    data = qt.solve(problem, qt.HeisenbergTEBD(time_step=0.1))
    np.testing.assert_allclose(data["expectation"].values[:, 0], energy, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"initial_state": "00"}, "initial_state"),
        ({"initial_state": "00a00"}, "initial_state"),
        ({"observables": {"A": 1j * qt.PauliSum.pauli("Z", 0)}}, "observables"),
        ({"observables": {"A": qt.PauliSum.pauli("Z", 9)}}, "observables"),
        ({"jump_operators": [(-1.0, LOWER)]}, "rate"),
    ],
)
def test_bad_problems_are_named(change, name):
    arguments = {"times": [1.0], "initial_state": "00000"} | change
    with pytest.raises(qt.InputError, match=name):
        qt.Evolution(reference_chain(5, 1.0), **arguments)


def test_far_jumps_are_refused():
    problem = qt.Evolution(
        reference_chain(5, 1.0), times=[1.0], initial_state="00000",
        jump_operators=[(0.1, qt.PauliSum.pauli("XX", 0, 3))],
    )  # fmt: skip
    with pytest.raises(qt.UnsupportedError, match="neighbouring"):
        qt.solve(problem, qt.HeisenbergTEBD())
