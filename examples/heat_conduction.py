"""Fourier's law from the Schroedinger equation
============================================

Fourier's law from the Schroedinger equation: the figures of M. Michel, J. Gemmer, G. Mahler, arXiv:cond-mat/0511727.

Figures 2 and 3: rate equation and Schroedinger equation for three and five subunits. Figure 4: deviation D^2 of many
random initial states, and of a single level. Figure 5: D^2 over the number n of levels, which falls as 1/n if lambda n
is kept, and over the number of subunits at n = 500, with the rates' own prediction: the scatter of states in closed
form and the lag with which rates set in. Figure 8: heat conductivity over temperature. Section VII: three bands, where
only rates with detailed balance reach the right equilibrium; and Fourier's law fitted to exact dynamics of thermal
states with a small gradient, one band and two bands.
Run `python examples/heat_conduction.py [--quick]`.
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

import numpy as np

import qthermo as qt
from qthermo.plotting import save_figure
from qthermo.theory.band_rates import build_rates, decay_constant
from qthermo.theory.heat_transport import heat_conductivity
from qthermo.theory.hilbert_average import fit_time_scale, mean_square_deviation
from qthermo.theory.rate_onset import build_onset_rates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    labels = [rf"$\mu$ = {mu + 1}" for mu in range(num_subunits)]
    return {
        "time": times,
        "exact": exact["probability"].values,
        "theory": theory["probability"].values,
        "labels": np.array(labels),
    }


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


def predicted(num_subunits: int, num_levels: int, num_times: int = 51) -> tuple[float, float]:
    """Return the D^2 that the rates expect of themselves, lag and scatter of states, and the scatter alone."""
    model = chain(num_subunits, num_levels)
    tau = 1 / decay_constant(model)
    problem = qt.BandDynamics(model, times=np.linspace(0, 5 * tau, num_times), initial="average")
    late, rates = qt.solve(problem, qt.RateEquation(onset=True)), qt.solve(problem, qt.RateEquation())
    spread = np.trapezoid(late["variance"].values[:, 0], problem.times) / problem.times[-1]
    return mean_square_deviation(late, rates, relaxation_time=tau).item(), float(spread)


def scaling(cases: dict[int, int], num_times: int) -> dict[int, np.ndarray]:
    """Return mean D^2 over states and chains, its error, and the share from the spread of states, for n: figure 5."""
    found = {}
    for num_levels, count in cases.items():
        rows = []
        for seed in range(count):
            model = chain(3, num_levels, seed)
            tau = 1 / decay_constant(model)
            times = np.linspace(0, 5 * tau, num_times)
            problem = qt.BandDynamics(model, times=times, initial="average")
            exact, theory = qt.solve(problem, qt.Dense()), qt.solve(problem, qt.RateEquation())
            spread = np.trapezoid(exact["variance"].values[:, 0], times) / times[-1]
            rows.append((mean_square_deviation(exact, theory, relaxation_time=tau).item(), spread))
        total, spread = np.mean(rows, axis=0)
        found[num_levels] = np.array([total, np.std(rows, axis=0, ddof=1)[0] / count**0.5, spread])
        print(
            f"N = 3, n = {num_levels}: n D^2 = {num_levels * total:.4f} ({num_levels * found[num_levels][1]:.4f}), "
            f"spread {num_levels * spread:.4f}, predicted {num_levels * predicted(3, num_levels)[0]:.4f}"
        )
    return found


def lengths(sizes: tuple[int, ...], num_levels: int, num_states: int) -> dict[int, np.ndarray]:
    """Return mean D^2 of random states and its error for N subunits: inset of figure 5."""
    found = {}
    for num_subunits in sizes:
        model = chain(num_subunits, num_levels)
        tau = 1 / decay_constant(model)
        problem = qt.BandDynamics(model, times=np.linspace(0, 5 * tau, 26), num_states=num_states)
        exact, theory = qt.solve(problem, qt.Chebyshev()), qt.solve(problem, qt.RateEquation())
        each = 1000 * mean_square_deviation(exact, theory, relaxation_time=tau)
        found[num_subunits] = np.array([each.mean(), each.std(ddof=1) / num_states**0.5])
        print(f"N = {num_subunits}, n = {num_levels}: 1000 D^2 = {each.mean():.4f}, {num_states} states")
    return found


def two_band_chain(large: int, small: int, seed: int = 0) -> qt.models.BandChainModel:
    """Return two subunits with bands at 1 and 1.7, sizes and widths such that all pairs of bands decay as rates do."""
    bands = (
        qt.models.Band(energy=0.0, num_levels=1),
        qt.models.Band(energy=1.0, num_levels=large, width=WIDTH),
        qt.models.Band(energy=1.7, num_levels=small, width=WIDTH * small / large),
    )
    rng = np.random.default_rng(seed)
    blocks = {}
    for pair, size in (((0, 1), large), ((0, 2), small), ((1, 2), large * small)):
        block = rng.standard_normal((size, size)) + 1j * rng.standard_normal((size, size))
        blocks[pair, pair[::-1]] = block * 0.5**0.5
    return qt.models.band_chain(bands=bands, blocks=[blocks], coupling=0.5 * WIDTH / large)


def conduct(model: qt.models.BandChainModel, temperature: float, end: float) -> dict[str, np.ndarray]:
    """Return what the left subunit lost, for thermal product states with a small gradient, all energies allowed."""
    gradient = 0.1 * temperature
    weights = model.thermal_weights([1 / (temperature + gradient / 2), 1 / (temperature - gradient / 2)])
    times = np.linspace(0, end, 21)
    problem = qt.BandDynamics(model, times=times, initial="average", weights=weights)
    exact = qt.solve(problem, qt.Dense())
    energies = np.array([band.energy for band in model.bands])[np.array(model.space.configurations)[:, 0]]
    found = {"time": times, "exact": exact["energy"].values[0, 0] - exact["energy"].values[:, 0]}
    conductivity = heat_conductivity(model, [temperature])[0]
    for name, rates in (("rates", build_rates(model)), ("onset", build_onset_rates(model))):
        found[name] = (weights - rates.evolve(weights, times)) @ energies
        found[f"scale of {name}"] = np.array(
            fit_time_scale(
                times, exact["band_probability"].values, rates, weights, window=(end / 20, end), observable=energies
            )
        )
        scale, error = found[f"scale of {name}"]
        print(f"kappa_th = {conductivity:.3e}, fitted / predicted = {scale:.3f} +- {error:.3f} ({name}, one chain)")
    return found


def three_bands(num_levels: int, energy: float, coupling: float) -> dict[str, np.ndarray]:
    """Return exact and predicted probabilities of the pairs of bands (1, n, n levels) with this total energy."""
    model = qt.models.sample_band_chain(
        num_subunits=2,
        num_levels=[num_levels] * 2,
        band_width=WIDTH,
        coupling=coupling,
        seed=1,
        total_energy=energy,
    )
    rates = build_rates(model)
    fastest = -np.diag(rates.generator).min()
    problem = qt.BandDynamics(model, times=np.linspace(0, 6 / fastest, 25), initial="average")
    exact = qt.solve(problem, qt.Dense())["band_probability"].values
    start, times = problem.initial_weights, problem.times
    found = {"time": times, "exact": exact, "theory": rates.evolve(start, times)}
    found["onset"] = build_onset_rates(model).evolve(start, times)
    found["labels"] = np.array([f"bands {i}, {j}" for i, j in model.space.configurations])
    misses = [np.abs(exact - found[name]).max() for name in ("theory", "onset")]
    print(
        f"three bands, E = {energy:g}: late {exact[-8:].mean(axis=0).round(3)}, share of states "
        f"{(model.space.block_dimensions / model.dimension).round(3)}; largest deviation {misses[0]:.3f} of the rates, "
        f"{misses[1]:.3f} with their onset"
    )
    return found


def main(quick: bool = False) -> dict[str, object]:
    """Print the numbers, draw the figures, and return all."""
    n, states, num_times = (40, 300, 21) if quick else (500, 15000, 26)
    cases = {size: (2 if quick else max(1600 // size, 3)) for size in ((20, 40) if quick else (50, 100, 200, 400))}
    sizes = (2, 3) if quick else (2, 3, 4, 5, 6)
    small = 12 if quick else 32
    two_bands = two_band_chain(24, 2) if quick else two_band_chain(100, 4)
    temperatures = np.linspace(0.05, 2, 400)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", qt.ValidityWarning)  # quick sizes and the single level are outside on purpose
        found = {
            "figure 2": relax(3, n),
            "figure 3": relax(5, n),
            "figure 4": deviations(n, states, num_times),
            "figure 5": scaling(cases, num_times),
            "inset": lengths(sizes, n, 4 if quick else 16),
            "prediction": {size: predicted(3, size) for size in cases},
            "prediction of the inset": {size: predicted(size, n) for size in sizes},
            "figure 8": heat_conductivity(chain(2, n), temperatures),
            "one band": conduct(chain(2, n), 0.5, 1 / decay_constant(chain(2, n))),
            "two bands": conduct(two_bands, 0.8, 0.63 / decay_constant(two_bands)),
            "E = 2": three_bands(small, 2.0, 0.58 * WIDTH / small**1.5),
            "E = 3": three_bands(3 * small // 4, 3.0, 0.6 * WIDTH / (3 * small // 4) ** 1.5),
            "temperatures": temperatures,
        }
    draw(found, n)
    return found


def draw(found: dict, num_levels: int) -> None:
    """Write heat_conduction.png; the inset of figure 5 is at n = `num_levels`."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 4, figsize=(17, 7.8), layout="constrained")
    for ax, name in zip(axes.flat, ("figure 2", "figure 3", "E = 2", "E = 3"), strict=False):
        draw_probabilities(ax, found[name], name if "figure" in name else f"three bands, {name}")
    ax = axes[1, 0]
    ax.hist(1000 * found["figure 4"]["states"], bins=80)
    ax.axvline(1000 * found["figure 4"]["mean"].item(), color="k", label="mean, trace formula")
    ax.set(xlabel=r"$10^3 D_1^2$", ylabel="states", title=f"figure 4: N = 2, n = {num_levels}")
    ax.legend(loc="upper right")
    draw_deviations(axes[1, 1], found, num_levels)
    ax = axes[1, 2]
    ax.plot(found["temperatures"], 1000 * found["figure 8"])
    ax.set(xlabel=r"temperature $T / \Delta E$", ylabel=r"$10^3 \kappa_{th}$", title=f"figure 8: n = {num_levels}")
    ax = axes[1, 3]
    for k, name in enumerate(("one band", "two bands")):
        curves = found[name]
        time, size = curves["time"] / curves["time"][-1], curves["onset"][-1]
        ax.plot(time, curves["exact"] / size, f"C{k}o", ms=4, label=f"{name}: exact")
        ax.plot(time, curves["rates"] / size, f"C{k}:", label="rates, (47)")
        ax.plot(time, curves["onset"] / size, f"C{k}", label="rates with onset")
    ax.set(xlabel="time / last time", ylabel="heat transferred / predicted", title="small gradient of temperature")
    ax.legend(fontsize="small")
    path = save_figure(figure, "heat_conduction.png")
    print(f"figure: {path.resolve()}")


def draw_probabilities(ax: Axes, curves: dict[str, np.ndarray], name: str) -> None:
    """Draw probabilities: exact ones, the rates, and the rates with onset where there are any."""
    for k, label in enumerate(curves["labels"]):
        ax.plot(curves["time"], curves["theory"][:, k], f"C{k}:" if "onset" in curves else f"C{k}")
        ax.plot(curves["time"], curves["exact"][:, k], f"C{k}o", ms=3, label=label)
        if "onset" in curves:
            ax.plot(curves["time"], curves["onset"][:, k], f"C{k}")
    ax.plot([], [], "k:" if "onset" in curves else "k", label="rates")
    if "onset" in curves:
        ax.plot([], [], "k", label="rates with onset")
    ax.legend(fontsize="small", title="dots: exact", title_fontsize="small")
    ax.set(xlabel=r"time $t\,\Delta E$", ylabel="probability", title=name)


def draw_deviations(ax: Axes, found: dict, num_levels: int) -> None:
    """Draw figure 5: D^2 over n, and over N in the inset, beside what the rates expect of themselves."""
    n = np.array(list(found["figure 5"]))
    total, error, spread = 1000 * np.array(list(found["figure 5"].values())).T
    ax.errorbar(n, total, error, fmt="C0o", ms=4, capsize=2, label=r"exact, $\lambda n$ fixed")
    ax.plot(n, spread, "C1+", label="exact, scatter of states")
    late, scatter = 1000 * np.array(list(found["prediction"].values())).T
    ax.plot(n, late, "C0", lw=0.8, label="predicted")
    ax.plot(n, scatter, "C1--", lw=0.8, label=r"predicted scatter, $.0765/n$")
    ax.set(xscale="log", yscale="log", xlabel="levels n", ylabel=r"$10^3 D_1^2$")
    ax.set(ylim=(total.min() / 6, 5 * total.max()), xticks=n, xticklabels=n)
    ax.minorticks_off()
    ax.set_title(f"figure 5: N = 3; inset: n = {num_levels}")
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[-1:] + handles[:-1], labels[-1:] + labels[:-1], loc="lower left", fontsize="small")
    inset = ax.inset_axes((0.6, 0.6, 0.38, 0.37))
    sizes = np.array(list(found["inset"]))
    total, error = np.array(list(found["inset"].values())).T
    inset.errorbar(sizes, total, error, fmt="C0o", ms=3, capsize=2)
    inset.plot(sizes, [1000 * found["prediction of the inset"][size][0] for size in sizes], "C0", lw=0.8)
    inset.set(xlabel="subunits N", xticks=sizes, ylim=(0, None))


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
