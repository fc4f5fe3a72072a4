"""A thermometer on an Imbrie chain
================================

Figure 5 of arXiv:2603.12234: a thermometer on an Imbrie chain at several disorder strengths.

The exact propagator against both closures of the diffuson, averaged over disorder, with standard errors. Full size
(10 bath spins, 20 realizations, 3 disorders) takes some minutes on two cores, `--bath-sites 12` about half an hour. Up
to 10 bath spins the exact curve comes from diagonalisation, beyond from random vectors.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import qthermo as qt
from qthermo.plotting import plot_judged, save_figure

DISORDERS = (1.0, 2.0, 4.0)
METHODS = {
    "exact": qt.Dense(),  # replaced by Krylov where the space is too large to diagonalise quickly
    "edge": qt.CavityDiffuson(closure="edge", tolerance=1e-5, max_iterations=3000),
    "averaged": qt.CavityDiffuson(closure="averaged", tolerance=1e-5, max_iterations=3000),
}


def sample_curves(num_bath_sites: int, disorder: float, num_realizations: int, laplace: np.ndarray) -> dict:
    """Return c(E=0, s) of every method and realization, shape (realization, laplace)."""
    thermometer = qt.Thermometer(splitting=1.0, coupling=1.0)
    curves: dict[str, list[np.ndarray]] = {name: [] for name in METHODS}
    for realization in range(num_realizations):
        model = qt.models.sample_imbrie_chain(
            num_bath_sites=num_bath_sites, disorder=disorder, seed=1, realization=realization, thermometer=thermometer
        )
        rotated = model.to_matrix_model()
        for name, method in METHODS.items():
            sampled = name == "exact" and num_bath_sites > 10
            problem = qt.Propagator(model if sampled else rotated, energies=[0.0], laplace=laplace)
            data = qt.solve(problem, qt.Krylov(seed=realization) if sampled else method)
            curves[name].append(data["autocorrelation"].values[0])
    return {name: np.array(values) for name, values in curves.items()}


def main(quick: bool = False, num_bath_sites: int = 10) -> Path:
    """Compute, print a table, and draw the figure."""
    sites, realizations = (5, 3) if quick else (num_bath_sites, 20)
    laplace = np.array([0.3, 1.0]) if quick else np.array([0.1, 0.3, 1.0, 3.0])
    print(f"{sites} bath spins, {realizations} realizations; mean c(0, s) (standard error)")
    print(f"{'W':>4} {'s':>5} {'exact':>15} {'edge':>15} {'averaged':>15}  nearer")
    groups = {}
    for disorder in DISORDERS:
        curves = groups[f"$W={disorder:g}$"] = sample_curves(sites, disorder, realizations, laplace)
        mean = {name: values.mean(axis=0) for name, values in curves.items()}
        stderr = {name: values.std(axis=0, ddof=1) / np.sqrt(realizations) for name, values in curves.items()}
        for k, s in enumerate(laplace):
            distance = {name: abs(mean[name][k] - mean["exact"][k]) for name in ("edge", "averaged")}
            row = "  ".join(f"{mean[name][k]:.4f}({stderr[name][k]:.4f})" for name in METHODS)
            print(f"{disorder:4.0f} {s:5.2f}  {row}  {min(distance, key=distance.get)}", flush=True)
    figure, (ax, below) = plt.subplots(2, 1, figsize=(5, 6), sharex=True, layout="constrained")
    plot_judged(groups, laplace, ax, below, judge="exact")
    ax.set(xscale="log", ylabel="$c(E=0, s)$")
    below.set(xlabel="Laplace variable $s$", ylabel="closure minus exact")
    return save_figure(figure, "lunkin_figure_5.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--bath-sites", type=int, default=10)
    options = parser.parse_args()
    main(options.quick, options.bath_sites)
