import math

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm3
from qiskit.quantum_info import Operator

import qthermo as qt
from qthermo.circuits import build_trotter_circuit, save_qasm

MODEL = qt.models.sample_imbrie_chain(num_bath_sites=3, disorder=1.0, seed=1)


def test_file_holds_the_circuit(tmp_path):
    circuit = build_trotter_circuit(MODEL, num_steps=2, time_step=0.1)
    path = save_qasm(circuit, tmp_path / "circuit.qasm")
    read = qasm3.loads(path.read_text())
    assert [register.name for register in read.qregs] == ["thermometer", "bath"]
    assert np.abs(Operator(read).data - Operator(circuit).data).max() < 1e-12
    assert [file.name for file in tmp_path.iterdir()] == ["circuit.qasm"]


def test_free_parameter_is_refused(tmp_path):
    with pytest.raises(qt.InputError, match="time_step"):
        save_qasm(build_trotter_circuit(MODEL, num_steps=1), tmp_path / "circuit.qasm")
    assert not list(tmp_path.iterdir())


def test_angle_that_is_no_number_is_refused(tmp_path):
    circuit = QuantumCircuit(1)
    circuit.rz(math.nan, 0)
    with pytest.raises(qt.InputError, match="finite"):
        save_qasm(circuit, tmp_path / "circuit.qasm")


def test_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(qt.FileError, match="nowhere"):
        save_qasm(build_trotter_circuit(MODEL, num_steps=1, time_step=0.1), tmp_path / "nowhere" / "circuit.qasm")
