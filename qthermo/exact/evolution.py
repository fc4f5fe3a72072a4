"""Expectation values from a product state: by the spectrum, or by integrating the Lindblad equation."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import DOP853
from scipy.sparse import csr_array

from qthermo.errors import NotConvergedError
from qthermo.exact.spectrum import diagonalise
from qthermo.problems import Evolution, ExcitedState
from qthermo.progress import Progress

__all__ = ["exact_evolution", "nearest_energy"]

_AMPLITUDES = {"0": (1.0, 0.0), "1": (0.0, 1.0), "+": (0.5**0.5, 0.5**0.5), "-": (0.5**0.5, -(0.5**0.5))}
_RTOL, _ATOL = 1e-10, 1e-12


def exact_evolution(problem: Evolution, progress: Progress) -> NDArray[np.float64]:
    """Return Tr[rho(t) O], shape (time, observable).

    Cost: without jumps one eigendecomposition, D^3; with them an explicit Runge-Kutta integration of the D x D density
    matrix (order 8, relative tolerance 1e-10 per step), steps of about 1 / |H|.
    """
    n = problem.model.num_sites
    state = reduce(np.kron, [np.array(_AMPLITUDES[letter]) for letter in problem.initial_state])
    operators = [operator.to_sparse(n) for operator in problem.observables.values()]
    if problem.jump_operators:
        return _integrate(problem, state, operators, progress)
    progress(0.0, "diagonalising")
    energies, vectors = diagonalise(problem.model.hamiltonian.to_dense(n))
    phases = np.exp(-1j * np.outer(energies, problem.times))
    states = vectors @ (phases * (vectors.conj().T @ state)[:, None])
    return np.array([np.einsum("it,it->t", states.conj(), operator @ states).real for operator in operators]).T


def nearest_energy(problem: ExcitedState) -> float:
    """Return the eigenvalue whose eigenvector overlaps most with the product state; cost D^3."""
    state = reduce(np.kron, [np.array(_AMPLITUDES[letter]) for letter in problem.initial_state])
    energies, vectors = diagonalise(problem.model.hamiltonian.to_dense(problem.model.num_sites))
    return float(energies[np.argmax(np.abs(vectors.conj().T @ state))])


def _integrate(
    problem: Evolution, state: NDArray[Any], operators: list[csr_array], progress: Progress
) -> NDArray[np.float64]:
    n, dim = problem.model.num_sites, state.size
    jumps = [np.sqrt(rate) * jump.to_sparse(n).astype(np.complex128) for rate, jump in problem.jump_operators]
    damped = -1j * problem.model.hamiltonian.to_sparse(n) - sum(L.conj().T @ L for L in jumps) / 2

    def slope(_time: float, flat: NDArray[np.complex128]) -> NDArray[np.complex128]:
        rho = flat.reshape(dim, dim)
        half = damped @ rho
        total: NDArray[np.complex128] = half + half.conj().T
        for L in jumps:
            total += (L @ (L @ rho).conj().T).conj().T
        return total.ravel()

    rho = np.outer(state, state.conj()).astype(np.complex128)
    values = np.empty((problem.times.size, len(operators)))
    time = 0.0
    for k, target in enumerate(problem.times):
        progress(k / problem.times.size, f"time {target:g}")
        if target > time:
            rho = _advance(slope, rho, time, float(target))
            time = float(target)
        values[k] = [np.real((operator.multiply(rho.T)).sum()) for operator in operators]
    return values


def _advance(slope: Any, rho: NDArray[Any], start: float, end: float) -> NDArray[Any]:
    solver = DOP853(slope, start, rho.ravel(), end, rtol=_RTOL, atol=_ATOL)
    while solver.status == "running":
        solver.step()
    if solver.status == "failed":
        raise NotConvergedError(
            f"The Lindblad equation must be integrable to time {end:g}, but the step vanished at {solver.t:g}: "
            "check the rates and the Hamiltonian for very large numbers."
        )
    final: NDArray[Any] = solver.y.reshape(rho.shape)
    return final
