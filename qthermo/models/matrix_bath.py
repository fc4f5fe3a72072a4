"""Baths given as matrices in their eigenbasis: the user's own, and the heavy-tailed Levy ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qthermo.checks import check_finite_array, check_hermitian, check_integer, check_real
from qthermo.errors import InputError
from qthermo.memory import check_memory
from qthermo.models.bath_eigenbasis import BathEigenbasis
from qthermo.models.model import MAX_SITES, MatrixModel, record
from qthermo.seeds import Stream, sample_generator

__all__ = ["matrix_bath", "sample_levy_bath"]


def matrix_bath(
    *,
    bath_energies: ArrayLike,
    coupling_matrix: ArrayLike | None = None,
    splitting: float = 0.0,
    levels: ArrayLike | None = None,
    couplings: Mapping[tuple[int, int], ArrayLike] | None = None,
    level_values: ArrayLike | None = None,
) -> MatrixModel:
    """Return a thermometer coupled to any bath given by its energies and coupling matrices.

    With `coupling_matrix`: a spin, H = (splitting/2) Z + diag(e_i) + X (x) V. With `levels` and `couplings`: a
    thermometer of any number of levels, H = sum_a E_a |a><a| + diag(e_i) + sum_{a<b} (|a><b| (x) V_ab + h.c.).

    Args:
        bath_energies: e_i, shape (N,), energy.
        coupling_matrix: V_ij, shape (N, N), Hermitian, energy.
        splitting: Omega of the spin, energy.
        levels: E_a, shape (d,), energy.
        couplings: V_ab for pairs a <= b, each of shape (N, N), energy; blocks (a, a) Hermitian.
        level_values: z_a, what the thermometer's observable is in each level; spread evenly over [1, -1] by default.

    Raises:
        InputError: both or neither way is used, a shape does not fit, a number is not finite, or a matrix is not
            Hermitian where it must be.
    """
    if (coupling_matrix is None) == (levels is None or couplings is None):
        raise InputError("matrix_bath needs either `coupling_matrix`, or `levels` and `couplings`, but not both.")
    if coupling_matrix is not None:
        return _build(bath_energies, coupling_matrix, splitting, family="matrix_bath", sampling={})
    energies = check_finite_array("levels", np.atleast_1d(np.asarray(levels)), ndim=1)
    values = np.linspace(1.0, -1.0, energies.size) if level_values is None else level_values
    eigenbasis = BathEigenbasis(
        level_energies=energies,
        level_values=np.asarray(values, np.float64),
        bath_energies=np.asarray(bath_energies),
        blocks={pair: np.asarray(block) for pair, block in (couplings or {}).items()},
    )
    parameters = {
        "levels": record(eigenbasis.level_energies),
        "level_values": record(eigenbasis.level_values),
        "bath_energies": record(eigenbasis.bath_energies),
        "couplings": {f"{a},{b}": record(block) for (a, b), block in eigenbasis.blocks.items()},
    }
    return MatrixModel(family="matrix_bath", parameters=parameters, eigenbasis=eigenbasis)


def sample_levy_bath(
    *, dim: int, exponent: float, scale: float, seed: int, realization: int = 0, splitting: float = 0.0
) -> MatrixModel:
    """Sample a bath with heavy-tailed couplings and standard normal energies.

    V is symmetric with independent entries of random sign and Pareto modulus |V_ij| = scale N^(-1/mu) (1 + Pareto(mu)),
    so P(|V_ij| > v) = (scale / v)^mu / N: the second moment is infinite for exponent mu < 2, and the level broadenings
    have a limit distribution as N grows. For mu >= 2 the normalisation is N^(-1/2), which keeps the variance.

    Args:
        dim: N, number of bath states, at least 2.
        exponent: mu > 0.
        scale: typical size of the largest coupling, energy.
        seed: entropy of the random numbers; `realization` selects one member of the ensemble.
        realization: index of the disorder realization.
        splitting: Omega, energy.

    Raises:
        InputError: a number is out of range.

    Reference: A. V. Lunkin, arXiv:2603.12234; P. Cizeau, J. P. Bouchaud, Phys. Rev. E 50, 1810 (1994).
    """
    n = check_integer("dim", dim, minimum=2)
    check_memory(8.0 * 6 * float(min(n, MAX_SITES)) ** 2, what=f"A bath of {n} states", remedy="take a smaller one.")
    mu = check_real("exponent", exponent, minimum=0, exclusive=True)
    check_real("scale", scale, minimum=0)
    rng = sample_generator(seed, Stream.MODEL, realization)
    energies = rng.standard_normal(n)
    rows, columns = np.triu_indices(n)
    moduli = scale * n ** (-1 / min(mu, 2.0)) * (1 + rng.pareto(mu, rows.size))
    signs = rng.choice(np.array([-1.0, 1.0]), rows.size)
    V = np.zeros((n, n))
    V[rows, columns] = V[columns, rows] = moduli * signs
    sampling = {
        "dim": n,
        "exponent": mu,
        "scale": float(scale),
        "seed": seed,
        "realization": realization,
    }
    return _build(energies, V, splitting, family="levy_bath", sampling=sampling)


def _build(
    bath_energies: ArrayLike, coupling_matrix: ArrayLike, splitting: float, *, family: str, sampling: dict[str, Any]
) -> MatrixModel:
    energies: NDArray[Any] = check_finite_array("bath_energies", bath_energies, ndim=1)
    V = check_finite_array("coupling_matrix", coupling_matrix, ndim=2, complex_allowed=True)
    check_hermitian("coupling_matrix", V)
    omega = check_real("splitting", splitting)
    eigenbasis = BathEigenbasis(
        level_energies=np.array([omega / 2, -omega / 2]),
        level_values=np.array([1.0, -1.0]),
        bath_energies=energies,
        blocks={(0, 1): V},
    )
    parameters = {"splitting": omega, "bath_energies": record(energies), "coupling_matrix": record(V), **sampling}
    return MatrixModel(family=family, parameters=parameters, eigenbasis=eigenbasis)
