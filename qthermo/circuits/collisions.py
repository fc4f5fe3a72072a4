"""How `CollisionCircuit` answers: average channel, or random sequences on Aer."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.errors import NotConvergedError, UnsupportedError, ValidityWarning
from qthermo.kms.coarse_graining import CoarseGraining
from qthermo.kms.collision_channel import averaged_channel, step_unitary
from qthermo.kms.collisions import CollisionScheme, check_aliasing, local_bohr_bound
from qthermo.kms.energy_basis import diagonalise, site_couplings
from qthermo.kms.lost_gap import warn_of_lost_window
from qthermo.kms.states import build_initial_state, observe_states
from qthermo.linalg.superoperators import JumpMap
from qthermo.linalg.threads import limit_threads
from qthermo.models import SpinModel
from qthermo.problems import MixingGap, Relaxation, gap_answer, relaxation_answer
from qthermo.progress import Progress

if TYPE_CHECKING:
    from qthermo.circuits.collision_circuit import CollisionCircuit

__all__ = ["answer_collisions", "build_scheme", "check_collisions", "path_answer", "warn_of_missed_transitions"]

_DENSE = 16


def build_scheme(method: CollisionCircuit, beta: float) -> CollisionScheme:
    """Return the method's collisions at this temperature."""
    return CollisionScheme(
        beta=beta,
        coupling=method.coupling,
        energy_width=method.energy_width,
        rate=method.rate,
        rate_width=method.rate_width,
        cutoff=method.cutoff,
        window=method.window,
        time_step=method.time_step,
    )


def check_collisions(method: CollisionCircuit, problem: Relaxation | MixingGap) -> None:
    """Raise if the kicks alias, or the protocol cannot answer.

    Raises:
        InputError: the kicks are too far apart.
        UnsupportedError: a circuit was asked for a gap, a state that is no string of bits, or the exact step.
    """
    model = spin_model(problem)
    couplings = site_couplings(problem.couplings, model.num_sites)
    check_aliasing(build_scheme(method, problem.beta), local_bohr_bound(model.hamiltonian, couplings))
    if method.protocol == "channel":
        return
    if isinstance(problem, MixingGap):
        raise UnsupportedError(
            f'CollisionCircuit finds gaps by "channel" only, but the protocol is {method.protocol!r}.'
        )
    if not isinstance(problem.initial_state, str):
        raise UnsupportedError("CollisionCircuit must start its circuits from bits, but the state is an array.")
    if method.trotter_order == 0:
        raise UnsupportedError("CollisionCircuit needs a Trotter order of 1, 2 or 4 for circuits, but it is 0.")


def spin_model(problem: Relaxation | MixingGap) -> SpinModel:
    """Return the model of spins.

    Raises:
        UnsupportedError: the model is a matrix.
    """
    if not isinstance(problem.model, SpinModel):
        raise UnsupportedError("A thermalising circuit must have a spin model, but this model is a matrix.")
    return problem.model


def answer_collisions(method: CollisionCircuit, problem: Relaxation | MixingGap, progress: Progress) -> Answer:
    """Answer by the protocol of the method."""
    warn_of_missed_transitions(method, problem)
    with limit_threads(problem.model.dimension):
        if method.protocol == "channel" or isinstance(problem, MixingGap):
            return _answer_by_channel(method, problem, progress)
    from qthermo.circuits.collision_runs import run_sequences

    return run_sequences(method, problem, progress)


def warn_of_missed_transitions(method: CollisionCircuit, problem: Relaxation | MixingGap) -> None:
    """Warn if frequencies that a site can absorb are beyond the cutoff, or a Gaussian rate all but lacks them."""
    model = spin_model(problem)
    if method.rate == "gaussian":
        grain = CoarseGraining(energy_width=method.energy_width, rate=method.rate, rate_width=method.rate_width)
        warn_of_lost_window(
            model.hamiltonian, model.num_sites, beta=problem.beta, letters=problem.couplings, grain=grain
        )
        return
    bound = local_bohr_bound(model.hamiltonian, site_couplings(problem.couplings, model.num_sites))
    if method.cutoff < 0.5 * bound:
        warnings.warn(
            f"`cutoff` must cover the Bohr frequencies of a site, up to about {0.5 * bound:.3g} here, but is "
            f"{method.cutoff:g}: transitions beyond it are missed and relaxation may stall; raise it.",
            ValidityWarning,
            stacklevel=4,
        )


def _answer_by_channel(method: CollisionCircuit, problem: Relaxation | MixingGap, progress: Progress) -> Answer:
    from qthermo.circuits.layers import order_groups

    model = spin_model(problem)
    scheme = build_scheme(method, problem.beta)
    couplings = site_couplings(problem.couplings, model.num_sites)
    groups = order_groups(model.hamiltonian) if method.trotter_order else None
    step = step_unitary(
        model.hamiltonian, model.num_sites, scheme.spacing, groups=groups, order=max(method.trotter_order, 1)
    )
    progress(0.0, "averaging the collisions")
    channel = averaged_channel(scheme, step, couplings, num_nodes=method.num_nodes)
    unit = scheme.time_per_collision(len(couplings))
    diagnostics: dict[str, Any] = {"time_per_collision": unit, "kicks_per_collision": scheme.num_kicks}
    if isinstance(problem, MixingGap):
        return _gap(problem, channel, unit, diagnostics)
    counts = np.rint(problem.times / unit).astype(int)
    state = build_initial_state(problem.initial_state).astype(np.complex128)
    states, done = [], 0
    for count in counts:
        progress(done / max(int(counts[-1]), 1), f"collision {done}")
        for _ in range(count - done):
            state = channel.apply(state)
        done = int(count)
        states.append(state)
    return path_answer(problem, states, diagnostics | {"num_collisions": counts.tolist()})


def _gap(problem: MixingGap, channel: JumpMap, unit: float, diagnostics: dict[str, Any]) -> Answer:
    """Return (1 - |lambda_2|) / time per collision, and where the fixed point is."""
    dim = channel.dimension
    if dim <= _DENSE:
        values, vectors = np.linalg.eig(channel.to_matrix())
    else:
        from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

        def apply(vector: NDArray[Any]) -> NDArray[Any]:
            return channel.apply(vector.reshape(dim, dim)).ravel()

        operator = LinearOperator((dim**2,) * 2, matvec=apply, dtype=np.complex128)
        start = (np.eye(dim) / dim + np.ones((dim, dim)) / dim**2).ravel().astype(complex)
        try:
            values, vectors = eigs(operator, k=3, which="LM", v0=start, ncv=40, tol=1e-10, maxiter=100)
        except ArpackNoConvergence:
            raise NotConvergedError(
                "The channel's second eigenvalue must converge, but is too close to 1; raise `coupling`."
            ) from None
    order = np.argsort(-np.abs(values))
    state = vectors[:, order[0]].reshape(dim, dim)
    state = state / np.trace(state)
    model = spin_model(problem)
    basis = diagonalise(model.hamiltonian, model.num_sites, problem.beta)
    error = observe_states(basis, basis.transform(state))["trace_distance"]
    return gap_answer((1 - float(abs(values[order[1]]))) / unit, error, diagnostics=diagnostics)


def path_answer(
    problem: Relaxation,
    states: list[NDArray[Any]],
    diagnostics: dict[str, Any],
    extra: dict[str, NDArray[Any]] | None = None,
) -> Answer:
    """Return the answer to `Relaxation` from density matrices in the computational basis."""
    model = spin_model(problem)
    basis = diagonalise(model.hamiltonian, model.num_sites, problem.beta)
    seen = [observe_states(basis, basis.transform(state)) for state in states]
    values = {name: np.array([row[name] for row in seen]) for name in seen[0]}
    trace = values.pop("trace")
    rest = observe_states(basis, np.diag(basis.populations))
    values |= {"gibbs_energy": np.array(rest["energy"]), "gibbs_polarisation": np.array(rest["polarisation"])}
    diagnostics["trace_error"] = float(np.abs(trace - 1).max())
    return relaxation_answer(problem, values | (extra or {}), diagnostics=diagnostics)
