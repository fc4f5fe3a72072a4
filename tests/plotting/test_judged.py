"""The lines under the curves are paired differences, with the standard error of the pairs."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from qthermo.plotting import plot_judged


@pytest.fixture
def axes():
    figure, pair = plt.subplots(2, 1)
    yield pair
    plt.close(figure)


def test_disorder_shared_with_the_judge_leaves_the_error_of_the_difference(axes):
    rng = np.random.default_rng(1)
    disorder, own = rng.standard_normal((50, 1)), 0.01 * rng.standard_normal((50, 3))
    exact = disorder + np.array([0.1, 0.2, 0.3])
    plot_judged({"W": {"exact": exact, "theory": exact + 0.5 + own}}, np.array([1.0, 2.0, 3.0]), *axes, judge="exact")
    line, _, (bars,) = axes[1].containers[0]
    np.testing.assert_allclose(line.get_ydata(), 0.5 + own.mean(axis=0), rtol=1e-12)
    lengths = [np.ptp(segment[:, 1]) / 2 for segment in bars.get_segments()]
    np.testing.assert_allclose(lengths, own.std(axis=0, ddof=1) / np.sqrt(50), rtol=1e-9)


def test_the_legend_names_groups_and_methods_once(axes):
    axes[0].plot([1, 2], [0, 0], label="limit")
    values = {name: np.ones((2, 2)) for name in ("edge", "exact", "averaged")}
    plot_judged({"N=1": values, "N=2": values}, np.array([1.0, 2.0]), *axes, judge="exact")
    words = [text.get_text() for text in axes[0].get_legend().get_texts()]
    assert words == ["limit", "N=1", "N=2", "exact", "edge", "averaged"]
    colors = {line.get_color() for line in axes[1].get_lines()} - {"black"}
    assert len(colors) == 2
