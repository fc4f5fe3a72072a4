"""Chebyshev moments of a vector's spectral weights, and what they say without resolving the levels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from qthermo.linalg.split_operator import SplitOperator

__all__ = ["chebyshev_moments", "smooth_moments", "spectral_interval"]

_MARGIN = 0.01
_PROBE_STEPS = 120


def chebyshev_moments(
    operator: SplitOperator, vector: NDArray[np.float64], *, num_moments: int, centre: float, radius: float,
    report: Callable[[float, str], None],
) -> NDArray[np.float64]:  # fmt: skip
    """Return mu_n = <v|T_n((H - centre) / radius)|v> for n < num_moments, |v| = 1.

    T_2n = 2 T_n^2 - 1 and T_(2n+1) = 2 T_n T_(n+1) - T_1 give two moments for each product with H.

    Args:
        operator: H.
        vector: v, shape (rows, core).
        num_moments: how many; rounded up to an even number inside.
        centre: of an interval that holds the spectrum.
        radius: half its width.
        report: called with a fraction and a few words.

    Cost: num_moments / 2 products.

    Reference: A. Weisse et al., Rev. Mod. Phys. 78, 275 (2006), doi:10.1103/RevModPhys.78.275.
    """
    steps = operator.compile_steps()
    current = steps.enter(vector / np.linalg.norm(vector))
    following, scratch = np.empty_like(current), np.empty_like(current)
    _, twice = steps.chebyshev_step(current, np.zeros_like(current), centre, radius, following)
    following /= 2  # T_1 v is half of 2 H v
    first = twice / 2
    pairs = (num_moments + 1) // 2
    moments = np.empty(2 * pairs)
    moments[:2] = 1.0, first
    for n in range(1, pairs):
        if n % 1024 == 0:
            report(n / pairs, "moments")
        square, overlap = steps.chebyshev_step(following, current, centre, radius, scratch)
        moments[2 * n], moments[2 * n + 1] = 2 * square - 1, 2 * overlap - first
        current, following, scratch = following, scratch, current
    return moments[:num_moments]


def spectral_interval(operator: SplitOperator, start: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return centre and radius of an interval that holds the spectrum, and the spread of the levels.

    The ends come from some Lanczos steps, widened by 1 %; the spread is the standard deviation of the levels, from one
    random vector.
    """
    import scipy.linalg

    from qthermo.linalg.long_lanczos import LongLanczos

    run = LongLanczos(operator, start)
    count = min(_PROBE_STEPS, run.num_levels)
    run.extend(count, lambda _fraction, _words: None, "")
    values = scipy.linalg.eigvalsh_tridiagonal(run.diagonal, run.off[:-1])
    margin = _MARGIN * (values[-1] - values[0])
    low, high = float(values[0] - margin), float(values[-1] + margin)
    return (low + high) / 2, (high - low) / 2, float(run.off[0])


def smooth_moments(moments: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the density of the weights at x in (-1, 1), smoothed with the Jackson kernel of width about pi / n."""
    n = moments.size
    k = np.arange(n)
    angle = np.pi / (n + 1)
    kernel = ((n - k + 1) * np.cos(angle * k) + np.sin(angle * k) / np.tan(angle)) / (n + 1)
    factors = kernel * moments * np.where(k == 0, 1.0, 2.0)
    total: NDArray[np.float64] = np.cos(np.outer(np.arccos(points), k)) @ factors / (np.pi * np.sqrt(1 - points**2))
    return total
