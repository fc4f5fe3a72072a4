"""Tensor networks: states, operators and MPOs are quimb objects at the door, raw arrays inside.

`build_mpo` makes an MPO from any Pauli sum, also with blocks of spins and dense matrices as single sites.
"""

from qthermo.tensor_network.mpo import CompressedMPO, build_mpo

__all__ = ["CompressedMPO", "build_mpo"]
