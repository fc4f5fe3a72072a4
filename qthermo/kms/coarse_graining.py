"""Gaussian coarse graining: the jump functions phi_k(nu) of a finite observation window.

The window f(t) = (2 s^2 / pi)^{1/4} e^{-s^2 t^2}, s = energy_width, coarse-graining time 1/s, gives the kernel

    alpha(nu1, nu2) = h((nu1 + nu2)/2) exp(-(nu1 - nu2)^2 / (8 s^2)) = sum_k phi_k(nu1) phi_k(nu2),

h the rate smeared by the window (`rates.smeared_rate`). The sum over k is a quadrature over the frequency of the
environment, rotated so that few terms are left. With the shift beta s^2 / 2 the nodes are taken in pairs +-x of equal
weight, phi_k e^{beta nu / 4} is even or odd to the last bit, and detailed balance is exact whatever the quadrature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qthermo.kms.rates import balanced_rate, even_rate, smeared_rate

__all__ = ["CoarseGraining", "JumpFunctions", "build_jump_functions"]

_PANEL_NODES = 14
_REACH = 8.6
_KEPT = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class CoarseGraining:
    """A window and a rate.

    Args:
        energy_width: s, energy; 1/s is the coarse-graining time.
        rate: "gaussian", "glauber" or "metropolis".
        rate_width: D of the Gaussian rate, energy.
        shifted: observe g(w + beta s^2 / 2), which makes the transitions exactly balanced; unshifted, as for a bath in
            equilibrium, they are balanced up to O(beta s^2).

    Reference: C.-F. Chen, M. J. Kastoryano, A. Gilyen, arXiv:2311.09207; M. Scandi, A. M. Alhambra, arXiv:2505.20064.
    """

    energy_width: float
    rate: str
    rate_width: float = 1.0
    shifted: bool = True

    def shift(self, beta: float) -> float:
        """Return beta s^2 / 2, or 0 if unshifted."""
        return beta * self.energy_width**2 / 2 if self.shifted else 0.0

    def kernel(self, nu1: NDArray[np.float64], nu2: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
        """Return alpha(nu1, nu2)."""
        mean = smeared_rate(
            self.rate,
            (nu1 + nu2) / 2,
            beta,
            energy_width=self.energy_width,
            rate_width=self.rate_width,
            shift=self.shift(beta),
        )
        result: NDArray[np.float64] = mean * np.exp(-((nu1 - nu2) ** 2) / (8 * self.energy_width**2))
        return result


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JumpFunctions:
    """phi_k(nu): Gaussians at nodes, combined by `mixing`.

    Args:
        nodes: x, shape (M,).
        weights: amplitude of each node.
        mixing: rows are combinations, shape (K, M).
        parity: +1 or -1 for phi_k e^{beta nu / 4} even or odd, 0 for neither; shape (K,).
        width: s.
        beta: inverse temperature.
    """

    nodes: NDArray[np.float64]
    weights: NDArray[np.float64]
    mixing: NDArray[np.float64]
    parity: NDArray[np.int64]
    width: float
    beta: float

    def evaluate(self, nu: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return phi_k(nu), shape (K, *nu.shape)."""
        if not self.parity.any():
            return np.tensordot(self.mixing, _gaussians(nu, self), axes=(1, -1))
        size = np.abs(nu)
        plus, minus = _gaussians(size, self), _gaussians(-size, self)
        even, odd = self.parity > 0, self.parity < 0
        result = np.empty((self.parity.size, *nu.shape))
        result[even] = np.tensordot(self.mixing[even], plus + minus, axes=(1, -1))
        result[odd] = np.tensordot(self.mixing[odd], plus - minus, axes=(1, -1)) * np.sign(nu)
        result *= np.exp(-self.beta * nu / 4)
        return result


def build_jump_functions(grain: CoarseGraining, beta: float, largest: float) -> JumpFunctions:
    """Return the functions that make up alpha for Bohr frequencies up to `largest` in modulus.

    The kernel is met to about 1e-12 of its largest value. Cost: about (4 largest / s)^3.
    """
    s = grain.energy_width
    scale = min(3 * s, 3 * grain.rate_width if grain.rate == "gaussian" else np.inf, 4 / beta if beta > 0 else np.inf)
    x, dx = _panels(largest + _REACH * s, scale)
    grid = np.linspace(0.0, largest, max(2, int(np.ceil(5 * largest / s)) + 1))
    normal = 1 / (s * np.sqrt(2 * np.pi))
    if grain.shifted:
        weights = np.sqrt(dx * even_rate(grain.rate, x, beta, grain.rate_width) * normal / 2)
        weights *= np.exp(-((beta * s) ** 2) / 16)
        parity = np.repeat([1, -1], x.size)
    else:
        x, dx = np.concatenate([-x[::-1], x]), np.concatenate([dx[::-1], dx])
        weights = np.sqrt(dx * balanced_rate(grain.rate, x, beta, grain.rate_width) * normal)
        parity = np.zeros(x.size, np.int64)
        grid = np.concatenate([-grid[:0:-1], grid])
    full = JumpFunctions(nodes=x, weights=weights, mixing=np.eye(x.size), parity=parity, width=s, beta=beta)
    return _compress(full, grid)


def _panels(reach: float, scale: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Gauss-Legendre nodes and weights on [0, reach], in panels no wider than `scale`."""
    count = int(np.ceil(reach / scale))
    nodes, weights = np.polynomial.legendre.leggauss(_PANEL_NODES)
    width = reach / count
    starts = width * np.arange(count)[:, None]
    return (starts + width * (nodes + 1) / 2).ravel(), np.tile(weights * width / 2, count)


def _gaussians(nu: NDArray[np.float64], functions: JumpFunctions) -> NDArray[np.float64]:
    distance = (nu[..., None] - functions.nodes) / (2 * functions.width)
    result: NDArray[np.float64] = functions.weights * np.exp(-(distance**2))
    return result


def _compress(full: JumpFunctions, grid: NDArray[np.float64]) -> JumpFunctions:
    """Rotate the nodes (which changes nothing) and drop the combinations that are negligible on the grid."""
    mixing, parity = [], []
    for sign in np.unique(full.parity):
        part = JumpFunctions(
            nodes=full.nodes,
            weights=full.weights,
            mixing=np.eye(full.nodes.size),
            parity=np.full(full.nodes.size, sign),
            width=full.width,
            beta=full.beta,
        )
        values = part.evaluate(-grid if sign else grid)
        _, sizes, rotation = np.linalg.svd(values.T, full_matrices=False)
        kept = sizes > _KEPT * sizes[0]
        mixing.append(rotation[kept])
        parity += [int(sign)] * int(kept.sum())
    return JumpFunctions(
        nodes=full.nodes,
        weights=full.weights,
        mixing=np.concatenate(mixing),
        parity=np.array(parity),
        width=full.width,
        beta=full.beta,
    )
