"""From a `TrotterCircuit` to its answer: protocols, combinations that cancel errors, and the errors that remain."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.circuits.autocorrelation import (
    TrotterGrid,
    build_grid,
    exact_correlator,
    fixed_grid,
    haar_correlators,
    noisy_correlator,
    thermal_correlator,
)
from qthermo.circuits.builder import check_evolution
from qthermo.circuits.extrapolation import multi_product_weights, shot_factor, zero_noise_weights
from qthermo.circuits.sampling import (
    Sampling,
    estimator_correlator,
    product_correlator,
    shot_correlator,
    thermal_shot_correlator,
)
from qthermo.circuits.step_estimate import estimate_from_halves
from qthermo.circuits.trotter_circuit import TrotterCircuit
from qthermo.circuits.writer import Evolution
from qthermo.errors import NotConvergedWarning, UnsupportedError
from qthermo.models import SpinModel
from qthermo.problems import Autocorrelation, autocorrelation_answer
from qthermo.progress import Progress

__all__ = ["answer_autocorrelation"]

_TRUNCATION_LIMIT = 1e-3


@dataclass(frozen=True, slots=True)
class _Estimate:
    """C(t) with what is known of its statistical and truncation errors."""

    values: NDArray[Any]
    stderr: NDArray[np.float64] | None = None
    truncation: NDArray[np.float64] | None = None


def answer_autocorrelation(method: TrotterCircuit, problem: Autocorrelation, progress: Progress) -> Answer:
    """Run the protocol and return the answer with its errors and diagnostics."""
    model = problem.model
    if not isinstance(model, SpinModel):
        raise UnsupportedError("TrotterCircuit must have a spin model, but this model is a matrix.")
    grids, weights = _grids(method, problem.times)
    parts = [_zero_noise(method, model, problem.beta, grid, progress) for grid in grids]
    total = _combine(parts, weights)
    trotter, words = _trotter_error(method, problem, model, grids, weights, parts, progress)
    errors = {"stderr": total.stderr, "truncation_error": total.truncation, "trotter_error": trotter}
    if total.truncation is not None and total.truncation.max() > _TRUNCATION_LIMIT:
        warnings.warn(
            f"C(t) changes by {total.truncation.max():.2g} between bond dimensions {method.max_bond_dim // 2} and "
            f"{method.max_bond_dim}; raise `max_bond_dim`.",
            NotConvergedWarning,
            stacklevel=2,
        )
    return autocorrelation_answer(
        problem,
        total.values,
        errors={name: values for name, values in errors.items() if values is not None},
        diagnostics=_diagnostics(method, model, grids, weights, words),
    )


def _grids(method: TrotterCircuit, times: NDArray[np.float64]) -> tuple[list[TrotterGrid], NDArray[np.float64]]:
    if not method.multi_product:
        return [build_grid(times, method.time_step)], np.ones(1)
    weights = multi_product_weights(method.multi_product, method.trotter_order)
    return [fixed_grid(times, count) for count in method.multi_product], weights


def _zero_noise(
    method: TrotterCircuit, model: SpinModel, beta: float, grid: TrotterGrid, progress: Progress
) -> _Estimate:
    """Evaluate one grid, folded and extrapolated if asked."""
    factors = method.noise_factors or (1,)
    weights = zero_noise_weights(factors) if method.noise_factors else np.ones(1)
    evolutions = [check_evolution(model, method.trotter_order, method.layout, fold) for fold in factors]
    return _combine([_evaluate(method, evolution, beta, grid, progress) for evolution in evolutions], weights)


def _combine(parts: list[_Estimate], weights: NDArray[np.float64]) -> _Estimate:
    """Return sum_j a_j C_j; independent standard errors add in squares, truncation errors in moduli."""
    values = sum(weight * part.values for weight, part in zip(weights, parts, strict=True))
    squares = [(w * p.stderr) ** 2 for w, p in zip(weights, parts, strict=True) if p.stderr is not None]
    cuts = [abs(w) * p.truncation for w, p in zip(weights, parts, strict=True) if p.truncation is not None]
    stderr = np.sqrt(np.sum(squares, axis=0)) if squares else None
    return _Estimate(np.asarray(values), stderr, np.sum(cuts, axis=0) if cuts else None)


def _evaluate(
    method: TrotterCircuit, evolution: Evolution, beta: float, grid: TrotterGrid, progress: Progress
) -> _Estimate:
    """Run the protocol on one grid."""
    run: dict[str, Callable[..., _Estimate]] = {"exact": _exact, "haar": _haar}
    return run.get(method.protocol, _sampled)(method, evolution, beta, grid, progress)


def _exact(
    method: TrotterCircuit, evolution: Evolution, beta: float, grid: TrotterGrid, progress: Progress
) -> _Estimate:
    progress(0.0, "full trace")
    simulator, _ = method.choose_simulator()
    if beta != 0:
        return _Estimate(thermal_correlator(evolution, grid, beta))
    if simulator == "mps":
        chi = method.max_bond_dim
        fine, coarse = (exact_correlator(evolution, grid, max_bond_dim=dim) for dim in (chi, chi // 2))
        return _Estimate(fine, truncation=np.abs(fine - coarse))
    if method.device is not None:
        return _Estimate(noisy_correlator(evolution, grid, method.device, method.seed))
    return _Estimate(exact_correlator(evolution, grid))


def _haar(
    method: TrotterCircuit, evolution: Evolution, _beta: float, grid: TrotterGrid, progress: Progress
) -> _Estimate:
    rows = haar_correlators(evolution, grid, num_states=method.num_states, seed=method.seed, progress=progress)
    return _Estimate(rows.mean(axis=0), rows.std(axis=0, ddof=1) / np.sqrt(method.num_states))


def _sampled(
    method: TrotterCircuit, evolution: Evolution, beta: float, grid: TrotterGrid, progress: Progress
) -> _Estimate:
    how = Sampling(
        num_shots=method.num_shots,
        seed=method.seed,
        device=method.device,
        sampler=method.estimator if method.estimator is not None else method.sampler,
        deferred=method.is_deferred(evolution.model.num_sites),
        progress=progress,
    )
    if beta != 0:
        return _Estimate(*thermal_shot_correlator(evolution, grid, how, beta))
    if method.estimator is not None:
        return _Estimate(*estimator_correlator(evolution, grid, how, method.num_states))
    run = shot_correlator if method.protocol == "shots" else product_correlator
    return _Estimate(*run(evolution, grid, how))


def _trotter_error(
    method: TrotterCircuit,
    problem: Autocorrelation,
    model: SpinModel,
    grids: list[TrotterGrid],
    weights: NDArray[np.float64],
    parts: list[_Estimate],
    progress: Progress,
) -> tuple[NDArray[np.float64] | None, str]:
    """Return an estimate of the error from the time step, the largest up to each time, and how it was made."""
    total = _combine(parts, weights)
    floor = 0.0 if total.truncation is None else float(total.truncation.max(initial=0.0))
    floor = np.inf if floor > _TRUNCATION_LIMIT else floor  # `max_bond_dim` is to blame, and was named
    error = estimate_from_halves(
        method, model, problem.beta, grids, weights, answer=total.values, floor=floor, progress=progress
    )
    if error is not None:
        return error, "from half and quarter steps"
    if not method.multi_product:
        return None, "not estimated at this size; compare two values of time_step"
    later = multi_product_weights(method.multi_product[1:], method.trotter_order) if len(parts) > 2 else np.ones(1)
    correction = np.abs(total.values - _combine(parts[1:], later).values)
    return np.maximum.accumulate(correction), "last correction of the multi-product formula"


def _diagnostics(
    method: TrotterCircuit, model: SpinModel, grids: list[TrotterGrid], weights: NDArray[np.float64], words: str
) -> dict[str, Any]:
    simulator, reason = method.choose_simulator()
    diagnostics: dict[str, Any] = {
        "simulator": f"{simulator}: {reason}",
        "num_steps": max(int(grid.num_steps.max(initial=0)) for grid in grids),
        "trotter_error": words,
    }
    if method.protocol == "shots":
        place = "at the end, on reference qubits" if method.is_deferred(model.num_sites) else "mid-circuit"
        diagnostics["initial_bits"] = f"measured {place}"
    if method.multi_product:
        diagnostics["multi_product"] = {"weights": weights.tolist(), "shot_factor": shot_factor(weights)}
    if method.noise_factors:
        zero_noise = zero_noise_weights(method.noise_factors)
        diagnostics["zero_noise"] = {"weights": zero_noise.tolist(), "shot_factor": shot_factor(zero_noise)}
    return diagnostics
