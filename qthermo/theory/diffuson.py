"""Cavity equation and diffuson at lists of points (E, s), in batches that fit in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import NotConvergedError
from qthermo.models import BathEigenbasis
from qthermo.progress import Progress
from qthermo.theory.averaged_closure import LevelSums
from qthermo.theory.cavity_equation import CavitySolution, solve_cavity
from qthermo.theory.ladder import LadderPairs, pair_up, solve_ladder
from qthermo.theory.split_couplings import SplitCouplings, split_couplings

__all__ = ["Controls", "DiffusonSolution", "batch_size", "estimate_batch_memory", "solve_diffuson"]

_BATCH_BYTES = 3e8
_LARGEST_BATCH = 64
_COPIES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """How to solve: closure "edge" or "averaged", precision "double" or "single", tolerance, passes at most."""

    closure: str
    precision: str
    tolerance: float
    max_iterations: int


@dataclass(frozen=True, slots=True, eq=False)
class DiffusonSolution:
    """At q points (E, s): sum_b P_ab f_b, shape (q, d, m); sums over levels; Gamma_k, shape (q, d*N); a report."""

    propagator: NDArray[Any]
    sums: LevelSums
    broadenings: NDArray[np.float64]
    report: dict[str, Any]


def batch_size(dimension: int, num_sources: int) -> int:
    """Return how many points (E, s) to treat at once: enough to keep matrix products efficient, few enough to fit."""
    return int(np.clip(_BATCH_BYTES / (16 * _COPIES * dimension * num_sources / 2), 1, _LARGEST_BATCH))


def estimate_batch_memory(dimension: int, num_points: int, num_sources: int) -> float:
    """Return the bytes of one batch of points, without the couplings."""
    return 16.0 * _COPIES * dimension * num_sources / 2 * min(num_points, batch_size(dimension, num_sources))


def solve_diffuson(
    basis: BathEigenbasis,
    energies: NDArray[np.float64],
    s: NDArray[Any],
    sources: NDArray[np.float64],
    controls: Controls,
    progress: Progress,
) -> DiffusonSolution:
    """Return the propagator between thermometer levels at the points (energies[q], s[q]).

    Args:
        basis: the model in the bath's eigenbasis.
        energies: E, shape (q,).
        s: Laplace variable with positive real part, shape (q,), real or complex.
        sources: f, shape (d, m); the unit matrix gives P_ab.
        controls: closure, precision and limits.
        progress: see `qthermo.solve`.

    Raises:
        NotConvergedError: cavity equation or ladder stopped short of the tolerance.
    """
    size = batch_size(basis.energies.size, sources.shape[1])
    order = _cluster(energies, s)
    parts = []
    for first in range(0, order.size, size):
        progress(first / order.size, f"{order.size - first} of {order.size} points (E, s) left")
        chosen = order[first : first + size]
        parts.append(_solve_batch(basis, energies[chosen], s[chosen], sources, controls))
    back = np.argsort(order)
    return DiffusonSolution(
        np.concatenate([part.propagator for part in parts])[back],
        LevelSums(
            *(
                np.concatenate([getattr(part.sums, name) for part in parts])[back]
                for name in ("densities", "squares", "flows", "exchanges")
            )
        ),
        np.concatenate([part.broadenings for part in parts])[back],
        {name: max(part.report[name] for part in parts) for name in parts[0].report},
    )


def _cluster(energies: NDArray[np.float64], s: NDArray[Any]) -> NDArray[np.intp]:
    """Return an order in which neighbours have near energies on both lines of the ladder and share resonances.

    The order of bit-interleaved ranks of E - Im s/2 and E + Im s/2; the same energies follow each other.
    """
    code = np.zeros(energies.size, np.int64)
    for place, values in enumerate((energies - s.imag / 2, energies + s.imag / 2)):
        levels, ranks = np.unique(values, return_inverse=True)
        coarse = ranks * 1024 // levels.size
        for bit in range(10):
            code |= ((coarse >> bit) & 1) << (2 * bit + place)
    return np.argsort(code, kind="stable")


def _solve_batch(
    basis: BathEigenbasis,
    energies: NDArray[np.float64],
    s: NDArray[Any],
    sources: NDArray[np.float64],
    controls: Controls,
) -> DiffusonSolution:
    upper, lower = energies + 0.5j * s, energies - (0.5j * s).conj()
    points, where = np.unique(np.concatenate([upper, lower]), return_inverse=True)
    couplings = split_couplings(
        basis,
        points,
        threshold=float(np.clip(controls.tolerance ** (2 / 7), 0.01, 0.1)),
        dtype=np.float32 if controls.precision == "single" else np.float64,
    )
    cavity = solve_cavity(couplings, points, tolerance=controls.tolerance, max_iterations=controls.max_iterations)
    _check_converged("The cavity equation", cavity.residuals, points, controls)
    pairs = pair_up(cavity, where[: s.size], where[s.size :], s)
    sums = LevelSums.from_cavity(pairs.products, pairs.partial, pairs.s)
    report = _report_cavity(cavity, couplings)
    if controls.closure == "averaged":
        values = sums.propagator() @ sources
    else:
        values, more = _solve_edges(couplings, pairs, sums, sources, energies, controls)
        report |= more
    return DiffusonSolution(values, sums, cavity.broadenings[where[: s.size]], report)


def _solve_edges(
    couplings: SplitCouplings,
    pairs: LadderPairs,
    sums: LevelSums,
    sources: NDArray[np.float64],
    energies: NDArray[np.float64],
    controls: Controls,
) -> tuple[NDArray[Any], dict[str, Any]]:
    ladder = solve_ladder(
        couplings, pairs, sums, sources, tolerance=controls.tolerance, max_iterations=controls.max_iterations
    )
    _check_converged("The ladder", ladder.residuals, energies + 0.5j * pairs.s, controls)
    report = {"ladder_iterations": ladder.iterations, "ladder_residual": float(ladder.residuals.max())}
    if np.array_equal(sources, np.eye(len(sources))):
        expected = 2 / pairs.s[:, None] * sums.densities
        report["ward_violation"] = float(np.abs(ladder.propagator.sum(axis=2) / expected - 1).max())
    return ladder.propagator, report


def _report_cavity(cavity: CavitySolution, couplings: SplitCouplings) -> dict[str, Any]:
    states = couplings.energies.size
    return {
        "cavity_iterations": cavity.iterations,
        "cavity_residual": float(cavity.residuals.max()),
        "resonant_pairs_per_state": float(cavity.count_resonant(couplings).max() / states),
        "strong_pairs_per_state": couplings.num_strong / states,
        "largest_weak_pair": cavity.largest_weak,
    }


def _check_converged(
    what: str, residuals: NDArray[np.float64], points: NDArray[np.complex128], controls: Controls
) -> None:
    worst = int(np.argmax(np.where(np.isnan(residuals), np.inf, residuals)))
    if not residuals[worst] <= controls.tolerance:
        z = points[worst]
        raise NotConvergedError(
            f"{what} must reach tolerance {controls.tolerance:g}, but stands at {residuals[worst]:.2g} after "
            f"{controls.max_iterations} passes at E + i s/2 = {z.real:.4g} {z.imag:+.4g}i; raise `max_iterations` or "
            f"`tolerance`, or take a larger s."
        )
