"""Figures are written whole, in the format of their ending, and let go of."""

from __future__ import annotations

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

import qthermo as qt
from qthermo.plotting import save_figure


@pytest.mark.parametrize(
    ("name", "start"), [("f.png", b"\x89PNG"), ("f.pdf", b"%PDF"), ("f.svg", b"<?xml"), ("plain", b"\x89PNG")]
)
def test_the_ending_chooses_the_format(tmp_path, name, start):
    figure = Figure()
    figure.subplots().plot([0, 1], [1, 0])
    path = save_figure(figure, str(tmp_path / name))
    assert path == tmp_path / name
    assert path.read_bytes().startswith(start)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_bad_ending_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "f.doc"
    path.write_text("kept")
    with pytest.raises(qt.FileError, match=r"\.png"):
        save_figure(Figure(), path)
    assert path.read_text() == "kept"
    with pytest.raises(qt.FileError, match="writable"):
        save_figure(Figure(), tmp_path / "nowhere" / "f.png")


def test_figures_of_pyplot_are_closed(tmp_path):
    mpl.use("Agg")
    from matplotlib import pyplot

    saved, other = pyplot.figure(), pyplot.figure()
    save_figure(saved, tmp_path / "f.png")
    assert not pyplot.fignum_exists(saved.number)
    assert pyplot.fignum_exists(other.number)
    pyplot.close(other)
