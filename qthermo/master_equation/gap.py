"""The gap and the fixed point of a generator, matrix-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs, eigsh

from qthermo.errors import NotConvergedError
from qthermo.kms.balance import trace_distance
from qthermo.kms.generators import Generator
from qthermo.linalg.superoperators import JumpMap, SparseMap
from qthermo.seeds import Stream, sample_generator

__all__ = ["Gap", "find_gap"]

_DENSE = 16
_DENSE_WITH_PHASES = 32
_LANCZOS_VECTORS = 40
_ARNOLDI_VECTORS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A gap and how it was found.

    Args:
        gap: least nonzero -Re of the eigenvalues.
        fixed_point_error: trace distance between fixed point and Gibbs state; 0 for a balanced generator.
        residual: |D x - lambda x| of the eigenvector found, or 0 from a dense solver.
        num_products: applications of the generator.
        solver: its name.
    """

    gap: float
    fixed_point_error: float
    residual: float
    num_products: int
    solver: str


class _Counted:
    """A superoperator on flat vectors that counts its applications."""

    def __init__(self, superoperator: JumpMap | SparseMap, dim: int) -> None:
        self.count = 0
        self._map = superoperator
        self._shape = (dim, dim)

    def __call__(self, vector: NDArray[Any]) -> NDArray[Any]:
        self.count += 1
        return self._map.apply(np.ascontiguousarray(vector).reshape(self._shape)).ravel()


def find_gap(generator: Generator) -> Gap:
    """Return the gap and the distance of the fixed point from the Gibbs state.

    A balanced generator: Lanczos on its symmetric discriminant with the known ground state sqrt(sigma) moved out of
    the way. Any other: all eigenvalues of small systems, Arnoldi for those of largest real part beyond.

    Raises:
        NotConvergedError: the eigenvalues did not converge.
    """
    dim = generator.basis.dimension
    if generator.is_balanced:
        return _lanczos(generator)
    if dim <= (_DENSE if generator.map.is_real else _DENSE_WITH_PHASES):
        values, vectors = np.linalg.eig(generator.discriminant().to_matrix())
        return _read_spectrum(generator, values, vectors, 0, "dense")
    return _arnoldi(generator)


def _lanczos(generator: Generator) -> Gap:
    discriminant = generator.discriminant()
    dim = generator.basis.dimension
    counted = _Counted(discriminant, dim)
    ground = generator.basis.root_gibbs.ravel()
    push = 2 * _scale(discriminant)

    def apply(vector: NDArray[Any]) -> NDArray[Any]:
        flat = vector.ravel()
        image: NDArray[Any] = counted(flat) - push * (ground @ flat) * ground
        return image

    start = _start_vector(dim, discriminant.is_real)
    operator = LinearOperator((dim**2,) * 2, matvec=apply, dtype=start.dtype)
    size = min(_LANCZOS_VECTORS, dim**2 - 1)
    try:
        values, vectors = eigsh(operator, k=1, which="LA", v0=start, ncv=size, tol=1e-7, maxiter=200)
    except ArpackNoConvergence:
        raise NotConvergedError(_stuck(counted.count)) from None
    value = float(values[0])
    residual = float(np.linalg.norm(apply(vectors[:, 0]) - value * vectors[:, 0]))
    return Gap(
        gap=max(-value, 0.0), fixed_point_error=0.0, residual=residual, num_products=counted.count, solver="Lanczos"
    )


def _scale(discriminant: JumpMap | SparseMap) -> float:
    """Return a bound of the order of the spectrum's width."""
    if isinstance(discriminant, JumpMap):
        return 2 * float(np.linalg.norm(discriminant.decay, 2))
    return float(abs(discriminant.matrix.diagonal()).max())


def _start_vector(dim: int, real: bool) -> NDArray[Any]:
    rng = sample_generator(0, Stream.SOLVER)
    start = rng.standard_normal(dim**2)
    return start if real else start + 1j * rng.standard_normal(dim**2)


def _arnoldi(generator: Generator) -> Gap:
    discriminant = generator.discriminant()
    dim = generator.basis.dimension
    counted = _Counted(discriminant, dim)
    noise = _start_vector(dim, discriminant.is_real)
    start = generator.basis.root_gibbs.ravel() + 0.5 * noise / np.linalg.norm(noise)
    operator = LinearOperator((dim**2,) * 2, matvec=counted, dtype=start.dtype)
    try:
        values, vectors = eigs(operator, k=4, which="LR", v0=start, ncv=_ARNOLDI_VECTORS, tol=1e-10, maxiter=100)
    except ArpackNoConvergence:
        raise NotConvergedError(_stuck(counted.count)) from None
    return _read_spectrum(generator, values, vectors, counted.count, "Arnoldi")


def _stuck(count: int) -> str:
    return (
        f"The gap's eigenvector must converge, but did not in {count} applications: the spectrum is too dense at its "
        "edge; leave out `coupling` or take a smaller system."
    )


def _read_spectrum(
    generator: Generator, values: NDArray[np.complex128], vectors: NDArray[np.complex128], count: int, solver: str
) -> Gap:
    dim = generator.basis.dimension
    steady = int(np.argmin(np.abs(values)))
    others = np.delete(values, steady)
    quarter = generator.basis.populations**0.25
    state = quarter[:, None] * vectors[:, steady].reshape(dim, dim) * quarter[None, :]
    state = state / np.trace(state)
    error = trace_distance(state, np.diag(generator.basis.populations))
    found = vectors[:, steady].reshape(dim, dim)
    residual = float(np.linalg.norm(generator.discriminant().apply(found) - values[steady] * found))
    return Gap(
        gap=float(np.min(-others.real)),
        fixed_point_error=error,
        residual=residual,
        num_products=count,
        solver=solver,
    )
