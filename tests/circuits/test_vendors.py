"""The exported circuits go through the vendors' own converters; run where those packages are installed."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator

import qthermo as qt
from qthermo.circuits import build_measured_circuit, build_trotter_circuit

CHAIN = qt.models.sample_imbrie_chain(num_bath_sites=3, disorder=1.0, seed=1)


@pytest.mark.filterwarnings("ignore")
def test_quantinuum_keeps_mid_circuit_measurement_and_gates():
    pytket = pytest.importorskip("pytket.extensions.qiskit")
    from pytket import OpType

    converted = pytket.qiskit_to_tk(build_measured_circuit(CHAIN, num_steps=2, time_step=0.2))
    assert converted.n_qubits == 4
    assert converted.n_gates_of_type(OpType.Measure) == 5
    circuit = build_trotter_circuit(CHAIN, num_steps=2, time_step=0.2)
    back = pytket.tk_to_qiskit(pytket.qiskit_to_tk(circuit))
    # pytket sorts its qubits by register name, so `bath` comes first: compare by name.
    places = [circuit.find_bit(circuit.qregs[name == "bath"][index]).index for name, index in named_qubits(back)]
    ordered = QuantumCircuit(4, global_phase=back.global_phase)
    ordered.compose(back, places, inplace=True)
    assert Operator(ordered).equiv(Operator(circuit))


def named_qubits(circuit):
    locations = [circuit.find_bit(qubit).registers[0] for qubit in circuit.qubits]
    return [(register.name, index) for register, index in locations]


@pytest.mark.filterwarnings("ignore")
def test_braket_takes_the_unitary_circuit():
    provider = pytest.importorskip("qiskit_braket_provider")
    circuit = build_trotter_circuit(CHAIN, num_steps=2, time_step=0.2)
    unitary = provider.to_braket(circuit).to_unitary()
    reversed_bits = np.arange(16).reshape(2, 2, 2, 2).transpose(3, 2, 1, 0).ravel()
    expected = Operator(circuit).data[np.ix_(reversed_bits, reversed_bits)]
    overlap = abs(np.trace(unitary.conj().T @ expected)) / 16
    assert overlap == pytest.approx(1, abs=1e-9)
