"""Random band matrices: one particle that jumps over any distance up to W with random amplitudes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qthermo.checks import check_choice, check_finite_array, check_integer, frozen
from qthermo.errors import InputError
from qthermo.models.model import record
from qthermo.seeds import Stream, sample_generator

__all__ = ["BandMatrixModel", "band_matrix", "sample_band_matrix"]

PROFILES = ("box", "triangle", "gaussian")


@dataclass(frozen=True, kw_only=True, eq=False)
class BandMatrixModel:
    """A Hermitian matrix on a ring of sites, H_xy = 0 where x and y are further apart than W.

    Args:
        family: name of the model family.
        parameters: everything that made the model, as JSON values.
        rows: H[x, x + r] for r = -W .. W, shape (size, 2W + 1), energy.
        variances: mean |H[x, x + r]|^2, shape (2W + 1,), energy^2.
    """

    kind: ClassVar[str] = "particle"

    family: str
    parameters: Mapping[str, Any]
    rows: NDArray[Any] = field(repr=False)
    variances: NDArray[np.float64] = field(repr=False)

    def __post_init__(self) -> None:
        json.dumps(dict(self.parameters), allow_nan=False)

    @property
    def half_width(self) -> int:
        """W."""
        return int(self.rows.shape[1]) // 2

    @property
    def is_real(self) -> bool:
        """Whether H is real symmetric."""
        return not np.iscomplexobj(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of sites, as a tuple."""
        return (self.rows.shape[0],)

    @property
    def dimension(self) -> int:
        """The number of sites."""
        return int(self.rows.shape[0])

    def to_dense(self) -> NDArray[Any]:
        """Return H as a matrix."""
        size, width = self.rows.shape
        matrix = np.zeros((size, size), self.rows.dtype)
        x = np.arange(size)
        for r in range(width):
            matrix[x, (x + r - self.half_width) % size] = self.rows[:, r]
        return matrix


def band_matrix(*, rows: ArrayLike) -> BandMatrixModel:
    """Return a band matrix on a ring from H[x, x + r], r = -W .. W, shape (size, 2W + 1).

    Raises:
        InputError: the width is even or larger than the ring, a number is not finite, or H is not Hermitian.
    """
    checked = check_finite_array("rows", rows, ndim=2, complex_allowed=True)
    size, width = checked.shape
    if width % 2 == 0 or width > size:
        raise InputError(f"Argument `rows` must have an odd width up to the size {size}, but has {width}.")
    mirror = _mirror(checked)
    if not np.allclose(checked, mirror, rtol=1e-12, atol=1e-14 * float(np.abs(checked).max(initial=0.0))):
        raise InputError(
            "Argument `rows` must be a Hermitian matrix, but H[x, y] differs from conj(H[y, x]) somewhere."
        )
    return _build(checked, (np.abs(checked) ** 2).mean(axis=0), {"rows": record(checked)})


def sample_band_matrix(
    *,
    size: int,
    half_width: int,
    seed: int,
    hermitian: bool = True,
    profile: str = "box",
    realization: int = 0,
) -> BandMatrixModel:
    """Sample independent Gaussian entries of mean 0 with sum_y <|H_xy|^2> = 1; the spectrum tends to [-2, 2].

    Args:
        size: number of sites on the ring, more than 2 half_width.
        half_width: W >= 1.
        seed: entropy of the random numbers; `realization` selects one member of the ensemble.
        hermitian: complex entries off the diagonal, else a real symmetric matrix.
        profile: variance over |x - y|: "box" constant up to W, "triangle" falling linearly to zero at W + 1, "gaussian"
            with standard deviation W/2, cut off at W.
        realization: index of the disorder realization.

    Raises:
        InputError: a number is out of range.

    Reference: L. Erdos, A. Knowles, Commun. Math. Phys. 303, 509 (2011), arXiv:1002.1695.
    """
    W = check_integer("half_width", half_width, minimum=1)
    n = check_integer("size", size, minimum=2 * W + 1)
    check_choice("profile", profile, PROFILES)
    distance = np.abs(np.arange(-W, W + 1))
    shapes = {
        "box": np.ones(2 * W + 1),
        "triangle": 1 - distance / (W + 1),
        "gaussian": np.exp(-2 * (distance / W) ** 2),
    }
    variances = shapes[profile] / shapes[profile].sum()
    rng = sample_generator(seed, Stream.MODEL, realization)
    rows = np.zeros((n, 2 * W + 1), np.complex128 if hermitian else np.float64)
    upper = rng.standard_normal((n, W))
    if hermitian:
        upper = (upper + 1j * rng.standard_normal((n, W))) * 0.5**0.5
    rows[:, W + 1 :] = upper * np.sqrt(variances[W + 1 :])
    rows += _mirror(rows)
    rows[:, W] = rng.standard_normal(n) * np.sqrt(variances[W])
    sampling = {
        "size": n,
        "half_width": W,
        "hermitian": bool(hermitian),
        "profile": profile,
        "seed": seed,
        "realization": realization,
    }
    return _build(rows, variances, sampling)


def _mirror(rows: NDArray[Any]) -> NDArray[Any]:
    """Return the rows of the adjoint: entry (x, r) is conj(H[x + r, x])."""
    size, width = rows.shape
    half = width // 2
    offsets = np.arange(width) - half
    x = np.add.outer(np.arange(size), offsets) % size
    mirrored: NDArray[Any] = rows[x, width - 1 - np.arange(width)[None, :]].conj()
    return mirrored


def _build(rows: NDArray[Any], variances: NDArray[np.float64], parameters: Mapping[str, Any]) -> BandMatrixModel:
    return BandMatrixModel(
        family="band_matrix", parameters=parameters, rows=frozen(rows), variances=frozen(np.asarray(variances))
    )
