"""Circuits of the collision scheme: Trotter steps, kicks with an ancilla, resets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from qiskit import QuantumCircuit, QuantumRegister

from qthermo.circuits.builder import build_trotter_circuit, named_registers
from qthermo.errors import InputError
from qthermo.kms.collisions import Collisions, CollisionScheme
from qthermo.models import SpinModel
from qthermo.operators import PauliSum

__all__ = ["CollisionWriter", "build_collision_circuit", "count_collision_gates"]


class CollisionWriter:
    """Appends collisions to a circuit of `num_sites` system qubits and one ancilla, the last qubit.

    Args:
        circuit: the circuit under construction.
        model: site k is qubit k.
        scheme: window, rate and strength.
        couplings: Pauli letters on single sites.
        trotter_order: of the steps between kicks, 1, 2 or 4.

    Raises:
        InputError: a coupling is no single Pauli letter.
    """

    def __init__(
        self,
        circuit: QuantumCircuit,
        model: SpinModel,
        scheme: CollisionScheme,
        couplings: Sequence[PauliSum],
        trotter_order: int,
    ) -> None:
        self._circuit = circuit
        self._ancilla = model.num_sites
        self._scheme = scheme
        self._letters = [_single_letter(coupling) for coupling in couplings]
        self._step = build_trotter_circuit(
            model, num_steps=1, trotter_order=trotter_order, time_step=scheme.spacing, layout="line"
        )
        self._sites = list(range(model.num_sites))

    def collide(self, coupling: int, frequency: float) -> None:
        """Append one collision and the reset.

        The frame e^{-i omega t Z / 2} turns the ancilla between kicks by the same angle each time; turns before the
        first kick and after the last act on |0> and before the reset, and are left out.
        """
        site, letter = self._letters[coupling]
        last = self._scheme.num_kicks - 1
        for place, angle in enumerate(self._scheme.kick_angles):
            self._circuit.compose(self._step, self._sites, inplace=True, copy=False)
            self._kick(site, letter, 2 * float(angle))
            if place < last:
                self._circuit.rz(-frequency * self._scheme.spacing, self._ancilla)
        self._circuit.reset(self._ancilla)

    def _kick(self, site: int, letter: str, angle: float) -> None:
        """Append exp(-i (angle/2) A (x) X)."""
        if letter == "Z":
            self._circuit.rzx(angle, site, self._ancilla)
            return
        if letter == "Y":
            self._circuit.sdg(site)
        self._circuit.rxx(angle, site, self._ancilla)
        if letter == "Y":
            self._circuit.s(site)


def _single_letter(coupling: PauliSum) -> tuple[int, str]:
    strings = list(coupling)
    if len(strings) != 1 or len(strings[0].sites) != 1 or coupling[strings[0]] != 1:
        raise InputError(f"A coupling of collisions must be one Pauli letter with weight 1, but is {coupling}.")
    return next(iter(strings[0].letters.items()))


def build_collision_circuit(
    model: SpinModel,
    scheme: CollisionScheme,
    collisions: Collisions,
    couplings: Sequence[PauliSum],
    *,
    initial_bits: str | None = None,
    trotter_order: int = 2,
) -> QuantumCircuit:
    """Return the circuit of a sequence of collisions, to be run as it is on devices with mid-circuit reset.

    Args:
        model: a spin model; site k is qubit k, the ancilla the last qubit, in a register of its own.
        scheme: window, rate and strength.
        collisions: which coupling and frequency each collision takes, see `CollisionScheme.sample`.
        couplings: Pauli letters on single sites, for example `qthermo.kms.site_couplings("XYZ", num_sites)`.
        initial_bits: the initial state, site 0 first; all 0 by default.
        trotter_order: 1, 2 or 4.

    Raises:
        InputError: the model is no spin model, or a coupling no Pauli letter.

    Cost: one Python call per gate.
    """
    circuit = QuantumCircuit(*named_registers(model.num_sites), QuantumRegister(1, "ancilla"), name="collisions")
    for site, bit in enumerate(initial_bits or ""):
        if bit == "1":
            circuit.x(site)
    writer = CollisionWriter(circuit, model, scheme, couplings, trotter_order)
    for coupling, frequency in _pairs(collisions):
        writer.collide(coupling, frequency)
    return circuit


def _pairs(collisions: Collisions) -> Iterable[tuple[int, float]]:
    for coupling, frequency in zip(collisions.couplings, collisions.frequencies, strict=True):
        yield int(coupling), float(frequency)


def count_collision_gates(model: SpinModel, scheme: CollisionScheme, *, trotter_order: int = 2) -> dict[str, Any]:
    """Return what one collision costs: kicks, two-qubit gates, time; counted on the circuit itself."""
    one = Collisions(couplings=np.zeros(1, np.int64), frequencies=np.zeros(1))
    circuit = build_collision_circuit(model, scheme, one, (PauliSum.pauli("X", 0),), trotter_order=trotter_order)
    pairs = circuit.num_nonlocal_gates()
    return {
        "kicks": scheme.num_kicks,
        "two_qubit_gates": pairs,
        "two_qubit_depth": circuit.depth(lambda item: len(item.qubits) == 2),
        "evolution_time": scheme.num_kicks * scheme.spacing,
    }
