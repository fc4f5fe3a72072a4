"""`KPMSpread`: D(O) from the plateau of squared Chebyshev moments, a fast estimate with a bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.checks import check_integer, check_real
from qthermo.errors import InputError, NotConvergedError, UnsupportedError
from qthermo.exact.lanczos_spread import estimate_split_memory, random_start
from qthermo.problems import OperatorSpread, Problem, operator_spread_answer
from qthermo.progress import Progress

__all__ = ["KPMSpread"]

_BLOCKS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class KPMSpread:
    """D(O) = -log(2 <mu_n^2>) with mu_n = <O psi|T_n(H)|O psi>, n averaged over a window of Heisenberg orders.

    mu_n^2 dephases to sum_k p_k^2 / 2 once n resolves the levels, at the Heisenberg order n_H = 2 pi rho R (R half the
    spectral width, rho taken from a Gaussian density of states). psi is found as by `LanczosSpread`.

    Args:
        window: first and last order of the average, in units of n_H.
        tolerance: of the residual of psi, energy.
        max_steps_per_level: at which the search for psi gives up.
        seed: entropy of the start vector.

    Raises:
        InputError: an option is out of range.

    Errors: a window that ends at w n_H takes levels nearer than 1 / w spacings as one, which biases D. Against
    `LanczosSpread` at 2^10, grain operator: up to 0.09 for the window (0.5, 1), 0.02 for (1, 2), 0.005 for (2, 4);
    for localised spins, whose weight sits in nearly degenerate pairs, up to 0.4: take `LanczosSpread` there.
    `log_ipr_error` holds scatter and drift of the plateau over the window, which sees only a part of this bias.
    Cost: w n_H / 2, about 7 D products with H for w = 2, against 3.5 D and the Sturm sequences of `LanczosSpread`.
    Reference: A. Weisse et al., Rev. Mod. Phys. 78, 275 (2006), doi:10.1103/RevModPhys.78.275, for the moments.
    """

    answers: ClassVar[tuple[type, ...]] = (OperatorSpread,)

    window: tuple[float, float] = (1.0, 2.0)
    tolerance: float = 1e-8
    max_steps_per_level: float = 8.0
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.window) != 2 or not 0 < check_real("window[0]", self.window[0]) < check_real(
            "window[1]", self.window[1]
        ):
            raise InputError(f"Argument `window` must be two ascending positive numbers, but is {self.window!r}.")
        object.__setattr__(self, "window", tuple(self.window))
        check_real("tolerance", self.tolerance, minimum=0, exclusive=True)
        check_real("max_steps_per_level", self.max_steps_per_level, minimum=3)
        check_integer("seed", self.seed, minimum=0)

    def check(self, problem: Problem) -> None:
        """Accept every model that is large enough for a plateau."""
        if isinstance(problem, OperatorSpread) and (
            problem.model.dimension < 64 or problem.count > problem.model.dimension // 4
        ):
            raise UnsupportedError(
                f"KPMSpread needs at least 64 levels and num_states of at most a quarter of them, but got "
                f"{problem.model.dimension} levels and {problem.count} states."
            )

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        return estimate_split_memory(problem, num_vectors=45) + 8.0 * 40 * problem.model.dimension

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Find the states, then average the squared moments of every operator on every state."""
        from qthermo.linalg.long_lanczos import find_states
        from qthermo.linalg.spectral_moments import chebyshev_moments, spectral_interval

        if not isinstance(problem, OperatorSpread):
            raise UnsupportedError(f"KPMSpread does not answer {type(problem).__name__}.")
        operator, actions = problem.split()
        start = random_start(operator.shape, operator.dtype, self.seed)
        centre, radius, spread = spectral_interval(operator, start)
        heisenberg = np.sqrt(2 * np.pi) * operator.num_levels * radius / spread
        orders = [int(np.ceil(edge * heisenberg)) for edge in self.window]
        found = find_states(
            operator, start, target=problem.energy, num_states=problem.count, tolerance=self.tolerance,
            max_steps_per_level=self.max_steps_per_level, report=progress,
        )  # fmt: skip
        worst = float(found.residuals.max())
        if worst > self.tolerance:
            raise NotConvergedError(
                f"The residual of psi must fall to tolerance = {self.tolerance:g}, but is {worst:.2g}: raise "
                f"max_steps_per_level above {self.max_steps_per_level:g} or change `seed`."
            )
        values, errors = np.empty((2, problem.count, len(actions)))
        for row, psi in enumerate(found.vectors):
            for column, act in enumerate(actions):
                moments = chebyshev_moments(
                    operator, act(psi), num_moments=orders[1], centre=centre, radius=radius, report=progress
                )
                values[row, column], errors[row, column] = _plateau(moments[orders[0] :])
        return operator_spread_answer(
            problem, values, found.energies, error=errors,
            diagnostics={"heisenberg_order": float(heisenberg), "residual": worst, "num_moments": orders[1]},
        )  # fmt: skip


def _plateau(moments: NDArray[np.float64]) -> tuple[float, float]:
    """Return -log(2 <mu^2>), and the standard error over blocks plus the drift between the halves."""
    blocks = np.array([float(2 * (block**2).mean()) for block in np.array_split(moments, _BLOCKS)])
    mean = blocks.mean()
    half = _BLOCKS // 2
    drift = abs(np.log(blocks[:half].mean() / blocks[half:].mean()))
    return float(-np.log(mean)), float(blocks.std(ddof=1) / np.sqrt(_BLOCKS) / mean + drift)
