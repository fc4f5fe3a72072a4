"""Pictures: every function takes a Dataset and a matplotlib Axes, draws, and returns the Axes."""

from qthermo.plotting.curves import plot_correlator, plot_laplace
from qthermo.plotting.demo import save_demo_figure
from qthermo.plotting.spread import plot_curve, plot_slopes, plot_spread

__all__ = ["plot_correlator", "plot_curve", "plot_laplace", "plot_slopes", "plot_spread", "save_demo_figure"]
