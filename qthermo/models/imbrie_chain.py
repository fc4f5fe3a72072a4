"""The Imbrie chain: a disordered Ising chain with transverse field, the standard many-body-localisation bath."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from qthermo.checks import check_finite_array, check_integer, check_real
from qthermo.errors import InputError
from qthermo.models.model import SpinModel, check_model_size
from qthermo.models.thermometer import Thermometer
from qthermo.operators import PauliSum
from qthermo.seeds import Stream, sample_generator

__all__ = ["imbrie_chain", "sample_imbrie_chain"]


def imbrie_chain(
    *,
    fields: ArrayLike,
    bonds: ArrayLike,
    transverse_field: float = 1.0,
    parity_symmetric: bool = False,
    thermometer: Thermometer | None = None,
) -> SpinModel:
    """Return the Imbrie chain with given fields and bonds, a thermometer attached to its first spin.

    Bath spins j = 1..n: H_B = sum_j h_j Z_j + gamma sum_j X_j + sum_j J_j Z_j Z_{j+1}. The parity-symmetric variant
    replaces gamma X_j by gamma X_j X_{j+1}; it commutes with prod_j Z_j, and with bath_operator "X" the coupling is
    odd, so that the mean of B vanishes.

    Args:
        fields: h_j, shape (n,), energy.
        bonds: J_j, shape (n-1,), energy.
        transverse_field: gamma, energy.
        parity_symmetric: take the variant.
        thermometer: the thermometer on site 0; `Thermometer()` by default.

    Raises:
        InputError: a shape does not fit or a number is not finite.

    Reference: J. Z. Imbrie, J. Stat. Phys. 163, 998 (2016), arXiv:1403.7837.
    """
    return _build(fields, bonds, transverse_field, parity_symmetric, thermometer, sampling={})


def sample_imbrie_chain(
    *,
    num_bath_sites: int,
    disorder: float,
    seed: int,
    realization: int = 0,
    transverse_field: float = 1.0,
    parity_symmetric: bool = False,
    thermometer: Thermometer | None = None,
) -> SpinModel:
    """Sample an Imbrie chain: h_j uniform in [-disorder, disorder], J_j uniform in [0.8, 1.2], h drawn first.

    Args:
        num_bath_sites: n, at least 1.
        disorder: W >= 0, energy.
        seed: entropy of the random numbers; `realization` selects one member of the ensemble.
        realization: index of the disorder realization.
        transverse_field: gamma, energy.
        parity_symmetric: take the parity-symmetric variant.
        thermometer: the thermometer on site 0; `Thermometer()` by default.

    Raises:
        InputError: a number is out of range.
    """
    check_integer("num_bath_sites", num_bath_sites, minimum=1)
    check_model_size(num_bath_sites, 3 * num_bath_sites)
    check_real("disorder", disorder, minimum=0)
    rng = sample_generator(seed, Stream.MODEL, realization)
    fields = disorder * rng.uniform(-1, 1, num_bath_sites)
    bonds = rng.uniform(0.8, 1.2, num_bath_sites - 1)
    sampling = {"disorder": float(disorder), "seed": seed, "realization": realization}
    return _build(fields, bonds, transverse_field, parity_symmetric, thermometer, sampling=sampling)


def _build(
    fields: ArrayLike,
    bonds: ArrayLike,
    transverse_field: float,
    parity_symmetric: bool,
    thermometer: Thermometer | None,
    *,
    sampling: dict[str, Any],
) -> SpinModel:
    h = check_finite_array("fields", fields, ndim=1)
    J = check_finite_array("bonds", bonds, ndim=1)
    gamma = check_real("transverse_field", transverse_field)
    if h.size < 1 or J.size != h.size - 1:
        raise InputError(
            f"Argument `bonds` must hold one value less than `fields`, but they hold {J.size} and {h.size}."
        )
    thermometer = Thermometer() if thermometer is None else thermometer
    n = h.size
    terms: list[tuple[complex, dict[int, str]]] = [(h[j], {j + 1: "Z"}) for j in range(n)]
    terms += [(J[j], {j + 1: "Z", j + 2: "Z"}) for j in range(n - 1)]
    if parity_symmetric:
        terms += [(gamma, {j + 1: "X", j + 2: "X"}) for j in range(n - 1)]
    else:
        terms += [(gamma, {j + 1: "X"}) for j in range(n)]
    return SpinModel(
        family="imbrie_chain",
        parameters={
            "fields": h.tolist(),
            "bonds": J.tolist(),
            "transverse_field": gamma,
            "parity_symmetric": bool(parity_symmetric),
            "thermometer": thermometer.parameters,
            **sampling,
        },
        thermometer=thermometer.hamiltonian,
        bath=PauliSum.from_letters(terms),
        coupling=thermometer.couple_to_first_site(),
        num_sites=n + 1,
    )
