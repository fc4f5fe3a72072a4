"""Ensembles of ergodic grains: random matrices, a local chain, and the single spin that is no grain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.checks import check_choice, check_integer, check_real
from qthermo.errors import InputError
from qthermo.models.ergodic_grain import LAYOUTS, GrainModel
from qthermo.operators import PauliSum
from qthermo.seeds import Stream, sample_generator

__all__ = ["sample_ergodic_grain"]

_DEFAULT_SPINS = {"goe": 6, "gue": 6, "local": 9, "single_spin": 1}
_DEFAULT_BANDWIDTH = {"goe": 4.2, "gue": 4.2, "single_spin": 2.25}
_MAX_MATRIX_SPINS = 12
_RADII: dict[str, Callable[[float], float]] = {"mid": lambda bw: 2 * bw / np.pi, "full": lambda bw: bw / 2}


def sample_ergodic_grain(
    *,
    kind: str,
    num_lioms: int,
    seed: int,
    realization: int = 0,
    num_grain_spins: int | None = None,
    bandwidth: float | None = None,
    bandwidth_convention: str = "mid",
    coupling: float = 0.2,
    decay: float = 0.75,
    decay_law: str = "exponential",
    last_coupling: float | None = None,
    field: float = 1.0,
    field_spread: float = 0.5,
    layout: str = "lioms",
) -> GrainModel:
    """Sample a grain with localised spins, h_i uniform in field +- field_spread, g_i = coupling decay^(i-1).

    Grains: "goe" and "gue", a random matrix whose semicircle has radius R; "local", the chain
    sum_i (h'_i Z_i + X_i / 2) + sum_i X_i X_(i+1) with h'_i uniform in [0.7, 1.3]; "single_spin", a 2x2 GOE matrix
    with mean splitting `bandwidth`. The grain is drawn first, so that models with more localised spins share it.

    Args:
        kind: "goe", "gue", "local" or "single_spin".
        num_lioms: n, the number of localised spins.
        seed: entropy of the random numbers; `realization` selects one member of the ensemble.
        realization: index of the disorder realization.
        num_grain_spins: m; by default 6 for a random matrix, 9 for the chain, 1 for the single spin.
        bandwidth: bw of a random matrix, energy; by default 4.2, and 2.25 for the single spin. A chain has none.
        bandwidth_convention: "mid": the level spacing in the middle is bw / 2^m, R = 2 bw / pi; "full": the spectrum
            is bw wide, R = bw / 2.
        coupling: g_1, energy.
        decay: alpha in g_i = g_1 alpha^(i-1), or a in g_i = g_1 i^-a.
        decay_law: "exponential" or "power".
        last_coupling: g_n, if it is to differ.
        field: mean of the h_i, energy.
        field_spread: half the width of their distribution, energy.
        layout: "lioms" (all couple to the grain's last spin) or "spins" (each couples to the one before).

    Raises:
        InputError: a number is out of range, or an argument does not belong to this kind.

    Reference: W. De Roeck, F. Huveneers, Phys. Rev. B 95, 155129 (2017), arXiv:1608.01815, equations 15, 18, 23, 24.
    """
    check_choice("kind", kind, tuple(_DEFAULT_SPINS))
    check_choice("bandwidth_convention", bandwidth_convention, tuple(_RADII))
    check_choice("layout", layout, LAYOUTS)
    n = check_integer("num_lioms", num_lioms, minimum=0, maximum=1000)
    m = _count_grain_spins(kind, num_grain_spins)
    width = _find_bandwidth(kind, bandwidth)
    g = _decaying_couplings(n, coupling, decay, decay_law, last_coupling)
    rng = sample_generator(seed, Stream.MODEL, realization)
    grain: PauliSum | NDArray[Any] = _sample_grain(kind, m, width, bandwidth_convention, rng)
    centre, spread = check_real("field", field), check_real("field_spread", field_spread, minimum=0)
    h = centre + spread * rng.uniform(-1, 1, n)
    parameters = {
        "kind": kind,
        "num_grain_spins": m,
        "num_lioms": n,
        "bandwidth": width,
        "bandwidth_convention": bandwidth_convention,
        "field": centre,
        "field_spread": spread,
        "layout": layout,
        "fields": h.tolist(),
        "couplings": g.tolist(),
        "seed": seed,
        "realization": realization,
    }
    return GrainModel(
        family="ergodic_grain", parameters=parameters, grain=grain, num_grain_spins=m, fields=h, couplings=g,
        layout=layout,
    )  # fmt: skip


def _count_grain_spins(kind: str, given: int | None) -> int:
    count = _DEFAULT_SPINS[kind] if given is None else given
    if kind == "single_spin" and count != 1:
        raise InputError(f"Argument `num_grain_spins` must be 1 or left out for a single spin, but is {count!r}.")
    top = _MAX_MATRIX_SPINS if kind in ("goe", "gue") else 1000
    return check_integer("num_grain_spins", count, minimum=1, maximum=top)


def _find_bandwidth(kind: str, given: float | None) -> float | None:
    if kind == "local":
        if given is not None:
            raise InputError(f"Argument `bandwidth` must be left out for a local grain, but is {given!r}.")
        return None
    return check_real("bandwidth", _DEFAULT_BANDWIDTH[kind] if given is None else given, minimum=0, exclusive=True)


def _decaying_couplings(count: int, coupling: float, decay: float, law: str, last: float | None) -> NDArray[np.float64]:
    check_choice("decay_law", law, ("exponential", "power"))
    strength = check_real("coupling", coupling)
    rate = check_real("decay", decay, minimum=0)
    index = np.arange(count)
    profile = rate**index if law == "exponential" else (index + 1.0) ** -rate
    couplings = np.asarray(strength * profile, np.float64)
    if last is not None:
        if count == 0:
            raise InputError("Argument `last_coupling` needs at least one localised spin, but there is none.")
        couplings[-1] = check_real("last_coupling", last)
    return couplings


def _sample_grain(
    kind: str, num_spins: int, width: float | None, convention: str, rng: np.random.Generator
) -> PauliSum | NDArray[Any]:
    if width is None:
        return _sample_chain(num_spins, rng)
    dim = 2**num_spins
    matrix = rng.standard_normal((dim, dim))
    if kind == "gue":
        matrix = (matrix + 1j * rng.standard_normal((dim, dim))) / np.sqrt(2)
    matrix = (matrix + matrix.conj().T) / np.sqrt(2)  # E |A_ij|^2 = 1, semicircle of radius 2 sqrt(dim)
    if kind == "single_spin":
        spin: NDArray[Any] = matrix * (width / np.sqrt(2 * np.pi))  # the mean splitting of A is sqrt(2 pi)
        return PauliSum.from_letters(
            [((spin[0, 0] + spin[1, 1]) / 2, {}), ((spin[0, 0] - spin[1, 1]) / 2, {0: "Z"}), (spin[0, 1], {0: "X"})]
        )
    scaled: NDArray[Any] = matrix * (_RADII[convention](width) / (2 * np.sqrt(dim)))
    return scaled


def _sample_chain(num_spins: int, rng: np.random.Generator) -> PauliSum:
    fields = 1 + rng.uniform(-0.3, 0.3, num_spins)
    terms: list[tuple[complex, dict[int, str]]] = [(fields[i], {i: "Z"}) for i in range(num_spins)]
    terms += [(0.5, {i: "X"}) for i in range(num_spins)]
    terms += [(1.0, {i: "X", i + 1: "X"}) for i in range(num_spins - 1)]
    return PauliSum.from_letters(terms)
