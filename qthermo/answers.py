"""What a method answers with, and the one place that names the variables of each problem's answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.models import BathEigenbasis
from qthermo.problems import Autocorrelation, Evolution, Propagator, Relaxation, StructureFactor, ThermalState

__all__ = [
    "Answer",
    "Variable",
    "autocorrelation_answer",
    "evolution_answer",
    "gap_answer",
    "ground_state_answer",
    "propagator_answer",
    "relaxation_answer",
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
    "laplace_error": "estimated error of the inverse Laplace transform",
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
    """Return the answer to `GroundState` or `ExcitedState`; variance and truncation error where the method has them."""
    variables = {"energy": Variable((), np.array(energy), "energy", "energy of the eigenstate")}
    if variance is not None:
        variables["variance"] = Variable((), np.array(variance), "energy^2", "<H^2> - <H>^2")
    if truncation_error is not None:
        variables["truncation_error"] = Variable(
            (), np.array(truncation_error), "energy", "change of the energy with the bond dimension"
        )
    return Answer(variables=variables, coordinates={}, diagnostics=diagnostics or {})


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
    propagator: NDArray[Any],
    broadenings: NDArray[np.float64],
    *,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer from P_ab, shape (q, d, d), and Gamma_k, shape (q, d*N), at the q `problem.points`."""
    weights = problem.window_nodes[1]
    grid = (problem.energies.size, problem.laplace.size, weights.size)
    joint = np.einsum("eswab,w->esab", propagator.reshape(*grid, *propagator.shape[1:]), weights)
    signed = np.einsum("esab,a,b->es", joint, basis.level_values, basis.level_values)
    point = ("energy", "laplace")
    levels = np.arange(basis.num_levels)
    return Answer(
        variables={
            "autocorrelation": Variable(
                point, signed / joint.sum(axis=(-2, -1)), "1", "c(E,s) = sum_ab z_a z_b P_ab / sum_ab P_ab"
            ),
            "propagator": Variable((*point, "initial", "final"), joint, "1/energy^2", "P_ab(E,s)"),
            **_broadening_variables(broadenings.reshape(*grid, -1), weights),
        },
        coordinates={
            "energy": problem.energies,
            "laplace": problem.laplace,
            "initial": levels,
            "final": levels,
            "quantile": _QUANTILES,
            "log10_broadening": (_LOG_BINS[1:] + _LOG_BINS[:-1]) / 2,
        },
        diagnostics=diagnostics or {},
    )


_QUANTILES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
_LOG_BINS = np.linspace(-6.0, 3.0, 91)


def _broadening_variables(broadenings: NDArray[np.float64], weights: NDArray[np.float64]) -> dict[str, Variable]:
    """Return the statistics of Gamma_k, shape (energy, laplace, node, d*N), over states and window."""
    positive = np.maximum(broadenings, 1e-300)
    logs = np.log(positive)
    typical = np.exp(np.einsum("eswk,w->es", logs, weights) / logs.shape[-1])
    mean = np.einsum("eswk,w->es", broadenings, weights) / logs.shape[-1]
    flat = logs.reshape(*logs.shape[:2], -1)
    inside = np.clip(flat / np.log(10), _LOG_BINS[0], _LOG_BINS[-1])  # the outermost bins hold what lies beyond
    spread = np.repeat(weights, logs.shape[-1])
    quantiles = np.quantile(
        flat, _QUANTILES, axis=-1, weights=np.broadcast_to(spread, flat.shape), method="inverted_cdf"
    )
    histogram = np.apply_along_axis(
        lambda row: np.histogram(row, bins=_LOG_BINS, weights=spread)[0] / logs.shape[-1], -1, inside
    ) / np.diff(_LOG_BINS)
    point = ("energy", "laplace")
    return {
        "typical_broadening": Variable(point, typical, "energy", "exp of the mean log Gamma_k"),
        "mean_broadening": Variable(point, mean, "energy", "mean of Gamma_k"),
        "broadening_quantile": Variable(
            (*point, "quantile"), np.exp(np.moveaxis(quantiles, 0, -1)), "energy", "quantiles of Gamma_k"
        ),
        "broadening_histogram": Variable(
            (*point, "log10_broadening"), histogram, "1", "probability density of log10(Gamma_k / energy)"
        ),
    }


def gap_answer(
    gap: float,
    fixed_point_error: float | None,
    *,
    certificate: float | None = None,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer to `MixingGap`; what a method cannot know is left out."""
    variables = {"gap": Variable((), np.array(gap), "energy", "least nonzero -Re of the generator's eigenvalues")}
    if fixed_point_error is not None:
        words = "trace distance of the fixed point from the Gibbs state"
        variables["fixed_point_error"] = Variable((), np.array(fixed_point_error), "1", words)
    if certificate is not None:
        words = "lowest eigenvalue of the parent Hamiltonian, 0 if it were exact"
        variables["certificate"] = Variable((), np.array(certificate), "energy", words)
    return Answer(variables=variables, coordinates={}, diagnostics=diagnostics or {})


_RELAXATION = {
    "trace_distance": (("time",), "1", "(1/2) |rho(t) - sigma|_1"),
    "relative_entropy": (("time",), "1", "S(rho(t) | sigma)"),
    "energy": (("time",), "energy", "Tr[rho(t) H]"),
    "polarisation": (("time", "site"), "1", "Tr[rho(t) Z_j]"),
    "gibbs_energy": ((), "energy", "Tr[sigma H]"),
    "gibbs_polarisation": (("site",), "1", "Tr[sigma Z_j]"),
    "stderr": (("time", "site"), "1", "standard error of the sampled polarisation"),
    "truncation_error": (("time", "site"), "1", "change of the polarisation from half the bonds and twice the step"),
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


def structure_factor_answer(
    problem: StructureFactor, values: NDArray[np.float64], *, diagnostics: Mapping[str, Any] | None = None
) -> Answer:
    """Return the answer to `StructureFactor` from v(omega), shape (frequency,)."""
    return Answer(
        variables={"structure_factor": Variable(("frequency",), values, "energy", "v(omega) of the bath operator B")},
        coordinates={"frequency": problem.frequencies},
        diagnostics=diagnostics or {},
    )
