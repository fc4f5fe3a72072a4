"""`CollisionCircuit`: thermalisation by one ancilla that meets the system again and again and is reset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from qthermo.answers import Answer
from qthermo.checks import check_choice, check_integer, check_real
from qthermo.errors import UnsupportedError
from qthermo.models import SpinModel
from qthermo.problems import MixingGap, Problem, Relaxation
from qthermo.progress import Progress

__all__ = ["CollisionCircuit"]

_PROTOCOLS = ("channel", "density_matrix", "trajectories", "mps")
_LARGE_BOND = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class CollisionCircuit:
    """The collision scheme as a circuit with mid-circuit resets, or as its exact average channel.

    Each collision draws a coupling and a frequency (`qthermo.kms.CollisionScheme`), alternates Trotter steps of H with
    kicks exp(-i theta A (x) X) on system and ancilla, and resets the ancilla. One collision is worth the time
    coupling^2 2 pi / (N Z) of the master equation `CoarseGrained(energy_width, rate, shifted=True)`, so that the times
    of a `Relaxation` mean the same for both; they are rounded to whole collisions.

    Args:
        coupling: lambda; the fixed point is missed by O(lambda^2).
        energy_width: s, energy.
        rate: "glauber", "metropolis" or "gaussian".
        rate_width: of the Gaussian rate, energy.
        cutoff: largest |frequency| of the other rates, energy.
        window: the window is cut at window / s.
        time_step: largest Trotter step and spacing of kicks, 1/energy.
        trotter_order: 1, 2 or 4; 0 takes e^{-i H dt} itself (protocol "channel" only). The fixed point is that of the
            Floquet Hamiltonian of the step.
        protocol: "channel" averages over all frequencies with dense matrices; "density_matrix", "trajectories" and
            "mps" run `num_sequences` random sequences on Aer.
        num_nodes: frequencies of the average channel.
        num_sequences: random sequences, at least 2.
        num_shots: trajectories per sequence ("trajectories", "mps").
        seed: of sequences and trajectories.

    Raises:
        InputError: a field is out of range.

    Errors: O(lambda^2) and the Trotter step, in the fixed point; `stderr` over the sequences.
    Cost: kicks times collisions times gates of a step; see `qthermo.circuits.count_collision_gates`.
    Reference: C.-F. Chen, M. J. Kastoryano, A. Gilyen, arXiv:2311.09207; arXiv:2506.21318.
    """

    answers: ClassVar[tuple[type, ...]] = (Relaxation, MixingGap)

    coupling: float = 0.4
    energy_width: float = 0.5
    rate: str = "glauber"
    rate_width: float = 1.0
    cutoff: float = 6.0
    window: float = 2.5
    time_step: float = 0.2
    trotter_order: int = 2
    protocol: str = "channel"
    num_nodes: int = 30
    num_sequences: int = 20
    num_shots: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("coupling", "energy_width", "rate_width", "cutoff", "window", "time_step"):
            check_real(name, getattr(self, name), minimum=0, exclusive=True)
        check_choice("rate", self.rate, ("gaussian", "glauber", "metropolis"))
        check_choice("trotter_order", self.trotter_order, (0, 1, 2, 4))
        check_choice("protocol", self.protocol, _PROTOCOLS)
        check_integer("num_nodes", self.num_nodes, minimum=2)
        check_integer("num_sequences", self.num_sequences, minimum=2)
        check_integer("num_shots", self.num_shots, minimum=1)
        check_integer("seed", self.seed, minimum=0)

    def check(self, problem: Problem) -> None:
        """Accept spin models whose frequencies the kicks can tell apart; circuits start from bits."""
        if not isinstance(problem.model, SpinModel):
            raise UnsupportedError("CollisionCircuit must have a spin model, but this model is a matrix.")
        if not isinstance(problem, Relaxation | MixingGap):
            raise UnsupportedError("CollisionCircuit answers Relaxation and MixingGap only.")
        from qthermo.circuits.collisions import check_collisions

        check_collisions(self, problem)

    def time_per_round(self, *, beta: float, num_couplings: int) -> float:
        """Return the time of the master equation that one collision is worth, lambda^2 2 pi / (N Z)."""
        from qthermo.circuits.collisions import build_scheme

        check_real("beta", beta, minimum=0)
        check_integer("num_couplings", num_couplings, minimum=1)
        return build_scheme(self, beta).time_per_collision(num_couplings)

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        dim = float(problem.model.dimension)
        sites = problem.model.dimension.bit_length() - 1
        if self.protocol == "channel":
            return 16.0 * dim**2 * 4 * self.num_nodes * 3 * sites
        if self.protocol == "mps":
            return 3e8 + 16.0 * sites * _LARGE_BOND**2 * 8
        return 16.0 * 4 * dim * (dim if self.protocol == "density_matrix" else 1.0) + 2e8

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Average over collisions, or draw sequences and run their circuits."""
        if not isinstance(problem, Relaxation | MixingGap):
            raise UnsupportedError("CollisionCircuit answers Relaxation and MixingGap only.")
        from qthermo.circuits.collisions import answer_collisions

        return answer_collisions(self, problem, progress)
