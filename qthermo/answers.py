"""What a method answers with, and the one place that names the variables of each problem's answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.models import BathEigenbasis
from qthermo.problems import Autocorrelation, Evolution, Propagator, StructureFactor, ThermalState

__all__ = [
    "Answer",
    "Variable",
    "autocorrelation_answer",
    "evolution_answer",
    "ground_state_answer",
    "propagator_answer",
    "structure_factor_answer",
    "thermal_answer",
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


def evolution_answer(
    problem: Evolution,
    expectation: NDArray[np.float64],
    *,
    errors: Mapping[str, NDArray[np.float64]] | None = None,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer to `Evolution` from Tr[rho(t) O], shape (time, observable), and errors of the same shape."""
    dims = ("time", "observable")
    variables = {"expectation": Variable(dims, expectation, "1", "Tr[rho(t) O]")}
    for name, values in (errors or {}).items():
        variables[name] = Variable(dims, values, "1", _AUTOCORRELATION_ERRORS[name].replace("correlator", "value"))
    return Answer(
        variables=variables,
        coordinates={"time": problem.times, "observable": np.array(list(problem.observables))},
        diagnostics=diagnostics or {},
    )


def ground_state_answer(
    energy: float,
    *,
    variance: float | None = None,
    truncation_error: float | None = None,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer to `GroundState`; `variance` and `truncation_error` where the method has them."""
    variables = {"energy": Variable((), np.array(energy), "energy", "ground-state energy")}
    if variance is not None:
        variables["variance"] = Variable((), np.array(variance), "energy^2", "<H^2> - <H>^2")
    if truncation_error is not None:
        variables["truncation_error"] = Variable(
            (), np.array(truncation_error), "energy", "change of the energy with the bond dimension"
        )
    return Answer(variables=variables, coordinates={}, diagnostics=diagnostics or {})


def structure_factor_answer(
    problem: StructureFactor, values: NDArray[np.float64], *, diagnostics: Mapping[str, Any] | None = None
) -> Answer:
    """Return the answer to `StructureFactor` from v(omega), shape (frequency,)."""
    return Answer(
        variables={"structure_factor": Variable(("frequency",), values, "energy", "v(omega) of the bath operator B")},
        coordinates={"frequency": problem.frequencies},
        diagnostics=diagnostics or {},
    )


def thermal_answer(
    problem: ThermalState,
    energy: NDArray[np.float64],
    log_partition: NDArray[np.float64],
    *,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer to `ThermalState` from Tr[rho H] and ln Z, both shape (beta,)."""
    return Answer(
        variables={
            "energy": Variable(("beta",), energy, "energy", "Tr[rho H]"),
            "free_energy": Variable(("beta",), -log_partition / problem.betas, "energy", "-ln(Z) / beta"),
        },
        coordinates={"beta": problem.betas},
        diagnostics=diagnostics or {},
    )


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
