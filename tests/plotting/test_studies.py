"""Figures of studies show the means and bands that were collected."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

import qthermo as qt
from qthermo.plotting import build_study_figure, plot_study, save_study_figure


def collected(own: tuple[str, ...] = ("time",), num_disorders: int = 3, variable: str = "correlator") -> xr.Dataset:
    """A collected study with made-up numbers; the second method lost its last entry."""
    rng = np.random.default_rng(0)
    sizes = {"disorder": num_disorders, "label": 2, "time": 20, "laplace": 4, "observable": 2, "beta": 3}
    dims = ("disorder", "label", *own)
    shape = tuple(sizes[d] for d in dims)
    mean, stderr = rng.uniform(size=shape), rng.uniform(0.01, 0.1, size=shape)
    if own:
        mean[:, 1, ..., -1] = np.nan
    coordinates = {
        "disorder": np.linspace(1, 4, num_disorders),
        "label": ["Dense", "mps"],
        "time": np.linspace(0, 5, 20),
        "laplace": np.geomspace(0.1, 3, 4),
        "observable": ["Z0", "X1"],
        "beta": [0.5, 1.0, 2.0],
    }
    return xr.Dataset(
        {
            variable: (dims, mean),
            f"{variable}_disorder_stderr": (dims, stderr),
            "num_realizations": (dims[:2], np.full(shape[:2], 9)),
        },
        {name: (name, values) for name, values in coordinates.items() if name in dims},
        {"main_variable": variable, "model": "imbrie_chain", "judge": "Dense"},
    )


def band(ax, index: int) -> np.ndarray:
    polygons = [c for c in ax.collections if isinstance(c, PolyCollection)]
    return polygons[index].get_paths()[0].vertices


def test_against_time_with_a_band_of_one_standard_error():
    data = collected()
    ax = plot_study(data, Figure().subplots(), at={"disorder": 2.4})
    cell = data.sel(disorder=2.5)
    exact, network = ax.get_lines()
    assert_allclose(exact.get_ydata(), cell["correlator"].sel(label="Dense"))
    assert_allclose(network.get_ydata(), cell["correlator"].sel(label="mps").values[:-1])
    assert [line.get_label() for line in ax.get_lines()] == ["Dense", "mps"]
    low = (cell["correlator"] - cell["correlator_disorder_stderr"]).sel(label="Dense").values
    high = (cell["correlator"] + cell["correlator_disorder_stderr"]).sel(label="Dense").values
    corners = band(ax, 0)
    for x, y in ((0.0, low[0]), (0.0, high[0]), (5.0, low[-1]), (5.0, high[-1])):
        assert np.abs(corners - [x, y]).sum(axis=1).min() < 1e-12
    assert ax.get_xlabel() == "time $t$"


def test_against_an_axis_of_the_grid():
    data = collected()
    ax = plot_study(data, Figure().subplots(), against="disorder", at={"time": 5.0 / 19})
    line = ax.get_lines()[0]
    assert_allclose(line.get_xdata(), data["disorder"])
    assert_allclose(line.get_ydata(), data["correlator"].sel(label="Dense").isel(time=1))
    assert ax.get_xlabel() == "disorder $W$"


@pytest.mark.parametrize(
    ("own", "name", "axis", "scale"),
    [
        (("laplace",), "autocorrelation", "laplace", "log"),
        (("beta",), "energy", "beta", "linear"),
        (("time", "observable"), "expectation", "time", "linear"),
        ((), "gap", "disorder", "linear"),
    ],
)
def test_every_kind_of_study_has_its_axis(own, name: str, axis: str, scale: str):
    data = collected(own, variable=name)
    ax = plot_study(data, Figure().subplots())
    assert_allclose(ax.get_lines()[0].get_xdata(), data[axis])
    assert ax.get_xscale() == scale


def test_a_panel_for_each_grid_point_and_one_across():
    data = collected()
    axes = [ax for ax in build_study_figure(data).axes if ax.axison]
    assert [ax.get_title() for ax in axes] == ["disorder = 1", "disorder = 2.5", "disorder = 4", "at time = 5"]
    assert axes[0].get_legend() is not None
    for k in range(3):
        assert_allclose(axes[k].get_lines()[0].get_ydata(), data["correlator"].isel(disorder=k, label=0))
    many = [ax for ax in build_study_figure(collected(num_disorders=40)).axes if ax.axison]
    assert len(many) == 10
    assert len(build_study_figure(data, against="time").axes) == 1


def test_names_and_values_of_dimensions_are_checked(tmp_path):
    data = collected(("time", "observable"), variable="expectation")
    ax = plot_study(data, Figure().subplots(), at={"observable": "Z0"})
    assert_allclose(ax.get_lines()[0].get_ydata(), data["expectation"].isel(disorder=-1, label=0, observable=0))
    for choice, words in (
        ({"variable": "x"}, "`variable`"),
        ({"against": "label"}, "`against`"),
        ({"at": {"colour": 1}}, "`at`"),
        ({"at": {"observable": "Y5"}}, "`at`"),
    ):
        with pytest.raises(qt.InputError, match=words):
            plot_study(data, Figure().subplots(), **choice)
    assert save_study_figure(data, tmp_path / "f.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(qt.FileError, match=r"\.png"):
        save_study_figure(data, tmp_path / "f.doc")
