"""The example study, with fewer disorders, spins, times and realizations."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import qthermo as qt
from qthermo.plotting import plot_study

FILE = Path(__file__).parents[2] / "examples" / "disorder_sweep.toml"
REDUCED = [
    "model.num_bath_sites=4",
    "model.disorder=[1, 8]",
    "problem.times=[0.0, 1.0, 2.0]",
    "methods.edge.energy_nodes=24",
    "methods.edge.frequency_nodes=17",
    "methods.averaged.energy_nodes=24",
    "methods.averaged.frequency_nodes=17",
    "ensemble.num_realizations=3",
]


def test_disorder_sweep_in_small(tmp_path):
    assert len(qt.load_study(FILE).points) == 8
    study = qt.load_study(FILE, overrides=REDUCED)
    assert study.labels == ("Dense", "HeisenbergTEBD", "edge", "averaged")
    with ThreadPoolExecutor(1) as pool:
        status = qt.run_study(study, tmp_path / "s", executor=pool, num_workers=1)
    assert (status.done, status.failed) == (24, 0)
    data = qt.collect_study(tmp_path / "s")
    verdicts = {line.method: line.verdict for line in qt.compare_methods(data)}
    assert verdicts["Dense"] == "judge"
    assert verdicts["HeisenbergTEBD"] == "agrees"
    late = data["correlator"].sel(label="Dense", time=2.0)
    assert late.sel(disorder=8.0) > late.sel(disorder=1.0), "strong disorder hinders thermalisation"
    ax = plot_study(data, Figure().subplots(), against="disorder")
    assert [line.get_label() for line in ax.get_lines()] == list(study.labels)
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), late)
    assert len(ax.collections) >= 4, "an error band for each method"
