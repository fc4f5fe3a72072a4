"""One particle: ballistic, diffusive or trapped
=============================================

One quantum particle: ballistic, diffusive or trapped; its profile beside a Gaussian; the transition in 3D.

First panel: root mean square displacement of a free particle, of a random band matrix with its parameter-free ladder,
and of a disordered chain. Second: the profile of a particle diffusing in three dimensions beside Gaussians of the same
variance. Third: disorder 6, 10 and 25 in three dimensions (the transition is at 16.5). Every verdict comes with its
confidence and its window of times. Run `python examples/quantum_diffusion.py [--quick]`.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np

import qthermo as qt
from qthermo.plotting import save_figure
from qthermo.studies.motion import Motion, classify_motion
from qthermo.theory.random_walk import gaussian_profile


def spread(models: list, times: np.ndarray) -> list:
    """Return the wave packets of all models."""
    return [qt.solve(qt.WavePacket(model, times=times), qt.Chebyshev()) for model in models]


def average(results: list, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard error over the samples."""
    values = np.array([data[name].values for data in results])
    return values.mean(axis=0), values.std(axis=0, ddof=1) / len(values) ** 0.5


def describe(name: str, results: list, window: tuple[float, float]) -> Motion:
    """Print and return the verdict."""
    motion = classify_motion(results, window=window)
    print(
        f"{name:28} {motion.kind:10} exponent {motion.exponent:5.2f}({motion.exponent_stderr:.2f}), confidence "
        f"{motion.confidence:.3f}, t = {motion.window[0]:.3g} .. {motion.window[1]:.3g} {motion.remark}"
    )
    return motion


def behaviours(quick: bool) -> dict[str, dict]:
    """Return the three behaviours: figure 3 of A. Knowles' snapshot of quantum diffusion."""
    count, end = (4, 30.0) if quick else (20, 200.0)
    times = np.geomspace(1, end, 10 if quick else 25)
    side, size = (201, 801) if quick else (1201, 8001)
    families = {
        "ballistic": [qt.models.sample_anderson_lattice(shape=(side,), disorder=0.0, seed=k) for k in range(3)],
        "diffusive": [
            qt.models.sample_band_matrix(size=size, half_width=16 if quick else 48, seed=1, realization=k)
            for k in range(count)
        ],
        "trapped": [
            qt.models.sample_anderson_lattice(shape=(201,), disorder=5.0, seed=1, realization=k)
            for k in range(2 * count)
        ],
    }
    found = {}
    for name, models in families.items():
        results = spread(models, times)
        motion = describe(name, results, (end / 10, end))
        msd, error = average(results, "msd")
        found[name] = {"time": times, "msd": msd, "stderr": error, "motion": motion}
    ladder = qt.solve(qt.WavePacket(families["diffusive"][0], times=times), qt.BandLadder())
    found["diffusive"]["ladder"] = ladder["msd"].values
    return found


def regimes(quick: bool) -> dict[float, dict]:
    """Return the mean square displacement at disorder 6, 10, 25 on cubes, and the profiles at 6."""
    sides = {6.0: 24, 10.0: 20, 25.0: 16} if quick else {6.0: 90, 10.0: 60, 25.0: 40}
    end, count = (4.0, 3) if quick else (30.0, 4)
    times = np.geomspace(1, end, 6 if quick else 13)
    found = {}
    for disorder, side in sides.items():
        models = [
            qt.models.sample_anderson_lattice(shape=(side,) * 3, disorder=disorder, seed=1, realization=k)
            for k in range(count)
        ]
        results = spread(models, times)
        motion = describe(f"cube of {side}, disorder {disorder:g}", results, (end / 3, end))
        msd, error = average(results, "msd")
        found[disorder] = {
            "time": times,
            "msd": msd,
            "stderr": error,
            "profile": average(results, "profile")[0],
            "displacement": results[0]["displacement"].values,
            "motion": motion,
        }
    return found


def main(quick: bool = False) -> dict[str, dict]:
    """Print the verdicts, draw the figure, and return all."""
    with warnings.catch_warnings():
        if quick:
            warnings.simplefilter("ignore", qt.ValidityWarning)  # small lattices
        found = {"behaviours": behaviours(quick), "regimes": regimes(quick)}
    draw(found)
    return found


def draw(found: dict[str, dict]) -> None:
    """Write quantum_diffusion.png."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    for k, (name, curve) in enumerate(found["behaviours"].items()):
        root = np.sqrt(curve["msd"])
        axes[0].errorbar(curve["time"], root, curve["stderr"] / (2 * root), fmt=f"C{k}o", ms=3, label=name)
    diffusive = found["behaviours"]["diffusive"]
    axes[0].plot(diffusive["time"], np.sqrt(diffusive["ladder"]), "C1-", lw=1, label="ladder, no parameter")
    axes[0].set(
        xlabel="time", ylabel="root mean square displacement", xscale="log", yscale="log", title="three behaviours"
    )
    axes[0].set_ylim(top=20 * np.sqrt(max(curve["msd"].max() for curve in found["behaviours"].values())))
    axes[0].legend(loc="upper left", ncols=2)
    metal = found["regimes"][6.0]
    count = len(metal["time"])
    for k, number in enumerate((count // 3, 2 * count // 3, count - 1)):
        axes[1].plot(metal["displacement"], metal["profile"][number], f"C{k}o", ms=2)
        gaussian = gaussian_profile(metal["displacement"], metal["msd"][number] / 3)
        axes[1].plot(metal["displacement"], gaussian, f"C{k}-", lw=1, label=f"t = {metal['time'][number]:.1f}")
    axes[1].set(xlabel="first coordinate", ylabel="probability", title="cube, disorder 6: profile, Gaussians (lines)")
    axes[1].legend()
    for k, (disorder, curve) in enumerate(found["regimes"].items()):
        label = f"disorder {disorder:g}: {curve['motion'].kind}"
        axes[2].errorbar(curve["time"], curve["msd"], curve["stderr"], fmt=f"C{k}o-", ms=3, label=label)
    axes[2].set(xlabel="time", ylabel="mean square displacement", title="three dimensions", xscale="log", yscale="log")
    axes[2].legend()
    path = save_figure(figure, "quantum_diffusion.png")
    print(f"figure: {path.resolve()}")


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
