"""The hybridisation curve
=======================

Figure 6 of arXiv:1608.01815: the hybridisation curve of one spin and a random-matrix bath, and its width.

The width does not depend on the level spacing (left), is inversely proportional to the bandwidth (middle), and grows
as g^2 (right; at g = 0.2 h it is hardly more than the level spacing). Bands are one standard error. Each curve is kept
in a file. Some minutes of one core.
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


def sample_curves(
    num_spins: int, bandwidth: float, coupling: float, edges: np.ndarray, count: int, folder: Path
) -> np.ndarray:
    """Return k(omega) of every realization, h = 1."""
    curves = []
    for realization in range(count):
        model = qt.models.sample_ergodic_grain(
            kind="goe",
            num_grain_spins=num_spins,
            num_lioms=1,
            bandwidth=bandwidth,
            coupling=coupling,
            field_spread=0.0,
            seed=6,
            realization=realization,
        )
        key = {**model.parameters, "edges": [edges[0], edges[-1], edges.size]}
        path = folder / f"{num_spins}_{bandwidth:g}_{coupling:g}_{realization}.npz"
        curves.append(array_once(lambda model=model: hybridisation_curve(model, edges=edges, num_states=10), path, key))
    return np.array(curves)


def main(quick: bool = False, folder: str = "avalanche_figure_6") -> Path:
    """Compute, print a table, and draw the figure."""
    count, sizes = (3, (5, 6)) if quick else (24, (7, 8, 9))
    figure, (by_size, by_width, by_coupling) = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    print("spins  bandwidth  g     w (standard error)    w bw / g^2")

    def draw(ax, spins: int, bandwidth: float, g: float, label: str, scale: float = 1.0) -> tuple[float, float]:
        edges = np.linspace(-2.025, 2.025, 82) * max(1.0, 10 / bandwidth) * (g / 0.8) ** 2
        curves = sample_curves(spins, bandwidth, g, edges, count, Path(folder))
        fit = fit_width(edges, curves)
        ratio, error = fit.width * bandwidth / g**2, fit.stderr * bandwidth / g**2
        print(f"{spins:5d}  {bandwidth:9.2f}  {g:4.2f}  {fit.width:.4f}({fit.stderr:.4f})  {ratio:.2f}({error:.2f})")
        plot_curve(edges / scale, curves * scale, ax, label=label)
        return fit.width, fit.stderr

    for spins in sizes:
        draw(by_size, spins, 10.0, 0.8, f"$2^{{{spins}}}$ levels")
    for spins in sizes:
        bandwidth = 10.24 * 2.0 ** (spins - sizes[1])
        draw(by_width, spins, bandwidth, 0.8, f"$B = {bandwidth:.3g}\\,h$", scale=10.24 / bandwidth)
    couplings = (0.4, 0.8) if quick else (0.2, 0.4, 0.57, 0.8)
    widths = [draw(by_coupling, sizes[-1], 10.0, g, f"$g = {g:g}\\,h$", scale=g**2) for g in couplings]
    exponent = np.polyfit(np.log(couplings[-3:]), np.log([w for w, _ in widths[-3:]]), 1)[0]
    print(f"w ~ g^{exponent:.2f}")
    by_size.set(title="three level spacings", xlabel="$\\omega / h$", ylabel="$h\\, k(\\omega)$")
    by_width.set(
        title="three bandwidths $B$, $g = 0.8\\,h$", xlabel="$(\\omega / h)\\; B / 10.24\\,h$",
        ylabel="$h\\, k(\\omega)\\; 10.24\\,h / B$", xlim=(-2, 2),
    )  # fmt: skip
    by_coupling.set(
        title="couplings $g$, $B = 10\\,h$",
        xlabel="$\\omega\\, h / g^2$",
        ylabel="$k(\\omega)\\, g^2 / h$",
        xlim=(-3.2, 3.2),
    )
    for ax in (by_size, by_width, by_coupling):
        ax.legend(frameon=False, fontsize=8)
    return save_figure(figure, "avalanche_figure_6.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    main(parser.parse_args().quick)
