"""What `LightConeContraction` runs: quimb circuits and cotengra contractions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.errors import MemoryRefusedError
from qthermo.operators import PauliString, PauliSum, build_schedule, group_commuting, repeat_schedule
from qthermo.problems import Evolution, evolution_answer
from qthermo.progress import Progress
from qthermo.tensor_network.pauli_transfer import LETTERS, PAULI_MATRICES
from qthermo.tensor_network.trotter_steps import count_steps

if TYPE_CHECKING:
    from quimb.tensor import Circuit

    from qthermo.tensor_network.light_cone_contraction import LightConeContraction

__all__ = ["run_evolution"]

_PREPARE = {"0": np.eye(2), "1": PAULI_MATRICES[1].real}
_PREPARE["+"] = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
_PREPARE["-"] = _PREPARE["+"] @ _PREPARE["1"]


def run_evolution(problem: Evolution, method: LightConeContraction, progress: Progress) -> Answer:
    """Answer `Evolution`."""
    values = np.empty((problem.times.size, len(problem.observables)))
    widest = 0.0
    for k, time in enumerate(problem.times):
        circuit = _build_circuit(problem, float(time), method)
        for column, operator in enumerate(problem.observables.values()):
            progress(k / problem.times.size, f"time {time:g}")
            values[k, column], width = _expectation(circuit, operator, method)
            widest = max(widest, width)
    return evolution_answer(problem, values, diagnostics={"contraction_width": widest})


def _build_circuit(problem: Evolution, time: float, method: LightConeContraction) -> Circuit:
    from quimb.tensor import Circuit

    circuit = Circuit(problem.model.num_sites)
    for site, letter in enumerate(problem.initial_state):
        circuit.apply_gate_raw(_PREPARE[letter].astype(np.complex128), (site,))
    groups = group_commuting(problem.model.hamiltonian)
    steps = count_steps(time, method.time_step)
    if not groups or not steps:
        return circuit
    for stage in repeat_schedule(build_schedule(method.trotter_order, len(groups)), steps):
        for string, coefficient in groups[stage.group].items():
            angle = coefficient.real * stage.weight * time / steps
            circuit.apply_gate_raw(_rotation(string, angle), string.sites)
    return circuit


def _rotation(string: PauliString, angle: float) -> NDArray[np.complex128]:
    """Return exp(-i angle P) on the sites of P."""
    matrix = _matrix(string)
    rotation: NDArray[np.complex128] = np.cos(angle) * np.eye(len(matrix)) - 1j * np.sin(angle) * matrix
    return rotation


def _matrix(string: PauliString) -> NDArray[np.complex128]:
    matrix: NDArray[np.complex128] = np.eye(1, dtype=np.complex128)
    for letter in string.letters.values():
        matrix = np.kron(matrix, PAULI_MATRICES[LETTERS.index(letter)])
    return matrix


def _expectation(circuit: Any, operator: PauliSum, method: LightConeContraction) -> tuple[float, float]:
    """Return <O> term by term, and the largest width; every width is checked before its contraction."""
    total, widest = 0.0, 0.0
    for string, coefficient in operator.items():
        if not string.sites:
            total += coefficient.real
            continue
        matrix = _matrix(string)
        planned = circuit.local_expectation_rehearse(matrix, string.sites, optimize=method.optimizer)
        width = float(planned["W"])
        if width > method.max_width:
            raise MemoryRefusedError(
                f"The light cone of `{string}` must contract within width {method.max_width}, but needs {width:.0f}: "
                "take fewer or longer steps, shorter times, or raise max_width."
            )
        value = circuit.local_expectation(matrix, string.sites, optimize=method.optimizer)
        total += coefficient.real * float(np.real(value))
        widest = max(widest, width)
    return total, widest
