"""Running on Aer: expectation values and shots, with failures raised."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit

from qthermo.errors import ExecutionError

__all__ = ["AER_OPTIONS", "check_result", "run_sampler", "run_snapshots"]

# Aer 0.18: qubit truncation gives wrong saved expectation values when qubits far from the saved one drop out, and shot
# branching wrong ones after a reset. Both stay off.
AER_OPTIONS = {"enable_truncation": False, "shot_branching_enable": False}


def run_snapshots(circuit: QuantumCircuit, *, seed: int, method: str = "statevector") -> NDArray[np.float64]:
    """Run a circuit of `build_snapshot_circuit` and return its saved values in order.

    Raises:
        ExecutionError: Aer did not finish.
    """
    from qiskit_aer import AerSimulator

    simulator = AerSimulator(method=method, **AER_OPTIONS)
    result = simulator.run(circuit, shots=1, seed_simulator=seed).result()
    check_result(result, circuit)
    data = result.data(0)
    return np.array([float(np.real(data[str(k)])) for k in range(len(data))])


def check_result(result: Any, circuit: QuantumCircuit) -> None:
    """Raise unless Aer says that everything ran.

    Raises:
        ExecutionError: with Aer's own words.
    """
    if result.success and all(experiment.success for experiment in result.results):
        return
    words = "; ".join(str(experiment.status) for experiment in result.results) or str(result.status)
    raise ExecutionError(
        f"The simulator must finish `{circuit.name}` of {circuit.num_qubits} qubits, but reported: {words}."
    )


def run_sampler(circuit: QuantumCircuit, *, num_shots: int, seed: int, sampler: Any = None) -> Any:
    """Run one circuit through a V2 sampler (Aer's if none is given) and return the DataBin of its registers.

    Raises:
        ExecutionError: the sampler failed.
    """
    if sampler is None:
        from qiskit_aer.primitives import SamplerV2

        sampler = SamplerV2(seed=seed, options={"backend_options": {"method": "statevector", **AER_OPTIONS}})
    try:
        result = sampler.run([(circuit, None, num_shots)]).result()
        return result[0].data
    except Exception as problem:
        reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise ExecutionError(
            f"The sampler must finish `{circuit.name}` of {circuit.num_qubits} qubits, but reported: {reason}."
        ) from problem


def run_state(circuit: QuantumCircuit) -> NDArray[np.complex128]:
    """Return the state vector of a circuit without measurements, in qiskit's index order.

    Raises:
        ExecutionError: Aer did not finish.
    """
    from qiskit_aer import AerSimulator

    saved = circuit.copy()
    saved.save_statevector()
    result = AerSimulator(method="statevector", **AER_OPTIONS).run(saved, shots=1).result()
    check_result(result, circuit)
    state: NDArray[np.complex128] = np.asarray(result.data(0)["statevector"])
    return state


def run_z(circuit: QuantumCircuit, qubit: int, *, max_bond_dim: int = 128) -> float:
    """Return <Z> on one qubit of a circuit without measurements, by matrix product states.

    Raises:
        ExecutionError: Aer did not finish.
    """
    from qiskit.quantum_info import SparsePauliOp
    from qiskit_aer import AerSimulator

    saved = circuit.copy()
    saved.save_expectation_value(SparsePauliOp("Z"), [qubit], label="0")
    simulator = AerSimulator(
        method="matrix_product_state", matrix_product_state_max_bond_dimension=max_bond_dim, **AER_OPTIONS
    )
    result = simulator.run(saved, shots=1).result()
    check_result(result, circuit)
    return float(result.data(0)["0"])
