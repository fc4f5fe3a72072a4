"""`TrotterCircuit`: C(t) from a Trotter circuit, exactly, by random states, or by shots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, autocorrelation_answer
from qthermo.checks import check_choice, check_integer, check_real
from qthermo.errors import UnsupportedError
from qthermo.memory import available_memory
from qthermo.models import SpinModel
from qthermo.problems import Autocorrelation, Problem
from qthermo.progress import Progress, silent

if TYPE_CHECKING:
    from qthermo.circuits.autocorrelation import TrotterGrid

__all__ = ["TrotterCircuit"]

_PROTOCOLS = ("exact", "haar", "shots")
_LAYOUTS = ("line", "round_robin", "swap_network", "parity_network")
_CHEAP_SITES = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class TrotterCircuit:
    """C(t) at infinite temperature as a Trotter circuit gives it, run on Aer.

    For each t the circuit has ceil(t / time_step) equal steps. Protocols: "exact" evaluates the full trace (no shot
    noise), "haar" averages <Z_0(t)> over Haar-random bath states, "shots" measures all qubits of a random basis state,
    evolves it, and measures the thermometer, as a device would.

    Args:
        time_step: largest Trotter step, 1/energy. A step that divides the spacing of the times lets one circuit serve
            all of them.
        trotter_order: 1, 2 or 4.
        protocol: "exact", "haar" or "shots".
        num_shots: shots per time ("shots").
        num_states: random states, at least 2 ("haar").
        layout: order of the pair gates, see `qthermo.circuits.build_trotter_circuit`.
        seed: seed of the states and of the simulator's shots.

    Raises:
        InputError: a field is out of range.

    Errors: `trotter_error`, Richardson's estimate from steps twice as long (twice as short where there is one step);
    `stderr`, over the states ("haar") or sqrt((1 - C^2) / num_shots) ("shots").
    Cost: per gate 4^num_sites / 2 ("exact"), 2^num_sites num_states ("haar"), the lesser of 4^num_sites and
    2^num_sites num_shots ("shots"); memory 16 bytes times 4^num_sites / 2, 2^num_sites, 4^num_sites.
    """

    answers: ClassVar[tuple[type, ...]] = (Autocorrelation,)

    time_step: float = 0.1
    trotter_order: int = 2
    protocol: str = "exact"
    num_shots: int = 10_000
    num_states: int = 8
    layout: str = "line"
    seed: int = 0

    def __post_init__(self) -> None:
        check_real("time_step", self.time_step, minimum=0, exclusive=True)
        check_choice("trotter_order", self.trotter_order, (1, 2, 4))
        check_choice("protocol", self.protocol, _PROTOCOLS)
        check_integer("num_shots", self.num_shots, minimum=2)
        check_integer("num_states", self.num_states, minimum=2)
        check_choice("layout", self.layout, _LAYOUTS)
        check_integer("seed", self.seed, minimum=0)

    def check(self, problem: Problem) -> None:
        """Accept spin models at infinite temperature."""
        if not isinstance(problem.model, SpinModel):
            raise UnsupportedError("TrotterCircuit must have a spin model, but this model is a matrix.")
        if isinstance(problem, Autocorrelation) and problem.beta != 0:
            raise UnsupportedError(f"TrotterCircuit works at beta = 0, but beta is {problem.beta:g}.")

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        n = problem.model.dimension.bit_length() - 1
        if self.protocol == "haar":
            return 64.0 * 2.0**n
        if self.protocol == "exact":
            return 16.0 * 2.0 ** (2 * n - 1)
        return 16.0 * 2.0 ** (2 * n if self.is_deferred(n) else n)

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Build the circuits, run them, and estimate the errors."""
        if not isinstance(problem, Autocorrelation) or not isinstance(problem.model, SpinModel):
            raise UnsupportedError("TrotterCircuit answers Autocorrelation of a spin model only.")
        from qthermo.circuits.autocorrelation import build_grid, coarsen

        grid = build_grid(problem.times, self.time_step)
        other = coarsen(grid, problem.times)
        evaluate = {"exact": _exact, "haar": _haar, "shots": _shots}[self.protocol]
        correlator, errors, difference, words = evaluate(self, problem.model, grid, other, progress)
        if difference is not None:
            errors["trotter_error"] = _richardson(difference, grid, other, self.trotter_order)
        diagnostics = {
            "protocol": words,
            "num_steps": int(grid.num_steps.max(initial=0)),
            "trotter_error": _RICHARDSON if difference is not None else _NO_ESTIMATE,
        }
        return autocorrelation_answer(problem, correlator, errors=errors, diagnostics=diagnostics)

    def is_deferred(self, num_sites: int) -> bool:
        """Return whether "shots" keeps the initial bits in reference qubits rather than measure them mid-circuit."""
        fits = 16.0 * 4.0**num_sites <= 0.5 * available_memory()
        return 2**num_sites <= self.num_shots and fits


_RICHARDSON = "Richardson estimate from steps of another length"
_NO_ESTIMATE = "not estimated at this size; compare two values of time_step"
_Outcome = tuple[NDArray[np.float64], dict[str, NDArray[np.float64]], NDArray[np.float64] | None, str]


def _exact(
    method: TrotterCircuit, model: SpinModel, grid: TrotterGrid, other: TrotterGrid, progress: Progress
) -> _Outcome:
    from qthermo.circuits.autocorrelation import exact_correlator

    progress(0.0, "exact trace")
    fine = exact_correlator(model, grid, method.trotter_order, method.layout)
    progress(0.6, "exact trace, other step")
    coarse = exact_correlator(model, other, method.trotter_order, method.layout)
    return fine, {}, fine - coarse, f"full trace on {2 * model.num_sites - 1} qubits, statevector"


def _haar(
    method: TrotterCircuit, model: SpinModel, grid: TrotterGrid, other: TrotterGrid, progress: Progress
) -> _Outcome:
    fine, coarse = _haar_pair(method, model, grid, other, method.num_states, progress)
    stderr = fine.std(axis=0, ddof=1) / np.sqrt(method.num_states)
    words = f"{method.num_states} Haar-random bath states, statevector"
    return fine.mean(axis=0), {"stderr": stderr}, (fine - coarse).mean(axis=0), words


def _shots(
    method: TrotterCircuit, model: SpinModel, grid: TrotterGrid, other: TrotterGrid, progress: Progress
) -> _Outcome:
    from qthermo.circuits.autocorrelation import shot_correlator

    deferred = method.is_deferred(model.num_sites)
    correlator, stderr = shot_correlator(
        model,
        grid,
        method.trotter_order,
        method.layout,
        num_shots=method.num_shots,
        seed=method.seed,
        deferred=deferred,
        progress=progress,
    )
    difference = None
    if model.num_sites <= _CHEAP_SITES:
        fine, coarse = _haar_pair(method, model, grid, other, 2, silent)
        difference = (fine - coarse).mean(axis=0)
    place = "measured at the end, on reference qubits" if deferred else "measured mid-circuit"
    return correlator, {"stderr": stderr}, difference, f"{method.num_shots} shots per time; initial bits {place}"


def _haar_pair(
    method: TrotterCircuit,
    model: SpinModel,
    grid: TrotterGrid,
    other: TrotterGrid,
    num_states: int,
    progress: Progress,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return <Z_0(t)> on both grids with the same states, so that their difference has little noise."""
    from qthermo.circuits.autocorrelation import haar_correlators

    fine, coarse = (
        haar_correlators(
            model,
            steps,
            method.trotter_order,
            method.layout,
            num_states=num_states,
            seed=method.seed,
            progress=progress,
        )
        for steps in (grid, other)
    )
    return fine, coarse


def _richardson(
    difference: NDArray[np.float64], grid: TrotterGrid, other: TrotterGrid, order: int
) -> NDArray[np.float64]:
    """Return |C(dt) - C(dt')| / |1 - (dt' / dt)^order|, the leading error of C(dt)."""
    moving = grid.num_steps > 0
    ratio = np.ones(moving.size)
    np.divide(grid.num_steps, other.num_steps, out=ratio, where=moving)
    scale = np.abs(1 - ratio**order)
    estimate: NDArray[np.float64] = np.divide(np.abs(difference), scale, out=np.zeros(moving.size), where=moving)
    return estimate
