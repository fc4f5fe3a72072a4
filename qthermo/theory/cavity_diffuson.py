"""`CavityDiffuson`: thermometer populations from the distribution of level broadenings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, propagator_answer
from qthermo.checks import check_choice, check_integer, check_real
from qthermo.errors import NotConvergedError, UnsupportedError
from qthermo.models import MatrixModel, Model
from qthermo.problems import Problem, Propagator
from qthermo.progress import Progress

if TYPE_CHECKING:
    from qthermo.theory.couplings import Couplings

__all__ = ["CavityDiffuson"]

_DOMINANT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class CavityDiffuson:
    """Cavity equation for the level broadenings, ladder (diffuson) for the joint propagator P_ab(E, s).

        G_{k->j} = 1 / (E + i s/2 - eps_k - sum_{l != j} |V_kl|^2 G_{l->k}),   Gamma_k = -Im sum_l |V_kl|^2 G_{l->k}.

    The closure "edge" solves the ladder on the same messages; it is exact on a tree and obeys Ward's identity. The
    closure "averaged" replaces what each state receives by its level's mean (eq. 17 of the reference).

    Args:
        closure: "edge" or "averaged".
        tolerance: relative change of every Green function, and of P_ab, at which passes stop.
        max_iterations: passes at most, for the cavity equation and for each final level of the ladder.

    Raises:
        InputError: an option is out of range.

    Errors: interference of different paths is neglected: right above the level spacing and for couplings that are
    many, small or independent; for few strong or correlated couplings (s small in the localised phase) it is not.
    Couplings between states of one thermometer level are left out; `diagonal_block_weight` reports their share.
    Cost: about 20 bytes times (d N)^2 of memory and a few passes over it for every (E, s), against (d N)^3 for `Dense`.
    Reference: A. V. Lunkin, arXiv:2603.12234.
    """

    answers: ClassVar[tuple[type, ...]] = (Propagator,)

    closure: str = "edge"
    tolerance: float = 1e-8
    max_iterations: int = 2000

    def __post_init__(self) -> None:
        check_choice("closure", self.closure, ("edge", "averaged"))
        check_real("tolerance", self.tolerance, minimum=0, exclusive=True)
        check_integer("max_iterations", self.max_iterations, minimum=1)

    def check(self, problem: Problem) -> None:
        """Accept models with a thermometer whose couplings change its level."""
        model = problem.model
        if isinstance(model, MatrixModel):
            _check_blocks(model)

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        per_edge = 8.0 * (3 + (self.closure == "edge"))
        return per_edge * problem.model.dimension**2 + _eigenbasis_memory(problem.model)

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Solve cavity and ladder at every (E, s)."""
        if not isinstance(problem, Propagator):
            raise UnsupportedError(f"CavityDiffuson does not answer {type(problem).__name__}.")
        from qthermo.theory.couplings import Couplings, measure_excluded_weight

        progress(0.0, "diagonalising the bath")
        basis = problem.model.to_bath_eigenbasis()
        excluded = measure_excluded_weight(basis)
        _check_excluded(excluded["diagonal_block_weight"])
        couplings = Couplings.from_eigenbasis(basis)
        propagator, broadenings, diagnostics = self._solve_grid(couplings, problem, progress)
        return propagator_answer(problem, basis, propagator, broadenings, diagnostics={**diagnostics, **excluded})

    def _solve_grid(
        self, couplings: Couplings, problem: Propagator, progress: Progress
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, Any]]:
        d, n = couplings.energies.shape
        shape = (problem.energies.size, problem.laplace.size)
        propagator, broadenings = np.empty((*shape, d, d)), np.empty((*shape, d * n))
        reports: dict[str, list[Any]] = {}
        order = np.argsort(problem.laplace)[::-1]
        for row, energy in enumerate(problem.energies):
            start = None
            for place, column in enumerate(order):
                progress((row + place / shape[1]) / shape[0], f"E = {energy:g}, s = {problem.laplace[column]:g}")
                start, values, report = self._solve_point(
                    couplings, float(energy), float(problem.laplace[column]), start
                )
                propagator[row, column] = values
                broadenings[row, column] = start.partial.sum(axis=1).ravel()
                for name, value in report.items():
                    reports.setdefault(name, []).append(value)
        return propagator, broadenings, {"converged": True, **{name: max(v) for name, v in reports.items()}}

    def _solve_point(
        self, couplings: Couplings, energy: float, s: float, start: Any
    ) -> tuple[Any, NDArray[np.float64], dict[str, Any]]:
        from qthermo.theory import messages
        from qthermo.theory.averaged_closure import LevelSums, averaged_propagator

        z = energy + 0.5j * s
        cavity = messages.solve_cavity_messages(
            couplings, z, tolerance=self.tolerance, max_iterations=self.max_iterations, start=start
        )
        self._check_converged("The cavity equation", cavity.residual, energy, s)
        report = {"cavity_iterations": cavity.iterations, "cavity_residual": cavity.residual}
        report["resonant_pairs_per_state"] = messages.count_resonant_pairs(couplings, cavity) / cavity.green.size
        if self.closure == "averaged":
            return cavity, averaged_propagator(LevelSums.from_cavity(cavity.green, cavity.partial, s)), report
        values, passes, residual = messages.solve_ladder_messages(
            couplings, cavity, s, tolerance=self.tolerance, max_iterations=self.max_iterations
        )
        self._check_converged("The ladder", residual, energy, s)
        ward = np.abs(values.sum(axis=1) / (2 / s * -cavity.green.imag.sum(axis=1)) - 1).max()
        report |= {"ladder_iterations": passes, "ladder_residual": residual, "ward_violation": float(ward)}
        return cavity, values, report

    def _check_converged(self, what: str, residual: float, energy: float, s: float) -> None:
        if not residual <= self.tolerance:
            raise NotConvergedError(
                f"{what} must reach tolerance {self.tolerance:g}, but stands at {residual:.2g} after "
                f"{self.max_iterations} passes at E={energy:g}, s={s:g}; raise `max_iterations` or "
                f"`tolerance`, or take a larger s."
            )


def _check_blocks(model: MatrixModel) -> None:
    if all(a == b for a, b in model.eigenbasis.blocks):
        raise UnsupportedError(
            "CavityDiffuson needs couplings between different thermometer levels, but this model has none."
        )


def _check_excluded(share: float) -> None:
    if share > _DOMINANT:
        raise UnsupportedError(
            f"CavityDiffuson leaves out couplings within one thermometer level; their share of |V|^2 must be below "
            f"{_DOMINANT:g}, but is {share:.3g}: rotate the thermometer or use Dense."
        )


def _eigenbasis_memory(model: Model) -> float:
    if isinstance(model, MatrixModel):
        return 0.0
    return 4 * 16.0 * (model.dimension / 2) ** 2
