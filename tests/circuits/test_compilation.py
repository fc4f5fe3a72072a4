import math
from itertools import pairwise

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator
from qiskit.transpiler import CouplingMap, Target

import qthermo as qt
from qthermo.circuits import build_measured_circuit, build_trotter_circuit, compile_circuit
from qthermo.circuits.compilation import find_target
from qthermo.circuits.device_paths import find_path
from qthermo.circuits.fractional import fold_rzz_angles


def chain(num_sites):
    return qt.models.sample_imbrie_chain(num_bath_sites=num_sites - 1, disorder=4.0, seed=1)


def two_qubit(circuit):
    return circuit.num_nonlocal_gates(), circuit.depth(lambda item: len(item.qubits) == 2)


@pytest.mark.parametrize("num_sites", [20, 50, 100])
def test_chain_on_heavy_hex_needs_no_swaps(num_sites):
    circuit = build_trotter_circuit(chain(num_sites), num_steps=20)
    compiled = compile_circuit(circuit, "fake_fez")
    gates, depth = two_qubit(compiled.circuit)
    assert compiled.swap_free
    assert depth <= 82
    assert gates == 2 * (20 * (num_sites - 2) + 21)
    assert compiled.report["two_qubit_depth"] == depth
    assert compiled.report["duration"] > 0
    assert 0 < compiled.report["success_probability"] < 1


@pytest.mark.parametrize("device", ["fake_fez", "fake_sherbrooke", "fake_torino"])
def test_shortened_optimisation_gives_the_preset_result_in_the_devices_gates(device):
    """Same counts and depth as the whole level-1 pass manager on the same path, and every gate is the device's."""
    from qiskit.transpiler import generate_preset_pass_manager

    _, target = find_target(device)
    circuit = build_trotter_circuit(chain(12), num_steps=4)
    compiled = compile_circuit(circuit, target)
    whole = generate_preset_pass_manager(
        optimization_level=1, target=target, initial_layout=list(compiled.physical_qubits), seed_transpiler=1
    ).run(circuit)
    assert compiled.circuit.count_ops() == whole.count_ops()
    assert compiled.circuit.depth() == whole.depth()
    for item in compiled.circuit.data:
        qubits = tuple(compiled.circuit.find_bit(qubit).index for qubit in item.qubits)
        assert target.instruction_supported(item.operation.name, qubits)


@pytest.mark.parametrize("num_sites", [2, 3, 17, 60])
def test_path_is_a_path(num_sites):
    _, target = find_target("fake_torino")
    path = find_path(target, num_sites, np.random.default_rng(0))
    pairs = {tuple(sorted(edge)) for edge in target.build_coupling_map().get_edges()}
    assert len(set(path)) == num_sites
    assert all(tuple(sorted(pair)) in pairs for pair in pairwise(path))


def test_no_path_is_found_where_there_is_none():
    star = Target.from_configuration(["cz", "rz", "sx", "x"], 5, CouplingMap([(0, 1), (0, 2), (0, 3), (0, 4)]))
    assert find_path(star, 4, np.random.default_rng(0)) is None
    compiled = compile_circuit(build_trotter_circuit(chain(5), num_steps=2), star)
    assert not compiled.swap_free


@pytest.mark.parametrize("dynamical_decoupling", [False, True])
def test_compiled_circuit_is_the_logical_one(dynamical_decoupling):
    target = Target.from_configuration(["cz", "rz", "sx", "x"], 4, CouplingMap.from_line(4))
    if dynamical_decoupling:
        _, fez = find_target("fake_fez")
        circuit = build_measured_circuit(chain(4), num_steps=3)
        compiled = compile_circuit(circuit, fez, dynamical_decoupling=True)
        padded, bare = compiled.bind(0.2), compiled.circuit
        assert padded.count_ops().get("x", 0) > bare.count_ops().get("x", 0)
        assert padded.count_ops()["delay"] > 0
        return
    logical = build_trotter_circuit(chain(4), num_steps=3)
    compiled = compile_circuit(logical, target)
    bound = compiled.bind(0.2)
    expected = Operator(logical.assign_parameters({"time_step": 0.2}))
    found = Operator.from_circuit(bound)
    assert found.equiv(expected)


def test_fractional_device_keeps_one_gate_per_bond():
    basis = ["rzz", "rz", "sx", "x", "rx"]
    target = Target.from_configuration(basis, 12, CouplingMap.from_line(12))
    counts = [
        two_qubit(compile_circuit(build_trotter_circuit(chain(12), num_steps=k), target).bind(0.1)) for k in (5, 6)
    ]
    assert counts[1][0] - counts[0][0] == 11
    assert counts[1][1] - counts[0][1] == 2


def test_folded_angles_keep_the_operator():
    for angle in np.linspace(-15, 15, 41):
        circuit = QuantumCircuit(2)
        circuit.h([0, 1])
        circuit.rzz(angle, 0, 1)
        folded = fold_rzz_angles(circuit)
        angles = [item.operation.params[0] for item in folded.data if item.operation.name == "rzz"]
        assert all(0 <= value <= math.pi / 2 + 1e-12 for value in angles)
        assert np.abs(Operator(folded).data - Operator(circuit).data).max() < 1e-12


def test_all_to_all_on_a_line_beats_the_default_by_the_targets():
    """n = 40: at least 3 times fewer CZ and 7 times less depth than qiskit's SuzukiTrotter routed at level 1."""
    from qiskit.circuit.library import PauliEvolutionGate
    from qiskit.synthesis import SuzukiTrotter
    from qiskit.transpiler import generate_preset_pass_manager

    from qthermo.circuits import to_sparse_pauli_op

    model = qt.models.sample_all_to_all_ising(num_bath_sites=39, seed=1)
    target = Target.from_configuration(["cz", "rz", "sx", "x"], 40, CouplingMap.from_line(40))
    default = QuantumCircuit(40)
    synthesis = SuzukiTrotter(order=2, reps=2)
    default.append(PauliEvolutionGate(to_sparse_pauli_op(model.hamiltonian), 0.2, synthesis=synthesis), range(40))
    routed = generate_preset_pass_manager(optimization_level=1, target=target, seed_transpiler=1).run(default)
    circuit = build_trotter_circuit(model, num_steps=2, layout="swap_network")
    gates, depth = two_qubit(compile_circuit(circuit, target).circuit)
    assert 3 * gates <= two_qubit(routed)[0]
    assert 7 * depth <= two_qubit(routed)[1]


def test_circuits_that_do_not_fit_the_device_are_refused():
    with pytest.raises(qt.InputError, match=r"157.*fake_fez has 156"):
        compile_circuit(build_trotter_circuit(chain(157), num_steps=1), "fake_fez")


def test_angles_that_are_no_numbers_are_refused():
    circuit = QuantumCircuit(2)
    circuit.rzz(math.nan, 0, 1)
    with pytest.raises(qt.InputError, match="finite"):
        compile_circuit(circuit, "fake_fez")
    compiled = compile_circuit(build_trotter_circuit(chain(3), num_steps=1), "fake_fez")
    with pytest.raises(qt.InputError, match="time_step"):
        compiled.bind(math.nan)


def test_targets_that_are_none_are_refused():
    for target in ("fake_nothing", 3):
        with pytest.raises(qt.InputError, match="target"):
            compile_circuit(build_trotter_circuit(chain(3), num_steps=1), target)
