"""`DMRG`: ground states with a certificate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from qthermo.answers import Answer
from qthermo.checks import check_choice, check_integer, check_real
from qthermo.errors import InputError, UnsupportedError
from qthermo.models import SpinModel
from qthermo.problems import GroundState, MixingGap, Problem
from qthermo.progress import Progress, silent

if TYPE_CHECKING:
    from quimb.tensor import MatrixProductState

__all__ = ["DMRG"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DMRG:
    """The ground state of any spin model by two-site sweeps over an MPO of least bond dimension.

    `num_starts` random states are swept at a small bond dimension with a perturbed density matrix, which lets quantum
    numbers and distant correlations enter that a two-site update alone cannot make; the best one goes on through
    bond dimensions doubled up to chi. The energy is an upper bound; the answer's `variance` <H^2> - <H>^2 says that an
    eigenvalue lies within its square root, and must be below 100 * `tolerance`; `truncation_error` is the change from
    chi/2 to chi.

    Args:
        max_bond_dim: chi, the largest bond dimension.
        truncation_error: weight that one split may discard.
        tolerance: the largest `truncation_error` of the energy accepted.
        sweep_tolerance: sweeps end when one changes the energy by less.
        num_starts: random states tried.
        reorder_sites: sweep over the sites in the order of the couplings' Fiedler vector where that brings partners
            closer; the diagnostics give each site's place.
        max_sweeps: at the largest bond dimension; six at the smaller ones.
        seed: of the random states.
        checkpoint: file that keeps the state after every sweep; a run that finds its own file goes on from there.
        filter: of the jump operators whose gap is asked, see `KMSJumps`.
        patch_radius: of the jumps; the generator they define with the whole H is exactly balanced (`MixingGap`).
        outer_radius: of the patches that give its decay terms; the answer's `certificate` E0 falls to 0 as it grows.

    A `MixingGap` is E1 - E0 of the parent Hamiltonian on ket and bra of a chain, E1 found with the ground state lifted
    out of the way. Bond dimensions double from 8 or less until one changes the energy by less than `tolerance`; the
    diagnostic `two_site_variance` is the part of the variance that changes of two neighbouring sites hold.

    Raises:
        NotConvergedError: in `run`, when the energy misses `tolerance`; the message names the knob.

    Errors: bond dimension, certified by variance and change; a local minimum, met by the starts.
    Cost: 4 chi^3 w d^3 multiplications per application of the effective H, about three of them per pair and
    sweep; real arithmetic where H is real. Memory: N chi^2 w d^2 numbers.
    Reference: S. R. White, Phys. Rev. B 72, 180403 (2005); U. Schollwoeck, arXiv:1008.3477.
    """

    answers: ClassVar[tuple[type, ...]] = (GroundState, MixingGap)

    max_bond_dim: int = 64
    truncation_error: float = 1e-12
    tolerance: float = 1e-6
    sweep_tolerance: float = 1e-7
    num_starts: int = 3
    reorder_sites: bool = True
    max_sweeps: int = 40
    seed: int = 0
    checkpoint: str | None = None
    filter: str = "smooth_metropolis"
    patch_radius: int = 1
    outer_radius: int = 2

    def __post_init__(self) -> None:
        check_integer("max_bond_dim", self.max_bond_dim, minimum=2)
        check_real("truncation_error", self.truncation_error, minimum=0)
        check_real("tolerance", self.tolerance, minimum=0, exclusive=True)
        check_real("sweep_tolerance", self.sweep_tolerance, minimum=0, exclusive=True)
        check_integer("num_starts", self.num_starts, minimum=1)
        check_integer("max_sweeps", self.max_sweeps, minimum=2)
        check_integer("seed", self.seed, minimum=0)
        check_choice("filter", self.filter, ("smooth_metropolis", "gaussian", "imaginary_time"))
        check_integer("patch_radius", self.patch_radius, minimum=0)
        check_integer("outer_radius", self.outer_radius, minimum=0)
        if self.outer_radius < self.patch_radius:
            raise InputError(
                f"Argument `outer_radius` must be at least patch_radius = {self.patch_radius}, but is "
                f"{self.outer_radius}; raise it."
            )

    def check(self, problem: Problem) -> None:
        """Accept every model of at least two spins."""
        model = problem.model
        if not isinstance(model, SpinModel) or model.num_sites < 2:
            raise UnsupportedError(f"DMRG needs a model of at least two spins, but got `{model.family}`.")
        if isinstance(problem, MixingGap):
            from qthermo.tensor_network.parent_sweeps import check_chain

            check_chain(problem, self)

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak, from a bound on the MPO's bond dimension."""
        if not isinstance(problem.model, SpinModel):
            return 0.0
        n = problem.model.num_sites
        if isinstance(problem, MixingGap):
            width = 16.0**self.patch_radius + 4.0 ** (self.outer_radius + 1)
            environments = 20.0 * n * width * self.max_bond_dim**2
            return 8.0 * (environments + 16.0 * n * width**2 + 6 * 16.0 ** (2 * self.outer_radius + 1)) + 3e8
        spread = max((s.sites[-1] - s.sites[0] for s in problem.model.hamiltonian if s.sites), default=1)
        width = 3 * min(spread, n // 2) + 2
        number = 8.0 if problem.model.hamiltonian.is_real else 16.0
        return number * self.max_bond_dim**2 * (n * (4 + 4 * width) + 80 + 8 * width**2)

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Sweep to convergence, or raise."""
        from threadpoolctl import threadpool_limits

        from qthermo.tensor_network.dmrg_runs import run_ground_state
        from qthermo.tensor_network.parent_sweeps import run_mixing_gap

        if isinstance(problem, MixingGap):
            with threadpool_limits(1):
                return run_mixing_gap(problem, self, progress)
        if not isinstance(problem, GroundState):
            raise UnsupportedError(f"DMRG does not answer {type(problem).__name__}.")
        with threadpool_limits(1):
            return run_ground_state(problem, self, progress)[0]

    def find_state(self, model: SpinModel, *, progress: Progress = silent) -> MatrixProductState:
        """Return the ground state as a quimb MatrixProductState, its sites in the given order.

        Its checkpoint, if any, has `.state` added to its name.

        Raises:
            NotConvergedError: the energy misses `tolerance`.
        """
        from threadpoolctl import threadpool_limits

        from qthermo.tensor_network.dmrg_runs import run_ground_state
        from qthermo.tensor_network.quimb_door import to_quimb_state

        problem = GroundState(model)
        self.check(problem)
        path = None if self.checkpoint is None else f"{self.checkpoint}.state"
        method = replace(self, reorder_sites=False, checkpoint=path)
        with threadpool_limits(1):
            return to_quimb_state(run_ground_state(problem, method, progress)[1])
