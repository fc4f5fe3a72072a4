"""Trotter circuits of any spin Hamiltonian, emitted gate by gate in coloured layers."""

from __future__ import annotations

from typing import Any

from qiskit import QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter

from qthermo.checks import check_choice, check_integer, check_real
from qthermo.circuits.layouts import LAYOUTS
from qthermo.circuits.writer import Evolution, TrotterWriter
from qthermo.errors import InputError
from qthermo.models import SpinModel
from qthermo.operators import PauliSum

__all__ = [
    "TIME_STEP",
    "build_trotter_circuit",
    "check_evolution",
    "describe_evolution",
    "named_registers",
    "write_evolution",
]

TIME_STEP = "time_step"


def build_trotter_circuit(
    model: SpinModel,
    *,
    num_steps: int,
    trotter_order: int = 2,
    layout: str = "line",
    time_step: float | None = None,
    fold: int = 1,
) -> QuantumCircuit:
    """Return the circuit of `num_steps` Suzuki steps of exp(-i H time_step), up to the phase of the identity term.

    Terms are split into commuting groups, half steps of equal groups are merged, and each group is emitted in
    edge-coloured layers of rzz, rxx, ryy, rx, ry, rz (longer Pauli strings by CX ladders). A nearest-neighbour chain
    costs one rzz or rxx per bond at two-qubit depth 2 per step: 2(n-1) CZ at depth 4.

    Args:
        model: a spin model; site k is qubit k.
        num_steps: number of steps.
        trotter_order: 1, 2 or 4.
        layout: "line" emits every term where it stands (all of a chain's are neighbours); "round_robin" schedules the
            pairs of a fully connected device as a tournament, depth n-1 in rzz per step; "swap_network" and
            "parity_network" keep to neighbours on a line for any pairs, and reverse the sites each time.
        time_step: the step in units of 1/energy; by default the circuit keeps a Parameter of the name "time_step".
        fold: an odd number; the steps W become W (W^dagger W)^((fold - 1) / 2), for zero-noise extrapolation.

    Returns:
        A circuit with registers `thermometer` and `bath`. Its metadata hold model, order, layout, number of steps,
        and `final_permutation`: site k ends on qubit final_permutation[k].

    Raises:
        InputError: an argument is out of range, or the model is no spin model.

    Cost: one Python call per gate, about 2 microseconds each.

    Reference: M. Suzuki, Phys. Lett. A 146, 319 (1990); I. D. Kivlichan et al., Phys. Rev. Lett. 120, 110501 (2018).
    """
    evolution = check_evolution(model, trotter_order, layout, fold)
    steps = check_integer("num_steps", num_steps, minimum=0)
    return write_evolution(evolution, steps, None if time_step is None else check_real("time_step", time_step))


def write_evolution(evolution: Evolution, num_steps: int, time_step: float | None) -> QuantumCircuit:
    """Return `build_trotter_circuit` of checked arguments."""
    circuit = QuantumCircuit(*named_registers(evolution.model.num_sites), name="trotter")
    scale: Any = Parameter(TIME_STEP) if time_step is None else time_step
    writer = TrotterWriter(circuit, evolution, scale)
    writer.evolve(num_steps)
    circuit.metadata = describe_evolution(evolution, num_steps, writer.wires)
    return circuit


def check_evolution(model: SpinModel, trotter_order: int, layout: str, fold: int = 1) -> Evolution:
    """Return the checked arguments as one value.

    Raises:
        InputError: an argument is out of range, or the model is no spin model.
    """
    if not isinstance(model, SpinModel):
        raise InputError(f"Argument `model` must be a spin model, but is {model!r}.")
    check_choice("trotter_order", trotter_order, (1, 2, 4))
    check_choice("layout", layout, LAYOUTS)
    if check_integer("fold", fold, minimum=1) % 2 == 0:
        raise InputError(f"Argument `fold` must be odd, but is {fold}.")
    return Evolution(model=model, trotter_order=trotter_order, layout=layout, fold=fold)


def describe_evolution(evolution: Evolution, num_steps: int, wires: list[int]) -> dict[str, Any]:
    """Return a circuit's metadata."""
    return {
        "model": evolution.model.family,
        "num_sites": evolution.model.num_sites,
        "num_steps": num_steps,
        "trotter_order": evolution.trotter_order,
        "layout": evolution.layout,
        "fold": evolution.fold,
        "final_permutation": list(wires),
        "neighbours_only": _keeps_to_neighbours(evolution.model.hamiltonian, evolution.layout),
    }


def _keeps_to_neighbours(hamiltonian: PauliSum, layout: str) -> bool:
    """Return whether every gate acts on neighbours of the line of qubits."""
    if layout.endswith("network") and hamiltonian.locality <= 2:
        return True
    supports = [string.sites for string in hamiltonian if string.sites]
    return all(sites[-1] - sites[0] == len(sites) - 1 for sites in supports)


def named_registers(num_sites: int) -> list[QuantumRegister]:
    """Return the registers `thermometer` (one qubit) and, if there is one, `bath`."""
    registers = [QuantumRegister(1, "thermometer")]
    if num_sites > 1:
        registers.append(QuantumRegister(num_sites - 1, "bath"))
    return registers
