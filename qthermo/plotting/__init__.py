"""Pictures: every function takes a Dataset and a matplotlib Axes, draws, and returns the Axes."""

from qthermo.plotting.curves import plot_correlator, plot_laplace
from qthermo.plotting.demo import save_demo_figure

__all__ = ["plot_correlator", "plot_laplace", "save_demo_figure"]
