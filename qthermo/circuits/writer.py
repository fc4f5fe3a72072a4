"""Writing Trotter steps into a circuit: stages, tiles, layers, networks, and where each site is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from qiskit import QuantumCircuit

from qthermo.circuits.layers import QubitwiseGroup, build_layers, order_groups, split_qubitwise
from qthermo.circuits.networks import parity_network, swap_network
from qthermo.models import SpinModel
from qthermo.operators import PauliString, PauliSum, Stage, build_schedule, repeat_schedule

__all__ = ["Evolution", "TrotterWriter"]

_TILED_STEPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Evolution:
    """What a Trotter circuit evolves and how.

    Args:
        model: the model.
        trotter_order: 1, 2 or 4.
        layout: one of `LAYOUTS`.
        fold: an odd number; the steps W become W (W^dagger W)^((fold - 1) / 2), the same operator with `fold` times the
            gates and their noise.
    """

    model: SpinModel
    trotter_order: int = 2
    layout: str = "line"
    fold: int = 1


class TrotterWriter:
    """Writes Trotter steps into a circuit whose first qubits are the sites; keeps track of where each site is.

    Args:
        circuit: the circuit under construction.
        evolution: what to evolve; gates are given by site and land on the wire `wires[site]`.
        scale: the time step, a number or a Parameter.
    """

    def __init__(self, circuit: QuantumCircuit, evolution: Evolution, scale: Any) -> None:
        self.circuit = circuit
        self.wires = list(range(evolution.model.num_sites))
        self._scale = scale
        self._fold = evolution.fold
        self._angles: dict[float, Any] = {}
        groups = order_groups(evolution.model.hamiltonian)
        self._schedule = build_schedule(evolution.trotter_order, len(groups)) if groups else ()
        self._plans = [_plan_group(group, evolution.layout, evolution.model.num_sites) for group in groups]

    def evolve(self, num_steps: int) -> None:
        """Append `num_steps` steps W, or with folding W (W^dagger W)^((fold - 1) / 2), barriers in between."""
        adjoint = tuple(Stage(stage.group, -stage.weight) for stage in reversed(self._schedule))
        for turn in range(self._fold):
            self._append_steps(self._schedule if turn % 2 == 0 else adjoint, num_steps)
            if self._fold > 1:
                self.circuit.barrier()

    def _append_steps(self, schedule: tuple[Stage, ...], num_steps: int) -> None:
        """Append steps, equal neighbouring stages merged; what repeats is written once and copied."""
        if num_steps < _TILED_STEPS or len(schedule) == 1:
            self._emit(repeat_schedule(schedule, num_steps))
            return
        head = 1 if len(schedule) > 1 and schedule[0].group == schedule[-1].group else 0
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
