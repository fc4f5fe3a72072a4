import numpy as np
import pytest
from circuit_reference import trotter_operator
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Operator
from reference_models import kron_matrix

import qthermo as qt
from qthermo.circuits import build_trotter_circuit, from_qubit_order
from qthermo.circuits.layers import order_groups
from qthermo.circuits.layouts import LAYOUTS

GENERIC = qt.PauliSum.from_text(
    "0.7 Z0 + 0.3 X0 Y1 - 0.4 Y1 Y2 + 0.9 X1 Z2 X3 + 0.2 Z1 Z4 - 0.6 X2 + 0.5 Y3 X4 Z5 Y2 + 0.35 Z0 Z5 + 0.1 Y4 + 2"
)
LATTICE = qt.PauliSum.from_text(
    "0.5 Z0 + X1 + X2 + X3 + X4 + X5 + 0.4 X0 X1 + 0.9 Z1 Z2 + 1.1 Z0 Z3 + 0.8 Z1 Z4 + 1.2 Z2 Z5 + Z3 Z4 + 0.7 Z4 Z5"
)
MODELS = {
    "imbrie": qt.models.sample_imbrie_chain(num_bath_sites=5, disorder=2.0, seed=3),
    "coupled_by_z": qt.models.sample_imbrie_chain(
        num_bath_sites=5, disorder=2.0, seed=3, thermometer=qt.Thermometer(bath_operator="Z", coupling=0.7)
    ),
    "coupled_by_y": qt.models.sample_imbrie_chain(
        num_bath_sites=5, disorder=2.0, seed=3, thermometer=qt.Thermometer(bath_operator="Y", coupling=0.7)
    ),
    "parity": qt.models.sample_imbrie_chain(num_bath_sites=5, disorder=1.0, seed=4, parity_symmetric=True),
    "all_to_all": qt.models.sample_all_to_all_ising(num_bath_sites=5, seed=5),
    "lattice": qt.models.spin_chain(hamiltonian=LATTICE),
    "generic": qt.models.spin_chain(hamiltonian=GENERIC),
}


def circuit_operator(circuit):
    """The circuit's matrix in site order, its final permutation undone."""
    n = circuit.num_qubits
    tensor = from_qubit_order(Operator(circuit).data).reshape((2,) * (2 * n))
    axes = [circuit.metadata["final_permutation"][site] for site in range(n)]
    return tensor.transpose([*axes, *range(n, 2 * n)]).reshape(2**n, 2**n)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", MODELS)
def test_every_layout_is_the_trotter_operator(name, layout):
    model = MODELS[name]
    for order, steps in ((1, 5), (2, 3), (2, 6), (4, 1)):
        circuit = build_trotter_circuit(model, num_steps=steps, trotter_order=order, layout=layout)
        found = circuit_operator(circuit.assign_parameters({"time_step": 0.37}, inplace=False))
        expected = trotter_operator(order_groups(model.hamiltonian), 6, 0.37, steps, order)
        assert np.abs(found - expected).max() < 1e-12


def test_folding_multiplies_the_gates_exactly():
    for layout in LAYOUTS:
        plain, folded = (
            build_trotter_circuit(MODELS["imbrie"], num_steps=6, layout=layout, fold=fold).num_nonlocal_gates()
            for fold in (1, 3)
        )
        assert folded == 3 * plain


@st.composite
def hamiltonians(draw):
    """Random Hermitian sums on four sites, with terms on one to four of them."""
    letters = st.dictionaries(st.integers(0, 3), st.sampled_from("XYZ"), min_size=1, max_size=4)
    terms = draw(st.lists(st.tuples(st.floats(-2, 2), letters), min_size=1, max_size=8))
    return qt.PauliSum.from_letters(terms)


@settings(max_examples=30)
@given(hamiltonian=hamiltonians(), layout=st.sampled_from(LAYOUTS), order=st.sampled_from([1, 2, 4]))
def test_any_hamiltonian_in_any_layout_is_the_trotter_operator(hamiltonian, layout, order):
    model = qt.models.spin_chain(hamiltonian=hamiltonian, num_sites=4)
    for steps in (1, 5):
        circuit = build_trotter_circuit(
            model, num_steps=steps, trotter_order=order, layout=layout, time_step=0.3, fold=3
        )
        groups = order_groups(model.hamiltonian)
        expected = trotter_operator(groups, 4, 0.3, steps, order) if groups else np.eye(16)
        assert np.abs(circuit_operator(circuit) - expected).max() < 1e-12


@pytest.mark.parametrize(("order", "steps"), [(1, (16, 32)), (2, (8, 16)), (4, (4, 8))])
def test_error_falls_with_the_order(order, steps):
    """Against exp(-iHt) by diagonalisation: the step's error at fixed time scales as step**order."""
    model = MODELS["imbrie"]
    energies, vectors = np.linalg.eigh(kron_matrix(model.hamiltonian, 6))
    exact = (vectors * np.exp(-1j * energies)) @ vectors.conj().T
    errors = []
    for count in steps:
        circuit = build_trotter_circuit(model, num_steps=count, trotter_order=order, time_step=1 / count)
        errors.append(np.linalg.norm(circuit_operator(circuit) - exact, 2))
    assert abs(np.log2(errors[0] / errors[1]) - order) < 0.2


def test_chain_costs_one_pair_gate_per_bond_at_depth_two():
    model = qt.models.sample_imbrie_chain(num_bath_sites=19, disorder=4.0, seed=1)
    steps = {k: build_trotter_circuit(model, num_steps=k) for k in (10, 11)}

    def count(circuit):
        return circuit.num_nonlocal_gates(), circuit.depth(lambda item: len(item.qubits) == 2)

    (gates_10, depth_10), (gates_11, depth_11) = count(steps[10]), count(steps[11])
    assert gates_11 - gates_10 == 19
    assert depth_11 - depth_10 == 2
    assert depth_10 <= 21


@pytest.mark.parametrize("n", [2, 5, 8, 13])
def test_networks_use_neighbours_only_and_round_robin_meets_in_time(n):
    model = qt.models.sample_all_to_all_ising(num_bath_sites=max(n - 1, 2), seed=1)
    n = model.num_sites
    for layout in ("swap_network", "parity_network"):
        circuit = build_trotter_circuit(model, num_steps=2, layout=layout)
        pairs = [[circuit.find_bit(q).index for q in item.qubits] for item in circuit.data if len(item.qubits) == 2]
        assert all(abs(a - b) == 1 for a, b in pairs)
    circuit = build_trotter_circuit(model, num_steps=3, layout="round_robin")
    assert circuit.depth(lambda item: len(item.qubits) == 2) <= 3 * (n - 1 + n % 2)


def test_registers_parameter_and_metadata():
    circuit = build_trotter_circuit(MODELS["all_to_all"], num_steps=3, layout="swap_network")
    assert [(r.name, r.size) for r in circuit.qregs] == [("thermometer", 1), ("bath", 5)]
    assert [p.name for p in circuit.parameters] == ["time_step"]
    assert circuit.metadata["final_permutation"] == [5, 4, 3, 2, 1, 0]
    assert circuit.metadata["model"] == "all_to_all_ising"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"num_steps": -1}, "num_steps"),
        ({"num_steps": 1, "layout": "ring"}, "layout"),
        ({"num_steps": 1, "trotter_order": 3}, "trotter_order"),
        ({"num_steps": 1, "time_step": float("nan")}, "time_step"),
    ],
)
def test_bad_arguments_are_named(arguments, words):
    with pytest.raises(qt.InputError, match=words):
        build_trotter_circuit(MODELS["imbrie"], **arguments)
