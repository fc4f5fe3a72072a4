import json

import numpy as np
import pytest
from qiskit_aer.primitives import EstimatorV2, SamplerV2
from reference_models import reference_chain

import qthermo as qt
from qthermo.circuits.extrapolation import multi_product_weights, shot_factor, zero_noise_weights

TIMES = [1.0, 2.0, 4.0]


@pytest.fixture(scope="module")
def chain():
    return reference_chain(2.0, 8)


@pytest.fixture(scope="module")
def exact(chain):
    return qt.solve(qt.Autocorrelation(chain, times=TIMES), qt.Dense())["correlator"].values


@pytest.fixture(scope="module")
def small():
    return reference_chain(1.0, 4)


def solve(model, method, *, times=TIMES, beta=0.0):
    return qt.solve(qt.Autocorrelation(model, times=times, beta=beta), method)


def diagnostics(data):
    return json.loads(data.attrs["diagnostics"])


@pytest.mark.parametrize(
    "options",
    [
        {"protocol": "haar", "num_states": 16},
        {"protocol": "shots", "num_shots": 20_000},
        {"protocol": "shots", "num_shots": 200},
        {"protocol": "product_states", "num_shots": 3000},
        {"protocol": "product_states", "num_states": 200, "estimator": EstimatorV2()},
        {"protocol": "shots", "num_shots": 400, "sampler": SamplerV2(seed=5)},
    ],
    ids=lambda options: "-".join(str(key) for key in options),
)
def test_every_protocol_lies_around_exact_diagonalisation(chain, exact, options):
    """n = 8, order 4: the Trotter error is far below the statistical one."""
    data = solve(chain, qt.TrotterCircuit(time_step=0.25, trotter_order=4, seed=3, **options))
    assert np.all(np.abs(data["correlator"].values - exact) < 4 * data["stderr"].values)
    assert data["trotter_error"].max() < 0.2 * data["stderr"].min()


def test_exact_protocol_agrees_with_exact_diagonalisation(chain, exact):
    data = solve(chain, qt.TrotterCircuit(time_step=0.1, trotter_order=4))
    assert np.abs(data["correlator"].values - exact).max() < 1e-5
    assert "statevector" in diagnostics(data)["simulator"]


@pytest.mark.parametrize("beta", [0.3, 1.5])
def test_thermal_states_by_purification(small, beta):
    expected = solve(small, qt.Dense(), beta=beta)["correlator"].values
    data = solve(small, qt.TrotterCircuit(time_step=0.1, trotter_order=4), beta=beta)
    assert np.abs(data["correlator"].values - expected).max() < 2e-5
    assert np.abs(expected.imag).max() > 0.02


def test_thermal_states_by_shots():
    chain = reference_chain(1.0, 3)
    expected = solve(chain, qt.Dense(), times=[2.0], beta=1.0)["correlator"].values
    method = qt.TrotterCircuit(time_step=0.5, trotter_order=4, protocol="shots", num_shots=2000, seed=2)
    data = solve(chain, method, times=[2.0], beta=1.0)
    assert np.all(np.abs(data["correlator"].values - expected) < 4 * data["stderr"].values)
    assert abs(expected.imag) > 2 * data["stderr"].values


def test_thermal_state_at_time_zero(small):
    data = solve(small, qt.TrotterCircuit(), times=[0.0], beta=1.0)
    assert abs(data["correlator"].values[0] - 1) < 1e-12


def test_matrix_product_states_converge_to_the_full_trace(small):
    full = solve(small, qt.TrotterCircuit())["correlator"].values
    data = solve(small, qt.TrotterCircuit(simulator="mps", max_bond_dim=64))
    assert np.abs(data["correlator"].values - full).max() < 1e-8
    assert data["truncation_error"].max() < 1e-8


def test_matrix_product_states_reach_thirty_sites():
    chain = reference_chain(4.0, 30)
    problem = qt.Autocorrelation(chain, times=[0.5])
    data = qt.solve(problem, qt.TrotterCircuit(simulator="mps", max_bond_dim=16, time_step=0.25))
    other = qt.solve(problem, qt.HeisenbergTEBD())["correlator"].values
    assert abs(data["correlator"].values - other) < 2 * data["trotter_error"].values + 1e-4
    assert "mps" in diagnostics(data)["simulator"]


def test_small_bond_dimension_is_warned_of():
    chain = reference_chain(1.0, 7)
    with pytest.warns(qt.NotConvergedWarning, match="max_bond_dim"):
        data = solve(chain, qt.TrotterCircuit(simulator="mps", max_bond_dim=8, time_step=0.25), times=[3.0])
    assert data["truncation_error"].max() > 1e-3


def test_multi_product_formula_cancels_the_leading_error(chain, exact):
    """Two order-2 results leave an error of fourth order: at t = 2 far below the better of the two."""
    plain = solve(chain, qt.TrotterCircuit(time_step=0.25), times=[2.0])
    data = solve(chain, qt.TrotterCircuit(multi_product=(4, 8)), times=[2.0])
    error = abs(data["correlator"].values[0] - exact[1])
    assert error < 0.25 * abs(plain["correlator"].values[0] - exact[1])
    assert diagnostics(data)["multi_product"]["shot_factor"] == pytest.approx(25 / 9)
    assert error < data["trotter_error"].values[0]


def test_weights_cancel_what_they_must():
    for order, exponents in ((1, (1, 2)), (2, (2, 4)), (4, (4, 6))):
        weights = multi_product_weights((3, 5, 8), order)
        assert weights.sum() == pytest.approx(1)
        for power in exponents:
            assert abs(weights @ np.array([3.0, 5.0, 8.0]) ** -power) < 1e-12
    assert multi_product_weights((4, 8)) == pytest.approx([-1 / 3, 4 / 3])
    assert shot_factor(multi_product_weights((6, 9, 12))) == pytest.approx(31.7, abs=0.05)
    assert zero_noise_weights((1, 3)) == pytest.approx([1.5, -0.5])


def test_folding_keeps_the_ideal_value(small):
    plain = solve(small, qt.TrotterCircuit(time_step=0.5))["correlator"].values
    folded = solve(small, qt.TrotterCircuit(time_step=0.5, noise_factors=(1, 3)))["correlator"].values
    assert np.abs(folded - plain).max() < 1e-12


def test_noisy_device_by_density_matrix_and_shots():
    """Noise damps C(t); trajectories agree with density matrices within readout error and 4 standard errors."""
    chain = reference_chain(1.0, 3)
    ideal = solve(chain, qt.TrotterCircuit(time_step=0.5), times=[2.0])["correlator"].values[0]
    noisy = solve(chain, qt.TrotterCircuit(time_step=0.5, device="fake_fez"), times=[2.0])
    value = noisy["correlator"].values[0]
    assert 0.7 < value / ideal < 1.0
    assert "density_matrix" in diagnostics(noisy)["simulator"]
    method = qt.TrotterCircuit(time_step=0.5, device="fake_fez", protocol="shots", num_shots=3000, seed=1)
    data = solve(chain, method, times=[2.0])
    assert abs(data["correlator"].values[0] - value) < 4 * data["stderr"].values[0] + 0.06


def test_zero_noise_extrapolation_moves_towards_the_ideal_value():
    chain = reference_chain(1.0, 3)
    ideal = solve(chain, qt.TrotterCircuit(time_step=0.5), times=[2.0])["correlator"].values[0]
    errors = {
        factors: abs(
            solve(chain, qt.TrotterCircuit(time_step=0.5, device="fake_fez", noise_factors=factors), times=[2.0])[
                "correlator"
            ].values[0]
            - ideal
        )
        for factors in ((), (1, 3))
    }
    assert errors[1, 3] < 0.5 * errors[()]


@pytest.mark.parametrize("device", [pytest.param("fake_fez", marks=pytest.mark.slow), "fake_fractional"])
def test_primitives_of_the_users_run_compiled_circuits(device):
    """A noisy sampler and a noisy estimator made from the device's backend by qiskit itself."""
    from qiskit_aer import AerSimulator
    from qiskit_ibm_runtime import fake_provider

    name = {"fake_fez": "FakeFez", "fake_fractional": "FakeFractionalBackend"}[device]
    backend = AerSimulator.from_backend(getattr(fake_provider, name)())
    chain = reference_chain(1.0, 3)
    ideal = solve(chain, qt.TrotterCircuit(time_step=0.5), times=[1.0])["correlator"].values[0]
    for options in (
        {"protocol": "shots", "num_shots": 400, "sampler": SamplerV2.from_backend(backend, seed=1)},
        {"protocol": "product_states", "num_states": 24, "estimator": EstimatorV2.from_backend(backend)},
    ):
        data = solve(chain, qt.TrotterCircuit(time_step=0.5, device=device, seed=4, **options), times=[1.0])
        assert "primitive" in diagnostics(data)["simulator"]
        assert abs(data["correlator"].values[0] - ideal) < 4 * data["stderr"].values[0] + 0.12


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_primitives_of_ibm_runtime_run_locally():
    """IBM Runtime's own V2 primitives, given the backend as their mode, take the compiled circuits as they are."""
    from qiskit_ibm_runtime import EstimatorV2 as RuntimeEstimator
    from qiskit_ibm_runtime import SamplerV2 as RuntimeSampler
    from qiskit_ibm_runtime.fake_provider import FakeFractionalBackend

    backend = FakeFractionalBackend()
    chain = reference_chain(1.0, 3)
    ideal = solve(chain, qt.TrotterCircuit(time_step=0.5), times=[1.0])["correlator"].values[0]
    for options in (
        {"protocol": "shots", "num_shots": 400, "sampler": RuntimeSampler(mode=backend)},
        {"protocol": "product_states", "num_states": 16, "estimator": RuntimeEstimator(mode=backend)},
    ):
        data = solve(chain, qt.TrotterCircuit(time_step=0.5, device=backend, **options), times=[1.0])
        assert abs(data["correlator"].values[0] - ideal) < 4 * data["stderr"].values[0] + 0.12


def test_a_failing_simulator_raises_with_its_words(small):
    small_memory = SamplerV2(options={"backend_options": {"max_memory_mb": 1, "method": "statevector"}})
    big = reference_chain(1.0, 20)
    method = qt.TrotterCircuit(time_step=0.5, protocol="shots", num_shots=2, sampler=small_memory)
    with pytest.raises(qt.ExecutionError, match="must finish"):
        solve(big, method, times=[0.5])


def test_a_failing_expectation_value_raises(monkeypatch, small):
    from qthermo.circuits import aer

    monkeypatch.setattr(aer, "AER_OPTIONS", {**aer.AER_OPTIONS, "max_memory_mb": 1})
    with pytest.raises(qt.ExecutionError, match="memory"):
        solve(reference_chain(1.0, 9), qt.TrotterCircuit(time_step=0.5), times=[0.5])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"simulator": "quantum"}, "simulator"),
        ({"simulator": "mps", "protocol": "shots"}, "mps"),
        ({"simulator": "density_matrix"}, "density_matrix"),
        ({"multi_product": (4,)}, "multi_product"),
        ({"multi_product": (4, 4)}, "multi_product"),
        ({"multi_product": 4}, "multi_product"),
        ({"noise_factors": (1, 2)}, "odd"),
        ({"max_bond_dim": 4}, "max_bond_dim"),
        ({"device": "fake_fez", "protocol": "haar"}, "haar"),
        ({"sampler": object()}, "sampler"),
        ({"estimator": object(), "protocol": "shots"}, "estimator"),
    ],
)
def test_fields_that_do_not_go_together_are_named(options, words):
    with pytest.raises(qt.InputError, match=words):
        qt.TrotterCircuit(**options)
