"""The Trotter error of an answer: the same curve again with the steps halved, and halved again."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.circuits.autocorrelation import (
    TrotterGrid,
    exact_correlator,
    haar_correlators,
    refine,
    thermal_correlator,
)
from qthermo.circuits.builder import check_evolution
from qthermo.circuits.extrapolation import remaining_order
from qthermo.circuits.trotter_circuit import TrotterCircuit
from qthermo.circuits.writer import Evolution
from qthermo.errors import NotConvergedWarning
from qthermo.linalg.step_halving import find_slow_halving, step_error
from qthermo.models import SpinModel
from qthermo.progress import Progress, silent

__all__ = ["estimate_from_halves"]

_FULL_TRACE_SITES = 10
_CHEAP_TRACE_SITES = 8
_CHEAP_SITES = 14
_CHEAP_THERMAL_SITES = 8
_NEGLIGIBLE = 1e-6
_LARGE = 0.5

_Curve = Callable[[TrotterGrid], NDArray[Any]]


def estimate_from_halves(
    method: TrotterCircuit,
    model: SpinModel,
    beta: float,
    grids: Sequence[TrotterGrid],
    weights: NDArray[np.float64],
    *,
    answer: NDArray[Any],
    floor: float,
    progress: Progress,
) -> NDArray[np.float64] | None:
    """Return the error from the time step, the largest up to each time; None where no curve can be afforded.

    Warns where the second halving of the steps changes C(t) almost as much as the first, or the estimate is large: the
    power law has not set in.

    Args:
        method: protocol, order and layout.
        model: the model.
        beta: inverse temperature.
        grids: the steps of the answer, one grid for each part of a multi-product formula.
        weights: of the grids, summing to 1.
        answer: C(t), taken as the first of the three curves where it is made as the others are.
        floor: other errors of the curves; differences below it say nothing of the step.
        progress: told of each curve.

    Cost: 6 times the steps of the answer, by the full trace up to 8 sites (10 with the protocol "exact"), else by a few
    random states; by the answer's own states or bond dimension where it has them.
    """
    evolution = check_evolution(model, method.trotter_order, method.layout)
    curve, is_answer = _choose_curve(method, evolution, beta)
    if curve is None:
        return None
    curves = [answer] if is_answer else []
    for factor in (1, 2, 4)[len(curves) :]:
        progress(0.8 + factor / 40, f"Trotter error, steps of 1/{factor}")
        parts = [weight * curve(refine(grid, factor)) for grid, weight in zip(grids, weights, strict=True)]
        curves.append(np.sum(parts, axis=0))
    order = remaining_order(len(grids), method.trotter_order)
    error = np.maximum.accumulate(step_error(curves, order))
    complaint = _describe_slowness(curves, order, max(floor, _NEGLIGIBLE)) or _describe_size(error, max(floor, _LARGE))
    if complaint:
        knob = "raise the numbers of `multi_product`" if method.multi_product else "shorten `time_step`"
        warnings.warn(
            f"{complaint}, so that `trotter_error` may be too small; {knob}.", NotConvergedWarning, stacklevel=2
        )
    return error


def _describe_slowness(curves: list[NDArray[Any]], order: int, floor: float) -> str:
    slow = find_slow_halving(curves, order)
    if slow is None or slow[1] <= floor:
        return ""
    return (
        f"The Trotter error must fall as the step to the power {order}, but halving the steps changes C(t) by "
        f"{slow[0]:.2g} and halving them again by {slow[1]:.2g}"
    )


def _describe_size(error: NDArray[np.float64], limit: float) -> str:
    largest = float(error.max(initial=0.0))
    return f"The Trotter error must be small beside 1, but is about {largest:.2g}" if largest > limit else ""


def _choose_curve(method: TrotterCircuit, evolution: Evolution, beta: float) -> tuple[_Curve | None, bool]:
    """Return what makes C(t) without shot noise on any grid, None if too dear, and whether the answer is such a curve.

    Random states are as many as scatter by 1/100 of the norm of the error of Z_0(t), about 2^14 amplitudes.
    """
    n, exact = evolution.model.num_sites, method.protocol == "exact"
    plain = method.device is None and not method.noise_factors
    if beta != 0:
        thermal = partial(thermal_correlator, evolution, beta=beta)
        return (thermal if exact or n <= _CHEAP_THERMAL_SITES else None), exact and plain
    if method.protocol == "haar":
        return _haar_mean(evolution, method.num_states, method.seed), plain
    if method.choose_simulator()[0] == "mps":
        return partial(exact_correlator, evolution, max_bond_dim=method.max_bond_dim), plain
    ideal = exact and method.device is None
    if n <= (_FULL_TRACE_SITES if ideal else _CHEAP_TRACE_SITES):
        return partial(exact_correlator, evolution), exact and plain
    if n <= _CHEAP_SITES or ideal:
        return _haar_mean(evolution, max(2, 2 ** (_CHEAP_SITES - n)), method.seed), False
    return None, False


def _haar_mean(evolution: Evolution, num_states: int, seed: int) -> _Curve:
    return lambda grid: haar_correlators(evolution, grid, num_states=num_states, seed=seed, progress=silent).mean(
        axis=0
    )
