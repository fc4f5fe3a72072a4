"""One particle hopping on a d-dimensional lattice with a random potential: the Anderson model on a torus."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qthermo.checks import check_choice, check_finite_array, check_integer, check_real, frozen
from qthermo.errors import InputError
from qthermo.models.model import record
from qthermo.seeds import Stream, sample_generator

__all__ = ["AndersonLatticeModel", "anderson_lattice", "sample_anderson_lattice"]

DISTRIBUTIONS = ("box", "normal", "lorentzian")


@dataclass(frozen=True, kw_only=True, eq=False)
class AndersonLatticeModel:
    """(H psi)(x) = v(x) psi(x) - sum of psi over the 2d nearest neighbours of x, on a d-dimensional torus.

    The discrete Laplacian is v = 2d everywhere; since a constant changes nothing but a phase, v = 0 stands for it.

    Args:
        family: name of the model family.
        parameters: everything that made the model, as JSON values.
        potential: v, an array with one axis of at least 3 sites for each dimension, energy.
    """

    kind: ClassVar[str] = "particle"

    family: str
    parameters: Mapping[str, Any]
    potential: NDArray[np.float64] = field(repr=False)

    def __post_init__(self) -> None:
        json.dumps(dict(self.parameters), allow_nan=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of sites along each axis."""
        return self.potential.shape

    @property
    def dimension(self) -> int:
        """The number of sites."""
        return int(self.potential.size)

    def to_dense(self) -> NDArray[np.float64]:
        """Return H as a matrix, sites in row-major order."""
        sites = np.arange(self.dimension).reshape(self.shape)
        matrix = np.diag(self.potential.ravel())
        for axis in range(len(self.shape)):
            neighbours = np.roll(sites, 1, axis).ravel()
            matrix[sites.ravel(), neighbours] -= 1
            matrix[neighbours, sites.ravel()] -= 1
        return matrix


def anderson_lattice(*, potential: ArrayLike) -> AndersonLatticeModel:
    """Return a lattice with a given potential, one axis for each of its 1 to 3 dimensions.

    Raises:
        InputError: an axis has fewer than 3 sites, or a number is not finite.
    """
    v = np.asarray(potential, np.float64)
    return _build(check_finite_array("potential", v, ndim=v.ndim), {})


def sample_anderson_lattice(
    *, shape: tuple[int, ...] | list[int], disorder: float, seed: int, realization: int = 0, distribution: str = "box"
) -> AndersonLatticeModel:
    """Sample independent potentials: the Anderson model; with disorder 0 the discrete Laplacian.

    Args:
        shape: number of sites along each of 1 to 3 axes, at least 3 each.
        disorder: W >= 0, energy: the box [-W/2, W/2], the standard deviation, or the Lorentzian's half width.
        seed: entropy of the random numbers; `realization` selects one member of the ensemble.
        realization: index of the disorder realization.
        distribution: "box", "normal" or "lorentzian".

    Raises:
        InputError: a number is out of range.

    Reference: P. W. Anderson, Phys. Rev. 109, 1492 (1958).
    """
    sides = tuple(check_integer(f"shape[{k}]", n, minimum=3) for k, n in enumerate(shape))
    W = check_real("disorder", disorder, minimum=0)
    check_choice("distribution", distribution, DISTRIBUTIONS)
    rng = sample_generator(seed, Stream.MODEL, realization)
    if distribution == "box":
        v = W * (rng.random(sides) - 0.5)
    elif distribution == "normal":
        v = W * rng.standard_normal(sides)
    else:
        v = W * rng.standard_cauchy(sides)
    sampling = {"disorder": W, "distribution": distribution, "seed": seed, "realization": realization}
    return _build(v, sampling)


def _build(potential: NDArray[np.float64], sampling: Mapping[str, Any]) -> AndersonLatticeModel:
    shape = potential.shape
    if not 1 <= len(shape) <= 3 or min(shape) < 3:
        raise InputError(f"A lattice must have 1 to 3 axes of at least 3 sites, but has the shape {shape}.")
    parameters = {"shape": list(shape), **(sampling or {"potential": record(potential)})}
    return AndersonLatticeModel(family="anderson_lattice", parameters=parameters, potential=frozen(potential))
