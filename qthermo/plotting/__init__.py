"""Pictures: a `plot_` function takes data and a matplotlib Axes, draws, and returns the Axes."""

from qthermo.plotting.curves import plot_correlator, plot_laplace
from qthermo.plotting.demo import save_demo_figure
from qthermo.plotting.judged import plot_judged
from qthermo.plotting.results import build_result_figure, draw_result
from qthermo.plotting.saving import save_figure
from qthermo.plotting.spread import plot_curve, plot_slopes, plot_spread
from qthermo.plotting.studies import build_study_figure, plot_study, save_study_figure

__all__ = [
    "build_result_figure",
    "build_study_figure",
    "draw_result",
    "plot_correlator",
    "plot_curve",
    "plot_judged",
    "plot_laplace",
    "plot_slopes",
    "plot_spread",
    "plot_study",
    "save_demo_figure",
    "save_figure",
    "save_study_figure",
]
