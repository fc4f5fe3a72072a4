import numpy as np
import pytest
from reference_chain import reference_chain

import qthermo as qt

COMPLEX = qt.PauliSum.from_text(
    "0.5 Z0 + 0.2 X0 + 0.5 X0 X1 + 0.3 Y0 Z1 + 0.7 Y1 + 0.3 Z1 + 0.9 Y1 Z2 - 0.4 X2 + 0.6 X2 Y3"
)
MODELS = {
    "one bath spin": qt.models.imbrie_chain(fields=[0.7], bonds=[]),
    "two bath spins": reference_chain(3, 1.0),
    "chain": reference_chain(7, 2.0),
    "complex": qt.models.spin_chain(hamiltonian=COMPLEX),
}


@pytest.mark.parametrize("model", MODELS)
def test_error_falls_with_the_square_of_the_step(model):
    problem = qt.Autocorrelation(MODELS[model], times=np.linspace(0, 1, 5))
    exact = qt.solve(problem, qt.Dense())["correlator"].values
    errors = []
    for step in (0.125, 0.0625):
        method = qt.InfluenceFunctional(time_step=step, truncation_error=1e-15, estimate_errors=False)
        errors.append(np.abs(qt.solve(problem, method)["correlator"].values - exact))
        assert errors[-1][0] < 1e-12
    assert 3.6 < errors[0].max() / errors[1].max() < 4.4


@pytest.mark.parametrize("disorder", [2.0, 8.0])
def test_it_agrees_with_dense_and_its_estimates_hold(disorder):
    problem = qt.Autocorrelation(reference_chain(9, disorder), times=np.linspace(0.5, 2, 4))
    method = qt.InfluenceFunctional(time_step=0.05, tolerance=0.02, max_bond_dim=32, truncation_error=1e-9)
    data = qt.solve(problem, method)
    error = np.abs(data["correlator"] - qt.solve(problem, qt.Dense())["correlator"]).values
    assert error.max() < 5e-3
    assert np.all(error < 1.5 * (data["truncation_error"] + data["trotter_error"]).values + 1e-6)


def test_one_contraction_serves_every_splitting():
    times, splittings = np.linspace(0.25, 1.5, 6), [0.0, 1.0, 2.5]
    h, J = [0.4, -0.9, 1.3, 0.2], [0.9, 1.1, 1.0]

    def model(splitting):
        return qt.models.imbrie_chain(fields=h, bonds=J, thermometer=qt.Thermometer(splitting=splitting))

    values = qt.InfluenceFunctional(time_step=0.025).scan_splittings(model(9.0), times=times, splittings=splittings)
    for row, splitting in zip(values, splittings, strict=True):
        exact = qt.solve(qt.Autocorrelation(model(splitting), times=times), qt.Dense())["correlator"].values
        np.testing.assert_allclose(row, exact, atol=5e-4)


def test_what_it_cannot_answer_is_refused():
    chain = reference_chain(4, 1.0)
    for problem, word in [
        (qt.Autocorrelation(chain, times=[1.0], beta=1.0), "beta"),
        (qt.Autocorrelation(chain, times=[0.3, 0.7123, 1.0]), "spacing"),
    ]:
        with pytest.raises(qt.UnsupportedError, match=word):
            qt.solve(problem, qt.InfluenceFunctional())
