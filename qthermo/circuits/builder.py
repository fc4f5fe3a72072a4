"""Trotter circuits of any spin Hamiltonian, emitted gate by gate in coloured layers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from qiskit import QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter

from qthermo.checks import check_choice, check_integer, check_real
from qthermo.circuits.layers import QubitwiseGroup, build_layers, order_groups, split_qubitwise
from qthermo.circuits.networks import parity_network, swap_network
from qthermo.errors import InputError
from qthermo.models import SpinModel
from qthermo.operators import PauliString, PauliSum, Stage, build_schedule, repeat_schedule

__all__ = ["LAYOUTS", "TIME_STEP", "TrotterWriter", "build_trotter_circuit", "named_registers"]

LAYOUTS = ("line", "round_robin", "swap_network", "parity_network")
TIME_STEP = "time_step"
_TILED_STEPS = 4


def build_trotter_circuit(
    model: SpinModel,
    *,
    num_steps: int,
    trotter_order: int = 2,
    layout: str = "line",
    time_step: float | None = None,
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

    Returns:
        A circuit with registers `thermometer` and `bath`. Its metadata hold model, order, layout, number of steps,
        and `final_permutation`: site k ends on qubit final_permutation[k].

    Raises:
        InputError: an argument is out of range, or the model is no spin model.

    Cost: one Python call per gate, about 2 microseconds each.

    Reference: M. Suzuki, Phys. Lett. A 146, 319 (1990); I. D. Kivlichan et al., Phys. Rev. Lett. 120, 110501 (2018).
    """
    if not isinstance(model, SpinModel):
        raise InputError(f"Argument `model` must be a spin model, but is {model!r}.")
    steps = check_integer("num_steps", num_steps, minimum=0)
    check_choice("layout", layout, LAYOUTS)
    circuit = QuantumCircuit(*named_registers(model.num_sites), name="trotter")
    scale: Any = Parameter(TIME_STEP) if time_step is None else check_real("time_step", time_step)
    writer = TrotterWriter(circuit, model, scale=scale, trotter_order=trotter_order, layout=layout)
    writer.evolve(steps)
    circuit.metadata = {
        "model": model.family,
        "num_sites": model.num_sites,
        "num_steps": steps,
        "trotter_order": trotter_order,
        "layout": layout,
        "final_permutation": list(writer.wires),
        "neighbours_only": _keeps_to_neighbours(model.hamiltonian, layout),
    }
    return circuit


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


class TrotterWriter:
    """Writes Trotter steps into a circuit whose first qubits are the sites; keeps track of where each site is.

    Args:
        circuit: the circuit under construction.
        model: the model; gates are given by site and land on the wire `wires[site]`.
        scale: the time step, a number or a Parameter.
        trotter_order: 1, 2 or 4.
        layout: one of `LAYOUTS`.
    """

    def __init__(
        self, circuit: QuantumCircuit, model: SpinModel, *, scale: Any, trotter_order: int, layout: str
    ) -> None:
        self.circuit = circuit
        self.wires = list(range(model.num_sites))
        self._scale = scale
        self._angles: dict[float, Any] = {}
        groups = order_groups(model.hamiltonian)
        self._schedule = build_schedule(trotter_order, len(groups)) if groups else ()
        self._plans = [_plan_group(group, layout, model.num_sites) for group in groups]

    def evolve(self, num_steps: int) -> None:
        """Append `num_steps` steps, equal neighbouring stages merged; what repeats is written once and copied."""
        schedule = self._schedule
        merged = len(schedule) > 1 and schedule[0].group == schedule[-1].group
        if num_steps < _TILED_STEPS or len(schedule) == 1:
            self._emit(repeat_schedule(schedule, num_steps))
            return
        head = 1 if merged else 0
        two = repeat_schedule(schedule, 2)
        body = two[head : head + len(two) - len(schedule)]
        self._emit(two[:head])
        self._tile(body, num_steps - 1)
        self._emit(two[head + len(body) :])

    def _emit(self, stages: tuple[Stage, ...]) -> None:
        for stage in stages:
            for emit in self._plans[stage.group]:
                emit(self, stage.weight)

    def _tile(self, body: tuple[Stage, ...], count: int) -> None:
        """Append `body` `count` times; one that moves the sites is written as often as it takes to bring them back."""
        outer, before = self.circuit, list(self.wires)
        self.circuit = tile = QuantumCircuit(len(before))
        length = 0
        while length == 0 or (self.wires != before and length < count):
            self._emit(body)
            length += 1
        self.circuit = outer
        repeats, rest = divmod(count, length)
        for _ in range(repeats):
            outer.compose(tile, range(len(before)), inplace=True, copy=False)
        for _ in range(rest):
            self._emit(body)

    def angle(self, energy: float) -> Any:
        """Return 2 * energy * time_step, the angle of exp(-i energy time_step P)."""
        if energy not in self._angles:
            self._angles[energy] = 2 * energy * self._scale
        return self._angles[energy]

    def swap_wires(self, first: int, second: int) -> None:
        """Record that the sites on two wires changed places."""
        self.wires = [{first: second, second: first}.get(wire, wire) for wire in self.wires]


_Plan = Callable[[TrotterWriter, float], None]


def _plan_group(group: PauliSum, layout: str, num_sites: int) -> list[_Plan]:
    """Return what to emit for one commuting group."""
    if layout in ("line", "round_robin") or group.locality < 2:
        return [_plan_layers(group, round_robin=layout == "round_robin")]
    plans = []
    for part in split_qubitwise(group):
        short = PauliSum([(string, c) for string, c in part.terms.items() if len(string.sites) <= 2])
        long = part.terms - short
        if long:
            plans.append(_plan_layers(long))
        if short:
            plans.append(_plan_network(QubitwiseGroup(short, part.basis), layout, num_sites))
    return plans


def _plan_layers(group: PauliSum, *, round_robin: bool = False) -> _Plan:
    layers = build_layers(group, round_robin=round_robin)
    terms = [(string, group[string].real) for layer in layers for string in layer]

    def emit(writer: TrotterWriter, weight: float) -> None:
        for string, coefficient in terms:
            _emit_rotation(writer, string, weight * coefficient)

    return emit


def _emit_rotation(writer: TrotterWriter, string: PauliString, energy: float) -> None:
    """Append exp(-i energy time_step P)."""
    letters = string.letters
    wires = [writer.wires[site] for site in letters]
    kinds = set(letters.values())
    angle = writer.angle(energy)
    circuit = writer.circuit
    if len(wires) <= 2 and len(kinds) == 1:
        name = "r" + kinds.pop().lower() * len(wires)
        getattr(circuit, name)(angle, *wires)
        return
    basis = {writer.wires[site]: letter for site, letter in letters.items()}
    _diagonalise(circuit, basis)
    if len(wires) == 2:
        circuit.rzz(angle, *wires)
    else:
        ladder = list(pairwise(wires))
        for pair in ladder:
            circuit.cx(*pair)
        circuit.rz(angle, wires[-1])
        for pair in reversed(ladder):
            circuit.cx(*pair)
    _diagonalise(circuit, basis, undo=True)


def _diagonalise(circuit: QuantumCircuit, basis: dict[int, str], *, undo: bool = False) -> None:
    """Append the rotation that turns X or Y into Z on each wire, or its inverse."""
    for wire, letter in basis.items():
        if letter == "Y" and not undo:
            circuit.sdg(wire)
        if letter != "Z":
            circuit.h(wire)
        if letter == "Y" and undo:
            circuit.s(wire)


def _plan_network(part: QubitwiseGroup, layout: str, num_sites: int) -> _Plan:
    """Return the emission of one- and two-site terms by a network that reverses all wires."""
    energies = {string.x | string.z: coefficient.real for string, coefficient in part.terms.items()}
    run = _run_swap_network if layout == "swap_network" else _run_parity_network

    def emit(writer: TrotterWriter, weight: float) -> None:
        _diagonalise(writer.circuit, {writer.wires[site]: letter for site, letter in part.basis.items()})
        for site in range(num_sites):
            if 1 << site in energies:
                writer.circuit.rz(writer.angle(weight * energies[1 << site]), writer.wires[site])
        run(writer, {mask: weight * energy for mask, energy in energies.items()}, num_sites)
        _diagonalise(writer.circuit, {writer.wires[site]: letter for site, letter in part.basis.items()}, undo=True)

    return emit


def _run_swap_network(writer: TrotterWriter, energies: dict[int, float], num_sites: int) -> None:
    """Let neighbours interact and change places: rzz followed by swap is three CX."""
    circuit = writer.circuit
    sites = [writer.wires.index(wire) for wire in range(num_sites)]
    for first, second in swap_network(num_sites):
        energy = energies.get(1 << sites[first] | 1 << sites[second])
        circuit.cx(first, second)
        if energy is not None:
            circuit.rz(writer.angle(energy), second)
        circuit.cx(second, first)
        circuit.cx(first, second)
        sites[first], sites[second] = sites[second], sites[first]
        writer.swap_wires(first, second)


def _run_parity_network(writer: TrotterWriter, energies: dict[int, float], num_sites: int) -> None:
    """Run the CX network; where a wire holds the parity of two sites, rotate by their coupling."""
    circuit = writer.circuit
    sites = [writer.wires.index(wire) for wire in range(num_sites)]
    for name, first, second in parity_network(num_sites):
        if name == "cx":
            circuit.cx(first, second)
            continue
        pair = sum(1 << sites[wire] for wire in PauliString(second).sites)
        if pair in energies:
            circuit.rz(writer.angle(energies[pair]), first)
    writer.wires = [num_sites - 1 - wire for wire in writer.wires]
