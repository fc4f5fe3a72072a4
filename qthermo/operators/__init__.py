"""Pauli sums, their matrices, symmetries and product formulas."""

from qthermo.operators.pauli_decomposition import decompose_matrix
from qthermo.operators.pauli_sum import PauliString, PauliSum
from qthermo.operators.product_formulas import Stage, build_schedule, group_bonds, group_commuting, repeat_schedule
from qthermo.operators.symmetries import find_symmetries, sector_isometries

__all__ = [
    "PauliString",
    "PauliSum",
    "Stage",
    "build_schedule",
    "decompose_matrix",
    "find_symmetries",
    "group_bonds",
    "group_commuting",
    "repeat_schedule",
    "sector_isometries",
]
