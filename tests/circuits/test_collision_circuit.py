"""Thermalising circuits on Aer against dense channels, and what they cost."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from kms_reference import imbrie, tilted_ising
from qiskit import qasm3, transpile

import qthermo as qt
from qthermo.circuits import (
    build_collision_circuit,
    build_dilation_circuit,
    count_collision_gates,
    save_qasm,
    tabulate_resources,
)
from qthermo.circuits.collision_runs import run_with_snapshots, save_snapshot
from qthermo.circuits.layers import order_groups
from qthermo.kms import (
    Collisions,
    CollisionScheme,
    advise_scheme,
    collide,
    dilate,
    patch_jumps,
    site_couplings,
    step_unitary,
)
from qthermo.kms.states import build_initial_state
from qthermo.seeds import Stream, sample_generator


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("rate", ["glauber", "metropolis", "gaussian"])
def test_aer_equals_the_dense_channel_for_a_fixed_sequence(order: int, rate: str):
    model = qt.models.spin_chain(hamiltonian=imbrie(3))
    scheme = CollisionScheme(beta=1.0, coupling=0.7, energy_width=0.8, rate=rate, time_step=0.25)
    couplings = site_couplings("XYZ", 3)
    collisions = scheme.sample(np.random.default_rng(order), 6, 9)
    circuit = build_collision_circuit(model, scheme, collisions, couplings, initial_bits="110", trotter_order=order)
    save_snapshot(circuit, model, 0, exact=True)
    found = run_with_snapshots(circuit, "density_matrix", 1, 0)["0"]
    step = step_unitary(model.hamiltonian, 3, scheme.spacing, groups=order_groups(model.hamiltonian), order=order)
    expected = collide(build_initial_state("110").astype(complex), collisions, scheme, step, couplings)
    assert np.abs(found - expected).max() < 1e-10


def test_every_coupling_is_kicked_as_it_should_be():
    """All nine couplings once, so that no letter or site escapes the comparison."""
    model = qt.models.spin_chain(hamiltonian=imbrie(3) + qt.PauliSum.from_text("0.3 Y0 X1"))
    scheme = CollisionScheme(beta=1.0, coupling=1.1, energy_width=1.0, time_step=0.25)
    couplings = site_couplings("XYZ", 3)
    collisions = scheme.sample(np.random.default_rng(3), 9, 9)
    collisions = Collisions(couplings=np.arange(9), frequencies=collisions.frequencies)
    circuit = build_collision_circuit(model, scheme, collisions, couplings, initial_bits="010")
    save_snapshot(circuit, model, 0, exact=True)
    found = run_with_snapshots(circuit, "density_matrix", 1, 0)["0"]
    step = step_unitary(model.hamiltonian, 3, scheme.spacing, groups=order_groups(model.hamiltonian), order=2)
    expected = collide(build_initial_state("010").astype(complex), collisions, scheme, step, couplings)
    assert np.abs(found - expected).max() < 1e-10


SMALL = qt.models.spin_chain(hamiltonian=tilted_ising(2))
METHOD = qt.CollisionCircuit(coupling=0.8, energy_width=1.0, time_step=0.25, num_nodes=40)


def test_random_sequences_average_to_the_channel_within_their_standard_error():
    scheme = CollisionScheme(beta=1.0, coupling=0.8, energy_width=1.0, time_step=0.25)
    couplings = site_couplings("XYZ", 2)
    times = np.array([20.0, 40.0]) * scheme.time_per_collision(6)
    channel = qt.solve(qt.Relaxation(SMALL, beta=1.0, times=times), METHOD)["polarisation"].values
    step = step_unitary(SMALL.hamiltonian, 2, scheme.spacing, groups=order_groups(SMALL.hamiltonian), order=2)
    z = []
    for index in range(200):
        collisions = scheme.sample(sample_generator(5, Stream.CIRCUIT, index), 20, 6)
        state = collide(build_initial_state("11").astype(complex), collisions, scheme, step, couplings)
        z.append(np.diag(state).real @ np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]))
    stderr = np.std(z, axis=0, ddof=1) / np.sqrt(200)
    assert (np.abs(np.mean(z, axis=0) - channel[0]) < 4 * stderr).all()
    assert (stderr < 0.05).all()


@pytest.mark.parametrize("protocol", ["trajectories", "mps"])
def test_trajectories_agree_with_density_matrices_of_the_same_sequences(protocol: str):
    scheme = CollisionScheme(beta=1.0, coupling=0.8, energy_width=1.0, time_step=0.25)
    problem = qt.Relaxation(SMALL, beta=1.0, times=np.array([0.0, 4.0]) * scheme.time_per_collision(6))
    options = {"coupling": 0.8, "energy_width": 1.0, "time_step": 0.25, "num_sequences": 4, "seed": 2}
    exact = qt.solve(problem, qt.CollisionCircuit(protocol="density_matrix", **options))
    sampled = qt.solve(problem, qt.CollisionCircuit(protocol=protocol, num_shots=100, **options))
    np.testing.assert_allclose(sampled["polarisation"][0], -1, atol=1e-12)
    np.testing.assert_allclose(sampled["polarisation"], exact["polarisation"], atol=4 / np.sqrt(400))
    np.testing.assert_allclose(sampled["energy"], exact["energy"], atol=4 * 3 / np.sqrt(400))
    assert "trace_distance" in exact
    assert "trace_distance" not in sampled
    assert (exact["stderr"][1] > 0).all()


def test_long_chains_run_by_matrix_product_states():
    """Two strong collisions on 24 spins: the ends stay as they were where no collision and no Trotter step reaches."""
    model = qt.models.spin_chain(hamiltonian=qt.PauliSum.from_text(" + ".join(f"0.7 Z{k}" for k in range(24))))
    scheme = CollisionScheme(beta=1.0, coupling=1.0, energy_width=1.0, time_step=0.4)
    method = qt.CollisionCircuit(
        coupling=1.0, energy_width=1.0, time_step=0.4, protocol="mps", num_sequences=2, num_shots=4
    )
    times = np.array([0.0, 2.0]) * scheme.time_per_collision(72)
    data = qt.solve(qt.Relaxation(model, beta=1.0, times=times), method)
    z = data["polarisation"].values
    np.testing.assert_allclose(z[0], -1, atol=1e-12)
    assert np.count_nonzero(np.abs(z[1] + 1) > 1e-9) <= 4
    assert float(data["energy"][1]) == pytest.approx(0.7 * z[1].sum(), abs=1e-9)


def test_the_channel_relaxes_as_the_master_equation_says():
    """Same time axis: weak collisions follow CoarseGrained on its slow variables, here the energy."""
    problem = qt.Relaxation(SMALL, beta=1.0, times=[0.0, 1.0, 3.0, 8.0], initial_state="11")
    circuit = qt.solve(problem, qt.CollisionCircuit(coupling=0.15, energy_width=0.5, trotter_order=4))
    master = qt.solve(problem, qt.CoarseGrained(energy_width=0.5, rate="glauber"))
    np.testing.assert_allclose(circuit["energy"], master["energy"], atol=0.06)
    assert float(circuit["trace_distance"][-1]) < 0.02


def test_its_gap_and_fixed_point_are_those_of_the_published_channel():
    problem = qt.MixingGap(qt.models.spin_chain(hamiltonian=tilted_ising(3)), beta=1.0)
    data = qt.solve(problem, qt.CollisionCircuit(trotter_order=0))
    assert float(data["fixed_point_error"]) == pytest.approx(6.977e-4, rel=1e-3)
    unit = CollisionScheme(beta=1.0).time_per_collision(9)
    assert float(data["gap"]) * unit == pytest.approx(0.0233216, rel=1e-4)


def test_a_collision_of_the_chain_costs_kicks_times_sites():
    """(n - 1) rzz and one rxx per kick."""
    for num_sites in (3, 5):
        model = qt.models.spin_chain(hamiltonian=tilted_ising(num_sites))
        cost = count_collision_gates(model, CollisionScheme(beta=1.0))
        assert cost["kicks"] == 50
        assert cost["two_qubit_gates"] == 50 * num_sites


def test_circuits_survive_openqasm_and_reset_the_ancilla_only(tmp_path: Path):
    model = qt.models.spin_chain(hamiltonian=tilted_ising(2))
    scheme = CollisionScheme(beta=1.0, energy_width=1.0)
    collisions = scheme.sample(np.random.default_rng(0), 3, 6)
    circuit = build_collision_circuit(model, scheme, collisions, site_couplings("XYZ", 2), initial_bits="11")
    resets = [circuit.find_bit(item.qubits[0]).index for item in circuit.data if item.operation.name == "reset"]
    assert resets == [2, 2, 2]
    text = save_qasm(circuit, tmp_path / "collisions.qasm").read_text()
    assert text == qasm3.dumps(circuit)
    assert text.count("reset") == 3


@pytest.mark.parametrize("step", [0.2, 0.1])
def test_dilations_on_aer_equal_their_channel(step: float):
    problem = qt.Relaxation(
        qt.models.spin_chain(hamiltonian=imbrie(3)), beta=1.0, times=[0.0, 0.4, 0.8], initial_state="110"
    )
    dense, circuit = (
        qt.solve(problem, qt.DilationCircuit(time_step=step, protocol=protocol))
        for protocol in ("channel", "density_matrix")
    )
    for name in ("trace_distance", "energy", "polarisation"):
        np.testing.assert_allclose(circuit[name], dense[name], atol=1e-10)


def test_dilations_tend_to_their_generator_in_the_first_order_of_the_step():
    """All nine exact jumps of three spins: trace distance .0126 at dt = .2 and .0059 at dt = .1."""
    model = qt.models.spin_chain(hamiltonian=tilted_ising(3))
    late = qt.Relaxation(model, beta=1.0, times=[20.0])
    errors = [
        float(qt.solve(late, qt.DilationCircuit(patch_radius=2, time_step=step))["trace_distance"][0])
        for step in (0.2, 0.1)
    ]
    np.testing.assert_allclose(errors, [0.0126, 0.0059], rtol=0.05)
    early = qt.Relaxation(model, beta=1.0, times=[1.0])
    exact = float(qt.solve(early, qt.KMSJumps())["energy"][0])
    gaps = [
        abs(float(qt.solve(early, qt.DilationCircuit(patch_radius=2, time_step=step))["energy"][0]) - exact)
        for step in (0.1, 0.05)
    ]
    assert gaps[0] / gaps[1] == pytest.approx(2.0, rel=0.2)


def test_dilations_are_unitary_and_cost_what_is_said():
    patches = patch_jumps(tilted_ising(3), site_couplings("X", 3), beta=1.0, filter_name="smooth_metropolis", radius=1)
    for dilation in dilate(patches, 0.1):
        size = len(dilation.unitary)
        np.testing.assert_allclose(dilation.unitary @ dilation.unitary.conj().T, np.eye(size), atol=1e-12)
    model = qt.models.spin_chain(hamiltonian=tilted_ising(3))
    circuit = build_dilation_circuit(model, dilate(patches[1:2], 0.1, coherent=False), 1)
    compiled = transpile(circuit, basis_gates=["cx", "rz", "sx", "x", "reset"], optimization_level=1)
    assert compiled.count_ops()["cx"] == pytest.approx(94, abs=6)


def test_refusals_name_the_knob():
    model = qt.models.spin_chain(hamiltonian=tilted_ising(3))
    problem = qt.Relaxation(model, beta=1.0, times=[1.0])
    with pytest.raises(qt.InputError, match="time_step"):
        qt.solve(problem, qt.CollisionCircuit(time_step=0.6))
    with pytest.raises(qt.UnsupportedError, match="channel"):
        qt.solve(qt.MixingGap(model, beta=1.0), qt.CollisionCircuit(protocol="mps"))
    state = np.full(8, 8**-0.5)
    with pytest.raises(qt.UnsupportedError, match="bits"):
        qt.solve(
            qt.Relaxation(model, beta=1.0, times=[1.0], initial_state=state),
            qt.DilationCircuit(protocol="density_matrix"),
        )
    with pytest.warns(qt.ValidityWarning, match="cutoff"):
        qt.solve(qt.MixingGap(model, beta=1.0), qt.CollisionCircuit(cutoff=2.0, num_nodes=6))


def test_gaussian_frequencies_that_lose_the_gap_are_warned_of_with_the_number():
    """The number is the gap that `CoarseGrained` finds by another way, from its jumps."""
    cold = qt.MixingGap(qt.models.spin_chain(hamiltonian=tilted_ising(3)), beta=2.0)
    with pytest.warns(qt.ValidityWarning, match="beta = 2"):
        same = qt.solve(cold, qt.CoarseGrained(energy_width=0.5, rate_width=0.5))["gap"].item()
    with pytest.warns(qt.ValidityWarning, match=re.escape(f"the gap of the first 3 sites is {same:.2g}")):
        qt.solve(cold, qt.CollisionCircuit(rate="gaussian", rate_width=0.5, num_nodes=40))


def test_gaussian_frequencies_are_fine_where_they_cover_the_transitions():
    """No warning (warnings are errors here), on the chain, temperature and width of the published fixed point.

    (Published for a window that is not kicked: 5.9e-3.)
    """
    method = qt.CollisionCircuit(rate="gaussian", energy_width=1.0, rate_width=1.5, trotter_order=0, num_nodes=40)
    problem = qt.MixingGap(qt.models.spin_chain(hamiltonian=tilted_ising(3)), beta=1.0)
    assert qt.solve(problem, method)["fixed_point_error"].item() == pytest.approx(5.9e-3, rel=0.15)


@pytest.mark.parametrize("chain", [tilted_ising, imbrie], ids=["tilted_ising", "imbrie"])
def test_the_advice_keeps_its_promise_and_the_table_its_count(chain):
    """The advised scheme meets the error, and the tabulated collisions bring all spins down to it."""
    model, error = qt.models.spin_chain(hamiltonian=chain(3)), 0.02
    gap = float(qt.solve(qt.MixingGap(model, beta=1.0), qt.CoarseGrained(energy_width=0.5, rate="glauber"))["gap"])
    (row,) = tabulate_resources(model, beta=1.0, errors=[error], gap=gap)
    couplings = site_couplings("XYZ", 3)
    scheme = advise_scheme(model.hamiltonian, couplings, beta=1.0, error=error / 2)
    method = qt.CollisionCircuit(
        coupling=scheme.coupling,
        energy_width=scheme.energy_width,
        cutoff=scheme.cutoff,
        time_step=scheme.time_step,
        trotter_order=0,
    )
    assert float(qt.solve(qt.MixingGap(model, beta=1.0), method)["fixed_point_error"]) < error / 2
    end = row["collisions"] * scheme.time_per_collision(9)
    data = qt.solve(qt.Relaxation(model, beta=1.0, times=[0.25 * end, end]), method)
    assert float(data["trace_distance"][1]) < error < float(data["trace_distance"][0])
    assert row["two_qubit_gates"] == row["collisions"] * row["kicks"] * 3
