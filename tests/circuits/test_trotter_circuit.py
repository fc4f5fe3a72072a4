import subprocess
import sys

import numpy as np
import pytest
from circuit_reference import correlator, trotter_operator
from reference_models import reference_chain

import qthermo as qt
from qthermo.circuits.layers import order_groups

TIMES = np.linspace(0.5, 5.0, 10)


def trotter_value(model, times, time_step, order=2):
    """C(t) of the Trotter operator by dense products of exponentials."""
    groups = order_groups(model.hamiltonian)
    n = model.num_sites
    values, powers = [], {}
    for t in times:
        count = int(np.ceil(t / time_step - 1e-9))
        key = round(t / count, 12)
        done, operator, step = powers.get(key, (0, np.eye(2**n), None))
        step = trotter_operator(groups, n, t / count, 1, order) if step is None else step
        operator = np.linalg.matrix_power(step, count - done) @ operator
        powers[key] = (count, operator, step)
        values.append(correlator(operator, n))
    return np.array(values)


@pytest.fixture(scope="module")
def chain():
    return reference_chain(2.0, 6)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_exact_protocol_is_the_dense_trotter_value(chain, order):
    times = np.array([0.0, 0.33, 1.0, 2.0])
    data = qt.solve(qt.Autocorrelation(chain, times=times), qt.TrotterCircuit(time_step=0.25, trotter_order=order))
    expected = [1.0, *trotter_value(chain, times[1:], 0.25, order)]
    assert np.abs(data["correlator"].values - expected).max() < 1e-12


@pytest.mark.parametrize("layout", ["round_robin", "swap_network", "parity_network"])
def test_every_layout_gives_the_dense_trotter_value(layout):
    model = qt.models.sample_all_to_all_ising(num_bath_sites=4, seed=2)
    times = np.array([0.4, 0.8, 1.2])
    data = qt.solve(qt.Autocorrelation(model, times=times), qt.TrotterCircuit(time_step=0.2, layout=layout))
    assert np.abs(data["correlator"].values - trotter_value(model, times, 0.2)).max() < 1e-12


@pytest.mark.parametrize("disorder", [2.0, *(pytest.param(w, marks=pytest.mark.slow) for w in (1.0, 4.0, 8.0))])
def test_reference_instance_exactly(disorder):
    """L = 10 against dense exponentials at t = 1, and against the published exact value within the Trotter estimate."""
    model = reference_chain(disorder, 10)
    exact = {1.0: 0.639889, 2.0: 0.640514, 4.0: 0.642444, 8.0: 0.646214}[disorder]
    data = qt.solve(qt.Autocorrelation(model, times=[1.0]), qt.TrotterCircuit(time_step=0.1))
    value, error = float(data["correlator"][0]), float(data["trotter_error"][0])
    assert abs(value - trotter_value(model, [1.0], 0.1)[0]) < 1e-10
    assert abs(value - exact) < 2 * error + 1e-6


def test_richardson_estimates_the_error(chain):
    exact = qt.solve(qt.Autocorrelation(chain, times=TIMES), qt.Dense())["correlator"].values
    for order in (2, 4):
        data = qt.solve(qt.Autocorrelation(chain, times=TIMES), qt.TrotterCircuit(time_step=0.1, trotter_order=order))
        found = np.maximum.accumulate(np.abs(data["correlator"].values - exact))
        assert np.abs(data["trotter_error"].values - found).max() < 0.2 * found.max()


def test_estimate_does_not_vanish_where_two_steps_cross():
    """W = 4 at steps of 1/4: single differences of two steps fall to 1/100 of the error."""
    model = qt.models.sample_imbrie_chain(num_bath_sites=7, disorder=4.0, seed=1)
    problem = qt.Autocorrelation(model, times=np.arange(0.25, 6.01, 0.25))
    data = qt.solve(problem, qt.TrotterCircuit(time_step=0.25))
    found = np.abs(data["correlator"] - qt.solve(problem, qt.Dense())["correlator"])
    assert np.all(np.diff(data["trotter_error"]) >= 0)
    assert np.all(found <= 1.5 * data["trotter_error"] + 1e-6)


@pytest.mark.parametrize(("order", "rate", "steps"), [(1, 2, (0.1, 0.05)), (2, 2, (0.1, 0.05)), (4, 4, (0.2, 0.1))])
def test_correlator_converges_with_the_order(chain, order, rate, steps):
    """With two groups the first-order formula is the second-order one up to a factor that commutes with Z_0."""
    problem = qt.Autocorrelation(chain, times=[1.0, 2.0])
    exact = qt.solve(problem, qt.Dense())["correlator"].values
    errors = [
        np.abs(qt.solve(problem, qt.TrotterCircuit(time_step=dt, trotter_order=order))["correlator"].values - exact)
        for dt in steps
    ]
    assert np.all(np.abs(np.log2(errors[0] / errors[1]) - rate) < 0.35)


def test_shots_lie_around_the_trotter_value():
    """L = 10, W = 2, 20000 shots: within 4 standard errors at each of ten times, and with the formula's error."""
    model = reference_chain(2.0, 10)
    times = np.linspace(0.25, 2.5, 10)
    method = qt.TrotterCircuit(time_step=0.25, protocol="shots", num_shots=20_000, seed=11)
    data = qt.solve(qt.Autocorrelation(model, times=times), method)
    expected = trotter_value(model, times, 0.25)
    pulls = (data["correlator"].values - expected) / data["stderr"].values
    assert np.abs(pulls).max() < 4
    assert 0.3 < pulls.std() < 2
    assert np.allclose(data["stderr"], np.sqrt((1 - expected**2) / 20_000), rtol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("disorder", [1.0, 2.0, 4.0, 8.0])
def test_shots_on_the_reference_instance(disorder):
    model = reference_chain(disorder, 10)
    method = qt.TrotterCircuit(time_step=0.1, protocol="shots", num_shots=20_000, seed=5)
    data = qt.solve(qt.Autocorrelation(model, times=TIMES), method)
    pulls = (data["correlator"].values - trotter_value(model, TIMES, 0.1)) / data["stderr"].values
    assert np.abs(pulls).max() < 4


def test_mid_circuit_and_deferred_measurements_agree(chain):
    """Few shots run the device's circuit itself; many run the deferred one."""
    problem = qt.Autocorrelation(chain, times=[1.0, 3.0])
    expected = trotter_value(chain, [1.0, 3.0], 0.25)
    for num_shots, words in ((40, "mid-circuit"), (20_000, "reference qubits")):
        method = qt.TrotterCircuit(time_step=0.25, protocol="shots", num_shots=num_shots, seed=2)
        data = qt.solve(problem, method)
        assert words in data.attrs["diagnostics"]
        assert np.all(np.abs(data["correlator"] - expected) < 4 * data["stderr"])


def test_haar_states_lie_around_the_trotter_value():
    model = reference_chain(2.0, 8)
    method = qt.TrotterCircuit(time_step=0.25, protocol="haar", num_states=12, seed=3)
    data = qt.solve(qt.Autocorrelation(model, times=TIMES), method)
    pulls = (data["correlator"].values - trotter_value(model, TIMES, 0.25)) / data["stderr"].values
    assert np.abs(pulls).max() < 4.5
    assert np.all(data["stderr"].values < 0.06)


def test_same_seed_same_numbers_and_another_seed_others(chain):
    problem = qt.Autocorrelation(chain, times=[1.0, 2.0])

    def sample(seed):
        return qt.solve(problem, qt.TrotterCircuit(protocol="shots", num_shots=500, seed=seed))["correlator"].values

    assert np.array_equal(sample(1), sample(1))
    assert not np.array_equal(sample(1), sample(2))


def test_t_zero_only(chain):
    for protocol in ("exact", "haar", "shots"):
        data = qt.solve(qt.Autocorrelation(chain, times=[0.0]), qt.TrotterCircuit(protocol=protocol))
        assert data["correlator"].values == 1.0


def test_one_spin_alone():
    model = qt.models.spin_chain(hamiltonian=qt.PauliSum.from_text("0.5 Z0 + 0.4 X0"))
    for protocol in ("exact", "haar"):
        data = qt.solve(qt.Autocorrelation(model, times=[1.0]), qt.TrotterCircuit(time_step=0.01, protocol=protocol))
        exact = qt.solve(qt.Autocorrelation(model, times=[1.0]), qt.Dense())["correlator"].values
        assert np.abs(data["correlator"].values - exact) < 1e-4


def test_unsupported_questions_name_a_method_that_answers():
    levy = qt.models.sample_levy_bath(dim=16, exponent=1.5, scale=0.3, seed=1)
    with pytest.raises(qt.UnsupportedError, match=r"spin model.*Dense"):
        qt.solve(qt.Autocorrelation(levy, times=[1.0]), qt.TrotterCircuit())
    chain = reference_chain(1.0, 5)
    with pytest.raises(qt.UnsupportedError, match=r"beta.*Dense"):
        qt.solve(qt.Autocorrelation(chain, times=[1.0], beta=1.0), qt.TrotterCircuit(protocol="haar"))


def test_what_does_not_fit_is_refused(monkeypatch):
    monkeypatch.setenv("QTHERMO_MEMORY_LIMIT", str(16 * 2**30))
    chain = reference_chain(1.0, 30)
    for protocol in ("exact", "haar", "shots", "product_states"):
        with pytest.raises(qt.MemoryRefusedError, match="matrix product states"):
            qt.solve(qt.Autocorrelation(chain, times=[1.0]), qt.TrotterCircuit(protocol=protocol))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"time_step": 0.0}, "time_step"),
        ({"time_step": float("nan")}, "time_step"),
        ({"trotter_order": 3}, "trotter_order"),
        ({"protocol": "magic"}, "protocol"),
        ({"num_shots": 0}, "num_shots"),
        ({"num_states": 1}, "num_states"),
        ({"layout": "ring"}, "layout"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_fields_are_named(arguments, words):
    with pytest.raises(qt.InputError, match=words):
        qt.TrotterCircuit(**arguments)


def test_a_run_raises_no_warning_and_importing_qthermo_loads_no_qiskit():
    program = (
        "import sys, qthermo as qt; assert not any(m.split('.')[0].startswith('qiskit') for m in sys.modules)\n"
        "model = qt.models.sample_imbrie_chain(num_bath_sites=2, disorder=1.0, seed=1)\n"
        "for protocol in ('exact', 'haar', 'shots'):\n"
        "    qt.solve(qt.Autocorrelation(model, times=[0.5]), qt.TrotterCircuit(protocol=protocol))\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
