"""One number decides
==================

Figure 5 of arXiv:1608.01815: how well a bath thermalises one more spin depends on G alone.

The gain of D(O) of an operator inside the grain when one localised spin is coupled with strength g, against
G = g rho sqrt(M). A local chain, a random matrix of as many levels and chains with three thermalised localised spins
fall on one curve; the control does not: its three localised spins are uncoupled, but counted as part of the bath. The
second table measures how near the curves are at equal G. Each number is kept in a file. Full size (2^13 levels) takes
about a quarter of an hour of one core, `--max-levels 2048` two minutes.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.interpolate import PchipInterpolator

import qthermo as qt
from qthermo.exact.hybridisation import estimate_coupling_parameter
from qthermo.plotting import plot_spread, save_figure
from qthermo.studies.solve_once import array_once, solve_once

NUM_STATES = 3
NUM_UNCOUPLED = 3


@dataclass(frozen=True, kw_only=True)
class Bath:
    """A grain with thermalised localised spins in front of the one that is added with each of the strengths."""

    kind: str
    size: int
    before: int = 0
    strengths: tuple[float, ...]
    realizations: int
    color: str

    @property
    def levels(self) -> int:
        """Number of levels with the added spin."""
        return 2 ** (self.size + self.before + 1)

    def sample_model(self, strength: float, realization: int) -> qt.models.GrainModel:
        """Return the bath with one more localised spin, coupled with this strength."""
        bandwidth = 9.2 if self.kind == "goe" else None  # at 2^9 levels the spacing of the chain
        return qt.models.sample_ergodic_grain(
            kind=self.kind, num_grain_spins=self.size, num_lioms=self.before + 1, bandwidth=bandwidth,
            last_coupling=strength, seed=5, realization=realization,
        )  # fmt: skip


WEAK, STRONG = (0.00625, 0.0125, 0.025, 0.05, 0.1), (0.0125, 0.025, 0.05, 0.1, 0.2, 0.4)
CHAIN = "chain of 9"
BATHS = {
    CHAIN: Bath(kind="local", size=9, strengths=STRONG, realizations=24, color="tab:orange"),
    "random matrix": Bath(kind="goe", size=9, strengths=STRONG, realizations=24, color="tab:olive"),
    "chain of 7 + 3 thermalised": Bath(
        kind="local", size=7, before=3, strengths=STRONG[:-1], realizations=12, color="tab:green"
    ),
    "chain of 9 + 3 thermalised": Bath(
        kind="local", size=9, before=3, strengths=WEAK, realizations=12, color="tab:blue"
    ),
}
QUICK = {
    CHAIN: Bath(kind="local", size=5, strengths=STRONG[::2], realizations=3, color="tab:orange"),
    "random matrix": Bath(kind="goe", size=5, strengths=STRONG[::2], realizations=3, color="tab:olive"),
    "chain of 9 + 3 thermalised": Bath(
        kind="local", size=5, before=1, strengths=STRONG[::2], realizations=3, color="tab:blue"
    ),
}


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Gains of D(O), shape (realization, strength), and G / g of every realization."""

    strengths: np.ndarray
    gains: np.ndarray
    ratios: np.ndarray

    def mean_parameters(self) -> np.ndarray:
        """Return G of every strength, averaged over the disorder."""
        return self.strengths * self.ratios.mean()

    def gain_at(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean gain at these G, interpolated in log G, and its jackknife error; that of G is in it."""

        def interpolate(kept: np.ndarray) -> np.ndarray:
            known = np.log(self.strengths * self.ratios[kept].mean())
            return PchipInterpolator(known, self.gains[kept].mean(axis=0))(np.log(parameters))

        everything = np.arange(len(self.gains))
        left_out = np.array([interpolate(np.delete(everything, k)) for k in everything])
        scale = (everything.size - 1) / everything.size
        return interpolate(everything), np.sqrt(scale * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))


def spread_inside(model: qt.models.GrainModel, path: Path) -> float:
    """Return D(O) of the grain's fourth spin, averaged over the states nearest to energy 0."""
    problem = qt.OperatorSpread(model, operators=("grain:4",), num_states=NUM_STATES)
    method = qt.Dense() if model.dimension <= 1024 else qt.LanczosSpread()
    return float(solve_once(problem, method, path)["log_ipr"].mean())


def sample_curve(name: str, bath: Bath, folder: Path) -> Curve:
    """Return the gains and G / g of every realization."""
    gains, ratios = [], []
    for k in range(bath.realizations):
        tag = f"{name.replace(' ', '_')}_{bath.size}_{k}"
        unit = bath.sample_model(1.0, k)
        found = array_once(
            lambda unit=unit: np.array(estimate_coupling_parameter(unit).value), folder / f"{tag}_G.npz",
            dict(unit.parameters),
        )  # fmt: skip
        ratios.append(float(found))
        bare, *coupled = (
            spread_inside(bath.sample_model(g, k), folder / f"{tag}_{g:g}.nc") for g in (0.0, *bath.strengths)
        )
        gains.append(np.array(coupled) - bare)
    return Curve(strengths=np.array(bath.strengths), gains=np.array(gains), ratios=np.array(ratios))


def count_uncoupled(curve: Curve) -> Curve:
    """Return the control: uncoupled spins leave every gain and multiply the levels, rho by 2^n and M by 2^-n."""
    ratios = curve.ratios * np.sqrt(2**NUM_UNCOUPLED)
    return Curve(strengths=curve.strengths, gains=curve.gains, ratios=ratios)


def print_curve(name: str, curve: Curve) -> None:
    """Print G, mean gain and standard errors."""
    count = len(curve.gains)
    error = curve.ratios.std(ddof=1) / np.sqrt(count)
    print(f"{name}: G/g = {curve.ratios.mean():.3f}({error:.3f}), {count} realizations")
    stderr = curve.gains.std(axis=0, ddof=1) / np.sqrt(count)
    for row in zip(curve.mean_parameters(), curve.gains.mean(axis=0), stderr, strict=True):
        print("  G = {:.3f}  gain {:.3f}({:.3f})".format(*row), flush=True)


def print_collapse(curves: dict[str, Curve], control: Curve) -> None:
    """Print the gains of all baths at equal G, their scatter, and how far below them the control lies.

    chi^2 / dof is that of the baths against their weighted mean, 1 where they differ by their standard errors.
    """
    every = [*curves.values(), control]
    low, high = (pick(curve.mean_parameters()[end] for curve in every) for pick, end in ((max, 0), (min, -1)))
    equal = np.geomspace(low, high, 5)
    values, errors = np.array([curve.gain_at(equal) for curve in curves.values()]).transpose(1, 0, 2)
    weights = errors**-2
    mean, stderr = (weights * values).sum(axis=0) / weights.sum(axis=0), weights.sum(axis=0) ** -0.5
    chi = (weights * (values - mean) ** 2).sum(axis=0) / (len(curves) - 1)
    outlier, doubt = control.gain_at(equal)
    print("equal G".ljust(28), *(f"{G:13.3f}" for G in equal))
    rows = {**dict(zip(curves, zip(values, errors, strict=True), strict=True)), "weighted mean": (mean, stderr)}
    for name, row in {
        **rows,
        "control": (outlier, doubt),
        "mean - control": (mean - outlier, np.hypot(stderr, doubt)),
    }.items():
        print(name.ljust(28), *(f"{v:6.3f}({e:.3f})" for v, e in zip(*row, strict=True)))
    print("largest difference of baths".ljust(28), *(f"{v:13.3f}" for v in np.ptp(values, axis=0)))
    print("chi^2 / dof of baths".ljust(28), *(f"{v:13.1f}" for v in chi))
    distance = (mean - outlier) / np.hypot(stderr, doubt)
    print("control, standard errors".ljust(28), *(f"{v:13.1f}" for v in distance))


def draw_curve(ax: plt.Axes, name: str, curve: Curve, **style: str) -> None:
    """Draw the mean gain with the errors of both G and gain."""
    count = len(curve.gains)
    stderr = curve.gains.std(axis=0, ddof=1) / np.sqrt(count)
    relative = curve.ratios.std(ddof=1) / curve.ratios.mean() / np.sqrt(count)
    parameters = curve.mean_parameters()
    plot_spread(
        parameters, curve.gains.mean(axis=0), stderr, ax, xerr=parameters * relative, label=f"{name} ({count})", **style
    )


def main(quick: bool = False, max_levels: int = 2**13, folder: str = "avalanche_figure_5") -> Path:
    """Compute, print the tables, and draw the figure; baths with more levels than `max_levels` are left out."""
    figure, ax = plt.subplots(figsize=(6, 4.2), layout="constrained")
    baths = {name: bath for name, bath in (QUICK if quick else BATHS).items() if bath.levels <= max_levels}
    curves = {}
    for name, bath in baths.items():
        curves[name] = sample_curve(name, bath, Path(folder))
        print_curve(name, curves[name])
        draw_curve(ax, name, curves[name], color=bath.color)
    control = count_uncoupled(curves[CHAIN])
    draw_curve(ax, f"{CHAIN} + 3 uncoupled: control", control, color="tab:purple", linestyle="--")
    print_collapse(curves, control)
    ax.axhline(np.log(2), color="black", linewidth=0.7)
    ax.annotate("$\\log\\,2$", (0, np.log(2)), (4, 3), ("axes fraction", "data"), "offset points")
    ax.set(xlabel="coupling parameter $G$ of the added spin", ylabel="gain of $D(O)$", xscale="log")
    ax.set_xticks(ticks := (0.05, 0.1, 0.2, 0.5, 1, 2), [f"{tick:g}" for tick in ticks])
    ax.legend(frameon=False, fontsize=8, title="bath (realizations)", title_fontsize=8)
    return save_figure(figure, "avalanche_figure_5.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--max-levels", type=int, default=2**13)
    options = parser.parse_args()
    main(options.quick, options.max_levels)
