import numpy as np
import pytest
from reference_chain import reference_chain

import qthermo as qt


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_eigenstate_of_a_localised_chain(seed):
    model = reference_chain(8, 12.0, seed)
    spectrum = np.linalg.eigvalsh(model.hamiltonian.to_dense(8))
    letters = "".join("01"[k] for k in np.random.default_rng(seed).integers(0, 2, 8))
    data = qt.solve(qt.ExcitedState(model, initial_state=letters), qt.DMRGX(tolerance=1e-8))
    assert np.abs(spectrum - float(data["energy"])).min() < 1e-7


def test_it_is_the_eigenstate_nearest_to_the_product_state():
    H = qt.PauliSum.from_letters(
        [(1.3**k * 3, {k: "Z"}) for k in range(6)] + [(0.4, {k: "X", k + 1: "X"}) for k in range(5)]
    )
    problem = qt.ExcitedState(qt.models.spin_chain(hamiltonian=H), initial_state="010011")
    exact = float(qt.solve(problem, qt.Dense())["energy"])
    assert float(qt.solve(problem, qt.DMRGX(tolerance=1e-10))["energy"]) == pytest.approx(exact, abs=1e-8)


def test_beyond_exact_diagonalisation_the_variance_certifies():
    data = qt.solve(qt.ExcitedState(reference_chain(20, 16.0), initial_state="01" * 10), qt.DMRGX(max_bond_dim=8))
    assert 0 <= float(data["variance"]) < 1e-6


def test_an_ergodic_chain_is_an_error():
    with pytest.raises(qt.NotConvergedError, match="max_bond_dim"):
        qt.solve(
            qt.ExcitedState(reference_chain(12, 0.5), initial_state="01" * 6), qt.DMRGX(max_bond_dim=4, max_sweeps=3)
        )
