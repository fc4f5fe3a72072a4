import numpy as np
import pytest
from circuit_reference import correlator
from qiskit.quantum_info import Operator

import qthermo as qt
from qthermo.circuits import (
    build_measured_circuit,
    build_trotter_circuit,
    check_bundle,
    export_bundle,
    from_qubit_order,
)
from qthermo.circuits.layouts import LAYOUTS
from qthermo.circuits.light_cone import prune_light_cone

CHAIN = qt.models.sample_imbrie_chain(num_bath_sites=7, disorder=1.0, seed=1)


def value(circuit, wire):
    """C of a circuit whose thermometer ends on `wire`, from its matrix."""
    n = circuit.num_qubits
    tensor = from_qubit_order(Operator(circuit).data).reshape((2,) * (2 * n))
    moved = np.moveaxis(tensor, wire, 0).reshape(2**n, 2**n)
    return correlator(moved, n)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("num_steps", [1, 2, 3])
def test_dropped_gates_do_not_change_the_correlator(layout, num_steps):
    circuit = build_trotter_circuit(CHAIN, num_steps=num_steps, layout=layout, time_step=0.4)
    wire = circuit.metadata["final_permutation"][0]
    pruned = prune_light_cone(circuit, 0, wire)
    assert value(pruned, wire) == pytest.approx(value(circuit, wire), abs=1e-12)
    if layout in ("line", "round_robin"):
        assert pruned.num_nonlocal_gates() < 0.7 * circuit.num_nonlocal_gates()


def test_cost_does_not_grow_with_the_chain():
    gates = []
    for n in (50, 100):
        model = qt.models.sample_imbrie_chain(num_bath_sites=n - 1, disorder=4.0, seed=1)
        gates.append(build_measured_circuit(model, num_steps=20, light_cone=True).num_nonlocal_gates())
    assert gates[0] == gates[1]
    assert gates[0] < 20**2 + 20


def test_bundle_of_a_pruned_circuit_is_checked_alike(tmp_path):
    export_bundle(CHAIN, tmp_path, times=[0.5], num_steps=3, light_cone=True, target="fake_fez")
    check = check_bundle(tmp_path)
    assert check.manifest["light_cone"]
    assert max(check.deviations.values()) < 1e-9
