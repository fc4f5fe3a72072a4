"""D(O) from the whole spectrum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.exact.spectrum import diagonalise
from qthermo.problems import OperatorSpread, operator_spread_answer

__all__ = ["exact_operator_spread"]


def exact_operator_spread(problem: OperatorSpread) -> Answer:
    """Diagonalise H and sum |<psi_k|O|psi>|^4 over all eigenstates. Cost: D^3."""
    operator, actions = problem.split()
    energies, vectors = diagonalise(operator.to_matrix())
    chosen = np.argsort(np.abs(energies - problem.energy), kind="stable")[: problem.count]
    spread = np.empty((chosen.size, len(actions)))
    for row, state in enumerate(chosen):
        psi = vectors[:, state].reshape(operator.shape)
        for column, act in enumerate(actions):
            spread[row, column] = log_ipr(np.abs(vectors.conj().T @ act(psi).ravel()) ** 2)
    return operator_spread_answer(problem, spread, energies[chosen])


def log_ipr(weights: NDArray[np.float64]) -> float:
    """Return -log sum_k p_k^2 with p the weights over their sum."""
    return float(2 * np.log(weights.sum()) - np.log((weights**2).sum()))
