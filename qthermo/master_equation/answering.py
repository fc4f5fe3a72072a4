"""How every master equation answers: build the generator, find its gap or evolve the state, and warn."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qthermo.answers import Answer
from qthermo.errors import UnsupportedError, ValidityWarning
from qthermo.kms.balance import gibbs_defect
from qthermo.linalg.threads import limit_threads
from qthermo.master_equation.davies import Davies
from qthermo.master_equation.gap import find_gap
from qthermo.master_equation.relaxation import relax
from qthermo.problems import MixingGap, Problem, Relaxation, gap_answer, relaxation_answer
from qthermo.progress import Progress

if TYPE_CHECKING:
    from qthermo.master_equation.coarse_grained import CoarseGrained
    from qthermo.master_equation.kms_jumps import KMSJumps

__all__ = ["answer"]

_WARM = 0.5
_LOST = 1e-2
_CHEAP_DIMENSION = 256


def answer(method: Davies | CoarseGrained | KMSJumps, problem: Problem, progress: Progress) -> Answer:
    """Answer `MixingGap` or `Relaxation`."""
    if not isinstance(problem, MixingGap | Relaxation):
        raise UnsupportedError(f"{type(method).__name__} answers MixingGap and Relaxation only.")
    with limit_threads(problem.model.dimension):
        return _answer(method, problem, progress)


def _answer(method: Davies | CoarseGrained | KMSJumps, problem: MixingGap | Relaxation, progress: Progress) -> Answer:
    progress(0.0, "building the generator")
    generator = method.build_generator(problem)
    shape = {"gibbs_defect": gibbs_defect(generator), "is_balanced": generator.is_balanced}
    if isinstance(problem, Relaxation):
        values, diagnostics = relax(generator, problem, progress, tolerance=method.tolerance)
        _warn_of_lost_gap(method, problem, None)
        return relaxation_answer(problem, values, diagnostics=diagnostics | shape)
    progress(0.5, "finding the gap")
    found = find_gap(generator)
    if found.gap < 1e-12:
        warnings.warn(
            "The fixed point is not unique: some operator commutes with H and all couplings; add couplings.",
            ValidityWarning,
            stacklevel=4,
        )
    _warn_of_lost_gap(method, problem, found.gap)
    diagnostics = {"residual": found.residual, "num_products": found.num_products, "solver": found.solver}
    return gap_answer(found.gap, found.fixed_point_error, diagnostics=diagnostics | shape)


def _warn_of_lost_gap(method: Any, problem: MixingGap | Relaxation, gap: float | None) -> None:
    """Warn where Gaussian weights miss the transitions that matter, so that the gap is all but closed."""
    if getattr(method, "filter", getattr(method, "rate", "")) != "gaussian":
        return
    if problem.model.dimension > _CHEAP_DIMENSION or (hasattr(method, "filter") and problem.beta <= 2 * _WARM):
        return
    same = MixingGap(problem.model, beta=problem.beta, couplings=problem.couplings)
    if gap is None or method.coupling is not None:
        gap = find_gap(replace(method, coupling=None).build_generator(same)).gap
    if hasattr(method, "filter"):
        warm = MixingGap(problem.model, beta=_WARM, couplings=problem.couplings)
        other = find_gap(replace(method, coupling=None).build_generator(warm)).gap
        measure, better = f"its value at beta = {_WARM:g}", 'KMSJumps(filter="smooth_metropolis")'
    else:
        other = find_gap(Davies().build_generator(same)).gap
        measure, better = "that of the Davies generator", 'CoarseGrained(rate="metropolis")'
    if other > 1e-12 and gap < _LOST * other:
        warnings.warn(
            f"Gaussian weights miss the transitions that matter: at beta = {problem.beta:g} the gap is {gap:.2g}, "
            f"{gap / other:.1g} of {measure}, so that the state hardly moves and errors are amplified; take {better}.",
            ValidityWarning,
            stacklevel=5,
        )
