"""Pictures show the numbers they were given."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

import qthermo as qt
from qthermo.plotting import plot_correlator, plot_laplace

MODEL = qt.models.sample_imbrie_chain(num_bath_sites=2, disorder=1.0, seed=1)


def test_correlator_curve_holds_the_real_part():
    data = qt.solve(qt.Autocorrelation(MODEL, times=[0.0, 1.0, 2.0], beta=1.0), qt.Dense())
    ax = plot_correlator(data, Figure().subplots())
    line = ax.get_lines()[0]
    assert_allclose(line.get_xdata(), data["time"])
    assert_allclose(line.get_ydata(), data["correlator"].values.real)
    assert ax.get_xlabel()


def test_laplace_curve_for_each_energy():
    data = qt.solve(qt.Propagator(MODEL, energies=[0.0, 0.5], laplace=np.geomspace(0.1, 1, 4)), qt.Dense())
    ax = plot_laplace(data, Figure().subplots())
    assert len(ax.get_lines()) == 2
    assert_allclose(ax.get_lines()[1].get_ydata(), data["autocorrelation"].sel(energy=0.5))
    assert ax.get_xscale() == "log"
