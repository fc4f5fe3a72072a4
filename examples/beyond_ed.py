"""Thermometers on chains of 50 and 100 spins, far beyond exact diagonalisation, beside the golden rule.

At weak disorder the bath has spectral weight at the thermometer's splitting and C(t) follows exp(-2 v(Omega) t); at
strong disorder the bath's first spins are localised, v(Omega) is a few lines, and the thermometer keeps its memory.

Run `python examples/beyond_ed.py`; it writes beyond_ed.png (if matplotlib is installed) and prints a table.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np

import qthermo as qt

DISORDERS = (1.0, 2.0, 4.0, 8.0)
RESOLUTION = 0.6


def thermometer_on_chain(num_spins: int, disorder: float) -> qt.models.SpinModel:
    """Return the first `num_spins` spins of one sampled chain of 100."""
    whole = qt.models.sample_imbrie_chain(num_bath_sites=99, disorder=disorder, seed=1).parameters
    return qt.models.imbrie_chain(fields=whole["fields"][: num_spins - 1], bonds=whole["bonds"][: num_spins - 2])


def correlator(num_spins: int, disorder: float, times: np.ndarray, max_bond_dim: int):
    """Return C(t), its estimated error, the golden-rule prediction and the seconds it took."""
    model = thermometer_on_chain(num_spins, disorder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", qt.NotConvergedWarning)  # later times are then NaN, and the table says so
        data = qt.solve(qt.Autocorrelation(model, times=times), qt.HeisenbergTEBD(max_bond_dim=max_bond_dim))
    spectrum = qt.solve(
        qt.StructureFactor(model, frequencies=[1.0], resolution=RESOLUTION),  # the default splitting is 1
        qt.HeisenbergTEBD(max_bond_dim=max_bond_dim, tolerance=0.02),
    )
    rate = 2 * float(spectrum["structure_factor"][0])
    error = data["truncation_error"].values + data["trotter_error"].values
    return data["correlator"].values, error, np.exp(-rate * times), float(data.attrs["wall_time"])


def main(quick: bool = False) -> dict[tuple[int, float], np.ndarray]:
    """Return C(t) by (spins, W); `quick` takes short times and small bonds."""
    times = np.linspace(0.25, 1.5 if quick else 10.0, 6 if quick else 40)
    max_bond_dim = 32 if quick else 96
    results: dict[tuple[int, float], np.ndarray] = {}
    curves = []
    print(
        f"{'spins':>5s} {'W':>3s} {'reached t':>9s} {'C there':>8s} {'error':>8s} {'golden rule':>11s} {'seconds':>8s}"
    )
    for num_spins in (50, 100):
        for disorder in DISORDERS[:: 3 if quick else 1]:
            values, error, predicted, seconds = correlator(num_spins, disorder, times, max_bond_dim)
            last = int(np.flatnonzero(np.isfinite(values))[-1])
            print(
                f"{num_spins:5d} {disorder:3.0f} {times[last]:9.2f} {values[last]:8.4f} {error[last]:8.1e} "
                f"{predicted[last]:11.4f} {seconds:8.2f}",
                flush=True,
            )
            results[num_spins, disorder] = values
            curves.append((num_spins, disorder, values, predicted))
    if not quick:
        draw(times, curves)
    return results


def draw(times: np.ndarray, curves: list) -> None:
    """Draw every curve beside its golden-rule prediction."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(DISORDERS), figsize=(13, 3.2), sharey=True)
    for ax, disorder in zip(axes, DISORDERS, strict=True):
        for num_spins, w, values, predicted in curves:
            if w == disorder:
                style = "-" if num_spins == 100 else "--"
                ax.plot(times, values, style, color="C0", label=f"{num_spins} spins")
                ax.plot(times, predicted, style, color="C1", label=f"golden rule, {num_spins} spins")
        ax.set(xlabel="time t", title=f"W = {disorder:g}")
    axes[0].set_ylabel("C(t)")
    axes[0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig("beyond_ed.png", dpi=150)
    print("wrote beyond_ed.png")


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
