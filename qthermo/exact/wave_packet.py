"""Wave packets by the spectrum, and the products with H that a Chebyshev recursion needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.exact.spectrum import diagonalise
from qthermo.models import AndersonLatticeModel, BandMatrixModel
from qthermo.problems import WavePacket, wave_packet_answer
from qthermo.progress import Progress

if TYPE_CHECKING:
    from qthermo.linalg.chebyshev import Interval, Step

__all__ = ["certain_bounds", "exact_wave_packet", "particle_step", "solid_shape"]


def exact_wave_packet(problem: WavePacket, progress: Progress) -> Answer:
    """Answer `WavePacket` by diagonalisation; cost D^3, then D^2 per time."""
    progress(0.0, "diagonalising")
    model = problem.model
    energies, vectors = diagonalise(model.to_dense())
    amplitudes = vectors.conj().T @ problem.start(vectors.dtype).ravel()

    def weights(k: int) -> NDArray[np.float64]:
        state = vectors @ (np.exp(-1j * energies * problem.times[k]) * amplitudes)
        return np.asarray((state.real**2 + state.imag**2).reshape(model.shape))

    return wave_packet_answer(problem, weights)


def solid_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a lattice's shape with axes of length 1 in front, three in all."""
    return (1,) * (3 - len(shape)) + shape


def particle_step(model: AndersonLatticeModel | BandMatrixModel) -> Step:
    """Return step(current, previous, out, scale, shift): out = scale (H - shift) current - previous.

    Vectors have the shape `solid_shape` for lattices, (size,) for band matrices.
    """
    from qthermo.linalg.chebyshev_kernels import step_banded, step_lattice

    if isinstance(model, AndersonLatticeModel):
        potential = np.ascontiguousarray(model.potential).reshape(solid_shape(model.shape))

        def hop(current: Any, previous: Any, out: Any, scale: float, shift: float) -> None:
            step_lattice(current, previous, out, potential, scale, shift)

        return hop
    rows = np.ascontiguousarray(model.rows)
    padded = np.empty(model.dimension + 2 * model.half_width, rows.dtype)

    def jump(current: Any, previous: Any, out: Any, scale: float, shift: float) -> None:
        step_banded(current, previous, out, rows, padded, scale, shift)

    return jump


def certain_bounds(model: AndersonLatticeModel | BandMatrixModel) -> Interval:
    """Return an interval that holds the spectrum for sure, by Gershgorin's discs."""
    from qthermo.linalg.chebyshev import Interval

    if isinstance(model, AndersonLatticeModel):
        reach = 2.0 * len(model.shape)
        return Interval(float(model.potential.min()) - reach, float(model.potential.max()) + reach)
    sizes = np.abs(model.rows)
    centre = model.rows[:, model.half_width].real
    reach_each = sizes.sum(axis=1) - sizes[:, model.half_width]
    return Interval(float((centre - reach_each).min()), float((centre + reach_each).max()))
