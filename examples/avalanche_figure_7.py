"""A chain as a bath
=================

Figure 7 of arXiv:1608.01815: the hybridisation curve of a spin and a local chain of 11 spins is no Lorentzian.

Each curve is kept in a file. Full size takes about ten minutes of one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import qthermo as qt
from qthermo.exact.hybridisation import fit_width, hybridisation_curve
from qthermo.plotting import plot_curve, save_figure
from qthermo.studies.solve_once import array_once


def main(quick: bool = False, num_spins: int = 11, folder: str = "avalanche_figure_7") -> Path:
    """Compute, print the width, and draw the figure."""
    spins, count = (6, 3) if quick else (num_spins, 16)
    edges = np.linspace(-3.05, 3.05, 62)
    curves = []
    for realization in range(count):
        model = qt.models.sample_ergodic_grain(
            kind="local",
            num_grain_spins=spins,
            num_lioms=1,
            coupling=0.8,
            field_spread=0.0,
            seed=7,
            realization=realization,
        )
        path = Path(folder) / f"{spins}_{realization}.npz"
        curves.append(
            array_once(
                lambda model=model: hybridisation_curve(model, edges=edges, num_states=20), path, dict(model.parameters)
            )
        )
    stacked = np.array(curves)
    fit = fit_width(edges, stacked)
    print(f"{spins} spins, {count} realizations: w = {fit.width:.4f}({fit.stderr:.4f})")
    figure, ax = plt.subplots(figsize=(5, 4), layout="constrained")
    plot_curve(edges, stacked, ax, label=f"chain of {spins} spins,\n{count} realizations")
    centres = (edges[1:] + edges[:-1]) / 2
    ax.plot(
        centres,
        1 / (np.pi * fit.width * (1 + (centres / fit.width) ** 2)),
        "k--",
        linewidth=1,
        label=f"Lorentzian,\n$w = {fit.width:.2f}\\,h$",
    )
    ax.set(xlabel="$\\omega / h$", ylabel="$h\\, k(\\omega)$")
    ax.legend(frameon=False, fontsize=8, loc="upper right")
    return save_figure(figure, "avalanche_figure_7.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--spins", type=int, default=11)
    options = parser.parse_args()
    main(options.quick, options.spins)
