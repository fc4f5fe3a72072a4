"""Thermometers on 50 and 100 spins
================================

Thermometers on chains of 50 and 100 spins, far beyond exact diagonalisation, beside golden rule and diffuson.

At weak disorder the bath has spectral weight at the thermometer's splitting and C(t) follows exp(-2 v(Omega) t); at
strong disorder the bath's first spins are localised, v(Omega) is a few lines, and the thermometer keeps its memory.
The diffuson (`qt.GoldenRule`, self-consistent) takes the whole v(omega) of the same chain, from tensor networks too,
and predicts c(s) = s int_0^inf e^{-st} C(t) dt; the simulated c(s) is drawn on the same axes.

Run `python examples/beyond_ed.py`; it writes beyond_ed.png and prints a table.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
from scipy.interpolate import make_interp_spline

import qthermo as qt
from qthermo.plotting import save_figure

DISORDERS = (1.0, 2.0, 4.0, 8.0)
RESOLUTION = 0.6


def thermometer_on_chain(num_spins: int, disorder: float) -> qt.models.SpinModel:
    """Return the first `num_spins` spins of one sampled chain of 100."""
    whole = qt.models.sample_imbrie_chain(num_bath_sites=99, disorder=disorder, seed=1).parameters
    return qt.models.imbrie_chain(fields=whole["fields"][: num_spins - 1], bonds=whole["bonds"][: num_spins - 2])


def correlator(num_spins: int, disorder: float, times: np.ndarray, max_bond_dim: int):
    """Return C(t), its estimated error and the seconds it took."""
    model = thermometer_on_chain(num_spins, disorder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", qt.NotConvergedWarning)  # values from there on are NaN, and the table says so
        data = qt.solve(qt.Autocorrelation(model, times=times), qt.HeisenbergTEBD(max_bond_dim=max_bond_dim))
    error = data["truncation_error"].values + data["trotter_error"].values
    return data["correlator"].values, error, float(data.attrs["wall_time"])


def theories(num_spins: int, disorder: float, times: np.ndarray, laplace: np.ndarray, max_bond_dim: int):
    """Return the golden rule's C(t) and the diffuson's c(s), both from v(omega) of the chain."""
    model = thermometer_on_chain(num_spins, disorder)
    spectrum = qt.solve(
        qt.StructureFactor(model, frequencies=np.linspace(0.0, 30.0, 301), resolution=RESOLUTION),
        qt.HeisenbergTEBD(max_bond_dim=max_bond_dim, tolerance=0.02),
    )
    rate = 2 * float(spectrum["structure_factor"].sel(frequency=1.0, method="nearest"))  # the default splitting is 1
    diffuson = qt.GoldenRule(spectrum=qt.BathSpectrum.from_dataset(spectrum))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", qt.ValidityWarning)  # B is narrow in frequency where W is large: see the figure
        predicted = qt.solve(qt.Propagator(model, energies=[0.0], laplace=laplace), diffuson)
    return np.exp(-rate * times), predicted["autocorrelation"].values[0]


def laplace_transform(times: np.ndarray, values: np.ndarray, laplace: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return c(s) of the known part of C(t), held at its last value, and the bound 2 e^{-sT} on what lies beyond."""
    known = np.isfinite(values)
    reach = times[known][-1]
    fine = np.linspace(0.0, reach, 4001)
    curve = make_interp_spline(times[known], values[known])(fine)
    weight = np.exp(-np.outer(laplace, fine))
    tail = np.exp(-laplace * reach)
    return laplace * np.trapezoid(weight * curve, fine, axis=1) + curve[-1] * tail, 2 * tail


def main(quick: bool = False) -> dict[tuple[int, float], dict[str, np.ndarray]]:
    """Return, by (spins, W), C(t), c(s) and their predictions; `quick` takes short times and small bonds."""
    times = np.linspace(0.0, 1.5 if quick else 10.0, 7 if quick else 41)
    laplace = np.array([2.0, 4.0]) if quick else np.geomspace(0.4, 4.0, 12)
    max_bond_dim = 32 if quick else 96
    results: dict[tuple[int, float], dict[str, np.ndarray]] = {}
    print("spins   W reached t   C there    error golden rule    c(s) diffuson within seconds   (c at the least s)")
    for num_spins in (50, 100):
        for disorder in DISORDERS[:: 3 if quick else 1]:
            values, error, seconds = correlator(num_spins, disorder, times, max_bond_dim)
            golden, diffuson = theories(num_spins, disorder, times, laplace, max_bond_dim)
            transform, bound = laplace_transform(times, values, laplace)
            last = int(np.flatnonzero(np.isfinite(values))[-1])
            print(
                f"{num_spins:5d} {disorder:3.0f} {times[last]:9.2f} {values[last]:9.4f} {error[last]:8.1e} "
                f"{golden[last]:11.4f} {transform[0]:7.4f} {diffuson[0]:8.4f} {bound[0]:6.0e} {seconds:7.2f}",
                flush=True,
            )
            results[num_spins, disorder] = {
                "correlator": values, "golden rule": golden, "transform": transform, "bound": bound,
                "diffuson": diffuson,
            }  # fmt: skip
    draw(times, laplace, results)
    return results


def draw(times: np.ndarray, laplace: np.ndarray, results: dict[tuple[int, float], dict[str, np.ndarray]]) -> None:
    """Draw C(t) beside the golden rule, and below c(s) beside the diffuson."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    disorders = sorted({disorder for _, disorder in results})
    figure, axes = plt.subplots(2, len(disorders), figsize=(1 + 3 * len(disorders), 6), sharey="row")
    for (num_spins, disorder), found in results.items():
        above, below = axes[:, disorders.index(disorder)]
        short = num_spins == 50  # both are the same chain as far as the light cone reaches: symbols on a line
        style = {"ls": "none", "marker": "o", "ms": 4, "mfc": "none"} if short else {"ls": "-"}
        sparse = slice(None, None, 3 if short else 1)
        above.plot(times[sparse], found["correlator"][sparse], color="C0", label=f"{num_spins} spins", **style)
        above.plot(times[sparse], found["golden rule"][sparse], color="C1", **style)
        below.errorbar(laplace, found["transform"], found["bound"], color="C0", label=f"{num_spins} spins", **style)
        below.plot(laplace, found["diffuson"], color="C2", **style)
        above.set(xlabel="time t", title=f"W = {disorder:g}")
        below.set(xlabel="Laplace variable s", xscale="log")
        below.set_xticks([], minor=True)
        below.set_xticks([0.5, 1, 2, 4], ["0.5", "1", "2", "4"])
    axes[0, 0].plot([], [], color="C1", label="golden rule")
    axes[1, 0].plot([], [], color="C2", label="diffuson")
    axes[0, 0].set_ylabel("C(t)")
    axes[1, 0].set_ylabel("c(s)")
    for ax in axes[:, 0]:
        ax.legend(fontsize=7)
    figure.tight_layout()
    path = save_figure(figure, "beyond_ed.png")
    print(f"wrote {path}")


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
