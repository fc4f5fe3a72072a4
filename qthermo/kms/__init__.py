"""Thermalising Lindbladians with KMS detailed balance: rates, filters, jumps, coherent term, circuits' schedules."""

from qthermo.kms.balance import gibbs_defect, kms_residual, trace_distance
from qthermo.kms.coarse_graining import CoarseGraining
from qthermo.kms.collision_channel import averaged_channel, collide, step_unitary
from qthermo.kms.collisions import Collisions, CollisionScheme, advise_scheme, check_aliasing, local_bohr_bound
from qthermo.kms.davies import davies_generator
from qthermo.kms.dilations import Dilation, dilate
from qthermo.kms.energy_basis import EnergyBasis, diagonalise, site_couplings, stack_couplings
from qthermo.kms.generators import Generator, add_hamiltonian, coarse_grained_generator, filtered_generator
from qthermo.kms.parent import ParentTerm, parent_map, parent_terms
from qthermo.kms.patches import PatchJump, patch_generator, patch_jumps

__all__ = [
    "CoarseGraining",
    "CollisionScheme",
    "Collisions",
    "Dilation",
    "EnergyBasis",
    "Generator",
    "ParentTerm",
    "PatchJump",
    "add_hamiltonian",
    "advise_scheme",
    "averaged_channel",
    "check_aliasing",
    "coarse_grained_generator",
    "collide",
    "davies_generator",
    "diagonalise",
    "dilate",
    "filtered_generator",
    "gibbs_defect",
    "kms_residual",
    "local_bohr_bound",
    "parent_map",
    "parent_terms",
    "patch_generator",
    "patch_jumps",
    "site_couplings",
    "stack_couplings",
    "step_unitary",
    "trace_distance",
]
