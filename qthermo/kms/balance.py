"""How far a generator is from detailed balance, from stationarity of the Gibbs state, and from positivity."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.kms.generators import Generator
from qthermo.seeds import Stream, sample_generator

__all__ = ["gibbs_defect", "kms_residual", "trace_distance"]

_DENSE = 16


def kms_residual(generator: Generator, *, num_probes: int = 8, seed: int = 0) -> float:
    """Return ||D - D^dag||_F / ||D||_F of the discriminant D; zero if and only if L obeys KMS detailed balance.

    Exact for up to 4 spins; beyond, both norms are estimated with `num_probes` Gaussian matrices (E ||A x||^2 is
    ||A||_F^2), relative error about 1 / sqrt(num_probes) times a number far below 1. Cost: 2 num_probes products.
    """
    discriminant = generator.discriminant()
    dim = generator.basis.dimension
    if dim <= _DENSE:
        matrix = discriminant.to_matrix()
        return float(np.linalg.norm(matrix - matrix.conj().T) / np.linalg.norm(matrix))
    rng = sample_generator(seed, Stream.SOLVER)
    difference = size = 0.0
    for _ in range(num_probes):
        probe = rng.standard_normal((dim, dim))
        image = discriminant.apply(probe)
        difference += float(np.linalg.norm(image - discriminant.apply_adjoint(probe)) ** 2)
        size += float(np.linalg.norm(image) ** 2)
    return float(np.sqrt(difference / size))


def gibbs_defect(generator: Generator) -> float:
    """Return ||L(sigma)||_1, the speed at which the Gibbs state would leave itself."""
    image = generator.apply(np.diag(generator.basis.populations))
    return float(np.abs(np.linalg.eigvalsh((image + image.conj().T) / 2)).sum())


def trace_distance(state: NDArray[Any], other: NDArray[Any]) -> float:
    """Return (1/2) ||rho - rho'||_1 of two Hermitian matrices."""
    difference = state - other
    return float(np.abs(np.linalg.eigvalsh((difference + difference.conj().T) / 2)).sum() / 2)
