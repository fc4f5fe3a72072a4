"""Fourier's law from the Schroedinger equation
============================================

Fourier's law from the Schroedinger equation: the figures of M. Michel, J. Gemmer, G. Mahler, arXiv:cond-mat/0511727.

Figures 2 and 3: rate equation and Schroedinger equation for three and five subunits. Figure 4: deviation D^2 of many
random initial states, and of a single level. Figure 5: D^2 over the number of levels, and over the number of subunits.
Figure 8: heat conductivity over temperature, with the conductivity fitted to exact dynamics of thermal states with a
small gradient. Last, three bands: only rates with detailed balance reach the right equilibrium.
Run `python examples/heat_conduction.py [--quick]`.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np

import qthermo as qt
from qthermo.plotting import save_figure
from qthermo.theory.band_rates import build_rates, decay_constant
from qthermo.theory.heat_transport import heat_conductivity
from qthermo.theory.hilbert_average import fit_time_scale, mean_square_deviation

WIDTH = 0.05


def chain(num_subunits: int, num_levels: int, seed: int = 1) -> qt.models.BandChainModel:
    """Return a chain with lambda n / band_width = 1/2, as the paper's has."""
    return qt.models.sample_band_chain(
        num_subunits=num_subunits, num_levels=num_levels, band_width=WIDTH, coupling=0.5 * WIDTH / num_levels, seed=seed
    )


def relax(num_subunits: int, num_levels: int) -> dict[str, np.ndarray]:
    """Return probabilities of one random state and the rate equation's: figures 2 and 3."""
    model = chain(num_subunits, num_levels)
    times = np.linspace(0, 5 / decay_constant(model), 41)
    problem = qt.BandDynamics(model, times=times)
    exact, theory = qt.solve(problem, qt.Chebyshev()), qt.solve(problem, qt.RateEquation())
    deviation = mean_square_deviation(exact, theory, relaxation_time=times[-1] / 5)
    print(f"{num_subunits} subunits of {num_levels} levels: 1000 D^2 = {1000 * deviation.item():.3f}")
    return {"time": times, "exact": exact["probability"].values, "theory": theory["probability"].values}


def deviations(num_levels: int, num_states: int, num_times: int) -> dict[str, np.ndarray]:
    """Return D^2 of random states, their mean by the trace formula, and D^2 of one level: figure 4."""
    model = chain(2, num_levels)
    tau = 1 / decay_constant(model)
    times = np.linspace(0, 5 * tau, num_times)
    theory = qt.solve(qt.BandDynamics(model, times=times), qt.RateEquation())
    runs = {
        "states": qt.BandDynamics(model, times=times, num_states=num_states),
        "mean": qt.BandDynamics(model, times=times, initial="average"),
        "level": qt.BandDynamics(model, times=times, initial="level"),
    }
    found = {
        name: mean_square_deviation(qt.solve(problem, qt.Dense()), theory, relaxation_time=tau)
        for name, problem in runs.items()
    }
    print(
        f"1000 D^2 of {num_states} states: {1000 * found['states'].mean():.4f}, trace formula "
        f"{1000 * found['mean'].item():.4f}, single level {1000 * found['level'].item():.1f}"
    )
    return found


def scaling(cases: dict[tuple[int, int], int], num_times: int) -> dict[tuple[int, int], tuple[float, float]]:
    """Return mean D^2 over states and chains, and the share from the spread of states, for (N, n): figure 5."""
    found = {}
    for (num_subunits, num_levels), count in cases.items():
        rows = []
        for seed in range(count):
            model = chain(num_subunits, num_levels, seed)
            tau = 1 / decay_constant(model)
            times = np.linspace(0, 5 * tau, num_times)
            problem = qt.BandDynamics(model, times=times, initial="average")
            exact, theory = qt.solve(problem, qt.Dense()), qt.solve(problem, qt.RateEquation())
            spread = np.trapezoid(exact["variance"].values[:, 0], times) / times[-1]
            rows.append((mean_square_deviation(exact, theory, relaxation_time=tau).item(), spread))
        total, spread = np.mean(rows, axis=0)
        found[num_subunits, num_levels] = (float(total), float(spread))
        print(
            f"N = {num_subunits}, n = {num_levels}: n D^2 = {num_levels * total:.4f}, spread {num_levels * spread:.4f}"
        )
    return found


def conduct(num_levels: int, temperature: float = 0.5) -> tuple[float, float]:
    """Return kappa_th fitted to exact dynamics of thermal states with a small gradient, over the formula's."""
    model = chain(2, num_levels)
    kappa, gradient = decay_constant(model), 0.1 * temperature
    weights = model.thermal_weights([1 / (temperature + gradient / 2), 1 / (temperature - gradient / 2)])
    times = np.linspace(0, 1 / kappa, 31)
    exact = qt.solve(qt.BandDynamics(model, times=times, initial="average", weights=weights), qt.Dense())
    scale, error = fit_time_scale(
        times, exact["band_probability"].values, build_rates(model), weights, window=(0.05 / kappa, 0.8 / kappa)
    )
    print(f"kappa_th fitted / predicted = {scale:.3f} +- {error:.3f} ({num_levels} levels, one chain)")
    return scale, error


def three_bands(num_levels: int) -> dict[str, np.ndarray]:
    """Return exact and predicted probabilities of (2,0), (1,1), (0,2) for bands of 1, n and n levels."""
    model = qt.models.sample_band_chain(
        num_subunits=2, num_levels=[num_levels] * 2, band_width=WIDTH, coupling=3e-4 * 32 / num_levels, seed=1,
        total_energy=2.0,
    )  # fmt: skip
    rates = build_rates(model)
    slowest = -np.sort(np.linalg.eigvals(rates.generator).real)[-2]
    problem = qt.BandDynamics(model, times=np.linspace(0, 8 / slowest, 25), initial="average")
    exact = qt.solve(problem, qt.Dense())["band_probability"].values
    theory = rates.evolve(problem.initial_weights, problem.times)
    print(f"three bands: late {exact[-8:].mean(axis=0).round(3)}, rates {theory[-1].round(3)}, not 1/3 each")
    return {"time": problem.times, "exact": exact, "theory": theory}


def main(quick: bool = False) -> dict[str, object]:
    """Print the numbers, draw the figures, and return all."""
    n, states, num_times = (40, 300, 21) if quick else (500, 15000, 26)
    cases = {(3, size): (2 if quick else max(1600 // size, 3)) for size in ((20, 40) if quick else (50, 100, 200, 400))}
    cases |= {(size, 20 if quick else 150): 2 for size in ((2, 3) if quick else (2, 3, 4, 5, 6))}
    temperatures = np.linspace(0.05, 2, 400)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", qt.ValidityWarning)  # quick sizes and the single level are outside on purpose
        found = {
            "figure 2": relax(3, n),
            "figure 3": relax(5, n),
            "figure 4": deviations(n, states, num_times),
            "figure 5": scaling(cases, num_times),
            "figure 8": heat_conductivity(chain(2, n), temperatures),
            "fourier": conduct(n),
            "three bands": three_bands(12 if quick else 32),
            "temperatures": temperatures,
        }
    draw(found, 20 if quick else 150)
    return found


def draw(found: dict, fixed: int) -> None:
    """Write heat_conduction.png; the inset of figure 5 is at n = `fixed`."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(13, 7.5), layout="constrained")
    for ax, name in ((axes[0, 0], "figure 2"), (axes[0, 1], "figure 3"), (axes[1, 2], "three bands")):
        curves = found[name]
        for k in range(curves["exact"].shape[1]):
            ax.plot(curves["time"], curves["theory"][:, k], f"C{k}")
            ax.plot(curves["time"], curves["exact"][:, k], f"C{k}o", ms=3)
        ax.set(xlabel="time", ylabel="probability", title=f"{name}: exact (dots), rates (lines)")
    ax = axes[0, 2]
    ax.hist(1000 * found["figure 4"]["states"], bins=80)
    ax.axvline(1000 * found["figure 4"]["mean"].item(), color="k", label="trace formula")
    ax.set(xlabel=r"$10^3 D_1^2$", ylabel="states", title="figure 4")
    ax.legend()
    ax, inset = axes[1, 0], axes[1, 0].inset_axes((0.5, 0.5, 0.45, 0.45))
    largest = max(size for _, size in found["figure 5"])
    for target, along in ((ax, {c: v for c, v in found["figure 5"].items() if c[0] == 3 and c[1] != fixed}),
                          (inset, {c: v for c, v in found["figure 5"].items() if c[1] == fixed})):  # fmt: skip
        x = [c[1] if target is ax else c[0] for c in along]
        target.plot(x, [1000 * v[0] for v in along.values()], "o", ms=4, label="total")
        target.plot(x, [1000 * v[1] for v in along.values()], "+", label="spread of states")
    n = np.geomspace(50, largest)
    ax.plot(n, 1000 * 0.08 / n, "k-", lw=0.8, label="0.08 / n")
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="levels n",
        ylabel=r"$10^3 D_1^2$",
        title=f"figure 5; inset over N at n = {fixed}",
    )
    ax.legend(loc="lower left")
    ax = axes[1, 1]
    ax.plot(found["temperatures"], 1000 * found["figure 8"])
    ax.set(xlabel="temperature", ylabel=r"$10^3 \kappa_{th}$", title="figure 8")
    print(f"figure: {save_figure(figure, 'heat_conduction.png').resolve()}")


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
