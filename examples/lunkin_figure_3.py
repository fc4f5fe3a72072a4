"""A thermometer in a Levy bath
============================

Figure 3 of arXiv:2603.12234: a thermometer in a Levy bath, several sizes, and the limit of infinite size.

Exact diagonalisation and both closures of the diffuson for N up to 1000, the edge closure alone up to 8000, and
population dynamics for N = infinity; then how the edge closure approaches it. Minutes on two cores.
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

EXPONENT, SCALE = 1.5, 0.3
METHODS = {
    "exact": qt.Dense(),
    "edge": qt.CavityDiffuson(closure="edge", tolerance=1e-5),
    "averaged": qt.CavityDiffuson(closure="averaged", tolerance=1e-5),
}


def sample_curves(dim: int, num_realizations: int, laplace: np.ndarray, method: object) -> np.ndarray:
    """Return c(E=0, s) of every realization, shape (realization, laplace)."""
    curves = []
    for realization in range(num_realizations):
        model = qt.models.sample_levy_bath(dim=dim, exponent=EXPONENT, scale=SCALE, seed=1, realization=realization)
        problem = qt.Propagator(model, energies=[0.0], laplace=laplace)
        curves.append(qt.solve(problem, method)["autocorrelation"].values[0])
    return np.array(curves)


def compute_limit(laplace: np.ndarray, num_members: int) -> np.ndarray:
    """Return c(E=0, s) of the infinite bath."""
    model = qt.models.sample_levy_bath(dim=10, exponent=EXPONENT, scale=SCALE, seed=1)
    method = qt.PopulationDynamics(num_members=num_members, seed=1)
    limit = qt.solve(qt.Propagator(model, energies=[0.0], laplace=laplace), method)
    print("N = infinity:", limit["autocorrelation"].values[0], "+-", limit["autocorrelation_stderr"].values[0])
    return limit["autocorrelation"].values[0]


def main(quick: bool = False) -> Path:
    """Compute, print a table, and draw the figure."""
    laplace = np.array([0.3, 1.0]) if quick else np.array([0.1, 0.3, 1.0, 3.0])
    exact_sizes, theory_sizes, realizations = (
        ((60,), (60, 120), 3) if quick else ((250, 500, 1000), (500, 1000, 2000, 4000, 8000), 6)
    )
    figure, axes = plt.subplot_mosaic("ac;bc", figsize=(9, 5), layout="constrained")
    limit = compute_limit(laplace, 1000 if quick else 10000)
    groups = {}
    for dim in exact_sizes:
        groups[f"$N={dim}$"] = {
            name: sample_curves(dim, realizations, laplace, method) for name, method in METHODS.items()
        }
    axes["a"].plot(laplace, limit, "k.", label=r"$N=\infty$")
    plot_judged(groups, laplace, axes["a"], axes["b"], judge="exact")
    axes["a"].set(xscale="log", ylabel="$c(E=0, s)$")
    axes["b"].set(xscale="log", xlabel="Laplace variable $s$", ylabel="closure minus exact")
    gaps = []
    for dim in theory_sizes:
        single = qt.CavityDiffuson(precision="single", tolerance=1e-5)
        curves = sample_curves(dim, realizations if dim < 8000 else 3, laplace, single)
        mean, stderr = curves.mean(axis=0), curves.std(axis=0, ddof=1) / np.sqrt(len(curves))
        gaps.append((mean - limit, stderr))
        print(f"N = {dim:5d}, edge:", mean, "+-", stderr, flush=True)
    for k, s in enumerate(laplace):
        shift = 1.03 ** (k - 1.5)  # side by side, so that the bars can be told apart
        gap, stderr = np.array([(mean[k], error[k]) for mean, error in gaps]).T
        axes["c"].errorbar(np.array(theory_sizes) * shift, gap, stderr, fmt=".-", label=f"$s={s:g}$")
    axes["c"].set(xscale="log", xlabel="bath states $N$", ylabel=r"$c_N - c_\infty$ (edge closure)")
    axes["c"].set_xticks(theory_sizes, [str(dim) for dim in theory_sizes])
    axes["c"].minorticks_off()
    axes["c"].axhline(0, color="black", linewidth=0.5)
    axes["c"].legend()
    return save_figure(figure, "lunkin_figure_3.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    main(parser.parse_args().quick)
