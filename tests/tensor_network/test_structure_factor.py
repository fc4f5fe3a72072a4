import numpy as np
import pytest
from reference_chain import reference_chain

import qthermo as qt


@pytest.mark.parametrize("disorder", [1.0, 4.0])
def test_agrees_with_dense(disorder):
    problem = qt.StructureFactor(reference_chain(8, disorder), frequencies=np.linspace(-6, 6, 13), resolution=0.7)
    exact = qt.solve(problem, qt.Dense())["structure_factor"]
    np.testing.assert_allclose(qt.solve(problem, qt.HeisenbergTEBD())["structure_factor"], exact, atol=2e-4)


def test_one_bath_spin_has_lines_at_its_splitting():
    H = qt.PauliSum.from_text("0.5 Z0 + 0.3 X0 X1 + 0.9 Z1 + 0.2 Z2")
    frequencies, width = np.linspace(-4, 4, 9), 0.5
    problem = qt.StructureFactor(qt.models.spin_chain(hamiltonian=H), frequencies=frequencies, resolution=width)
    lines = sum(np.exp(-((frequencies - sign * 1.8) ** 2) / (2 * width**2)) for sign in (1, -1))
    expected = 0.3**2 / 2 * np.sqrt(2 * np.pi) / width * lines
    for method in (qt.Dense(), qt.HeisenbergTEBD()):
        np.testing.assert_allclose(qt.solve(problem, method)["structure_factor"], expected, atol=1e-6)


def test_the_integral_over_frequencies_is_the_norm_of_the_operator():
    problem = qt.StructureFactor(reference_chain(7, 2.0), frequencies=np.linspace(-25, 25, 501), resolution=0.8)
    values = qt.solve(problem, qt.HeisenbergTEBD(time_step=0.1))["structure_factor"].values
    assert values.sum() * 0.1 / (2 * np.pi) == pytest.approx(0.25, rel=1e-4)


def test_couplings_of_two_kinds_are_refused():
    H = qt.PauliSum.from_text("0.5 Z0 + 0.3 X0 X1 + 0.2 Z0 Z1")
    with pytest.raises(qt.InputError, match="coupling"):
        qt.StructureFactor(qt.models.spin_chain(hamiltonian=H), frequencies=[0.0], resolution=0.5)
