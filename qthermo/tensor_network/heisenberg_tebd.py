"""`HeisenbergTEBD`: the thermometer's operator evolved as a real matrix-product operator inside its light cone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from qthermo.answers import Answer
from qthermo.checks import check_choice, check_integer, check_real
from qthermo.errors import UnsupportedError
from qthermo.models import AnyModel, SpinModel
from qthermo.operators import PauliSum
from qthermo.problems import Autocorrelation, Evolution, Problem, StructureFactor
from qthermo.progress import Progress

if TYPE_CHECKING:
    from quimb.tensor import MatrixProductOperator

__all__ = ["HeisenbergTEBD", "choose_route"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeisenbergTEBD:
    """Z_0(t) as a matrix-product operator in the Pauli basis, by real gates on the bonds of a chain.

    Z_0(t) = sum_P z_P(t) P has real coefficients, which a gate of any bond turns by a real orthogonal 16 x 16 matrix;
    C(t) = Tr[Z_0(t) Z_0] / 2^L is one of them. If H is a real matrix, Z_0(-t) = Z_0(t)*, so that
    C(2t) = Tr[Z_0(t)* Z_0(t)] / 2^L and half the evolution suffices; this is used only where H is real.

    `Evolution` evolves each observable the same way and takes its mean in the product state; jump operators on one
    site or two neighbours join the real generator of a bond (the adjoint Lindblad equation). `StructureFactor` evolves
    the bath's operator in the bath alone.

    Chains of neighbouring terms are evolved on their own bonds. Many two-site terms of any range are reached through
    layers of swaps, in which every pair of spins meets once per pass. Terms on three or more sites, and few of longer
    range, are rotations of one Pauli string each, as matrix-product operators of bond dimension 4.

    Args:
        max_bond_dim: chi, the largest bond dimension.
        time_step: longest step, 1/energy; steps are shortened to meet every requested time.
        trotter_order: Suzuki order, 2 or 4.
        truncation_error: weight that one truncation may discard, relative to the norm, where chi does not bind.
        tolerance: the largest estimated error of C accepted.
        estimate_errors: also evolve with chi/2 and a hundred times the discarded weight; and with chi/2 and a
            hundredth of it, at this step and at half of it. The change of the first two, times
            3 / (sqrt(w(chi/2) / w(chi)) - 1) where that exceeds 1, w being the discarded weight, is
            `truncation_error`; that of the third times 2^order / (2^order - 1) is `trotter_error`. Each is the largest
            up to its time, and looked at every four steps at least. Under terms of longer range the
            `truncation_error` of C(t) is also at least the discarded weight times the largest ratio found.
        stop_at_tolerance: end the evolution where an estimate first exceeds `tolerance`; values from there on are NaN.
        time_doubling: use C(2t) where H is real.
        record_entropy: also answer `entropy` (nats) and `bond_dimension` (time, bond) of the evolved operator, for
            `Evolution` (time, observable, bond). Where C(2t) is used, time t shows the operator at t/2.
        checkpoint: file that keeps the state after every time; a run that finds its own file goes on from there.

    Errors: bond dimension and time step, both estimated; `NotConvergedWarning` names the one to turn.
    Cost: about 100 chi^3 multiplications per bond and layer, on the bonds inside the light cone only, so that it
    stops growing with the length of the chain; memory 4 chi^2 numbers per site. With terms of longer range, a pass is
    N (N - 1) / 2 gates with a full spectrum each, and two passes stand for one where the pairs do not commute; a
    rotation of a long string is about three such gates on each of its bonds.
    Reference: M. B. Hastings, arXiv:0903.3253; J. Unfried, J. Hauschild, F. Pollmann, arXiv:2212.09782.
    """

    answers: ClassVar[tuple[type, ...]] = (Autocorrelation, Evolution, StructureFactor)

    max_bond_dim: int = 64
    time_step: float = 0.125
    trotter_order: int = 4
    truncation_error: float = 1e-10
    tolerance: float = 1e-3
    estimate_errors: bool = True
    stop_at_tolerance: bool = True
    time_doubling: bool = True
    record_entropy: bool = False
    checkpoint: str | None = None

    def __post_init__(self) -> None:
        check_integer("max_bond_dim", self.max_bond_dim, minimum=2)
        check_real("time_step", self.time_step, minimum=0, exclusive=True)
        check_choice("trotter_order", self.trotter_order, (2, 4))
        check_real("truncation_error", self.truncation_error, minimum=0)
        check_real("tolerance", self.tolerance, minimum=0, exclusive=True)

    def check(self, problem: Problem) -> None:
        """Accept spins with any terms at infinite temperature, jump operators on one site or two neighbours."""
        _check_spins(problem.model)
        if isinstance(problem, StructureFactor) and problem.model.num_bath_sites < 2:
            raise UnsupportedError("HeisenbergTEBD needs a bath of at least two spins, but the bath has one.")
        if isinstance(problem, Evolution):
            for _, jump in problem.jump_operators:
                if jump.sites and jump.sites[-1] - jump.sites[0] > 1:
                    raise UnsupportedError(
                        f"HeisenbergTEBD takes jump operators on neighbouring sites, but `{jump}` reaches further."
                    )
        elif isinstance(problem, Autocorrelation) and problem.beta > 0:
            raise UnsupportedError(
                f"HeisenbergTEBD works at beta = 0, where Z_0 spreads from site 0, but beta is {problem.beta:g}."
            )

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        sites = problem.model.num_sites if isinstance(problem.model, SpinModel) else 0
        per_site = 5.0 * self.max_bond_dim**2
        network, work = 0.0, 200.0
        if isinstance(problem.model, SpinModel):
            jumps = isinstance(problem, Evolution) and bool(problem.jump_operators)
            route = choose_route(problem.model.hamiltonian, sites, has_jumps=jumps)
            network = 1500.0 * sites**2 if route == "swaps" else 0.0  # gates of every pair, kept for a few lengths
            longest = max((s.sites[-1] - s.sites[0] for s in problem.model.hamiltonian if s.sites), default=0)
            work += 128.0 * (longest + 2) if route == "strings" else 0.0
        return 8.0 * (network + (1.5 if self.estimate_errors else 1.0) * sites * per_site + work * self.max_bond_dim**2)

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Evolve from one requested time to the next, with its checks beside it."""
        from threadpoolctl import threadpool_limits

        from qthermo.tensor_network.heisenberg_runs import run_autocorrelation, run_evolution, run_structure_factor

        with threadpool_limits(1):
            if isinstance(problem, Autocorrelation):
                return run_autocorrelation(problem, self, progress)
            if isinstance(problem, StructureFactor):
                return run_structure_factor(problem, self, progress)
            if isinstance(problem, Evolution):
                return run_evolution(problem, self, progress)
        raise UnsupportedError(f"HeisenbergTEBD does not answer {type(problem).__name__}.")

    def evolve_operator(self, model: SpinModel, *, time: float) -> MatrixProductOperator:
        """Return Z_0(time) of a chain as a quimb MatrixProductOperator on all its sites.

        Raises:
            UnsupportedError: the model is not of spins.
            InputError: `time` is not a finite number >= 0.
        """
        from qthermo.tensor_network.heisenberg_runs import start_evolution
        from qthermo.tensor_network.quimb_door import to_quimb_operator

        _check_spins(model)
        evolution = start_evolution(model, model.observable, self)
        evolution.advance(check_real("time", time, minimum=0))
        return to_quimb_operator(evolution.ordered.tensors, model.num_sites)


def choose_route(hamiltonian: PauliSum, num_sites: int, *, has_jumps: bool) -> str:
    """Return how H is evolved: "bonds" of a chain, "swaps" that bring pairs together, or "strings" one by one.

    A pass of the network is N (N - 1) / 2 gates; a rotation of a far string costs about three for each of its bonds.
    """
    ranges = [string.sites[-1] - string.sites[0] for string in hamiltonian if string.sites]
    far = [length for length in ranges if length > 1]
    if not far:
        return "bonds"
    if hamiltonian.locality > 2 or (6 * sum(far) < num_sites * (num_sites - 1) and not has_jumps):
        return "strings"
    return "swaps"


def _check_spins(model: AnyModel) -> SpinModel:
    if not isinstance(model, SpinModel):
        raise UnsupportedError(f"HeisenbergTEBD needs a model of spins, but `{model.family}` is given by matrices.")
    if model.num_sites < 2:
        raise UnsupportedError("HeisenbergTEBD needs at least two spins, but the model has one.")
    return model
