"""`Chebyshev`: exact evolution of single states without a spectrum, at all times from one recursion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.checks import check_integer, check_real
from qthermo.errors import NotConvergedError, UnsupportedError
from qthermo.problems import BandDynamics, Problem, WavePacket, band_answer, wave_packet_answer
from qthermo.progress import Progress
from qthermo.seeds import Stream, sample_generator

if TYPE_CHECKING:
    from qthermo.linalg.chebyshev import ChebyshevEvolution, Interval, Step

__all__ = ["Chebyshev"]

_BUFFER_VECTORS = 20
_BATCH = 16
"""States of a band chain evolved together: the coupling blocks are then read once for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chebyshev:
    """e^{-iHt} psi = e^{-ibt} sum_k (2 - delta_k0) (-i)^k J_k(R t) T_k((H - b)/R) psi, every time from one recursion.

    The spectrum is bounded by a few Lanczos steps from a random vector; a bound that is too small shows in the norm.
    Where H and psi are real, so is T_k psi: even k make the real part and odd k the imaginary part. Lattices and band
    matrices are never stored as sparse matrices; band chains are products with their coupling blocks.

    Args:
        tolerance: largest sum of the terms left out.
        norm_tolerance: largest change of the norm accepted.
        bound_steps: Lanczos steps for the bound.
        seed: entropy of the vector that the bound starts from.

    Raises:
        InputError: an option is out of range.

    Errors: `tolerance` and rounding, about 1e-15 per term; the change of the norm is in the diagnostics.
    Cost: (half the width of the spectrum) * t_max products with H, plus one pass over memory for each time and four
    terms; memory 2 numbers per component and time, and 20 vectors.
    Reference: H. Tal-Ezer, R. Kosloff, J. Chem. Phys. 81, 3967 (1984).
    """

    answers: ClassVar[tuple[type, ...]] = (BandDynamics, WavePacket)

    tolerance: float = 1e-12
    norm_tolerance: float = 1e-9
    bound_steps: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("tolerance", "norm_tolerance"):
            check_real(name, getattr(self, name), minimum=0, exclusive=True)
        check_integer("bound_steps", self.bound_steps, minimum=2)
        check_integer("seed", self.seed, minimum=0)

    def check(self, problem: Problem) -> None:
        """Accept single states; moments over all of them need the spectrum."""
        if isinstance(problem, BandDynamics) and isinstance(problem.initial, str) and problem.initial == "average":
            raise UnsupportedError('Chebyshev evolves states, but the problem asks for initial="average".')

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        if not isinstance(problem, BandDynamics | WavePacket):
            return 0.0
        is_real = isinstance(problem, WavePacket) and _is_real(problem)
        number, size = (8.0 if is_real else 16.0), float(problem.model.dimension)
        total = number * size * (2 * problem.times.size + _BUFFER_VECTORS + 6)
        if isinstance(problem, BandDynamics):
            total *= min(problem.num_states, _BATCH)
            model = problem.model
            total += 16.0 * sum(block.size for bond in model.blocks for block in bond.values())
            total += 8.0 * problem.num_states * problem.times.size * model.num_configurations
        return total

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Bound the spectrum, evolve, and compare the norm."""
        if isinstance(problem, WavePacket):
            return self._spread(problem, progress)
        if isinstance(problem, BandDynamics):
            return self._exchange(problem, progress)
        raise UnsupportedError(f"Chebyshev does not answer {type(problem).__name__}.")

    def _spread(self, problem: WavePacket, progress: Progress) -> Answer:
        from qthermo.exact.wave_packet import certain_bounds, particle_step, solid_shape
        from qthermo.linalg.threads import limit_kernel_threads

        model = problem.model
        start = problem.start(np.float64 if _is_real(problem) else np.complex128)
        start = start.reshape(solid_shape(model.shape) if len(model.shape) > 1 or _is_lattice(problem) else model.shape)
        with limit_kernel_threads(start.size):
            step = particle_step(model)
            evolution, bounds = self._evolve(step, start, problem.times, progress, certain_bounds(model))
            return wave_packet_answer(
                problem,
                lambda k: evolution.weights(k).reshape(model.shape),
                diagnostics=_describe(evolution, bounds),
            )

    def _exchange(self, problem: BandDynamics, progress: Progress) -> Answer:
        space = problem.model.space
        samples = np.empty((problem.num_states, problem.times.size, len(space.slices)))

        conserved = space.band_energies[:, None]  # commutes with H: taken off, it leaves a narrow spectrum

        def step(current: Any, previous: Any, out: Any, scale: float, shift: float) -> None:
            np.subtract(scale * (space.apply(current) - (shift + conserved) * current), previous, out=out)

        bounds, evolution = None, None
        worst = 0.0
        for first in range(0, problem.num_states, _BATCH):
            last = min(first + _BATCH, problem.num_states)
            states = problem.initial_states(first, last)
            evolution, bounds = self._evolve(step, states, problem.times, progress, bounds=bounds)
            worst = max(worst, evolution.norm_error)
            for t in range(problem.times.size):
                weights = evolution.weights(t)
                samples[first:last, t] = np.array([weights[part].sum(axis=0) for part in space.slices]).T
        diagnostics = _describe(evolution, bounds) if evolution and bounds else {}
        return band_answer(problem, samples, diagnostics={**diagnostics, "norm_error": worst})

    def _evolve(
        self,
        step: Step,
        start: NDArray[Any],
        times: NDArray[np.float64],
        progress: Progress,
        certain: Interval | None = None,
        bounds: Interval | None = None,
    ) -> tuple[ChebyshevEvolution, Interval]:
        from qthermo.linalg.chebyshev import Interval, bound_spectrum, evolve_chebyshev

        if bounds is None:
            progress(0.0, "bounding the spectrum")
            rng = sample_generator(self.seed, Stream.SOLVER)
            random = rng.standard_normal(start.shape).astype(start.dtype)
            bounds = bound_spectrum(step, random, num_steps=self.bound_steps)
            if certain is not None:
                bounds = Interval(max(bounds.lower, certain.lower), min(bounds.upper, certain.upper))
        evolution = evolve_chebyshev(
            step, start, times, bounds, tolerance=self.tolerance, notify=lambda done: progress(done, "recursion")
        )
        if not evolution.norm_error <= self.norm_tolerance:
            raise NotConvergedError(
                f"The norm must stay 1 within norm_tolerance = {self.norm_tolerance:g}, but changes by "
                f"{evolution.norm_error:.2g}: the bound [{bounds.lower:.6g}, {bounds.upper:.6g}] misses part of the "
                f"spectrum; raise bound_steps above {self.bound_steps}."
            )
        return evolution, bounds


def _is_lattice(problem: WavePacket) -> bool:
    return problem.model.family == "anderson_lattice"


def _is_real(problem: WavePacket) -> bool:
    return _is_lattice(problem) or bool(getattr(problem.model, "is_real", False))


def _describe(evolution: ChebyshevEvolution, bounds: Interval) -> dict[str, Any]:
    return {
        "num_terms": evolution.num_terms,
        "norm_error": evolution.norm_error,
        "spectral_bounds": [bounds.lower, bounds.upper],
    }
