"""Running on Aer: expectation values and shots, with failures raised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit

from qthermo.errors import ExecutionError, first_line

__all__ = [
    "AER_OPTIONS",
    "check_result",
    "run_estimator",
    "run_probabilities",
    "run_sampler",
    "run_snapshots",
    "run_state",
    "run_z",
]

# Aer 0.18: qubit truncation gives wrong saved expectation values when qubits far from the saved one drop out, and shot
# branching wrong ones after a reset. Both stay off.
AER_OPTIONS = {"enable_truncation": False, "shot_branching_enable": False}


def run_snapshots(circuit: QuantumCircuit, *, max_bond_dim: int | None = None) -> NDArray[np.float64]:
    """Run a circuit of `build_snapshot_circuit` and return its saved values in order.

    By state vector, or with `max_bond_dim` by matrix product states of at most that bond dimension.

    Raises:
        ExecutionError: Aer did not finish.
    """
    from qiskit_aer import AerSimulator

    simulator = AerSimulator(method="statevector", **AER_OPTIONS)
    if max_bond_dim is not None:
        simulator = AerSimulator(
            method="matrix_product_state",
            matrix_product_state_max_bond_dimension=max_bond_dim,
            matrix_product_state_truncation_threshold=1e-12,
            **AER_OPTIONS,
        )
    result = simulator.run(circuit, shots=1).result()
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


def run_sampler(
    circuit: QuantumCircuit,
    *,
    num_shots: int,
    seed: int,
    sampler: Any = None,
    parameter_values: NDArray[np.float64] | None = None,
) -> Any:
    """Run one PUB and return the DataBin of its registers.

    Args:
        circuit: the circuit.
        num_shots: shots per set of parameter values.
        seed: seed of Aer; a sampler handed in keeps its own.
        sampler: a V2 sampler, an AerSimulator to make one of, or None for ideal state vectors.
        parameter_values: one row per set, or None.

    Raises:
        ExecutionError: the sampler failed.
    """
    from qiskit_aer import AerSimulator

    if sampler is None:
        sampler = AerSimulator(method="statevector", **AER_OPTIONS)
    if isinstance(sampler, AerSimulator):
        from qiskit_aer.primitives import SamplerV2

        sampler = SamplerV2.from_backend(sampler, seed=seed)
    try:
        return sampler.run([(circuit, parameter_values, num_shots)]).result()[0].data
    except Exception as problem:
        raise _failure("sampler", circuit, problem) from problem


def run_estimator(
    circuit: QuantumCircuit,
    observable: Any,
    parameter_values: NDArray[np.float64],
    estimator: Any,
    precision: float,
) -> NDArray[np.float64]:
    """Run one PUB of a V2 estimator and return the expectation value for each row of parameter values.

    Raises:
        ExecutionError: the estimator failed.
    """
    try:
        data = estimator.run([(circuit, observable, parameter_values, precision)]).result()[0].data
    except Exception as problem:
        raise _failure("estimator", circuit, problem) from problem
    return np.asarray(data.evs, dtype=float)


def _failure(what: str, circuit: QuantumCircuit, problem: Exception) -> ExecutionError:
    return ExecutionError(
        f"The {what} must finish `{circuit.name}` of {circuit.num_qubits} qubits, but reported: {first_line(problem)}"
    )


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


def run_probabilities(circuit: QuantumCircuit, qubits: Sequence[int]) -> NDArray[np.float64]:
    """Return the joint distribution of Z on `qubits`, resets included, by density matrix; qubits[0] leftmost.

    Raises:
        ExecutionError: Aer did not finish.
    """
    import qiskit_aer.library  # noqa: F401  (gives circuits their save_ methods)
    from qiskit_aer import AerSimulator

    saved = circuit.copy()
    saved.save_probabilities(list(qubits)[::-1])
    result = AerSimulator(method="density_matrix", **AER_OPTIONS).run(saved, shots=1).result()
    check_result(result, circuit)
    values: NDArray[np.float64] = np.asarray(result.data(0)["probabilities"], dtype=np.float64)
    return values


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
