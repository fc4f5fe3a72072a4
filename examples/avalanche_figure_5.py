"""One number decides
==================

Figure 5 of arXiv:1608.01815: how well a bath thermalises one more spin depends on G alone.

The gain of D(O) of an operator inside the grain when one localised spin is coupled with strength g, against
G = g rho sqrt(M): a local chain, a random matrix of as many levels, and a chain with three thermalised localised spins
fall on one curve; with three uncoupled spins, counted as part of the bath, they do not. Each number is kept in a file.
Full size (2^13 levels) takes about ten
minutes of one core, `--max-levels 2048` two.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import qthermo as qt
from qthermo.exact.hybridisation import estimate_coupling_parameter
from qthermo.plotting import plot_spread, save_figure
from qthermo.studies.solve_once import array_once, solve_once

STRENGTHS = (0.025, 0.05, 0.1, 0.2, 0.4)
NUM_STATES = 3
# name: (kind, grain spins, spins before the last, their coupling, realizations, colour)
BATHS = {
    "chain of 9": ("local", 9, 0, 0.0, 24, "tab:orange"),
    "random matrix": ("goe", 9, 0, 0.0, 24, "gold"),
    "chain of 7 + 3 thermalised": ("local", 7, 3, 0.2, 12, "tab:green"),
    "chain of 9 + 3 thermalised": ("local", 9, 3, 0.2, 3, "tab:blue"),
}
QUICK = {
    "chain of 9": ("local", 5, 0, 0.0, 3, "tab:orange"),
    "random matrix": ("goe", 5, 0, 0.0, 3, "gold"),
    "chain of 9 + 3 thermalised": ("local", 5, 1, 0.2, 3, "tab:blue"),
}


def sample_model(kind: str, size: int, before: int, coupling: float, last: float, realization: int):
    """Return the bath with one more localised spin, coupled with strength `last`."""
    bandwidth = 9.2 * 2 ** (size - 9) if kind == "goe" else None
    return qt.models.sample_ergodic_grain(
        kind=kind,
        num_grain_spins=size,
        num_lioms=before + 1,
        bandwidth=bandwidth,
        coupling=coupling,
        last_coupling=last,
        seed=5,
        realization=realization,
    )


def spread_inside(model, path: Path) -> float:
    """Return D(O) of the grain's fourth spin, averaged over the states nearest to energy 0."""
    problem = qt.OperatorSpread(model, operators=("grain:4",), num_states=NUM_STATES)
    method = qt.Dense() if model.dimension <= 1024 else qt.LanczosSpread()
    return float(solve_once(problem, method, path)["log_ipr"].mean())


def sample_gains(name: str, bath: tuple, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the gain of D for every realization and strength, and G / g of every realization."""
    kind, size, before, coupling, realizations, _ = bath
    gains, ratios = [], []
    for k in range(realizations):
        tag = f"{name.replace(' ', '_')}_{size}_{k}"
        bare = spread_inside(sample_model(kind, size, before, coupling, 0.0, k), folder / f"{tag}_0.nc")
        gains.append(
            [
                spread_inside(sample_model(kind, size, before, coupling, g, k), folder / f"{tag}_{g}.nc") - bare
                for g in STRENGTHS
            ]
        )
        unit = sample_model(kind, size, before, coupling, 1.0, k)
        found = array_once(
            lambda model=unit: np.array(estimate_coupling_parameter(model).value), folder / f"{tag}_G.npz",
            dict(unit.parameters),
        )  # fmt: skip
        ratios.append(float(found))
    return np.array(gains), np.array(ratios)


def main(quick: bool = False, max_levels: int = 2**13, folder: str = "avalanche_figure_5") -> Path:
    """Compute, print a table, and draw the figure; baths with more levels than `max_levels` are left out."""
    figure, ax = plt.subplots(figsize=(5, 4))
    strengths = np.array(STRENGTHS)
    for name, bath in (QUICK if quick else BATHS).items():
        if 2 ** (bath[1] + bath[2] + 1) > max_levels:
            continue
        gains, ratios = sample_gains(name, bath, Path(folder))
        mean, stderr = gains.mean(axis=0), gains.std(axis=0, ddof=1) / np.sqrt(len(gains))
        error = ratios.std(ddof=1) / np.sqrt(ratios.size)
        print(f"{name}: G/g = {ratios.mean():.3f}({error:.3f}), {len(gains)} realizations")
        for g, m, e in zip(strengths, mean, stderr, strict=True):
            print(f"  G = {g * ratios.mean():.3f}  gain {m:.3f}({e:.3f})", flush=True)
        plot_spread(strengths * ratios.mean(), mean, stderr, ax, label=name, color=bath[-1])
        if name == "chain of 9":  # three uncoupled spins multiply rho by 8 and leave <M> rho as it is
            wrong = strengths * ratios.mean() * np.sqrt(8)
            plot_spread(wrong, mean, stderr, ax, label="chain of 9 + 3 uncoupled", color="tab:purple")
    ax.axhline(np.log(2), color="black", linewidth=0.7)
    ax.set(xlabel="$G$", ylabel="gain of $D(O)$", xlim=(0, 1.4))
    ax.legend(frameon=False, fontsize=8)
    return save_figure(figure, "avalanche_figure_5.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--max-levels", type=int, default=2**13)
    options = parser.parse_args()
    main(options.quick, options.max_levels)
