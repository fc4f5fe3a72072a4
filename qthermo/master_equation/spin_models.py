"""What every master equation asks of a problem, and what it costs."""

from __future__ import annotations

from qthermo.errors import UnsupportedError
from qthermo.models import SpinModel
from qthermo.problems import MixingGap, Problem, Relaxation

__all__ = ["check_spin_model", "count_bytes", "spin_model"]

_KRYLOV_VECTORS = 45.0


def check_spin_model(method: object, problem: Problem) -> None:
    """Raise unless the model is made of spins.

    Raises:
        UnsupportedError: the model is a matrix.
    """
    if not isinstance(problem.model, SpinModel):
        raise UnsupportedError(f"{type(method).__name__} must have a spin model, but this model is a matrix.")


def spin_model(problem: Problem) -> SpinModel:
    """Return the problem's model.

    Raises:
        UnsupportedError: the model is a matrix.
    """
    if not isinstance(problem.model, SpinModel):
        raise UnsupportedError("A master equation must have a spin model, but this model is a matrix.")
    return problem.model


def count_bytes(problem: Problem, *, jumps_per_coupling: float) -> float:
    """Return the bytes of jumps in two frames, one product, and the Krylov vectors."""
    model = spin_model(problem)
    letters = len(problem.couplings) if isinstance(problem, MixingGap | Relaxation) else 1
    itemsize = 8.0 if model.hamiltonian.is_real else 16.0
    matrices = 3 * jumps_per_coupling * letters * model.num_sites + _KRYLOV_VECTORS
    return itemsize * matrices * float(model.dimension) ** 2
