"""All-to-all Ising bath in a transverse field (quantum Sherrington-Kirkpatrick), coupled through random Z_j."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from qthermo.checks import check_finite_array, check_integer, check_real
from qthermo.errors import InputError
from qthermo.models.model import SpinModel, check_model_size, record
from qthermo.models.thermometer import Thermometer
from qthermo.operators import PauliSum
from qthermo.seeds import Stream, sample_generator

__all__ = ["all_to_all_ising", "sample_all_to_all_ising"]


def all_to_all_ising(
    *,
    couplings: ArrayLike,
    thermometer_couplings: ArrayLike,
    transverse_field: float = 1.0,
    thermometer: Thermometer | None = None,
) -> SpinModel:
    """Return H_B = sum_{i<j} J_ij Z_i Z_j + Gamma sum_j X_j on bath spins 1..n, with B = sum_j J_0j Z_j.

    The bath parity prod_j X_j commutes with H_B and anticommutes with B, so the diagonal elements of B vanish in the
    bath's eigenbasis. The thermometer's `bath_operator` does not apply here: B is set by `thermometer_couplings`.

    Args:
        couplings: J_ij, shape (n, n), energy; only the part above the diagonal is used, and the part below must be
            zero or its mirror image.
        thermometer_couplings: J_0j, shape (n,), dimensionless weights multiplied by the thermometer's `coupling`.
        transverse_field: Gamma, energy.
        thermometer: the thermometer on site 0; `Thermometer()` by default.

    Raises:
        InputError: a shape does not fit, a number is not finite, or `couplings` is neither symmetric nor upper
            triangular.
    """
    return _build(couplings, thermometer_couplings, transverse_field, thermometer, sampling={})


def sample_all_to_all_ising(
    *,
    num_bath_sites: int,
    seed: int,
    realization: int = 0,
    coupling_scale: float = 1.0,
    transverse_field: float = 1.0,
    thermometer: Thermometer | None = None,
) -> SpinModel:
    """Sample the all-to-all bath: J_ij and J_0j normal with mean 0 and standard deviation coupling_scale / sqrt(n).

    Args:
        num_bath_sites: n, at least 2.
        seed: entropy of the random numbers; `realization` selects one member of the ensemble.
        realization: index of the disorder realization.
        coupling_scale: J, energy.
        transverse_field: Gamma, energy.
        thermometer: the thermometer on site 0; `Thermometer()` by default.

    Raises:
        InputError: a number is out of range.
    """
    n = check_integer("num_bath_sites", num_bath_sites, minimum=2)
    check_model_size(n, n * n // 2)
    scale = check_real("coupling_scale", coupling_scale, minimum=0) / np.sqrt(n)
    rng = sample_generator(seed, Stream.MODEL, realization)
    couplings = np.triu(scale * rng.standard_normal((n, n)), 1)
    thermometer_couplings = scale * rng.standard_normal(n)
    sampling = {"coupling_scale": float(coupling_scale), "seed": seed, "realization": realization}
    return _build(couplings, thermometer_couplings, transverse_field, thermometer, sampling=sampling)


def _build(
    couplings: ArrayLike,
    thermometer_couplings: ArrayLike,
    transverse_field: float,
    thermometer: Thermometer | None,
    *,
    sampling: dict[str, Any],
) -> SpinModel:
    J = check_finite_array("couplings", couplings, ndim=2)
    J0 = check_finite_array("thermometer_couplings", thermometer_couplings, ndim=1)
    n = J0.size
    if J.shape != (n, n):
        raise InputError(
            f"Argument `couplings` must have shape ({n}, {n}) like its thermometer row, but has {J.shape}."
        )
    below = np.tril(J, -1)
    if np.any(below) and not np.array_equal(below, np.triu(J, 1).T):
        raise InputError("Argument `couplings` must be symmetric or zero below the diagonal, but is neither.")
    gamma = check_real("transverse_field", transverse_field)
    thermometer = Thermometer() if thermometer is None else thermometer
    terms: list[tuple[complex, dict[int, str]]] = [(gamma, {j + 1: "X"}) for j in range(n)]
    terms += [(J[i, j], {i + 1: "Z", j + 1: "Z"}) for i in range(n) for j in range(i + 1, n)]
    bath_operator = PauliSum.from_letters((J0[j], {j + 1: "Z"}) for j in range(n))
    recorded = {**thermometer.parameters, "bath_operator": "sum_j thermometer_couplings[j] Z_j"}
    return SpinModel(
        family="all_to_all_ising",
        parameters={
            "couplings": record(np.triu(J, 1)),
            "thermometer_couplings": J0.tolist(),
            "transverse_field": gamma,
            "thermometer": recorded,
            **sampling,
        },
        thermometer=thermometer.hamiltonian,
        bath=PauliSum.from_letters(terms),
        coupling=thermometer.couple_to(bath_operator),
        num_sites=n + 1,
    )
