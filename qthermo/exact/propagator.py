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
    basis: BathEigenbasis, energies: NDArray[np.float64], s: NDArray[Any], progress: Progress
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return P_ab and the level broadenings at the points z = E + i s/2.

    With eigenvectors U and eigenvalues x of H, G = U (z - x)^-1 U^dag. With Q_a = U_a^dag U_a, the overlap of the
    eigenvectors on the rows of level a, g_m = 1/(z - x_m), and h_m the same at E - (i s/2)^* (equal to g_m for real s),

        P_ab = sum_mn conj(h_n) (Q_a * conj(Q_b))_nm g_m          (* elementwise),
        Gamma_k = Im(1 / G_kk) - s/2,   G_kk = sum_m |U_km|^2 g_m.

    Args:
        basis: the model in the bath's eigenbasis.
        energies: E, shape (p,).
        s: Laplace variable, real or complex, Re s > 0, shape (p,).
        progress: see `qthermo.solve`.

    Returns:
        P, shape (p, d, d), and Gamma, shape (p, d*N).

    Cost: one eigendecomposition and d products of D x D matrices, then D^2 d^2 / 2 per point.
    """
    d, n = basis.num_levels, basis.num_bath_states
    points, conjugate = energies + 0.5j * s, energies - (0.5j * s).conj()
    propagator = np.zeros((points.size, d, d), s.dtype)
    diagonal = np.empty((points.size, d * n), np.complex128)
    for rows, values, vectors in _eigenvectors(basis, progress):
        resolvents = 1.0 / (points[:, None] - values[None, :])
        partners = resolvents if np.isrealobj(s) else 1.0 / (conjugate[:, None] - values[None, :])
        diagonal[:, rows] = resolvents @ (np.abs(vectors) ** 2).T
        levels = [vectors[rows // n == a] for a in range(d)]
        overlaps = [level.conj().T @ level for level in levels]
        for a in range(d):
            for b in range(a, d):
                pair = _quadratic_form(overlaps[a] * overlaps[b].conj(), partners, resolvents)
                propagator[:, a, b] += pair
                if a != b:
                    propagator[:, b, a] += (
                        pair
                        if basis.is_real
                        else _quadratic_form(overlaps[b] * overlaps[a].conj(), partners, resolvents)
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


def _quadratic_form(kernel: NDArray[Any], left: NDArray[np.complex128], right: NDArray[np.complex128]) -> NDArray[Any]:
    """Return h^dag K g for the rows h of `left` and g of `right`; K is Hermitian, so that the form is real if h = g."""
    form: NDArray[Any] = np.einsum("pn,pn->p", left.conj(), right @ kernel.T)
    return form.real if left is right else form
