"""The stationary state of the thermometer: zero mode, generalised global balance, effective rates and temperature."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qthermo.theory.averaged_closure import LevelSums

__all__ = ["stationary_state"]


def stationary_state(sums: LevelSums, level_energies: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return what the averaged closure says of long times, at q points (E, s).

    T_ab = F_ab / R_b has the right mode R and a left mode pi, pi T = (1 - s tau) pi, whose eigenvalue becomes 1 as s
    goes to 0: probability is conserved, P has a pole at s = 0, and populations tend to

        p_b ~ pi_b S0_b      (long times),          p_b ~ R_b      (thermal: the bath's density of states at E - E_b).

    Both agree where the theory is thermal, the generalised global balance. If Gamma is self-averaging it reads
    sum_b p_b w_ba = p_a sum_b w_ab, with w_ab = 2 Gamma_a^b, the mean over a's local densities of states.

    Args:
        sums: sums over levels of a solution of the cavity equation, real s.
        level_energies: E_a, shape (d,).

    Returns:
        `stationary_population` (q, d), `thermal_population` (q, d), `balance_violation` (q,): the largest relative
        difference of the two; `rate` (q, d, d); `rate_balance_violation` (q,): the imbalance of the rates with
        the thermal populations, relative to the flow; `inverse_temperature` (q,): minus the slope of log R_a over
        E_a; `conservation` (q,): 1 minus the largest eigenvalue of T.
    """
    transfer = sums.flows / sums.densities[:, None, :]
    thermal = sums.densities / sums.densities.sum(axis=1, keepdims=True)
    stationary, gap = np.empty_like(thermal), np.empty(len(thermal))
    for q, matrix in enumerate(transfer):
        values, vectors = np.linalg.eig(matrix.T)
        top = int(np.argmax(values.real))
        weights = np.abs(vectors[:, top].real) * sums.squares[q]
        stationary[q], gap[q] = weights / weights.sum(), 1 - values[top].real
    rates = 2 * sums.exchanges / sums.densities[:, :, None]
    flow = thermal[:, :, None] * rates
    gain, loss = flow.sum(axis=1), flow.sum(axis=2)
    imbalance = np.abs(gain - loss).max(axis=1) / np.maximum(loss.max(axis=1), 1e-300)
    centred = level_energies - level_energies.mean()
    spread = float(centred @ centred)
    slope = np.log(thermal) @ centred / spread if spread > 0 else np.zeros(len(thermal))
    return {
        "stationary_population": stationary,
        "thermal_population": thermal,
        "balance_violation": np.abs(stationary / thermal - 1).max(axis=1),
        "rate": rates,
        "rate_balance_violation": imbalance,
        "inverse_temperature": -slope,
        "conservation": gap,
    }
