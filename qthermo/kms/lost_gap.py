"""Whether Gaussian weights have lost the gap of a chain, judged by its first sites."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import ValidityWarning
from qthermo.kms.coarse_graining import CoarseGraining
from qthermo.kms.coherent import effective_decay
from qthermo.kms.energy_basis import EnergyBasis, diagonalise, site_couplings, stack_couplings
from qthermo.kms.generators import filtered_generator
from qthermo.kms.patches import restrict
from qthermo.operators import PauliSum

__all__ = ["WARM", "segment_gap", "warn_of_lost_gap", "warn_of_lost_window", "window_gap"]

WARM = 0.5
_LOST, _SITES = 1e-2, 4


def segment_gap(hamiltonian: PauliSum, num_sites: int, *, beta: float, letters: str, filter_name: str) -> float:
    """Return the gap of the exactly balanced generator of the terms inside the first sites, at most four.

    Cost: one symmetric eigenproblem of 256 x 256.
    """
    basis, couplings = _first_sites(hamiltonian, num_sites, beta, letters)
    generator = filtered_generator(basis, couplings, filter_name=filter_name)
    return float(-np.linalg.eigvalsh(generator.discriminant().to_matrix())[-2])


def window_gap(hamiltonian: PauliSum, num_sites: int, *, beta: float, letters: str, grain: CoarseGraining) -> float:
    """Return the gap of the coarse-grained generator of the terms inside the first sites, at most four.

    The window must be shifted. The generator is summed from its kernel alpha(nu1, nu2), so that narrow windows cost
    no more than wide ones: one symmetric eigenproblem of 256 x 256.
    """
    basis, couplings = _first_sites(hamiltonian, num_sites, beta, letters)
    nu, one = basis.bohr_frequencies, np.eye(basis.dimension)
    jumps = np.einsum("iak,jal->ijkl", couplings, couplings.conj())
    jumps *= grain.kernel(nu[:, None, :, None], nu[None, :, None, :], beta)
    K = effective_decay(np.einsum("iikl->lk", jumps), basis)
    loss = np.einsum("ik,jl->ijkl", K, one) + np.einsum("ik,jl->ijkl", one, K.conj())
    frame = np.exp(beta * (nu[:, None, :, None] + nu[None, :, None, :]) / 4)
    matrix = ((jumps - loss) * frame).reshape((basis.dimension**2,) * 2)
    return float(-np.linalg.eigvalsh(matrix)[-2])


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


def warn_of_lost_window(
    hamiltonian: PauliSum, num_sites: int, *, beta: float, letters: str, grain: CoarseGraining
) -> None:
    """Warn where a Gaussian rate has less than a hundredth of the gap of Glauber's, on the chain's first sites."""
    if grain.rate != "gaussian":
        return
    other = CoarseGraining(energy_width=grain.energy_width, rate="glauber")
    gap, wanted = (window_gap(hamiltonian, num_sites, beta=beta, letters=letters, grain=g) for g in (grain, other))
    if wanted > 1e-12 and gap < _LOST * wanted:
        warnings.warn(
            f"Gaussian frequencies miss the transitions that matter: at beta = {beta:g} and rate_width = "
            f"{grain.rate_width:g} the gap of the first {min(num_sites, _SITES)} sites is {gap:.2g}, "
            f"{gap / wanted:.1g} of that with Glauber's rate, so that the state hardly moves and errors are amplified; "
            'take rate="glauber" or raise `rate_width`.',
            ValidityWarning,
            stacklevel=5,
        )


def _first_sites(hamiltonian: PauliSum, num_sites: int, beta: float, letters: str) -> tuple[EnergyBasis, NDArray[Any]]:
    """Return eigenbasis and couplings <i|A_a|j>, index [i, a, j], of the terms inside the first sites."""
    size = min(num_sites, _SITES)
    basis = diagonalise(restrict(hamiltonian, range(size)), size, beta)
    return basis, stack_couplings(basis, site_couplings(letters, size))
