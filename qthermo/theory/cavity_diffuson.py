"""`CavityDiffuson`: thermometer populations from the distribution of level broadenings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from qthermo.answers import Answer, Variable
from qthermo.checks import check_choice, check_integer, check_real
from qthermo.errors import UnsupportedError
from qthermo.models import AnyModel, BathEigenbasis, MatrixModel
from qthermo.problems import Autocorrelation, Problem, Propagator, autocorrelation_answer, propagator_answer
from qthermo.progress import Progress

if TYPE_CHECKING:
    from qthermo.theory.averaged_closure import LevelSums
    from qthermo.theory.diffuson import Controls

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
        precision: "double", or "single" for the products with the weak couplings (half the memory, P_ab to about 1e-5).
        tolerance: relative change of every Green function, and of P_ab, at which passes stop; at least 1e-5 is used
            in single precision.
        max_iterations: passes at most, for the cavity equation and for the ladder.
        energy_nodes: for `Autocorrelation`, energies in the integral over E; even.
        frequency_nodes: for `Autocorrelation`, frequencies in the inverse Laplace transform; odd.
        laplace_tolerance: for `Autocorrelation`, the error of C(t) above which the transform warns.

    Raises:
        InputError: an option is out of range.

    Errors: interference of different paths is neglected: right above the level spacing and for couplings that are
    many, small or independent; for few strong or correlated couplings (s small in the localised phase) it is not.
    Couplings between states of one thermometer level are left out; `diagonal_block_weight` reports their share.
    Cost: 10 to 40 passes over the couplings, as products of matrices, for all (E, s) together; memory about 1.5
    times that of the couplings.
    Reference: A. V. Lunkin, arXiv:2603.12234.
    """

    answers: ClassVar[tuple[type, ...]] = (Propagator, Autocorrelation)

    closure: str = "edge"
    precision: str = "double"
    tolerance: float = 1e-7
    max_iterations: int = 500
    energy_nodes: int = 96
    frequency_nodes: int = 65
    laplace_tolerance: float = 0.02

    def __post_init__(self) -> None:
        check_choice("closure", self.closure, ("edge", "averaged"))
        check_choice("precision", self.precision, ("double", "single"))
        check_real("tolerance", self.tolerance, minimum=0, exclusive=True)
        check_integer("max_iterations", self.max_iterations, minimum=1)
        check_integer("energy_nodes", self.energy_nodes, minimum=16)
        check_integer("frequency_nodes", self.frequency_nodes, minimum=17)
        check_real("laplace_tolerance", self.laplace_tolerance, minimum=0, exclusive=True)

    def check(self, problem: Problem) -> None:
        """Accept models whose couplings change the thermometer's level, and autocorrelations at beta = 0."""
        model = problem.model
        if isinstance(model, MatrixModel) and all(a == b for a, b in model.eigenbasis.blocks):
            raise UnsupportedError(
                "CavityDiffuson needs couplings between different thermometer levels, but this model has none."
            )
        if isinstance(problem, Autocorrelation) and problem.beta != 0:
            raise UnsupportedError(
                f"CavityDiffuson answers Autocorrelation at beta = 0 only, but beta is {problem.beta:g}."
            )

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        from qthermo.theory.diffuson import estimate_batch_memory

        dimension, bath = problem.model.dimension, _bath_memory(problem.model)
        levels = _count_levels(problem.model)
        per_coupling = 8.0 if self.precision == "double" else 4.0
        couplings = per_coupling * dimension**2 * (levels - 1) / (2 * levels)
        points = problem.points[0].size if isinstance(problem, Propagator) else 10**6
        return bath + 1.5 * couplings + estimate_batch_memory(dimension, points, levels)

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Solve cavity equation and ladder at every (E, s) that the problem needs."""
        from qthermo.theory.diffuson import Controls, solve_diffuson
        from qthermo.theory.excluded_weight import measure_excluded_weight

        if not isinstance(problem, Propagator | Autocorrelation):
            raise UnsupportedError(f"CavityDiffuson does not answer {type(problem).__name__}.")
        progress(0.0, "diagonalising the bath")
        basis = problem.model.to_bath_eigenbasis()
        excluded = measure_excluded_weight(basis)
        _check_excluded(excluded["diagonal_block_weight"])
        controls = Controls(
            closure=self.closure,
            precision=self.precision,
            tolerance=self.tolerance if self.precision == "double" else max(self.tolerance, 1e-5),
            max_iterations=self.max_iterations,
        )
        if isinstance(problem, Autocorrelation):
            return self._autocorrelation(problem, basis, controls, excluded, progress)
        if not isinstance(problem, Propagator):
            raise UnsupportedError(f"CavityDiffuson does not answer {type(problem).__name__}.")
        solution = solve_diffuson(basis, *problem.points, np.eye(basis.num_levels), controls, progress)
        report = {"converged": True, **solution.report, **excluded}
        answer = propagator_answer(problem, basis, solution.propagator, solution.broadenings, diagnostics=report)
        if np.iscomplexobj(problem.laplace):
            return answer
        report |= _localisation(problem, answer, solution.sums)
        stationary = _stationary_variables(problem, basis, solution.sums)
        stationary["thermalisation_time"] = _thermalisation_time(problem, basis, answer, stationary)
        return replace(answer, variables={**answer.variables, **stationary}, diagnostics=report)

    def _autocorrelation(
        self,
        problem: Autocorrelation,
        basis: BathEigenbasis,
        controls: Controls,
        excluded: dict[str, float],
        progress: Progress,
    ) -> Answer:
        from qthermo.theory.time_domain import diffuson_autocorrelation

        nodes = self.energy_nodes + self.energy_nodes % 2, self.frequency_nodes | 1
        values, errors, report = diffuson_autocorrelation(
            basis, problem.times, controls, nodes, self.laplace_tolerance, progress
        )
        return autocorrelation_answer(
            problem, values, errors={"laplace_error": errors}, diagnostics={"converged": True, **report, **excluded}
        )


def _stationary_variables(problem: Propagator, basis: BathEigenbasis, sums: LevelSums) -> dict[str, Variable]:
    """Return the stationary state at the middle of each energy window."""
    from qthermo.theory.stationary import stationary_state

    nodes = problem.window_nodes[0].size
    found = stationary_state(sums.take(slice(nodes // 2, None, nodes)), basis.level_energies)
    grid = (problem.energies.size, problem.laplace.size)
    return {
        name: Variable(("energy", "laplace", *dims), found[name].reshape(*grid, *found[name].shape[1:]), units, meaning)
        for name, (dims, units, meaning) in _STATIONARY.items()
    }


def _localisation(problem: Propagator, answer: Answer, sums: LevelSums) -> dict[str, float | bool]:
    """Return how the typical broadening falls with s, between the two smallest s above the level spacing."""
    from qthermo.theory.localisation import report_localisation

    spacing = np.pi / float(sums.densities.real.sum(axis=-1).max())
    s = np.unique(problem.laplace[problem.laplace > spacing])[:2]
    if s.size < 2:
        return {}
    columns = np.searchsorted(np.sort(problem.laplace), s)
    logs = np.log(answer.variables["typical_broadening"].values[:, np.argsort(problem.laplace)[columns]])
    return report_localisation(float(np.min(np.diff(logs) / np.diff(np.log(s)))))


def _thermalisation_time(
    problem: Propagator, basis: BathEigenbasis, answer: Answer, stationary: dict[str, Variable]
) -> Variable:
    """Return tau = c' / (s (1 - c')), which is 1/R for c' = s / (s + R); c' is c without its long-time part."""
    mean = stationary["stationary_population"].values @ basis.level_values
    square = stationary["stationary_population"].values @ basis.level_values**2
    connected = answer.variables["autocorrelation"].values - mean**2
    with np.errstate(divide="ignore"):
        times = connected / (problem.laplace[None, :] * (square - mean**2 - connected))
    return Variable(
        ("energy", "laplace"), times, "1/energy", "c'/(s (1 - c')), c' the normalised connected part of c(E,s)"
    )


_STATIONARY = {
    "stationary_population": (("final",), "1", "left zero mode of 1 - T times sum |G|^2, normalised"),
    "thermal_population": (("final",), "1", "bath density of states R_a, normalised"),
    "balance_violation": ((), "1", "largest relative difference of stationary and thermal populations"),
    "rate": (("initial", "final"), "energy", "mean rate 2 Gamma^b, weighted by the local densities of states"),
    "rate_balance_violation": ((), "1", "imbalance of thermal populations under these rates over the flow"),
    "inverse_temperature": ((), "1/energy", "minus the slope of log R_a against E_a"),
    "conservation": ((), "1", "1 minus the largest eigenvalue of T, of order s"),
}


def _check_excluded(share: float) -> None:
    if share > _DOMINANT:
        raise UnsupportedError(
            f"CavityDiffuson leaves out couplings within one thermometer level; their share of |V|^2 must be below "
            f"{_DOMINANT:g}, but is {share:.3g}: rotate the thermometer or use Dense."
        )


def _count_levels(model: AnyModel) -> int:
    return model.eigenbasis.num_levels if isinstance(model, MatrixModel) else 2


def _bath_memory(model: AnyModel) -> float:
    if isinstance(model, MatrixModel):
        return 0.0
    return 4 * 16.0 * (model.dimension / 2) ** 2
