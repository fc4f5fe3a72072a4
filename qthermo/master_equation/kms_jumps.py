"""`KMSJumps`: one filtered jump operator per coupling, whole or cut to a patch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from qthermo.answers import Answer
from qthermo.checks import check_choice, check_integer, check_real
from qthermo.master_equation.spin_models import check_spin_model, count_bytes, spin_model
from qthermo.problems import MixingGap, Problem, Relaxation
from qthermo.progress import Progress

if TYPE_CHECKING:
    from qthermo.kms.generators import Generator

__all__ = ["KMSJumps"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KMSJumps:
    """The generator with jumps L_a = sum_nu q(nu) e^{-beta nu / 4} A_nu and the coherent term of detailed balance.

    Args:
        filter: q; "smooth_metropolis" exp(-sqrt(1 + (beta nu)^2) / 4), "gaussian" exp(-((beta nu)^2 + 1) / 8), whose
            gap closes at low temperature, or "imaginary_time" 1, the most local, whose rates grow as e^{O(beta)}.
        coherent: include G; without it the Gibbs state is only nearly stationary.
        patch_radius: cut H to the sites that this many bonds connect with the coupling; None takes the whole H.
        coupling: if given, the generator is -i[H, .] + coupling^2 L; otherwise L alone.
        tolerance: bound on the error of an evolution.

    Raises:
        InputError: a field is out of range.

    Errors: rounding for the whole H; `fixed_point_error` shows what a patch or a missing G costs, about
    (sum of |dL(sigma)|) / gap.
    Cost: 4 J D^3 operations per application of J jumps in real arithmetic, memory 2 J D^2 numbers.
    Reference: Z. Ding, B. Li, L. Lin, arXiv:2404.05998.
    """

    answers: ClassVar[tuple[type, ...]] = (MixingGap, Relaxation)

    filter: str = "smooth_metropolis"
    coherent: bool = True
    patch_radius: int | None = None
    coupling: float | None = None
    tolerance: float = 1e-10

    def __post_init__(self) -> None:
        check_choice("filter", self.filter, ("smooth_metropolis", "gaussian", "imaginary_time"))
        check_choice("coherent", self.coherent, (True, False))
        check_real("tolerance", self.tolerance, minimum=0, exclusive=True)
        if self.patch_radius is not None:
            check_integer("patch_radius", self.patch_radius, minimum=0)
        if self.coupling is not None:
            check_real("coupling", self.coupling, minimum=0, exclusive=True)

    def check(self, problem: Problem) -> None:
        """Accept spin models."""
        check_spin_model(self, problem)

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        return count_bytes(problem, jumps_per_coupling=1.0)

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Build the generator and find its gap, or evolve the state."""
        from qthermo.master_equation.answering import answer

        return answer(self, problem, progress)

    def build_generator(self, problem: MixingGap | Relaxation) -> Generator:
        """Return the generator in the eigenbasis of H."""
        from qthermo.kms.energy_basis import diagonalise, site_couplings, stack_couplings
        from qthermo.kms.generators import add_hamiltonian, filtered_generator
        from qthermo.kms.patches import patch_generator, patch_jumps

        model = spin_model(problem)
        basis = diagonalise(model.hamiltonian, model.num_sites, problem.beta)
        couplings = site_couplings(problem.couplings, model.num_sites)
        if self.patch_radius is None:
            stack = stack_couplings(basis, couplings)
            generator = filtered_generator(basis, stack, filter_name=self.filter, coherent=self.coherent)
        else:
            patches = patch_jumps(
                model.hamiltonian, couplings, beta=problem.beta, filter_name=self.filter, radius=self.patch_radius
            )
            generator = patch_generator(basis, patches, coherent=self.coherent)
        return generator if self.coupling is None else add_hamiltonian(generator, self.coupling)
