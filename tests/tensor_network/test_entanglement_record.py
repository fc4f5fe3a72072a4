import dataclasses
import json

import numpy as np
import pytest
from reference_chain import reference_chain

import qthermo as qt
from qthermo.tensor_network.heisenberg_runs import start_evolution

TIMES = [0.5, 1.0, 1.5]
FAR = qt.models.sample_all_to_all_ising(num_bath_sites=4, seed=2)


def operator_entropies(matrix, num_sites):
    """Entropies of the normalised vector (ket, bra) of every site, by dense singular values."""
    tensor = matrix.reshape([2] * (2 * num_sites))
    tensor = tensor.transpose([k + half for k in range(num_sites) for half in (0, num_sites)])
    found = []
    for cut in range(1, num_sites):
        p = np.linalg.svd(tensor.reshape(4**cut, -1), compute_uv=False) ** 2
        p = p[p > 1e-300] / p.sum()
        found.append(-(p * np.log(p)).sum())
    return np.array(found)


def evolved(model, time, beta=0.0):
    n = model.num_sites
    energies, states = np.linalg.eigh(model.hamiltonian.to_dense(n))
    U = (states * np.exp(-1j * time * energies)) @ states.conj().T
    Z = model.observable.to_dense(n)
    if beta == 0:
        return U.conj().T @ Z @ U
    return U @ Z @ ((states * np.exp(-beta * energies / 2)) @ states.conj().T) @ U.conj().T


@pytest.mark.parametrize("doubling", [True, False])
@pytest.mark.parametrize(
    ("model", "method", "beta"),
    [
        (reference_chain(5, 2.0), qt.HeisenbergTEBD(record_entropy=True), 0.0),
        (FAR, qt.HeisenbergTEBD(record_entropy=True), 0.0),
        (reference_chain(5, 2.0), qt.PurifiedTEBD(record_entropy=True), 1.0),
        (FAR, qt.TDVP(record_entropy=True, time_step=0.05), 0.0),
    ],
    ids=["chain", "swaps", "thermal", "tdvp"],
)
def test_entropies_are_those_of_the_dense_operator(model, method, beta, doubling):
    method = dataclasses.replace(method, time_doubling=doubling, estimate_errors=False)
    data = qt.solve(qt.Autocorrelation(model, times=TIMES, beta=beta), method)
    for k, time in enumerate(TIMES):
        exact = operator_entropies(evolved(model, time / 2 if doubling else time, beta), 5)
        np.testing.assert_allclose(data["entropy"][k], exact, atol=2e-4)
    assert data["bond_dimension"].shape == data["entropy"].shape == (3, 4)
    assert np.all(np.exp(data["entropy"]) <= data["bond_dimension"] * (1 + 1e-9))


def test_each_observable_has_its_own_and_spins_outside_the_light_cone_none():
    observables = {"Z0": qt.PauliSum.pauli("Z", 0), "X0 X1": qt.PauliSum.pauli("XX", 0, 1)}
    problem = qt.Evolution(reference_chain(20, 2.0), times=[0.05, 0.1], initial_state="0" * 20, observables=observables)
    data = qt.solve(problem, qt.HeisenbergTEBD(record_entropy=True))
    assert data["entropy"].dims == ("time", "observable", "bond")
    assert np.all(data["entropy"].values[:, :, 0] > 0)
    assert np.all(data["entropy"].values[:, :, 10:] == 0)
    assert np.all(data["bond_dimension"].values[:, :, 10:] == 1)


def test_entropies_do_not_stop_a_run_whose_values_are_known():
    problem = qt.Evolution(reference_chain(8, 1.0), times=[1.0, 2.0, 3.0], initial_state="0" * 8)
    method = qt.TDVP(max_bond_dim=16, truncation_error=1e-9, tolerance=1e-2, record_entropy=True)
    data = qt.solve(problem, method)
    assert np.isfinite(data["expectation"]).all()
    assert np.isfinite(data["entropy"]).all()


def test_a_resumed_run_keeps_its_record(tmp_path):
    problem = qt.Autocorrelation(reference_chain(6, 2.0), times=TIMES)
    straight = qt.solve(problem, qt.HeisenbergTEBD(record_entropy=True))
    method = qt.HeisenbergTEBD(record_entropy=True, checkpoint=str(tmp_path / "run.npz"))

    def interrupt(fraction, _words):
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        qt.solve(problem, method, progress=interrupt)
    np.testing.assert_allclose(qt.solve(problem, method)["entropy"], straight["entropy"], rtol=1e-9)


@pytest.mark.parametrize("method", [qt.HeisenbergTEBD(), qt.PurifiedTEBD(), qt.TDVP()])
def test_the_time_is_estimated_before_the_first_step(method):
    said = []
    problem = qt.Autocorrelation(reference_chain(5, 2.0), times=TIMES)
    data = qt.solve(problem, method, progress=lambda _fraction, words: said.append(words))
    assert any("at most about" in words for words in said)
    assert json.loads(data.attrs["diagnostics"])["estimated_seconds"] > 0


def test_the_bound_on_the_work_knows_that_a_localised_chain_stays_narrow():
    model, times = reference_chain(100, 8.0), np.linspace(0.5, 10, 20)
    method = qt.HeisenbergTEBD(max_bond_dim=64)
    run, other = (start_evolution(model, model.observable, method) for _ in range(2))
    predicted = run.count_multiplications(times)
    done = 0.0
    for time in times:
        before = run.num_steps
        run.advance(time)
        dimensions = np.array(run.chain.bond_dimensions, float)
        layers = 10 * (run.num_steps - before)  # order 4: ten layers a step
        done += layers / 2 * float((100 * dimensions**3 + 4e5).sum())
        other.advance(time)
    everywhere_full = 10 * run.num_steps / 2 * 100 * 99 * 64.0**3
    assert done < predicted < everywhere_full / 5
    np.testing.assert_array_equal(run.chain.tensors[0], other.chain.tensors[0])
