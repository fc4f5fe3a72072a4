"""C(t) against time and c(E,s) against the Laplace variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["plot_correlator", "plot_laplace"]

MARKERS = {
    "Dense": {"linestyle": "-", "color": "black"},
    "HeisenbergTEBD": {"linestyle": "none", "marker": "o", "markersize": 4, "color": "tab:blue", "fillstyle": "none"},
    "TrotterCircuit": {"linestyle": "none", "marker": "s", "markersize": 3.5, "color": "tab:red"},
}


def plot_correlator(data: xr.Dataset, ax: Axes) -> Axes:
    """Draw Re C(t), with one standard error as bars where the method samples."""
    method = data.attrs["method"]
    style = MARKERS.get(method, {"linestyle": "--"})
    values = np.real(data["correlator"].values)
    errors = data["stderr"].values if "stderr" in data else None
    ax.errorbar(data["time"].values, values, yerr=errors, label=method, **style)  # type: ignore[arg-type]
    ax.set_xlabel("time $t$")
    ax.set_ylabel("$C(t) = \\mathrm{Tr}[\\rho\\, Z_0(t) Z_0]$")
    return ax


def plot_laplace(data: xr.Dataset, ax: Axes) -> Axes:
    """Draw the normalised autocorrelation c(E,s) against s, one curve per energy."""
    method = data.attrs["method"]
    closure = {"edge": "diffuson, edge", "averaged": "diffuson, averaged"}
    label = next((words for key, words in closure.items() if f'"{key}"' in data.attrs["method_parameters"]), method)
    style = {"Dense": "-", "diffuson, edge": "--", "diffuson, averaged": ":"}.get(label, "-.")
    for energy in data["energy"].values:
        curve = data["autocorrelation"].sel(energy=energy)
        color = "black" if method == "Dense" else None
        ax.plot(data["laplace"].values, curve.values, style, color=color, label=f"{label}, $E={energy:g}$")
    ax.set_xscale("log")
    ax.set_xlabel("Laplace variable $s$")
    ax.set_ylabel("$c(E, s)$")
    return ax
