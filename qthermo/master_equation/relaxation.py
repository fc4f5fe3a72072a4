"""The evolution of a state under a generator, and what is seen of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.kms.energy_basis import EnergyBasis
from qthermo.kms.generators import Generator
from qthermo.kms.states import build_initial_state, observe_states
from qthermo.linalg.krylov import evolve_exponential
from qthermo.problems import Relaxation
from qthermo.progress import Progress

__all__ = ["relax"]


def relax(
    generator: Generator, problem: Relaxation, progress: Progress, *, tolerance: float
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the variables of `Relaxation` and diagnostics.

    The state is evolved as it is (the frame of the discriminant is ill-conditioned at low temperature), real if
    generator and state are.

    Cost: Krylov spaces of 30 applications, about one per 60 units of t |L|; two eigenproblems of D x D per time.
    """
    basis = generator.basis
    start = _to_dtype(basis.transform(build_initial_state(problem.initial_state)), generator)
    dim = basis.dimension
    states, products, error = [], 0, 0.0

    def apply(flat: NDArray[Any]) -> NDArray[Any]:
        return generator.apply(flat.reshape(dim, dim)).ravel()

    points = evolve_exponential(apply, start.ravel(), problem.times, tolerance=tolerance)
    for k, point in enumerate(points):
        progress((k + 1) / problem.times.size, f"t = {problem.times[k]:g}")
        states.append(observe_states(basis, point.vector.reshape(dim, dim)))
        products, error = point.num_products, point.error
    values = {name: np.array([state[name] for state in states]) for name in states[0]}
    values |= _equilibrium(basis)
    trace = values.pop("trace")
    diagnostics = {
        "evolution_error": error,
        "num_products": products,
        "trace_error": float(np.abs(trace - 1).max()),
    }
    return values, diagnostics


def _equilibrium(basis: EnergyBasis) -> dict[str, NDArray[Any]]:
    seen = observe_states(basis, np.diag(basis.populations))
    return {"gibbs_energy": np.array(seen["energy"]), "gibbs_polarisation": np.array(seen["polarisation"])}


def _to_dtype(state: NDArray[Any], generator: Generator) -> NDArray[Any]:
    if generator.map.is_real:
        return state if np.iscomplexobj(state) and np.abs(state.imag).max() > 0 else np.ascontiguousarray(state.real)
    return state.astype(np.complex128)
