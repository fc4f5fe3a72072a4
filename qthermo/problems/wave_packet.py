"""How one particle spreads from one site of a lattice."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, Variable
from qthermo.checks import check_ascending, check_integer
from qthermo.errors import InputError, ValidityWarning
from qthermo.models import AndersonLatticeModel, BandMatrixModel

__all__ = ["WavePacket", "wave_packet_answer"]

_EDGE = 0.45
_WRAPPED = 1e-3
_STILL = 1e-20
"""Below, a mean square displacement is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class WavePacket:
    """The spreading of p_t(x) = |<x| e^{-iHt} |origin>|^2.

    Args:
        model: an Anderson lattice or a band matrix, both periodic.
        times: t >= 0, ascending, in units of 1/energy.
        origin: the site where the particle starts, one index per axis; the middle by default.

    Raises:
        InputError: a field is out of range or does not fit the model.

    The answer holds `msd` sum_x |x|^2 p_t(x), its local `exponent` d ln msd / d ln t, `diffusion_constant`
    msd / (2 d t), `kurtosis` <x^4>/<x^2>^2 of one coordinate (mean over the axes; 3 for a Gaussian),
    `participation_ratio` 1 / sum_x p_t(x)^2 and `edge_probability`, all (time,), and `profile`, the distribution of the
    first coordinate (time, displacement). Displacements are the shortest ones around the torus: where
    `edge_probability`, the probability of being more than 0.45 of a side away, exceeds 0.001, a `ValidityWarning` says
    that they no longer are those of the infinite lattice.
    """

    model: AndersonLatticeModel | BandMatrixModel
    times: NDArray[np.float64] = field(kw_only=True)
    origin: tuple[int, ...] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.model, AndersonLatticeModel | BandMatrixModel):
            raise InputError(
                f"Argument `model` must be an Anderson lattice or a band matrix, but is a {type(self.model).__name__}."
            )
        object.__setattr__(self, "times", check_ascending("times", self.times))
        shape = self.model.shape
        given = (
            tuple(n // 2 for n in shape)
            if self.origin is None
            else tuple(np.atleast_1d(np.array(self.origin)).tolist())
        )
        if len(given) != len(shape):
            raise InputError(f"Argument `origin` must have {len(shape)} indices, but has {len(given)}.")
        site = tuple(
            check_integer(f"origin[{k}]", x, minimum=0, maximum=n - 1)
            for k, (x, n) in enumerate(zip(given, shape, strict=True))
        )
        object.__setattr__(self, "origin", site)

    def start(self, dtype: Any = np.float64) -> NDArray[Any]:
        """Return the initial state, an array of the lattice's shape."""
        state = np.zeros(self.model.shape, dtype)
        state[self.origin] = 1.0
        return state


@dataclass(frozen=True, slots=True, eq=False)
class _Spread:
    """Moments of one distribution."""

    square: NDArray[np.float64]
    fourth: NDArray[np.float64]
    inverse_participation: float
    edge: float
    profile: NDArray[np.float64]


def _measure(weights: NDArray[np.float64], origin: tuple[int, ...]) -> _Spread:
    """Return the moments of p(x) along each axis, from its marginal distributions."""
    square, fourth, edge, profiles = [], [], 0.0, []
    for axis, (start, side) in enumerate(zip(origin, weights.shape, strict=True)):
        others = tuple(k for k in range(weights.ndim) if k != axis)
        marginal = np.roll(weights.sum(axis=others), side // 2 - start)
        distance = np.arange(side, dtype=np.float64) - side // 2
        square.append(marginal @ distance**2)
        fourth.append(marginal @ distance**4)
        edge += float(marginal[np.abs(distance) > _EDGE * side].sum())
        profiles.append(marginal)
    return _Spread(np.array(square), np.array(fourth), float(np.vdot(weights, weights)), edge, profiles[0])


def wave_packet_answer(
    problem: WavePacket,
    weights: Callable[[int], NDArray[np.float64]],
    *,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer to `WavePacket`; `weights(k)` is p_t(x) at the time of that number, in the lattice's shape."""
    times, shape = problem.times, problem.model.shape
    spreads = [_measure(weights(k), problem.origin or ()) for k in range(times.size)]
    squares = np.array([spread.square for spread in spreads])
    msd = squares.sum(axis=1)
    moved = np.where(squares > _STILL, squares, np.nan)
    edge = np.array([spread.edge for spread in spreads])
    _watch(edge, times)
    side = shape[0]
    positive = np.where(times > 0, times, np.nan)
    rows = {
        "msd": (msd, "sites^2", "sum_x |x|^2 p_t(x)"),
        "exponent": (_exponents(times, msd), "1", "d ln msd / d ln t"),
        "diffusion_constant": (msd / (2 * len(shape) * positive), "sites^2 energy", "msd / (2 d t)"),
        "kurtosis": (
            (np.array([spread.fourth for spread in spreads]) / moved**2).mean(axis=1),
            "1",
            "<x^4> / <x^2>^2 of one coordinate, mean over the axes",
        ),
        "participation_ratio": (
            1 / np.array([spread.inverse_participation for spread in spreads]),
            "1",
            "1 / sum_x p_t(x)^2",
        ),
        "edge_probability": (edge, "1", "probability of being more than 0.45 of a side away"),
    }
    variables = {name: Variable(("time",), *row) for name, row in rows.items()}
    profile = np.array([spread.profile for spread in spreads])
    variables["profile"] = Variable(("time", "displacement"), profile, "1", "distribution of the first coordinate")
    return Answer(
        variables=variables,
        coordinates={"time": times, "displacement": np.arange(side) - side // 2},
        diagnostics={"max_edge_probability": float(edge.max()), **(diagnostics or {})},
    )


def _exponents(times: NDArray[np.float64], msd: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the slope of ln msd over ln t; NaN where either vanishes and where there are fewer than two points."""
    exponents = np.full(times.size, np.nan)
    good = (times > 0) & (msd > _STILL)
    if good.sum() >= 2:
        exponents[good] = np.gradient(np.log(msd[good]), np.log(times[good]))
    return exponents


def _watch(edge: NDArray[np.float64], times: NDArray[np.float64]) -> None:
    late = np.flatnonzero(edge > _WRAPPED)
    if late.size:
        k = int(late[0])
        warnings.warn(
            f"The wave packet must stay away from its periodic images, but at t = {times[k]:g} a share "
            f"{edge[k]:.2g} is more than 0.45 of a side away: take a larger lattice or earlier times.",
            ValidityWarning,
            stacklevel=5,
        )
