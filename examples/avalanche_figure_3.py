"""A grain and its avalanche
=========================

Figure 3 of arXiv:1608.01815: every localised spin that a grain thermalises doubles its effective dimension.

D(O) of a spin inside a random-matrix grain of 6 spins against the number of localised spins attached to it, and its
slope, beside a single spin that is no grain. Each realization is kept in a file, so that the script goes on where it
stopped. Full size (9 localised spins, 2^15 levels) takes about half an hour of one core, `--lioms 6` five minutes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

import qthermo as qt
from qthermo.plotting import plot_slopes, plot_spread, save_figure
from qthermo.studies.solve_once import solve_once

# Realizations for each number of localised spins.
GRAIN = {0: 300, 1: 300, 2: 300, 3: 300, 4: 200, 5: 100, 6: 100, 7: 40, 8: 20, 9: 5}
SINGLE = dict.fromkeys(range(9), 500)
QUICK = {0: 6, 1: 6, 2: 4}
DENSE_LEVELS = 512


def sample_spreads(kind: str, num_lioms: int, num_realizations: int, folder: Path) -> np.ndarray:
    """Return D(O) of the grain's first spin for every realization."""
    spreads = []
    for realization in range(num_realizations):
        model = qt.models.sample_ergodic_grain(kind=kind, num_lioms=num_lioms, seed=3, realization=realization)
        method = qt.Dense() if model.dimension <= DENSE_LEVELS else qt.LanczosSpread(seed=realization)
        path = folder / f"{kind}_{num_lioms}_{realization}.nc"
        spreads.append(float(solve_once(qt.OperatorSpread(model), method, path)["log_ipr"][0]))
    return np.array(spreads)


def sample_curve(kind: str, counts: dict[int, int], folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the numbers of localised spins, means of D(O) and standard errors."""
    rows = []
    for num_lioms, realizations in counts.items():
        spreads = sample_spreads(kind, num_lioms, realizations, folder)
        stderr = spreads.std(ddof=1) / np.sqrt(realizations)
        print(f"{kind:12} {num_lioms:2d} {realizations:5d}  {spreads.mean():.3f}({stderr:.3f})", flush=True)
        rows.append((num_lioms, spreads.mean(), stderr))
    numbers, means, errors = np.array(rows).T
    return numbers, means, errors


def main(quick: bool = False, max_lioms: int = 9, folder: str = "avalanche_figure_3") -> Path:
    """Compute, print a table, and draw the figure."""
    grain = QUICK if quick else {n: count for n, count in GRAIN.items() if n <= max_lioms}
    single = QUICK if quick else SINGLE
    figure, (ax, slopes) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    print("kind         n    realizations  D(O) (standard error)")
    for kind, counts, color in (("single_spin", single, "tab:red"), ("goe", grain, "tab:blue")):
        label = "random matrix of 6 spins" if kind == "goe" else "single spin"
        curve = sample_curve(kind, counts, Path(folder))
        plot_spread(*curve, ax, label=label, color=color)
        plot_slopes(*curve, slopes, label=label, color=color)
    ax.set(xlabel="number of localised spins $n$", ylabel="$D(O) = \\log$ IPR")
    slopes.set(xlabel="number of localised spins $n$", ylabel="gain of $D(O)$ by one more spin", ylim=(-0.05, 0.9))
    slopes.axhline(np.log(2), color="black", linewidth=0.7)
    slopes.annotate("$\\log\\,2$", (1, np.log(2)), (-3, 3), ("axes fraction", "data"), "offset points", ha="right")
    for axes in (ax, slopes):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False, fontsize=8)
    return save_figure(figure, "avalanche_figure_3.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--lioms", type=int, default=9)
    options = parser.parse_args()
    main(options.quick, options.lioms)
