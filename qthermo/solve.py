"""The one door: `solve(problem, method)` checks, refuses what cannot work, runs, and stamps the result."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from qthermo.answers import Answer
from qthermo.circuits.collision_circuit import CollisionCircuit
from qthermo.circuits.dilation_circuit import DilationCircuit
from qthermo.circuits.trotter_circuit import TrotterCircuit
from qthermo.errors import InputError, MemoryRefusedError, UnsupportedError
from qthermo.exact.chebyshev import Chebyshev
from qthermo.exact.dense import Dense
from qthermo.exact.kpm_spread import KPMSpread
from qthermo.exact.krylov import Krylov
from qthermo.exact.lanczos_spread import LanczosSpread
from qthermo.master_equation.coarse_grained import CoarseGrained
from qthermo.master_equation.davies import Davies
from qthermo.master_equation.kms_jumps import KMSJumps
from qthermo.memory import available_memory, check_memory
from qthermo.models.model import describe_dimension
from qthermo.problems import PROBLEMS, Problem
from qthermo.progress import Progress, silent
from qthermo.results import build_dataset
from qthermo.tensor_network.dmrg import DMRG
from qthermo.tensor_network.dmrgx import DMRGX
from qthermo.tensor_network.heisenberg_tebd import HeisenbergTEBD
from qthermo.tensor_network.influence_functional import InfluenceFunctional
from qthermo.tensor_network.light_cone_contraction import LightConeContraction
from qthermo.tensor_network.purified_tebd import PurifiedTEBD
from qthermo.tensor_network.tdvp import TDVP
from qthermo.theory.avalanche_theory import AvalancheTheory
from qthermo.theory.band_ladder import BandLadder
from qthermo.theory.cavity_diffuson import CavityDiffuson
from qthermo.theory.golden_rule import GoldenRule
from qthermo.theory.hilbert_average import RateEquation
from qthermo.theory.population_dynamics import PopulationDynamics

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["METHODS", "PROBLEMS", "Method", "MethodRun", "check_request", "find_methods", "run_method", "solve"]


_MEMBERS = ("answers", "check", "estimate_memory", "run")


class Method(Protocol):
    """What a method is: a frozen dataclass whose fields are its only options."""

    answers: ClassVar[tuple[type, ...]]

    def check(self, problem: Problem, /) -> None:
        """Raise `InputError` if this method cannot answer this problem for this model."""

    def estimate_memory(self, problem: Problem, /) -> float:
        """Return the bytes that `run` would need at its peak, without allocating."""
        ...

    def run(self, problem: Problem, progress: Progress, /) -> Answer:
        """Answer a problem that passed `check` and fits in memory."""
        ...


METHODS: tuple[type[Method], ...] = (
    Dense,
    Krylov,
    Chebyshev,
    HeisenbergTEBD,
    PurifiedTEBD,
    TDVP,
    DMRG,
    DMRGX,
    LightConeContraction,
    InfluenceFunctional,
    TrotterCircuit,
    CavityDiffuson,
    PopulationDynamics,
    GoldenRule,
    RateEquation,
    BandLadder,
    Davies,
    CoarseGrained,
    KMSJumps,
    CollisionCircuit,
    DilationCircuit,
    LanczosSpread,
    KPMSpread,
    AvalancheTheory,
)


def solve(problem: Problem, method: Method, *, progress: Progress = silent) -> xr.Dataset:
    """Answer `problem` by `method`.

    Args:
        problem: what is wanted, for example `Autocorrelation(model, times=times)`.
        method: how, for example `Dense()`.
        progress: called with a fraction in [0, 1] and a few words while the work goes on.

    Returns:
        A Dataset with the answer's variables; its attributes hold problem, model, method, conventions, versions,
        diagnostics, warnings, seed and wall time. `qthermo.save_result` writes it.

    Raises:
        UnsupportedError: the method does not answer this problem or model; the message names those that do.
        MemoryRefusedError: the run would not fit in memory; nothing was allocated; the message names those that fit.
        NotConvergedError: the method stopped short of its tolerance.
    """
    run = run_method(problem, method, progress=progress)
    for warning in run.warnings:
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    messages = [str(warning.message) for warning in run.warnings]
    return build_dataset(run.answer, problem, method, wall_time=run.wall_time, messages=messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRun:
    """What came of a run: the answer, the warnings caught on the way, and the wall time in seconds."""

    answer: Answer
    warnings: Sequence[warnings.WarningMessage]
    wall_time: float


def run_method(problem: Problem, method: Method, *, progress: Progress = silent) -> MethodRun:
    """Check, refuse what does not fit, and run, as `solve` does, but leave the answer as plain arrays.

    Raises:
        UnsupportedError, MemoryRefusedError, NotConvergedError: as `solve`.
    """
    check_request(problem, method)
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answer = method.run(problem, progress)
    return MethodRun(answer=answer, warnings=tuple(caught), wall_time=time.perf_counter() - start)


def check_request(problem: Problem, method: Method) -> float:
    """Return the bytes that the run would need, after the checks that `solve` makes before it.

    Raises:
        UnsupportedError: the method does not answer this problem or model.
        MemoryRefusedError: the run would not fit in memory.
    """
    _check_pair(problem, method)
    needed = method.estimate_memory(problem)
    if needed > 0.9 * available_memory():
        name = f"{type(method).__name__} for {_describe(problem)}"
        check_memory(needed, what=name, remedy=_remedy(problem, method))
    return needed


def find_methods(problem: Problem) -> list[type[Method]]:
    """Return the methods that, with their default options, answer this problem for this model and fit in memory."""
    free = available_memory()
    return [cls for cls in METHODS if type(problem) in cls.answers and _fits(problem, cls, free)]


def _fits(problem: Problem, cls: type[Method], free: int) -> bool:
    method = cls()
    try:
        method.check(problem)
        return method.estimate_memory(problem) <= 0.9 * free
    except InputError:
        return False


def _check_pair(problem: Problem, method: Method) -> None:
    if not isinstance(problem, PROBLEMS):
        names = ", ".join(cls.__name__ for cls in PROBLEMS)
        raise UnsupportedError(f"Argument `problem` must be one of {names}, but is a {type(problem).__name__}.")
    _check_method(method)
    if type(problem) not in method.answers:
        raise UnsupportedError(
            f"{type(method).__name__} does not answer {type(problem).__name__}; {_remedy(problem, method)}"
        )
    try:
        method.check(problem)
    except MemoryRefusedError:
        raise
    except UnsupportedError as error:
        remedy = _remedy(problem, method)
        raise UnsupportedError(f"{error} {remedy[0].upper()}{remedy[1:]}") from None


def _check_method(method: object) -> None:
    is_value = is_dataclass(method) and not isinstance(method, type)
    if not is_value or not all(hasattr(method, name) for name in _MEMBERS):
        names = ", ".join(cls.__name__ for cls in METHODS)
        raise UnsupportedError(
            f"Argument `method` must be an instance of one of {names}, or of your own dataclass with the members "
            f"{', '.join(_MEMBERS)}, but is {method!r}."
        )


def _describe(problem: Problem) -> str:
    return f"a Hilbert space of dimension {describe_dimension(problem.model.dimension)}"


def _remedy(problem: Problem, method: Method) -> str:
    names = [cls.__name__ for cls in find_methods(problem) if cls is not type(method)]
    if not names:
        return "no other method answers it: take a smaller model."
    return f"methods that can: {', '.join(names)}."
