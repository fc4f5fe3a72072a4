"""A thermometer behind thirty localised spins
===========================================

The last of many localised spins as a thermometer: C(t) far beyond exact diagonalisation, and the diffuson's word.

A local grain of 6 spins thermalises 30 localised ones, of which the last is coupled strongly enough to be read.
HeisenbergTEBD runs all 36 spins. The theory says that the other localised spins change nothing in the structure factor
that the thermometer sees, so the cavity equation with the diffuson ladder is solved for the grain with the first two of
them; exact diagonalisation of that small system stands beside. A minute or two.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import qthermo as qt
from qthermo.plotting import plot_correlator, save_figure


def main(quick: bool = False, num_lioms: int = 30) -> Path:
    """Compute, print a table, and draw the figure."""
    size, count, bond = (4, 8, 16) if quick else (6, num_lioms, 48)
    times = np.linspace(0, 3, 7) if quick else np.linspace(0, 6, 25)
    large = qt.models.sample_ergodic_grain(
        kind="local", num_grain_spins=size, num_lioms=count, seed=1, last_coupling=0.5
    )
    small = large.attach(
        fields=[*large.fields[:2], large.fields[-1]], couplings=[*large.couplings[:2], large.couplings[-1]]
    )
    network = qt.HeisenbergTEBD(max_bond_dim=bond, tolerance=0.02)
    answers = {
        f"TEBD, {count} localised spins": (large, network),
        "exact, 3 localised spins": (small, qt.Dense()),
        "diffuson, 3 localised spins": (small, qt.CavityDiffuson()),
    }
    figure, ax = plt.subplots(figsize=(5, 4))
    for label, (grain, method) in answers.items():
        data = qt.solve(qt.Autocorrelation(grain.to_spin_model(), times=times), method)
        plot_correlator(data, ax)
        print(f"{label:28}", " ".join(f"{value:.3f}" for value in data["correlator"].values[:: len(times) // 6]))
        if "truncation_error" in data:
            worst = float((data["truncation_error"] + data["trotter_error"]).max())
            print(f"{'':28} error estimate at most {worst:.1e}", flush=True)
    ax.legend(list(answers), frameon=False, fontsize=8)
    return save_figure(figure, "avalanche_dynamics.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--lioms", type=int, default=30)
    options = parser.parse_args()
    main(options.quick, options.lioms)
