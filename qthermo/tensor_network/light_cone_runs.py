"""What `LightConeContraction` runs: quimb circuits and cotengra contractions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.errors import MemoryRefusedError
from qthermo.operators import PauliString, build_schedule, group_commuting, repeat_schedule
from qthermo.problems import Evolution, evolution_answer
from qthermo.progress import Progress
from qthermo.tensor_network.journal import Journal
from qthermo.tensor_network.pauli_transfer import LETTERS, PAULI_MATRICES
from qthermo.tensor_network.trotter_steps import count_steps

if TYPE_CHECKING:
    from quimb.tensor import Circuit

    from qthermo.tensor_network.light_cone_contraction import LightConeContraction

__all__ = ["run_evolution"]

# quimb splits gates by their rank and looks for diagonals, columns and splits in the network. For few gates it will do
# to absorb low ranks, and numba need not compile the rest, which takes 8 s once on a new machine.
_FULL, _RANKS, _FEW = "ADCRS", "R", 100
_STAGES = {1: 1, 2: 2, 4: 10}
_PREPARE = {"0": np.eye(2), "1": PAULI_MATRICES[1].real}
_PREPARE["+"] = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
_PREPARE["-"] = _PREPARE["+"] @ _PREPARE["1"]


def run_evolution(problem: Evolution, method: LightConeContraction, progress: Progress) -> Answer:
    """Answer `Evolution`, term by term."""
    journal = Journal.open(problem, method)
    strings = [(name, string) for name, operator in problem.observables.items() for string in operator]
    terms = [(k, name, string) for k in range(problem.times.size) for name, string in strings]
    values = np.zeros((problem.times.size, len(problem.observables)))
    columns = {name: column for column, name in enumerate(problem.observables)}
    circuit, built, widest = None, -1, 0.0
    for number, (k, name, string) in enumerate(terms):
        progress(number / len(terms), f"time {problem.times[k]:g}, `{string}`")
        entry = f"{k}/{string}"
        if journal.find(entry) is None:
            if built != k:
                circuit, built = _build_circuit(problem, float(problem.times[k]), method), k
            journal.enter(entry, _expectation(circuit, string, method))
        value, width = journal.find(entry)
        values[k, columns[name]] += problem.observables[name][string].real * value
        widest = max(widest, width)
    return evolution_answer(problem, values, diagnostics={"contraction_width": widest})


def _build_circuit(problem: Evolution, time: float, method: LightConeContraction) -> Circuit:
    from quimb.tensor import Circuit

    steps = count_steps(time, method.time_step)
    gates = problem.model.num_sites + _STAGES[method.trotter_order] * steps * len(problem.model.hamiltonian)
    circuit = Circuit(problem.model.num_sites, gate_contract=False if gates <= _FEW else "auto-split-gate")
    for site, letter in enumerate(problem.initial_state):
        circuit.apply_gate_raw(_PREPARE[letter].astype(np.complex128), (site,))
    groups = group_commuting(problem.model.hamiltonian)
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


def _expectation(circuit: Any, string: PauliString, method: LightConeContraction) -> tuple[float, float]:
    """Return <P> and the width of its contraction, which is checked before anything is contracted."""
    if not string.sites:
        return 1.0, 0.0
    matrix = _matrix(string)
    options = {"optimize": method.optimizer, "simplify_sequence": _FULL if circuit.num_gates > _FEW else _RANKS}
    planned = circuit.local_expectation_rehearse(matrix, string.sites, **options)
    width = float(planned["W"])
    if width > method.max_width:
        raise MemoryRefusedError(
            f"The light cone of `{string}` must contract within width {method.max_width}, but needs {width:.0f}: "
            "take fewer or longer steps, shorter times, or raise max_width."
        )
    value = circuit.local_expectation(matrix, string.sites, **options)
    return float(np.real(value)), width
