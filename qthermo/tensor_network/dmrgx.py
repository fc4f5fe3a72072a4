"""`DMRGX`: single excited eigenstates of localised chains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.checks import check_integer, check_real
from qthermo.errors import NotConvergedError, UnsupportedError
from qthermo.models import SpinModel
from qthermo.problems import ExcitedState, Problem, ground_state_answer
from qthermo.progress import Progress

if TYPE_CHECKING:
    from qthermo.tensor_network.sweep_environments import SweepEnvironments

__all__ = ["DMRGX"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DMRGX:
    """The eigenstate nearest to a product state, where disorder makes eigenstates weakly entangled.

    Each pair of sites takes the eigenvector of its effective H that overlaps most with the current state, instead of
    the lowest one. The variance certifies that the result is an eigenstate.

    Args:
        max_bond_dim: chi; every local problem of dimension 4 chi^2 is diagonalised in full.
        truncation_error: weight that one split may discard.
        tolerance: the largest variance <H^2> - <H>^2 accepted, energy^2.
        max_sweeps: sweeps tried.
        checkpoint: file that keeps the state after every sweep; a run that finds its own file goes on from there.

    Errors: the bond dimension, certified by the variance; `NotConvergedError` where the chain is not localised enough.
    Cost: (4 chi^2)^3 per pair and sweep: meant for chi up to about 16.
    Reference: V. Khemani, F. Pollmann, S. L. Sondhi, arXiv:1509.00483.
    """

    answers: ClassVar[tuple[type, ...]] = (ExcitedState,)

    max_bond_dim: int = 12
    truncation_error: float = 1e-14
    tolerance: float = 1e-6
    max_sweeps: int = 10
    checkpoint: str | None = None

    def __post_init__(self) -> None:
        check_integer("max_bond_dim", self.max_bond_dim, minimum=1)
        check_real("truncation_error", self.truncation_error, minimum=0)
        check_real("tolerance", self.tolerance, minimum=0, exclusive=True)
        check_integer("max_sweeps", self.max_sweeps, minimum=1)

    def check(self, problem: Problem) -> None:
        """Accept every model of at least two spins."""
        if not isinstance(problem.model, SpinModel) or problem.model.num_sites < 2:
            raise UnsupportedError(f"DMRGX needs at least two spins, but got `{problem.model.family}`.")

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak: three matrices of the local problem."""
        return 3 * 16.0 * (4.0 * self.max_bond_dim**2) ** 2

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Sweep until the variance is below the tolerance, or raise."""
        from threadpoolctl import threadpool_limits

        if not isinstance(problem, ExcitedState):
            raise UnsupportedError(f"DMRGX does not answer {type(problem).__name__}.")
        with threadpool_limits(1):
            return _run(problem, self, progress)


def _run(problem: ExcitedState, method: DMRGX, progress: Progress) -> Answer:
    from qthermo.tensor_network.ground_state_sweeps import energy_variance
    from qthermo.tensor_network.journal import Journal
    from qthermo.tensor_network.pauli_mpo import build_mpo_tensors
    from qthermo.tensor_network.sweep_environments import SweepEnvironments
    from qthermo.tensor_network.sweep_evolution import product_tensors
    from qthermo.tensor_network.tdvp_runs import AMPLITUDES

    n = problem.model.num_sites
    mpo, _ = build_mpo_tensors(problem.model.hamiltonian, n)
    state = product_tensors(np.array([AMPLITUDES[letter] for letter in problem.initial_state]))
    journal = Journal.open(problem, method)
    done, energy, variance = journal.find("sweeps") or (0, 0.0, np.inf)
    environments = SweepEnvironments(journal.find_arrays("sweeps") or state, mpo)
    while done < method.max_sweeps and variance >= method.tolerance:
        progress(done / method.max_sweeps, f"sweep {done + 1}, variance {variance:.1e}")
        energy = _sweep(environments, method)
        shifted, _ = build_mpo_tensors(problem.model.hamiltonian - energy, n)
        variance = max(energy_variance(environments.tensors, shifted), 0.0)
        done += 1
        journal.enter("sweeps", [done, energy, variance], environments.tensors)
    if variance < method.tolerance:
        bonds = environments.bond_dimensions
        diagnostics = {"num_sweeps": done, "max_bond_dim_reached": max(bonds), "bond_dimensions": bonds}
        return ground_state_answer(energy, variance=variance, diagnostics=diagnostics)
    raise NotConvergedError(
        f"The variance must fall below tolerance = {method.tolerance:g}, but is {variance:.2g} after "
        f"{method.max_sweeps} sweeps: raise max_bond_dim above {method.max_bond_dim}, if the chain is localised at all."
    )


def _sweep(environments: SweepEnvironments, method: DMRGX) -> float:
    """Sweep right and left once and return the energy."""
    energy, last = 0.0, environments.num_sites - 2
    for site in [*range(last), *range(last, -1, -1)]:
        rightwards = environments.centre == site and site < last
        energy, theta = _nearest_eigenvector(environments, site)
        split = environments.split_right if rightwards else environments.split_left
        split(site, theta, method.max_bond_dim, method.truncation_error)
    return energy


def _nearest_eigenvector(environments: SweepEnvironments, site: int) -> tuple[float, NDArray[np.float64]]:
    theta, apply = environments.pair_map(site)
    size = theta.size
    matrix = np.array([apply(row) for row in np.eye(size)]).T
    values, vectors = scipy.linalg.eigh((matrix + matrix.conj().T) / 2, check_finite=False)
    overlaps = np.abs(vectors.conj().T @ theta.ravel())
    best = int(np.argmax(overlaps))
    return float(values[best]), vectors[:, best].reshape(theta.shape)
