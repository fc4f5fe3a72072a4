"""`CoarseGrained`: Gaussian coarse graining in time, exactly balanced (shifted) or as a bath would be (unshifted)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from qthermo.answers import Answer
from qthermo.checks import check_choice, check_real
from qthermo.errors import InputError
from qthermo.master_equation.spin_models import check_spin_model, count_bytes, spin_model
from qthermo.problems import MixingGap, Problem, Relaxation
from qthermo.progress import Progress

if TYPE_CHECKING:
    from qthermo.kms.generators import Generator

__all__ = ["CoarseGrained"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoarseGrained:
    """The generator of a bath observed through a Gaussian window of coarse-graining time 1/energy_width.

    alpha(nu1, nu2) = h((nu1 + nu2)/2) exp(-(nu1 - nu2)^2 / (8 energy_width^2)), h the rate g smeared by the window.

    Args:
        energy_width: energy; 1/energy_width is the coarse-graining time.
        rate: g, "gaussian", "glauber" or "metropolis".
        rate_width: width of the Gaussian rate, energy.
        shifted: take g(w + beta energy_width^2 / 2): h is balanced, and with coherent "kms" the Gibbs state is the
            exact fixed point. Unshifted, as for a bath in equilibrium, it is missed by O(beta energy_width^2).
        coherent: "kms" adds the coherent term G that detailed balance asks for; "lamb" the physical shift of a
            Gaussian environment instead; "none" neither.
        coupling: if given, the generator is -i[H, .] + coupling^2 L, the physical master equation; otherwise L alone.
        tolerance: bound on the error of an evolution.

    Raises:
        InputError: a field is out of range, or "lamb" is asked of another rate than the Gaussian.

    Errors: the kernel is met to about 1e-12; `fixed_point_error` shows what unshifted windows cost.
    Cost: about 2 (spectral range) / energy_width + 12 jumps per coupling, each two products of D x D matrices.
    Reference: C.-F. Chen, M. J. Kastoryano, A. Gilyen, arXiv:2311.09207; M. Scandi, A. M. Alhambra, arXiv:2505.20064.
    """

    answers: ClassVar[tuple[type, ...]] = (MixingGap, Relaxation)

    energy_width: float = 1.0
    rate: str = "gaussian"
    rate_width: float = 1.0
    shifted: bool = True
    coherent: str = "kms"
    coupling: float | None = None
    tolerance: float = 1e-10

    def __post_init__(self) -> None:
        check_choice("rate", self.rate, ("gaussian", "glauber", "metropolis"))
        check_choice("coherent", self.coherent, ("kms", "lamb", "none"))
        check_choice("shifted", self.shifted, (True, False))
        for name in ("energy_width", "rate_width", "tolerance"):
            check_real(name, getattr(self, name), minimum=0, exclusive=True)
        if self.coupling is not None:
            check_real("coupling", self.coupling, minimum=0, exclusive=True)
        if self.coherent == "lamb" and self.rate != "gaussian":
            raise InputError(
                f'Argument `coherent` may be "lamb" for the Gaussian rate only, but the rate is {self.rate!r}, whose '
                'shift diverges; take rate="gaussian" or coherent="kms".'
            )

    def check(self, problem: Problem) -> None:
        """Accept spin models."""
        check_spin_model(self, problem)

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        spread = 1.5 * spin_model(problem).hamiltonian.one_norm
        return count_bytes(problem, jumps_per_coupling=2 * spread / self.energy_width + 12)

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Build the generator and find its gap, or evolve the state."""
        from qthermo.master_equation.answering import answer

        return answer(self, problem, progress)

    def build_generator(self, problem: MixingGap | Relaxation) -> Generator:
        """Return the generator in the eigenbasis of H."""
        from qthermo.kms.coarse_graining import CoarseGraining
        from qthermo.kms.energy_basis import diagonalise, site_couplings, stack_couplings
        from qthermo.kms.generators import add_hamiltonian, coarse_grained_generator

        model = spin_model(problem)
        basis = diagonalise(model.hamiltonian, model.num_sites, problem.beta)
        couplings = stack_couplings(basis, site_couplings(problem.couplings, model.num_sites))
        grain = CoarseGraining(
            energy_width=self.energy_width, rate=self.rate, rate_width=self.rate_width, shifted=self.shifted
        )
        generator = coarse_grained_generator(basis, couplings, grain, coherent=self.coherent)
        return generator if self.coupling is None else add_hamiltonian(generator, self.coupling)
