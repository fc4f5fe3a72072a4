"""`GoldenRule`: predictions from the bath operator's structure factor alone, at any size of the bath."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, Variable
from qthermo.checks import check_choice, check_integer, check_real
from qthermo.errors import InputError, NotConvergedError, UnsupportedError, ValidityWarning
from qthermo.models import MatrixModel, SpinModel
from qthermo.problems import Problem, Propagator
from qthermo.progress import Progress
from qthermo.theory.bath_spectrum import BathSpectrum

__all__ = ["GoldenRule"]

_BROAD = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenRule:
    """Relaxation of a thermometer spin from |V_ij|^2 = v(e_j - e_i) / rho with a smooth structure factor v.

    "self_consistent" solves cavity equation and ladder as integral equations in the bath energy; "markov" is Fermi's
    golden rule, rates 2 pi v(E_b - E_a). Both take the density of states as constant over the width of a level, so that
    the answer does not depend on E; P_ab is per density of states.

    Args:
        kind: "self_consistent" or "markov".
        spectrum: v(omega) of the bath operator, coupling strength included; None computes it from the model's bath
            eigenbasis, smoothed by `smoothing`. `BathSpectrum.from_autocorrelation` makes one from <B(t) B> of any
            method, for baths that exact diagonalisation cannot reach.
        smoothing: width of the smoothing, energy.
        tolerance: relative change at which the passes stop.
        max_iterations: passes at most.

    Raises:
        InputError: an option is out of range.

    Errors: crossing diagrams are neglected, which matter once the coupling is comparable with the bath's bandwidth
    (c is 10 to 20 % too high for bounded B at coupling 1); so are fluctuations of the broadenings, which fail first in
    disordered baths at small s. Cost: a second or so, whatever the bath's size, if `spectrum` is given.
    Reference: A. V. Lunkin, arXiv:2603.12234, section 4, for the closure that this specialises.
    """

    answers: ClassVar[tuple[type, ...]] = (Propagator,)

    kind: str = "self_consistent"
    spectrum: BathSpectrum | None = None
    smoothing: float = 0.05
    tolerance: float = 1e-8
    max_iterations: int = 2000

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, ("self_consistent", "markov"))
        check_real("smoothing", self.smoothing, minimum=0, exclusive=True)
        check_real("tolerance", self.tolerance, minimum=0, exclusive=True)
        check_integer("max_iterations", self.max_iterations, minimum=1)
        if self.spectrum is not None and not isinstance(self.spectrum, BathSpectrum):
            raise InputError(
                f"Argument `spectrum` must be a BathSpectrum, but is a {type(self.spectrum).__name__}; see "
                f"BathSpectrum.from_autocorrelation."
            )

    def check(self, problem: Problem) -> None:
        """Accept a thermometer of two levels and real s."""
        model = problem.model
        if isinstance(model, MatrixModel) and (
            model.eigenbasis.num_levels != 2 or (0, 1) not in model.eigenbasis.blocks
        ):
            raise UnsupportedError("GoldenRule needs a thermometer of two coupled levels.")
        if isinstance(problem, Propagator) and np.iscomplexobj(problem.laplace):
            raise UnsupportedError("GoldenRule needs a real Laplace variable, but it is complex.")

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        if self.spectrum is not None:
            return 1e8
        return 1e8 + 10 * 16.0 * (problem.model.dimension / 2) ** 2

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Solve at every s; energies only repeat the answer."""
        if not isinstance(problem, Propagator):
            raise UnsupportedError(f"GoldenRule does not answer {type(problem).__name__}.")
        progress(0.0, "structure factor")
        spectrum = self.spectrum
        if spectrum is None:
            spectrum = BathSpectrum.from_eigenbasis(problem.model.to_bath_eigenbasis(), smoothing=self.smoothing)
        levels = _level_energies(problem.model)
        solved = [self._solve(spectrum, levels, float(s)) for s in problem.laplace]
        joint = np.broadcast_to(
            np.array([joint for joint, _ in solved]), (problem.energies.size, problem.laplace.size, 2, 2)
        )
        typical = np.broadcast_to(np.array([gamma for _, gamma in solved]), joint.shape[:2])
        return _build_answer(problem, joint, typical, self._report(spectrum, levels))

    def _solve(
        self, spectrum: BathSpectrum, levels: NDArray[np.float64], s: float
    ) -> tuple[NDArray[np.float64], float]:
        from qthermo.theory.flat_bath import golden_rule_rates, solve_flat_bath

        if self.kind == "markov":
            rates = golden_rule_rates(spectrum, levels)
            generator = np.diag(rates.sum(axis=1)) - rates
            inverse = np.linalg.inv(s * np.eye(2) + generator)
            return np.asarray(2 * np.pi * inverse, np.float64), float(rates.sum() / 4)
        solution = solve_flat_bath(spectrum, levels, s, tolerance=self.tolerance, max_iterations=self.max_iterations)
        if not solution.residual <= self.tolerance:
            raise NotConvergedError(
                f"The integral equations must reach tolerance {self.tolerance:g}, but stand at {solution.residual:.2g} "
                f"after {solution.iterations} passes at s={s:g}; raise `max_iterations`, `tolerance` or `smoothing`."
            )
        middle = solution.broadenings.shape[1] // 2
        return solution.propagator, float(solution.broadenings[:, middle].mean())

    def _report(self, spectrum: BathSpectrum, levels: NDArray[np.float64]) -> dict[str, float]:
        from qthermo.theory.flat_bath import golden_rule_rates

        omega, values = spectrum.frequencies, spectrum.values
        strength = float(np.sqrt(2 * np.trapezoid(values, omega)))
        bandwidth = float(np.sqrt(np.trapezoid(values * omega**2, omega) / max(np.trapezoid(values, omega), 1e-300)))
        rate = float(golden_rule_rates(spectrum, levels).sum())
        ratio = strength / max(bandwidth, 1e-300)
        if ratio > _BROAD:
            warnings.warn(
                f"GoldenRule needs a coupling below {_BROAD:g} of the width of v(omega), but finds {ratio:.2g}; "
                f"crossing diagrams make it overestimate c by up to 20 %: compare with CavityDiffuson or Dense.",
                ValidityWarning,
                stacklevel=4,
            )
        return {"coupling_strength": strength, "spectrum_width": bandwidth, "markov_rate": rate}


def _level_energies(model: SpinModel | MatrixModel) -> NDArray[np.float64]:
    if isinstance(model, MatrixModel):
        return model.eigenbasis.level_energies
    return np.real(np.diag(model.thermometer.to_dense(1)))


def _build_answer(
    problem: Propagator, joint: NDArray[np.float64], typical: NDArray[np.float64], report: dict[str, float]
) -> Answer:
    point, values = ("energy", "laplace"), np.array([1.0, -1.0])
    signed = np.einsum("esab,a,b->es", joint, values, values)
    return Answer(
        variables={
            "autocorrelation": Variable(
                point, signed / joint.sum(axis=(-2, -1)), "1", "c(E,s) = sum_ab z_a z_b P_ab / sum_ab P_ab"
            ),
            "propagator": Variable(
                (*point, "initial", "final"), joint, "1/energy", "P_ab(s) per density of bath states"
            ),
            "typical_broadening": Variable(point, typical, "energy", "Gamma at the middle of the band"),
        },
        coordinates={
            "energy": problem.energies,
            "laplace": problem.laplace,
            "initial": np.arange(2),
            "final": np.arange(2),
        },
        diagnostics=report,
    )
