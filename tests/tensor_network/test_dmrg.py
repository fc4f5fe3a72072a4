import numpy as np
import pytest
from reference_chain import reference_chain

import qthermo as qt

# ground states of the reference instance, L = 10, by independent exact diagonalisation
ENERGIES = {1: -13.8540514156, 2: -17.1688719148, 4: -24.4072262597, 8: -39.5998770360}


def all_to_all(num_sites):
    J = np.triu(np.random.default_rng(1).standard_normal((num_sites, num_sites)), 1) / np.sqrt(num_sites)
    terms = [(J[i, j], {i: "Z", j: "Z"}) for i in range(num_sites) for j in range(i + 1, num_sites)]
    terms += [(1.0, {i: "X"}) for i in range(num_sites)]
    return qt.models.spin_chain(hamiltonian=qt.PauliSum.from_letters(terms))


@pytest.mark.parametrize("disorder", [1, 2, 4, 8])
def test_reference_energies(disorder):
    data = qt.solve(qt.GroundState(reference_chain(10, disorder)), qt.DMRG(max_bond_dim=32))
    assert float(data["energy"]) == pytest.approx(ENERGIES[disorder], abs=1e-8)
    assert 0 <= float(data["variance"]) < 1e-6


def test_a_chain_of_a_hundred_spins():
    data = qt.solve(qt.GroundState(reference_chain(100, 2.0)), qt.DMRG(max_bond_dim=32))
    assert float(data["energy"]) == pytest.approx(-176.90861147, abs=1e-7)


def test_all_to_all_agrees_with_dense():
    problem = qt.GroundState(all_to_all(10))
    exact = float(qt.solve(problem, qt.Dense())["energy"])
    data = qt.solve(problem, qt.DMRG(max_bond_dim=64))
    assert float(data["energy"]) == pytest.approx(exact, abs=1e-7)


def test_complex_hamiltonian():
    H = qt.PauliSum.from_text("0.5 Z0 + 0.5 X0 X1 + 0.7 Y1 + 0.3 Z1 + 0.9 Y1 Z3 - 0.4 X2 + 0.6 X0 Y3 Z2 + 0.2 Y3")
    problem = qt.GroundState(qt.models.spin_chain(hamiltonian=H))
    exact = float(qt.solve(problem, qt.Dense())["energy"])
    assert float(qt.solve(problem, qt.DMRG())["energy"]) == pytest.approx(exact, abs=1e-8)


def test_distant_partners_are_brought_together():
    # spins k and k + 8 form eight dimers: a product of dimers in the right order, far from one in the given order
    terms = [(1.0, {k: letter, k + 8: letter}) for k in range(8) for letter in "XZ"] + [
        (0.5, {k: "X"}) for k in range(16)
    ]
    problem = qt.GroundState(qt.models.spin_chain(hamiltonian=qt.PauliSum.from_letters(terms)))
    dimer = qt.PauliSum.from_text("X0 X1 + Z0 Z1 + 0.5 X0 + 0.5 X1").to_dense(2)
    data = qt.solve(problem, qt.DMRG(max_bond_dim=8))
    assert float(data["energy"]) == pytest.approx(8 * np.linalg.eigvalsh(dimer)[0], abs=1e-8)


def test_variance_is_that_of_the_state():
    model = reference_chain(8, 2.0)
    method = qt.DMRG(max_bond_dim=2, tolerance=10.0)
    data = qt.solve(qt.GroundState(model), method)
    state = method.find_state(model).to_dense().ravel()
    H = model.hamiltonian.to_dense(8)
    mean = np.vdot(state, H @ state).real
    variance = np.vdot(H @ state, H @ state).real - mean**2
    assert float(data["energy"]) == pytest.approx(mean, abs=1e-6)
    assert float(data["variance"]) == pytest.approx(variance, rel=1e-4)
    assert np.linalg.norm(state) == pytest.approx(1.0, abs=1e-5)
    spectrum = np.linalg.eigvalsh(H)
    assert np.abs(spectrum - mean).min() <= np.sqrt(variance)


def test_what_does_not_converge_is_an_error_that_names_the_knob():
    with pytest.raises(qt.NotConvergedError, match="max_bond_dim"):
        qt.solve(qt.GroundState(all_to_all(14)), qt.DMRG(max_bond_dim=32))
    with pytest.raises(qt.NotConvergedError, match="max_sweeps"):
        qt.solve(qt.GroundState(all_to_all(14)), qt.DMRG(max_bond_dim=16, max_sweeps=2, sweep_tolerance=1e-13))


def test_the_same_seed_gives_the_same_number():
    problem = qt.GroundState(reference_chain(12, 1.0))
    first, second = (float(qt.solve(problem, qt.DMRG(max_bond_dim=24, seed=3))["energy"]) for _ in range(2))
    assert first == second
