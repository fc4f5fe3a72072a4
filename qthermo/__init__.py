"""qthermo: predict, simulate and check how a small thermometer thermalises with a quantum many-body bath.

`solve(problem, method)` answers every question; see the README for a first example.
"""

from importlib.metadata import version

from qthermo import models
from qthermo.errors import (
    FileError,
    InputError,
    MemoryRefusedError,
    NotConvergedError,
    NotConvergedWarning,
    QThermoError,
    UnsupportedError,
    ValidityWarning,
)
from qthermo.exact.dense import Dense
from qthermo.models import Thermometer
from qthermo.operators import PauliString, PauliSum
from qthermo.problems import Autocorrelation, GroundState, Propagator
from qthermo.results import load_result, save_result
from qthermo.solve import solve
from qthermo.tensor_network.heisenberg_tebd import HeisenbergTEBD
from qthermo.theory.cavity_diffuson import CavityDiffuson
from qthermo.theory.golden_rule import GoldenRule
from qthermo.theory.population_dynamics import PopulationDynamics
from qthermo.theory.structure_factor import StructureFactor

__version__ = version("qthermo")

__all__ = [
    "Autocorrelation",
    "CavityDiffuson",
    "Dense",
    "FileError",
    "GoldenRule",
    "GroundState",
    "HeisenbergTEBD",
    "InputError",
    "MemoryRefusedError",
    "NotConvergedError",
    "NotConvergedWarning",
    "PauliString",
    "PauliSum",
    "PopulationDynamics",
    "Propagator",
    "QThermoError",
    "StructureFactor",
    "Thermometer",
    "UnsupportedError",
    "ValidityWarning",
    "load_result",
    "models",
    "save_result",
    "solve",
]
