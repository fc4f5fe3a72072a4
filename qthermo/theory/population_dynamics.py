"""`PopulationDynamics`: cavity equation and diffuson of an infinite Levy bath."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, Variable
from qthermo.checks import check_finite_array, check_integer
from qthermo.errors import UnsupportedError, ValidityWarning
from qthermo.models import MatrixModel
from qthermo.problems import Problem, Propagator, propagator_answer
from qthermo.progress import Progress
from qthermo.seeds import Stream, sample_generator
from qthermo.theory.localisation import report_localisation

if TYPE_CHECKING:
    from qthermo.theory.levy_population import LevyLaw, PopulationRun

__all__ = ["PopulationDynamics"]

_PROBE = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationDynamics:
    """The limit N -> infinity of `CavityDiffuson` (edge closure) for Levy baths, by a population of Green functions.

    For independent couplings the neighbours' messages are independent draws of one distribution, which a population of
    members represents; the couplings of a member are a Poisson process. The model gives exponent, scale and splitting;
    its own energies and couplings are not used. P_ab is scaled to the model's number of bath states.

    Args:
        num_members: M, members for each thermometer level.
        num_neighbours: K, couplings of a member drawn one by one; the weaker ones act through their mean.
        num_sweeps: sweeps averaged, in 8 blocks from which the standard errors come.
        burn_in: sweeps before.
        bath_energies: samples of the bath's density of states; None for the Levy bath's standard normal.
        seed: entropy of the random numbers.
        check_convergence: run twice more, with half the members and with half the neighbours, and report the change.

    Raises:
        InputError: an option is out of range.

    Errors: statistical (`autocorrelation_stderr`); a bias of order 1/(M s), upwards in c (0.002 at M = 3000, s = 0.1,
    mu = 1.5), and one from the fluctuations of the rest, both seen in `change_on_halving_members` and
    `change_on_halving_neighbours`. On the localised side the typical
    broadening vanishes with s and no thermal stationary state exists: a `ValidityWarning` says so.
    Cost: M K (num_sweeps + burn_in) random couplings, whatever N.
    Reference: A. V. Lunkin, arXiv:2603.12234; P. Cizeau, J. P. Bouchaud, Phys. Rev. E 50, 1810 (1994).
    """

    answers: ClassVar[tuple[type, ...]] = (Propagator,)

    num_members: int = 20000
    num_neighbours: int = 64
    num_sweeps: int = 64
    burn_in: int = 16
    bath_energies: Sequence[float] | None = None
    seed: int = 0
    check_convergence: bool = False

    def __post_init__(self) -> None:
        for name, minimum in (("num_members", 100), ("num_neighbours", 2), ("num_sweeps", 8), ("burn_in", 1)):
            check_integer(name, getattr(self, name), minimum=minimum)
        check_integer("seed", self.seed, minimum=0)
        if self.bath_energies is not None:
            samples = check_finite_array("bath_energies", self.bath_energies, ndim=1)
            object.__setattr__(self, "bath_energies", tuple(samples.tolist()))

    def check(self, problem: Problem) -> None:
        """Accept Levy baths of any exponent but 2, at real s."""
        model = problem.model
        if not isinstance(model, MatrixModel) or model.family != "levy_bath":
            raise UnsupportedError("PopulationDynamics needs a Levy bath, whose couplings are independent draws.")
        if model.eigenbasis.num_levels != 2:
            raise UnsupportedError(
                f"PopulationDynamics needs a thermometer of two levels, but has {model.eigenbasis.num_levels}."
            )
        if model.parameters["exponent"] == 2:
            raise UnsupportedError(
                "PopulationDynamics needs an exponent other than 2, where the scaling has logarithms."
            )
        if isinstance(problem, Propagator) and np.iscomplexobj(problem.laplace):
            raise UnsupportedError("PopulationDynamics needs a real Laplace variable, but it is complex.")

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        points = problem.points[0].size if isinstance(problem, Propagator) else 1
        return 8.0 * self.num_members * (60.0 * (points + 1) + 8.0 * self.num_neighbours)

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Iterate the population at all (E, s), and at a smaller s to see whether broadenings vanish."""
        if not isinstance(problem, Propagator) or not isinstance(problem.model, MatrixModel):
            raise UnsupportedError(f"PopulationDynamics does not answer {type(problem).__name__}.")
        basis = problem.model.eigenbasis
        energies, s = problem.points
        probe = np.full(1, energies[np.argmin(s)] + 0.5j * s.min() / _PROBE)
        points = np.concatenate([energies + 0.5j * s, probe])
        progress(0.0, f"population of {self.num_members} members")
        run = self._simulate(problem.model, points)
        logs = run.log_broadening.mean(axis=(0, 2))
        localisation = report_localisation(float((logs[np.argmin(s)] - logs[-1]) / np.log(_PROBE)))
        if localisation["localised"]:
            warnings.warn(
                f"A thermal stationary state needs a broadening that stays finite as s falls, but the typical one "
                f"vanishes as s^{localisation['broadening_slope']:.2f} at s = {s.min():g}: this side is localised, and "
                f"populations keep their memory.",
                ValidityWarning,
                stacklevel=2,
            )
        joint = run.propagator[:, :-1].mean(axis=0) * basis.num_bath_states
        answer = propagator_answer(problem, basis, joint, run.broadenings[:-1])
        blocks = _normalise(problem, run.propagator[:, :-1], basis.level_values)
        stderr = blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks))
        report: dict[str, Any] = {"largest_stderr": float(stderr.max()), **localisation}
        if self.check_convergence:
            for name in ("num_members", "num_neighbours"):
                progress(0.5, f"again with half of {name}")
                other = replace(self, **{name: max(getattr(self, name) // 2, 2)})._simulate(problem.model, points)
                change = _normalise(problem, other.propagator[:, :-1], basis.level_values).mean(axis=0) - blocks.mean(
                    axis=0
                )
                report[f"change_on_halving_{name[4:]}"] = float(np.abs(change).max())
        point = ("energy", "laplace")
        variables = {
            **answer.variables,
            "autocorrelation_stderr": Variable(point, stderr, "1", "standard error of c(E,s) over blocks of sweeps"),
        }
        return replace(answer, variables=variables, diagnostics=report)

    def _simulate(self, model: MatrixModel, points: NDArray[np.complex128]) -> PopulationRun:
        from qthermo.theory.levy_population import LevyLaw, run_population

        law: LevyLaw = LevyLaw(
            exponent=model.parameters["exponent"],
            scale=model.parameters["scale"],
            level_energies=model.eigenbasis.level_energies,
            samples=None if self.bath_energies is None else np.array(self.bath_energies),
        )
        return run_population(
            law,
            points,
            num_members=self.num_members,
            num_neighbours=self.num_neighbours,
            burn_in=self.burn_in,
            num_blocks=8,
            block_length=self.num_sweeps // 8,
            rng=sample_generator(self.seed, Stream.POPULATION),
        )


def _normalise(problem: Propagator, joint: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return c(E, s) of every block, shape (blocks, energy, laplace)."""
    weights = problem.window_nodes[1]
    shape = (len(joint), problem.energies.size, problem.laplace.size, weights.size)
    signed = np.einsum("npab,a,b->np", joint, values, values).reshape(shape) @ weights
    total = joint.sum(axis=(2, 3)).reshape(shape) @ weights
    return np.asarray(signed / total)
