"""What a method answers with, and the one place that names the variables of each problem's answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.models import BathEigenbasis
from qthermo.problems import Autocorrelation, Propagator, Relaxation

__all__ = [
    "Answer",
    "Variable",
    "autocorrelation_answer",
    "gap_answer",
    "propagator_answer",
    "relaxation_answer",
]


@dataclass(frozen=True, slots=True)
class Variable:
    """One named array of an answer: its dimensions, values, unit and meaning."""

    dims: tuple[str, ...]
    values: NDArray[Any]
    units: str
    long_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a method's `run` returns: variables, coordinates, and diagnostics such as steps, residuals or shots.

    Diagnostics are JSON values; those a user should see first come first.
    """

    variables: Mapping[str, Variable]
    coordinates: Mapping[str, NDArray[Any]]
    diagnostics: Mapping[str, Any] = field(default_factory=dict)


_AUTOCORRELATION_ERRORS = {
    "stderr": "standard error of the sampled correlator",
    "truncation_error": "estimated error from the bond dimension",
    "trotter_error": "estimated error from the time step",
}


def autocorrelation_answer(
    problem: Autocorrelation,
    correlator: NDArray[Any],
    *,
    errors: Mapping[str, NDArray[np.float64]] | None = None,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer to `Autocorrelation`; `errors` may hold `stderr`, `truncation_error` and `trotter_error`."""
    variables = {"correlator": Variable(("time",), correlator, "1", "C(t) = Tr[rho Z_0(t) Z_0]")}
    for name, values in (errors or {}).items():
        variables[name] = Variable(("time",), values, "1", _AUTOCORRELATION_ERRORS[name])
    return Answer(variables=variables, coordinates={"time": problem.times}, diagnostics=diagnostics or {})


def propagator_answer(
    problem: Propagator,
    basis: BathEigenbasis,
    propagator: NDArray[np.float64],
    broadenings: NDArray[np.float64],
    *,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer to `Propagator` from P_ab (energy, laplace, d, d) and Gamma_k (energy, laplace, d*N)."""
    values = basis.level_values
    total = propagator.sum(axis=(-2, -1))
    signed = np.einsum("esab,a,b->es", propagator, values, values)
    with np.errstate(divide="ignore"):
        typical = np.exp(np.log(np.maximum(broadenings, 0.0)).mean(axis=-1))
    point = ("energy", "laplace")
    levels = np.arange(basis.num_levels)
    return Answer(
        variables={
            "autocorrelation": Variable(point, signed / total, "1", "c(E,s) = sum_ab z_a z_b P_ab / sum_ab P_ab"),
            "propagator": Variable((*point, "initial", "final"), propagator, "1/energy^2", "P_ab(E,s)"),
            "typical_broadening": Variable(point, typical, "energy", "exp of the mean log Gamma_k"),
        },
        coordinates={
            "energy": problem.energies,
            "laplace": problem.laplace,
            "initial": levels,
            "final": levels,
        },
        diagnostics=diagnostics or {},
    )


def gap_answer(gap: float, fixed_point_error: float, *, diagnostics: Mapping[str, Any] | None = None) -> Answer:
    """Return the answer to `MixingGap`."""
    return Answer(
        variables={
            "gap": Variable((), np.array(gap), "energy", "least nonzero -Re of the generator's eigenvalues"),
            "fixed_point_error": Variable(
                (), np.array(fixed_point_error), "1", "trace distance of the fixed point from the Gibbs state"
            ),
        },
        coordinates={},
        diagnostics=diagnostics or {},
    )


_RELAXATION = {
    "trace_distance": (("time",), "1", "(1/2) |rho(t) - sigma|_1"),
    "relative_entropy": (("time",), "1", "S(rho(t) | sigma)"),
    "energy": (("time",), "energy", "Tr[rho(t) H]"),
    "polarisation": (("time", "site"), "1", "Tr[rho(t) Z_j]"),
    "gibbs_energy": ((), "energy", "Tr[sigma H]"),
    "gibbs_polarisation": (("site",), "1", "Tr[sigma Z_j]"),
    "stderr": (("time", "site"), "1", "standard error of the sampled polarisation"),
}


def relaxation_answer(
    problem: Relaxation, values: Mapping[str, NDArray[Any]], *, diagnostics: Mapping[str, Any] | None = None
) -> Answer:
    """Return the answer to `Relaxation`; the names of `values` are those of the variables."""
    num_sites = problem.model.dimension.bit_length() - 1
    return Answer(
        variables={
            name: Variable(dims, values[name], units, words)
            for name, (dims, units, words) in _RELAXATION.items()
            if name in values
        },
        coordinates={"time": problem.times, "site": np.arange(num_sites)},
        diagnostics=diagnostics or {},
    )
