"""`TDVP`: states and operators of any spin model, long-range ones too, by the two-site variational principle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from qthermo.answers import Answer
from qthermo.checks import check_choice, check_integer, check_real
from qthermo.errors import UnsupportedError
from qthermo.models import SpinModel
from qthermo.problems import Autocorrelation, BandDynamics, Evolution, Problem, Relaxation
from qthermo.progress import Progress

__all__ = ["TDVP"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TDVP:
    """Two-site time-dependent variational principle with the Hamiltonian as an MPO of least bond dimension.

    `Evolution` evolves the state, -i H |psi>; so does `BandDynamics`, on sites with all levels of a subunit, from a
    product state (`BandDynamics.is_product`). `Autocorrelation` evolves an operator in the Pauli basis, where
    O -> i [H, O] is a real MPO: at beta = 0 Z_0(t) itself (real arithmetic), at beta > 0 Z_0 sqrt(rho), with sqrt(rho)
    cooled from the identity by O -> -{H, O}/4. C(2t) is used where H is real, as in `HeisenbergTEBD`.

    Args:
        max_bond_dim: chi, the largest bond dimension.
        time_step: longest step, 1/energy; steps are shortened to meet every requested time.
        thermal_step: longest step in beta, 1/energy.
        truncation_error: weight that one split may discard, relative to the norm.
        krylov_tolerance: relative error of every local exponential.
        tolerance: the largest estimated error accepted.
        estimate_errors: also evolve with chi/2 at three cutoffs and steps, from which `truncation_error` and
            `trotter_error` (4/3 of the change) follow as in `HeisenbergTEBD`.
        stop_at_tolerance: end the evolution where an estimate first exceeds `tolerance`; values from there on are NaN.
        time_doubling: use C(2t) where H is real.
        record_entropy: for `Evolution` and `Autocorrelation`, also answer `entropy` (nats) and `bond_dimension`
            (time, bond) of the evolved state or operator; where C(2t) is used, time t shows the operator at t/2.
        checkpoint: file that keeps the state after every time; a run that finds its own file goes on from there.
        filter: of the jump operators of a `Relaxation`, see `KMSJumps`.
        patch_radius: of those jumps. A `Relaxation` evolves the density matrix of a chain, (ket, bra) on each site, by
            the MPO of the generator `KMSJumps(filter, patch_radius)`; times above are in its units, and its
            `truncation_error` compares half the bonds and twice the step.

    Errors: bond dimension, and step, of second order; both are estimated. Two-site updates alone would miss terms that
    need several bonds opened at once; as long as bonds are narrow, each step first opens them to H v and H^2 v.
    Cost: 4 chi^3 w d^3 multiplications per application of the effective map, about ten of them per pair and
    step; w is the MPO's bond dimension, N/2 + 2 for all-to-all couplings. Memory: N chi^2 w d^2 numbers.
    Reference: J. Haegeman et al., arXiv:1408.5056.
    """

    answers: ClassVar[tuple[type, ...]] = (Autocorrelation, Evolution, Relaxation, BandDynamics)

    max_bond_dim: int = 64
    time_step: float = 0.1
    thermal_step: float = 0.05
    truncation_error: float = 1e-12
    krylov_tolerance: float = 1e-9
    tolerance: float = 1e-3
    estimate_errors: bool = True
    stop_at_tolerance: bool = True
    time_doubling: bool = True
    record_entropy: bool = False
    checkpoint: str | None = None
    filter: str = "smooth_metropolis"
    patch_radius: int = 1

    def __post_init__(self) -> None:
        check_integer("max_bond_dim", self.max_bond_dim, minimum=2)
        for name in ("time_step", "thermal_step", "krylov_tolerance", "tolerance"):
            check_real(name, getattr(self, name), minimum=0, exclusive=True)
        check_real("truncation_error", self.truncation_error, minimum=0)
        check_choice("filter", self.filter, ("smooth_metropolis", "gaussian", "imaginary_time"))
        check_integer("patch_radius", self.patch_radius, minimum=0)

    def check(self, problem: Problem) -> None:
        """Accept every model of at least two spins, without jump operators."""
        if isinstance(problem, BandDynamics):
            check_band_chain(problem)
            return
        model = problem.model
        if not isinstance(model, SpinModel) or model.num_sites < 2:
            raise UnsupportedError(f"TDVP needs a model of at least two spins, but got `{model.family}`.")
        if isinstance(problem, Relaxation):
            from qthermo.tensor_network.patch_relaxation import check_relaxation

            check_relaxation(problem, self)
        if isinstance(problem, Evolution) and problem.jump_operators:
            raise UnsupportedError(
                f"TDVP evolves pure states, but the problem has {len(problem.jump_operators)} jump operators."
            )

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak, from a bound on the MPO's bond dimension."""
        if isinstance(problem, BandDynamics):
            chain, copies = problem.model, 2.5 if self.estimate_errors else 1.0
            width = 2.0 + 2 * (chain.local_dimension - 1)
            bond = min(self.max_bond_dim, chain.local_dimension ** (chain.num_subunits // 2))
            return float(16.0 * copies * chain.num_subunits * bond**2 * chain.local_dimension**2 * (width + 30))
        if not isinstance(problem.model, SpinModel):
            return 0.0
        n = problem.model.num_sites
        if isinstance(problem, Relaxation):
            width = 16.0 * 2 ** (2 * self.patch_radius + 1)
            return float(16.0 * n * self.max_bond_dim**2 * 4 * (1 + 2 * width * 4) + 3e8)
        spread = max((s.sites[-1] - s.sites[0] for s in problem.model.hamiltonian if s.sites), default=1)
        width = 3 * min(spread, n // 2) + 2
        d, number = (2, 16.0) if isinstance(problem, Evolution) else (4, 8.0 if problem_is_real(problem) else 16.0)
        width *= 1 if isinstance(problem, Evolution) else 2
        copies = 1.5 if self.estimate_errors else 1.0
        return number * self.max_bond_dim**2 * d * (copies * n * (1 + 2 * width * d) + 40 * d)

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Evolve from one requested time to the next, with its checks beside it."""
        from threadpoolctl import threadpool_limits

        from qthermo.tensor_network.band_chain_runs import run_band_dynamics
        from qthermo.tensor_network.patch_relaxation import run_relaxation
        from qthermo.tensor_network.tdvp_runs import run_autocorrelation, run_evolution

        with threadpool_limits(1):
            if isinstance(problem, Autocorrelation):
                return run_autocorrelation(problem, self, progress)
            if isinstance(problem, Evolution):
                return run_evolution(problem, self, progress)
            if isinstance(problem, BandDynamics):
                return run_band_dynamics(problem, self, progress)
            if isinstance(problem, Relaxation):
                return run_relaxation(problem, self, progress)
        raise UnsupportedError(f"TDVP does not answer {type(problem).__name__}.")


def check_band_chain(problem: BandDynamics) -> None:
    """Raise unless the chain starts in one product state."""
    if not problem.is_product or problem.num_states > 1:
        kind = repr(problem.initial) if isinstance(problem.initial, str) else "a vector"
        raise UnsupportedError(
            f"TDVP evolves a band chain from one product state, but got initial={kind} with {problem.num_states} "
            'states: take initial="product" and num_states=1, or "haar" from a configuration with one subunit in a '
            "band; Dense and Chebyshev take the others."
        )


def problem_is_real(problem: Problem) -> bool:
    """Return whether the evolved operator has real coefficients: at infinite temperature."""
    return isinstance(problem, Autocorrelation) and problem.beta == 0
