"""A thermometer on its way to the Gibbs state
===========================================

A thermometer read out: the polarisation of the first spin of a chain on its way to the bath's temperature.

Three views of one model at inverse temperature beta: the master equation (Glauber rate, coarse-grained), the collision
circuit that realises it with one ancilla, and the stationary state of the diffuson, Boltzmann-averaged over energy. The
exact Gibbs value stands beside them. Run `python examples/kms_thermometer.py`.
"""

from __future__ import annotations

import sys

import numpy as np

import qthermo as qt
from qthermo.plotting import save_figure

BETA = 1.0


def stationary_polarisation(model: qt.models.SpinModel, beta: float, num_energies: int) -> float:
    """Return sum_b z_b int dE e^{-beta E} sum_a P_ab(E, s) at small s, divided by the same without z_b."""
    spread = model.hamiltonian.one_norm
    energies = np.linspace(-spread, spread, num_energies)
    problem = qt.Propagator(model, energies=energies, laplace=[4 * spread / num_energies])
    data = qt.solve(problem, qt.CavityDiffuson())
    weights = data["propagator"].values[:, 0].sum(axis=1) * np.exp(-beta * energies)[:, None]
    up, down = weights.sum(axis=0)
    return float((up - down) / (up + down))


def main(quick: bool = False) -> dict[str, np.ndarray]:
    """Print the table, draw the figure, and return the curves."""
    thermometer = qt.Thermometer(splitting=1.2, coupling=0.4)
    model = qt.models.sample_imbrie_chain(num_bath_sites=2, disorder=1.0, seed=1, thermometer=thermometer)
    times = np.linspace(0.0, 6.0, 4 if quick else 13)
    problem = qt.Relaxation(model, beta=BETA, times=times, initial_state="000")
    master = qt.solve(problem, qt.CoarseGrained(energy_width=0.5, rate="glauber"))
    strength = 0.4 if quick else 0.2
    circuit = qt.solve(problem, qt.CollisionCircuit(coupling=strength, energy_width=0.5))
    diffuson = stationary_polarisation(model, BETA, 200 if quick else 800)
    gibbs = float(master["gibbs_polarisation"][0])
    curves = {
        "time": times,
        "master equation": master["polarisation"].values[:, 0],
        "circuit": circuit["polarisation"].values[:, 0],
    }
    print(f"{'t':>6} {'master equation':>16} {'circuit':>10}")
    for t, m, c in zip(*curves.values(), strict=True):
        print(f"{t:6.2f} {m:16.5f} {c:10.5f}")
    print(f"Gibbs state {gibbs:.5f}, stationary diffuson {diffuson:.5f}, -tanh(beta w / 2) {-np.tanh(0.6 * BETA):.5f}")
    draw(curves, gibbs, diffuson)
    return curves | {"gibbs": np.array(gibbs), "diffuson": np.array(diffuson)}


def draw(curves: dict[str, np.ndarray], gibbs: float, diffuson: float) -> None:
    """Write kms_thermometer.png."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(5, 3.5), layout="constrained")
    ax.plot(curves["time"], curves["master equation"], label="master equation")
    ax.plot(curves["time"], curves["circuit"], "o", label="collision circuit")
    ax.axhline(gibbs, color="k", lw=0.8, label="Gibbs state")
    ax.axhline(diffuson, color="C2", ls="--", label="stationary diffuson")
    ax.set(xlabel="time", ylabel=r"thermometer $\langle Z_0 \rangle$")
    ax.legend()
    path = save_figure(figure, "kms_thermometer.png")
    print(f"figure: {path.resolve()}")


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
