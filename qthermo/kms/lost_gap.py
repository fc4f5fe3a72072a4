"""Whether Gaussian filters have lost the gap of a chain, judged by its first sites."""

from __future__ import annotations

import warnings

import numpy as np

from qthermo.errors import ValidityWarning
from qthermo.kms.energy_basis import diagonalise, site_couplings, stack_couplings
from qthermo.kms.generators import filtered_generator
from qthermo.kms.patches import restrict
from qthermo.operators import PauliSum

__all__ = ["WARM", "segment_gap", "warn_of_lost_gap"]

WARM = 0.5
_LOST, _SITES = 1e-2, 4


def segment_gap(hamiltonian: PauliSum, num_sites: int, *, beta: float, letters: str, filter_name: str) -> float:
    """Return the gap of the exactly balanced generator of the terms inside the first sites, at most four.

    Cost: one symmetric eigenproblem of 256 x 256.
    """
    size = min(num_sites, _SITES)
    basis = diagonalise(restrict(hamiltonian, range(size)), size, beta)
    couplings = stack_couplings(basis, site_couplings(letters, size))
    generator = filtered_generator(basis, couplings, filter_name=filter_name)
    return float(-np.linalg.eigvalsh(generator.discriminant().to_matrix())[-2])


def warn_of_lost_gap(hamiltonian: PauliSum, num_sites: int, *, beta: float, letters: str, filter_name: str) -> None:
    """Warn where a Gaussian filter has less than a hundredth of its gap at beta = 1/2, on the chain's first sites."""
    if filter_name != "gaussian" or beta <= 2 * WARM:
        return
    gap, warm = (
        segment_gap(hamiltonian, num_sites, beta=b, letters=letters, filter_name=filter_name) for b in (beta, WARM)
    )
    if warm > 1e-12 and gap < _LOST * warm:
        warnings.warn(
            f"Gaussian weights miss the transitions that matter: at beta = {beta:g} the gap of the first "
            f"{min(num_sites, _SITES)} sites is {gap:.2g}, {gap / warm:.1g} of its value at beta = {WARM:g}, so that "
            'the state hardly moves and errors are amplified; take filter="smooth_metropolis".',
            ValidityWarning,
            stacklevel=4,
        )
