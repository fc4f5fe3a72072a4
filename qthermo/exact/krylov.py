"""`Krylov`: the exact propagator from a few random vectors, for spaces that `Dense` cannot diagonalise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, Variable
from qthermo.checks import check_integer, check_real
from qthermo.errors import NotConvergedError, UnsupportedError
from qthermo.models import SpinModel
from qthermo.problems import Problem, Propagator
from qthermo.progress import Progress
from qthermo.seeds import Stream, sample_generator

__all__ = ["Krylov"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Krylov:
    """P_ab(E, s) = N E_phi |P_b G(E + i s/2) |a, phi>|^2 over random bath vectors phi, G applied by Lanczos.

    One Krylov space serves every E and s. All thermometer levels start from the same phi, so that their ratio c(E, s)
    fluctuates less than they do.

    Args:
        num_vectors: random bath vectors; at least 2, for the standard error.
        tolerance: residual of (z - H) x = v at which the Krylov space stops growing.
        max_dim: its largest dimension.
        seed: entropy of the random vectors.

    Raises:
        InputError: an option is out of range.

    Errors: statistical, about 1/sqrt(num_vectors * number of levels within the larger of s and the broadening);
    `propagator_stderr` and `autocorrelation_stderr` (jackknife) state it.
    Cost: 4 products with H per random vector and Krylov dimension, which grows as the spectral width over s; memory
    2^n numbers for each (E, s) and some 70 more.
    Reference: R. Alben et al., Phys. Rev. B 12, 4090 (1975), for random vectors; Y. Saad, Iterative Methods (2003).
    """

    answers: ClassVar[tuple[type, ...]] = (Propagator,)

    num_vectors: int = 8
    tolerance: float = 1e-4
    max_dim: int = 20_000
    seed: int = 0

    def __post_init__(self) -> None:
        check_integer("num_vectors", self.num_vectors, minimum=2)
        check_real("tolerance", self.tolerance, minimum=0, exclusive=True)
        check_integer("max_dim", self.max_dim, minimum=1)
        check_integer("seed", self.seed, minimum=0)

    def check(self, problem: Problem) -> None:
        """Accept spin models, real s and sharp energies."""
        if not isinstance(problem.model, SpinModel):
            raise UnsupportedError(f"Krylov needs a model of spins, but `{problem.model.family}` is given by matrices.")
        if isinstance(problem, Propagator) and (np.iscomplexobj(problem.laplace) or problem.energy_window):
            raise UnsupportedError("Krylov needs a real Laplace variable and no energy window.")

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        points = problem.points[0].size if isinstance(problem, Propagator) else 1
        terms = len(problem.model.hamiltonian) if isinstance(problem.model, SpinModel) else 0
        return float(problem.model.dimension) * (24.0 * terms + 32.0 * points + 16.0 * 70)

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Average over random vectors."""
        from qthermo.linalg.lanczos_resolvent import apply_resolvents

        model = problem.model
        if not isinstance(problem, Propagator) or not isinstance(model, SpinModel):
            raise UnsupportedError(f"Krylov answers Propagator of spins, not {type(problem).__name__}.")
        hamiltonian = model.hamiltonian.to_sparse(model.num_sites)
        energies, laplace = problem.points
        bath = model.dimension // 2
        samples = np.empty((self.num_vectors, energies.size, 2, 2))
        dimensions = []
        for k in range(self.num_vectors):
            phi = sample_generator(self.seed, Stream.STATES, k).standard_normal(bath)
            for level in range(2):
                progress((2 * k + level) / (2 * self.num_vectors), f"random vector {k + 1} of {self.num_vectors}")
                start = np.zeros((2, bath), hamiltonian.dtype)
                start[level] = phi
                solved, size, residual = apply_resolvents(
                    lambda x: hamiltonian @ x,
                    start.ravel(),
                    energies + 0.5j * laplace,
                    tolerance=self.tolerance,
                    max_dim=self.max_dim,
                )
                if residual > self.tolerance:
                    raise NotConvergedError(
                        f"The Krylov residual must fall to tolerance = {self.tolerance:g}, but is {residual:.2g} at "
                        f"dimension {size}: raise max_dim above {self.max_dim} or take larger Laplace values."
                    )
                samples[k, :, level] = (np.abs(solved.reshape(-1, 2, bath)) ** 2).sum(axis=-1)
                dimensions.append(size)
        return _answer(problem, samples, {"num_vectors": self.num_vectors, "krylov_dimension": max(dimensions)})


def _answer(problem: Propagator, samples: NDArray[np.float64], diagnostics: dict[str, int]) -> Answer:
    """Average over vectors; samples has shape (vector, point, initial, final)."""
    grid = (problem.energies.size, problem.laplace.size)
    count = len(samples)
    mean = samples.mean(axis=0)
    left_out = (count * mean - samples) / (count - 1)
    curves = _normalised(left_out)
    spread = np.sqrt((count - 1) / count * ((curves - curves.mean(axis=0)) ** 2).sum(axis=0))
    point = ("energy", "laplace")
    levels = (*point, "initial", "final")
    stderr = samples.std(axis=0, ddof=1) / np.sqrt(count)
    return Answer(
        variables={
            "autocorrelation": Variable(
                point, _normalised(mean).reshape(grid), "1", "c(E,s) = sum_ab z_a z_b P_ab / sum_ab P_ab"
            ),
            "autocorrelation_stderr": Variable(
                point, spread.reshape(grid), "1", "standard error of c(E,s) over random vectors"
            ),
            "propagator": Variable(levels, mean.reshape(*grid, 2, 2), "1/energy^2", "P_ab(E,s)"),
            "propagator_stderr": Variable(
                levels, stderr.reshape(*grid, 2, 2), "1/energy^2", "standard error of P_ab over random vectors"
            ),
        },
        coordinates={
            "energy": problem.energies,
            "laplace": problem.laplace,
            "initial": np.arange(2),
            "final": np.arange(2),
        },
        diagnostics=diagnostics,
    )


def _normalised(propagator: NDArray[np.float64]) -> NDArray[np.float64]:
    signs = np.array([[1.0, -1.0], [-1.0, 1.0]])
    ratio: NDArray[np.float64] = (propagator * signs).sum(axis=(-2, -1)) / propagator.sum(axis=(-2, -1))
    return ratio
