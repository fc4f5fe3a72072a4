"""Networks of neighbouring gates on a line in which every pair of sites meets once.

Each reverses the order of the sites. They are given as plain instructions on wires, which the builder emits.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from qiskit.synthesis.permutation import synth_permutation_reverse_lnn_kms

__all__ = ["ParityStep", "parity_network", "swap_network"]

ParityStep = tuple[str, int, int]


def swap_network(num_wires: int) -> Iterator[tuple[int, int]]:
    """Yield neighbouring wires (w, w+1) in odd-even order; each occurrence is an interaction followed by a swap.

    After num_wires layers every pair has met once and the order is reversed.
    """
    for layer in range(num_wires):
        for wire in range(layer % 2, num_wires - 1, 2):
            yield wire, wire + 1


@lru_cache(maxsize=64)
def parity_network(num_wires: int) -> tuple[ParityStep, ...]:
    """Return steps ("cx", control, target) and ("pair", wire, mask) that reverse the order of the sites.

    At ("pair", wire, mask) the wire holds the parity x_i + x_j of the two sites in the bit mask; every pair occurs
    exactly once. CX between neighbours only: (num_wires^2 + O(num_wires)) of them at depth about 3 num_wires.

    Reference: S. Kutin, D. P. Moulton, L. Smithline, arXiv:quant-ph/0701194.
    """
    ladder = [(k + 1, k) for k in range(num_wires - 1)]
    reversal = synth_permutation_reverse_lnn_kms(num_wires)
    middle = [
        (reversal.find_bit(item.qubits[0]).index, reversal.find_bit(item.qubits[1]).index) for item in reversal.data
    ]
    undo = [(k, k + 1) for k in range(num_wires - 1)]
    wires = [1 << k for k in range(num_wires)]
    met: set[int] = set()
    steps: list[ParityStep] = []
    for control, target in _cancel_pairs([*ladder, *middle, *undo]):
        wires[target] ^= wires[control]
        steps.append(("cx", control, target))
        if wires[target].bit_count() == 2 and wires[target] not in met:
            met.add(wires[target])
            steps.append(("pair", target, wires[target]))
    return tuple(steps)


def _cancel_pairs(gates: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Drop equal CX that follow each other with nothing on their wires in between."""
    kept: list[tuple[int, int] | None] = []
    last: dict[int, int] = {}
    for control, target in gates:
        previous = last.get(control)
        if previous is not None and previous == last.get(target) and kept[previous] == (control, target):
            kept[previous] = None
            del last[control], last[target]
            continue
        last[control] = last[target] = len(kept)
        kept.append((control, target))
    return [gate for gate in kept if gate is not None]
