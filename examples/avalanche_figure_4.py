"""Where an avalanche reaches
==========================

Figure 4 of arXiv:1608.01815: D(O) on every spin of the region between a grain and the localised spins.

Localised spins attached to a random-matrix grain of 6 spins; D(sx_i) falls linearly with the distance i >= 1, at the
rate 2 log(4/3) = 0.575 by the theory. Each realization is kept in a file, so that the script goes on where it stopped.
Full size (8 localised spins, 2^14 levels) takes about a quarter of an hour of one core, `--lioms 6` three minutes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import qthermo as qt
from qthermo.plotting import plot_spread, save_figure
from qthermo.studies.solve_once import solve_once

COUNTS = {4: 40, 5: 30, 6: 24, 7: 12, 8: 4}


def sample_profile(num_lioms: int, num_realizations: int, folder: Path) -> np.ndarray:
    """Return D of the grain's first spin and of every localised spin, shape (realization, 1 + num_lioms)."""
    operators = ("grain", *(f"liom:{i}" for i in range(1, num_lioms + 1)))
    profiles = []
    for realization in range(num_realizations):
        model = qt.models.sample_ergodic_grain(kind="goe", num_lioms=num_lioms, seed=4, realization=realization)
        method = qt.Dense() if model.dimension <= 512 else qt.LanczosSpread(seed=realization)
        path = folder / f"{num_lioms}_{realization}.nc"
        profiles.append(solve_once(qt.OperatorSpread(model, operators=operators), method, path)["log_ipr"].values)
    return np.array(profiles)


def fit_slope(profiles: np.ndarray) -> tuple[float, float]:
    """Return the slope of D over i >= 1, and its standard error over realizations."""
    places = np.arange(1, profiles.shape[1])
    slopes = [np.polyfit(places, profile[1:], 1)[0] for profile in profiles]
    return float(np.mean(slopes)), float(np.std(slopes, ddof=1) / np.sqrt(len(slopes)))


def main(quick: bool = False, max_lioms: int = 8, folder: str = "avalanche_figure_4") -> Path:
    """Compute, print a table, and draw the figure."""
    counts = {2: 3, 3: 3} if quick else {n: count for n, count in COUNTS.items() if n <= max_lioms}
    figure, ax = plt.subplots(figsize=(5.5, 4), layout="constrained")
    for num_lioms, realizations in counts.items():
        profiles = sample_profile(num_lioms, realizations, Path(folder))
        mean, stderr = profiles.mean(axis=0), profiles.std(axis=0, ddof=1) / np.sqrt(realizations)
        slope, error = fit_slope(profiles)
        row = " ".join(f"{m:.2f}({e:.2f})" for m, e in zip(mean, stderr, strict=True))
        print(f"{num_lioms} localised spins, {realizations} realizations: slope {slope:.3f}({error:.3f}); {row}")
        plot_spread(np.arange(num_lioms + 1), mean, stderr, ax, label=f"{num_lioms} ({realizations})")
    places = np.arange(1, max(counts) + 1)
    theory = mean[1] - 2 * np.log(4 / 3) * (places - 1)
    ax.plot(places, theory, "k--", linewidth=0.8, label="slope $-2\\log(4/3)$")
    ax.set(xlabel="spin $i$ (0: inside the grain)", ylabel="$D(\\sigma^x_i)$", xticks=range(max(counts) + 1))
    ax.legend(frameon=False, fontsize=8, title="localised spins (realizations)", title_fontsize=8)
    return save_figure(figure, "avalanche_figure_4.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--lioms", type=int, default=8)
    options = parser.parse_args()
    main(options.quick, options.lioms)
