import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector
from reference_models import kron_matrix

import qthermo as qt
from qthermo.circuits import from_qubit_order, to_qubit_order, to_sparse_pauli_op


def test_an_asymmetric_state_keeps_its_sites():
    """X on qubit 0, a rotation on qubit 1 and nothing on qubit 2, against kron with site 0 leftmost."""
    circuit = QuantumCircuit(3)
    circuit.x(0)
    circuit.ry(2 * 0.3, 1)
    expected = np.kron(np.kron([0, 1], [np.cos(0.3), np.sin(0.3)]), [1, 0])
    found = from_qubit_order(Statevector(circuit).data)
    assert np.abs(found - expected).max() < 1e-15
    assert np.array_equal(to_qubit_order(found), Statevector(circuit).data)


def test_an_asymmetric_operator_keeps_its_sites():
    pauli_sum = qt.PauliSum.from_text("0.3 X0 Z1 - 1.2 Y2 + 0.7 Z0 + 0.4 X1 Y3 + 2")
    expected = kron_matrix(pauli_sum, 4)
    found = from_qubit_order(to_sparse_pauli_op(pauli_sum, 4).to_matrix())
    assert np.abs(found - expected).max() < 1e-15
    assert to_sparse_pauli_op(qt.PauliSum(), 2).num_qubits == 2


@pytest.mark.parametrize("shape", [(3,), (4, 2), (2, 2, 2)])
def test_arrays_that_hold_no_qubits_are_refused(shape):
    with pytest.raises(qt.InputError, match="shape"):
        to_qubit_order(np.zeros(shape))
