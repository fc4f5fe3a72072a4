"""The exact joint propagator P_ab(E,s) and the exact level broadenings from full diagonalisation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.exact.spectrum import diagonalise, find_components
from qthermo.models import BathEigenbasis
from qthermo.progress import Progress

__all__ = ["exact_propagator"]


def exact_propagator(
    basis: BathEigenbasis, points: NDArray[np.complex128], progress: Progress
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return P_ab and the level broadenings at the points z = E + i s/2.

    With eigenvectors U and eigenvalues x of H, G = U (z - x)^-1 U^dag. With Q_a = U_a^dag U_a, the overlap of the
    eigenvectors on the rows of level a, and g_m = 1/(z - x_m),

        P_ab = sum_mn conj(g_n) (Q_a * conj(Q_b))_nm g_m          (* elementwise),
        Gamma_k = Im(1 / G_kk) - s/2,   G_kk = sum_m |U_km|^2 g_m.

    Args:
        basis: the model in the bath's eigenbasis.
        points: z, shape (p,), Im z > 0.
        progress: see `qthermo.solve`.

    Returns:
        P, shape (p, d, d), and Gamma, shape (p, d*N).

    Cost: one eigendecomposition and d products of D x D matrices, then D^2 d^2 / 2 per point.
    """
    d, n = basis.num_levels, basis.num_bath_states
    propagator = np.zeros((points.size, d, d))
    diagonal = np.empty((points.size, d * n), np.complex128)
    for rows, energies, vectors in _eigenvectors(basis, progress):
        resolvents = 1.0 / (points[:, None] - energies[None, :])
        diagonal[:, rows] = resolvents @ (np.abs(vectors) ** 2).T
        levels = [vectors[rows // n == a] for a in range(d)]
        overlaps = [level.conj().T @ level for level in levels]
        for a in range(d):
            for b in range(a, d):
                pair = _quadratic_form(overlaps[a] * overlaps[b].conj(), resolvents)
                propagator[:, a, b] += pair
                if a != b:
                    propagator[:, b, a] += (
                        pair if basis.is_real else _quadratic_form(overlaps[b] * overlaps[a].conj(), resolvents)
                    )
    return propagator, (1.0 / diagonal).imag - points.imag[:, None]


def _eigenvectors(
    basis: BathEigenbasis, progress: Progress
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float64], NDArray[Any]]]:
    matrix = basis.to_matrix()
    components = find_components(matrix)
    for k, rows in enumerate(components):
        progress(0.1 + 0.9 * k / len(components), f"diagonalising block {k + 1} of {len(components)}")
        energies, vectors = diagonalise(matrix[np.ix_(rows, rows)])
        yield rows, energies, vectors


def _quadratic_form(kernel: NDArray[Any], vectors: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Return v^dag K v for each row v; K is Hermitian."""
    form: NDArray[np.float64] = np.einsum("pn,pn->p", vectors.conj(), vectors @ kernel.T).real
    return form
