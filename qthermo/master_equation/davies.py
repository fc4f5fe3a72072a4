"""`Davies`: the weak-coupling generator, every Bohr frequency resolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from qthermo.answers import Answer
from qthermo.checks import check_choice, check_real
from qthermo.master_equation.spin_models import check_spin_model, count_bytes, spin_model
from qthermo.problems import MixingGap, Problem, Relaxation
from qthermo.progress import Progress

if TYPE_CHECKING:
    from qthermo.kms.generators import Generator

__all__ = ["Davies"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Davies:
    """The Davies generator: alpha(nu1, nu2) = delta_{nu1, nu2} g(nu1), exactly balanced and non-local.

    Args:
        rate: "glauber" g = 1 / (1 + e^{beta nu}) or "metropolis" min(1, e^{-beta nu}), nu the energy gained.
        coupling: if given, the generator is -i[H, .] + coupling^2 L; otherwise L alone.
        tolerance: bound on the error of an evolution.

    Raises:
        InputError: a field is out of range.

    Errors: rounding; Bohr frequencies closer than 1e-9 count as equal.
    Cost: one eigenproblem of H; about 2 D^2 elements for a generic spectrum, D = 2**num_sites.
    Reference: E. B. Davies, Commun. Math. Phys. 39, 91 (1974).
    """

    answers: ClassVar[tuple[type, ...]] = (MixingGap, Relaxation)

    rate: str = "glauber"
    coupling: float | None = None
    tolerance: float = 1e-10

    def __post_init__(self) -> None:
        check_choice("rate", self.rate, ("glauber", "metropolis"))
        check_real("tolerance", self.tolerance, minimum=0, exclusive=True)
        if self.coupling is not None:
            check_real("coupling", self.coupling, minimum=0, exclusive=True)

    def check(self, problem: Problem) -> None:
        """Accept spin models."""
        check_spin_model(self, problem)

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak, for a spectrum without degenerate gaps."""
        return count_bytes(problem, jumps_per_coupling=2.0)

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Build the generator and find its gap, or evolve the state."""
        from qthermo.master_equation.answering import answer

        return answer(self, problem, progress)

    def build_generator(self, problem: MixingGap | Relaxation) -> Generator:
        """Return the generator in the eigenbasis of H."""
        from qthermo.kms.davies import davies_generator
        from qthermo.kms.energy_basis import diagonalise, site_couplings, stack_couplings
        from qthermo.kms.generators import add_hamiltonian

        model = spin_model(problem)
        basis = diagonalise(model.hamiltonian, model.num_sites, problem.beta)
        couplings = stack_couplings(basis, site_couplings(problem.couplings, model.num_sites))
        generator = davies_generator(basis, couplings, rate=self.rate)
        return generator if self.coupling is None else add_hamiltonian(generator, self.coupling)
