"""A thermometer in an all-to-all Ising bath
=========================================

Figure 4 of arXiv:2603.12234: a thermometer in an all-to-all transverse-field Ising bath, several sizes.

Exact diagonalisation, both closures of the diffuson, and the golden rule from the bath's structure factor alone.
Minutes on two cores.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import qthermo as qt
from qthermo.plotting import plot_judged, save_figure

METHODS = {
    "exact": qt.Dense(),
    "edge": qt.CavityDiffuson(closure="edge", tolerance=1e-5),
    "averaged": qt.CavityDiffuson(closure="averaged", tolerance=1e-5),
    "golden rule": qt.GoldenRule(),
}


def main(quick: bool = False) -> Path:
    """Compute, print a table, and draw the figure."""
    warnings.simplefilter(
        "ignore", qt.ValidityWarning
    )  # at coupling 1 the golden rule says that it is out of its range
    sizes, realizations = ((5,), 2) if quick else ((7, 8, 9), 5)
    laplace = np.array([0.5, 1.0]) if quick else np.geomspace(0.1, 3.0, 8)
    thermometer = qt.Thermometer(splitting=2.0, coupling=1.0)
    groups = {}
    for size in sizes:
        curves: dict[str, list[np.ndarray]] = {name: [] for name in METHODS}
        for realization in range(realizations):
            model = qt.models.sample_all_to_all_ising(
                num_bath_sites=size, seed=1, realization=realization, thermometer=thermometer
            )
            problem = qt.Propagator(model, energies=[0.0], laplace=laplace)
            for name, method in METHODS.items():
                curves[name].append(qt.solve(problem, method)["autocorrelation"].values[0])
        groups[f"{size} bath spins"] = {name: np.array(values) for name, values in curves.items()}
        for name, values in curves.items():
            print(f"{size} bath spins, {name:>11}:", np.mean(values, axis=0).round(4), flush=True)
    figure, (ax, below) = plt.subplots(2, 1, figsize=(5, 6), sharex=True, layout="constrained")
    plot_judged(groups, laplace, ax, below, judge="exact")
    ax.set(xscale="log", ylabel="$c(E=0, s)$")
    below.set(xlabel="Laplace variable $s$", ylabel="theory minus exact")
    return save_figure(figure, "lunkin_figure_4.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    main(parser.parse_args().quick)
