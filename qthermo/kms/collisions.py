"""The collision scheme: ancillas that meet the system one after another, as data.

One collision: an ancilla in |0> turns in a frame of frequency omega and meets a coupling A through a Gaussian window,

    H + lambda f(t) A (x) (cos(omega t) X + sin(omega t) Y),   f(t) = (2 s^2 / pi)^{1/4} e^{-s^2 t^2},

and is reset. With omega = x + beta s^2 / 2 and x drawn with density g(-x), g balanced, the transitions of the average
channel are exactly balanced to second order in lambda: 1 + lambda^2 (2 pi / (N Z)) L, N couplings, Z = int g. The shift
beta s^2 / 2 is what a thermal ancilla in a finite window lacks. The window is kicked: full steps of the evolution under
H alternate with kicks at times t_j, spaced by time_step.

Reference: C.-F. Chen, M. J. Kastoryano, A. Gilyen, arXiv:2311.09207; collision schemes: arXiv:2506.21318.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import InputError
from qthermo.kms.rates import balanced_rate
from qthermo.operators import PauliSum

__all__ = ["CollisionScheme", "Collisions", "advise_scheme", "check_aliasing", "local_bohr_bound"]

_GAUSSIAN_REACH = 8.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Collisions:
    """A sequence of collisions: which coupling and which frequency, shape (count,) each."""

    couplings: NDArray[np.int64]
    frequencies: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollisionScheme:
    """Window, rate and strength of the collisions.

    Args:
        beta: inverse temperature.
        coupling: lambda, the angle of a whole collision; the fixed point is missed by O(lambda^2).
        energy_width: s, energy.
        rate: g, "glauber", "metropolis" or "gaussian".
        rate_width: D of the Gaussian rate, energy.
        cutoff: |x| <= cutoff for "glauber" and "metropolis"; must cover the Bohr frequencies of a site.
        window: the window is cut at |t| = window / s.
        time_step: largest spacing of the kicks.
    """

    beta: float
    coupling: float = 0.4
    energy_width: float = 0.5
    rate: str = "glauber"
    rate_width: float = 1.0
    cutoff: float = 6.0
    window: float = 2.5
    time_step: float = 0.2

    @property
    def num_kicks(self) -> int:
        """The number of kicks in one collision."""
        return int(np.ceil(2 * self.window / self.energy_width / self.time_step - 1e-9))

    @property
    def spacing(self) -> float:
        """The time between kicks."""
        return 2 * self.window / self.energy_width / self.num_kicks

    @property
    def kick_times(self) -> NDArray[np.float64]:
        """t_j, symmetric about 0."""
        places = np.arange(self.num_kicks, dtype=np.float64)
        times: NDArray[np.float64] = self.spacing * (places - (self.num_kicks - 1) / 2)
        return times

    @property
    def kick_angles(self) -> NDArray[np.float64]:
        """theta_j = lambda f(t_j) dt of exp(-i theta_j A (x) (cos(omega t_j) X + sin(omega t_j) Y))."""
        s = self.energy_width
        height = self.coupling * self.spacing * (2 * s**2 / np.pi) ** 0.25
        angles: NDArray[np.float64] = height * np.exp(-((s * self.kick_times) ** 2))
        return angles

    @property
    def shift(self) -> float:
        """beta s^2 / 2."""
        return self.beta * self.energy_width**2 / 2

    @property
    def reach(self) -> float:
        """The largest |x|."""
        if self.rate == "gaussian":
            return self.beta * self.rate_width**2 / 2 + _GAUSSIAN_REACH * self.rate_width
        return self.cutoff

    @property
    def norm(self) -> float:
        """Z = int g(-x) dx over |x| <= cutoff."""
        if self.rate == "gaussian":
            return float(np.sqrt(2 * np.pi) * self.rate_width)
        if self.rate == "glauber":
            return self.cutoff
        tail = self.cutoff if self.beta == 0 else -np.expm1(-self.beta * self.cutoff) / self.beta
        return float(self.cutoff + tail)

    def time_per_collision(self, num_couplings: int) -> float:
        """Return the time lambda^2 2 pi / (N Z) under L that one collision is worth."""
        return self.coupling**2 * 2 * np.pi / (num_couplings * self.norm)

    def quadrature(self, num_nodes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return frequencies omega and probabilities; nodes in pairs +-x, which keeps the balance exact."""
        nodes, weights = np.polynomial.legendre.leggauss(num_nodes if self.rate != "metropolis" else num_nodes // 2)
        if self.rate == "metropolis":
            nodes, weights = (nodes + 1) / 2, weights / 2
            nodes, weights = np.concatenate([-nodes[::-1], nodes]), np.concatenate([weights[::-1], weights])
        x = self.reach * nodes
        weights = weights * balanced_rate(self.rate, -x, self.beta, self.rate_width)
        return x + self.shift, weights / weights.sum()

    def sample(self, rng: np.random.Generator, count: int, num_couplings: int) -> Collisions:
        """Draw a sequence of collisions; one sequence alone does not converge, their average does."""
        couplings = rng.integers(num_couplings, size=count)
        if self.rate == "gaussian":
            x = rng.normal(self.beta * self.rate_width**2 / 2, self.rate_width, count)
        elif self.rate == "glauber":
            size = rng.uniform(0, self.cutoff, count)
            x = np.where(rng.uniform(size=count) < balanced_rate("glauber", -size, self.beta), size, -size)
        else:
            up = rng.uniform(size=count) < self.cutoff / self.norm
            share = rng.uniform(size=count)
            depth = -np.log1p(share * np.expm1(-self.beta * self.cutoff)) / self.beta if self.beta > 0 else share
            x = np.where(up, share * self.cutoff, -depth if self.beta > 0 else -share * self.cutoff)
        return Collisions(couplings=couplings, frequencies=x + self.shift)


def local_bohr_bound(hamiltonian: PauliSum, couplings: Sequence[PauliSum]) -> float:
    """Return a bound on the energy one coupling can move: twice the weight of the terms that it does not commute with.

    (The bound holds for the first commutator [H, A]; higher orders reach beyond it with falling weight.)
    """
    largest = 0.0
    for coupling in couplings:
        moved = [abs(c) for s, c in hamiltonian.items() if any(not s.commutes_with(t) for t in coupling)]
        largest = max(largest, 2 * sum(moved))
    return largest


def advise_scheme(
    hamiltonian: PauliSum, couplings: Sequence[PauliSum], *, beta: float, error: float
) -> CollisionScheme:
    """Return a scheme whose fixed point is expected within `error` (trace distance) of the Gibbs state.

    With nu the bound on one coupling's Bohr frequencies: s = nu / 15, cutoff = .8 nu, the largest kick spacing that
    does not alias, and lambda^2 = error / (.04 s^2), a rule measured on Ising chains at beta = 1 (.0175 to .038), but
    at most s / 2, beyond which collisions are no longer weak. It is a start, to be checked with `MixingGap` where
    dense matrices reach.
    """
    bohr = local_bohr_bound(hamiltonian, couplings)
    s = bohr / 15
    coupling = float(np.sqrt(min(error / (0.04 * s**2), s / 2)))
    span = 0.8 * bohr + beta * s**2 / 2 + bohr + 4 * s
    return CollisionScheme(
        beta=beta, coupling=coupling, energy_width=s, cutoff=0.8 * bohr, time_step=0.95 * 2 * np.pi / span
    )


def check_aliasing(scheme: CollisionScheme, bohr: float) -> None:
    """Raise if the kicks are too far apart to tell omega from omega - 2 pi / dt.

    The sum over kicks equals the integral (to e^{-8}) if 2 pi / dt > max omega + max |nu| + 4 s.

    Raises:
        InputError: naming the largest spacing that will do.
    """
    span = scheme.reach + scheme.shift + bohr + 4 * scheme.energy_width
    if 2 * np.pi / scheme.spacing <= span:
        raise InputError(
            f"Kicks must be closer than 2 pi / {span:.3g} = {2 * np.pi / span:.3g} to tell frequencies apart, but "
            f"`time_step` makes them {scheme.spacing:.3g} apart; lower `time_step` or `cutoff`."
        )
