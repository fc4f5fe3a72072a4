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
from qthermo.plotting import save_figure

EXPONENT, SCALE = 1.5, 0.3
CLOSURES = {"edge": "--", "averaged": ":"}


def sample_curve(dim: int, num_realizations: int, laplace: np.ndarray, method: object) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard error of c(E=0, s) over realizations."""
    curves = []
    for realization in range(num_realizations):
        model = qt.models.sample_levy_bath(dim=dim, exponent=EXPONENT, scale=SCALE, seed=1, realization=realization)
        problem = qt.Propagator(model, energies=[0.0], laplace=laplace)
        curves.append(qt.solve(problem, method)["autocorrelation"].values[0])
    return np.mean(curves, axis=0), np.std(curves, axis=0, ddof=1) / np.sqrt(num_realizations)


def main(quick: bool = False) -> Path:
    """Compute, print a table, and draw the figure."""
    laplace = np.array([0.3, 1.0]) if quick else np.array([0.1, 0.3, 1.0, 3.0])
    exact_sizes, theory_sizes, realizations = (
        ((60,), (60, 120), 3) if quick else ((250, 500, 1000), (500, 1000, 2000, 4000, 8000), 6)
    )
    figure, (ax, approach) = plt.subplots(1, 2, figsize=(9, 4))
    model = qt.models.sample_levy_bath(dim=10, exponent=EXPONENT, scale=SCALE, seed=1)
    method = qt.PopulationDynamics(num_members=1000 if quick else 10000, seed=1)
    limit = qt.solve(qt.Propagator(model, energies=[0.0], laplace=laplace), method)
    print("N = infinity:", limit["autocorrelation"].values[0], "+-", limit["autocorrelation_stderr"].values[0])
    for color, dim in zip(("tab:blue", "tab:orange", "tab:green"), exact_sizes, strict=False):
        exact, stderr = sample_curve(dim, realizations, laplace, qt.Dense())
        ax.errorbar(laplace, exact, stderr, color=color, label=f"$N={dim}$, exact")
        for closure, style in CLOSURES.items():
            theory, _ = sample_curve(dim, realizations, laplace, qt.CavityDiffuson(closure=closure, tolerance=1e-5))
            ax.plot(laplace, theory, style, color=color, label=closure)
    ax.plot(laplace, limit["autocorrelation"].values[0], "k.-", label=r"$N=\infty$")
    means = []
    for dim in theory_sizes:
        single = qt.CavityDiffuson(precision="single", tolerance=1e-5)
        mean, stderr = sample_curve(dim, realizations if dim < 8000 else 3, laplace, single)
        means.append((mean, stderr))
        print(f"N = {dim:5d}, edge:", mean, "+-", stderr, flush=True)
    for k, s in enumerate(laplace):
        gap = [mean[k] - limit["autocorrelation"].values[0, k] for mean, _ in means]
        approach.errorbar(theory_sizes, gap, [stderr[k] for _, stderr in means], label=f"$s={s:g}$")
    ax.set(xscale="log", xlabel="Laplace variable $s$", ylabel="$c(E=0, s)$")
    approach.set(xscale="log", xlabel="bath states $N$", ylabel=r"$c_N - c_\infty$ (edge closure)")
    approach.axhline(0, color="black", linewidth=0.5)
    ax.legend(fontsize=7)
    approach.legend(fontsize=7)
    return save_figure(figure, "lunkin_figure_3.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    main(parser.parse_args().quick)
