"""qthermo: predict, simulate and check how a small thermometer thermalises with a quantum many-body bath.

`solve(problem, method)` answers every question; see the README for a first example.
"""

from importlib.metadata import version

from qthermo import models
from qthermo.circuits.collision_circuit import CollisionCircuit
from qthermo.circuits.dilation_circuit import DilationCircuit
from qthermo.circuits.trotter_circuit import TrotterCircuit
from qthermo.errors import (
    ExecutionError,
    FileError,
    InputError,
    MemoryRefusedError,
    NotConvergedError,
    NotConvergedWarning,
    QThermoError,
    UnsupportedError,
    ValidityWarning,
)
from qthermo.exact.chebyshev import Chebyshev
from qthermo.exact.dense import Dense
from qthermo.exact.kpm_spread import KPMSpread
from qthermo.exact.krylov import Krylov
from qthermo.exact.lanczos_spread import LanczosSpread
from qthermo.master_equation.coarse_grained import CoarseGrained
from qthermo.master_equation.davies import Davies
from qthermo.master_equation.kms_jumps import KMSJumps
from qthermo.models import Thermometer
from qthermo.operators import PauliString, PauliSum
from qthermo.problems import (
    Autocorrelation,
    BandDynamics,
    Evolution,
    ExcitedState,
    GroundState,
    MixingGap,
    OperatorSpread,
    Propagator,
    Relaxation,
    StructureFactor,
    ThermalState,
    WavePacket,
)
from qthermo.results import average_results, load_result, save_result
from qthermo.solve import solve
from qthermo.studies import Study, collect_study, compare_methods, load_study, parse_study, run_study, show
from qthermo.tensor_network.dmrg import DMRG
from qthermo.tensor_network.dmrgx import DMRGX
from qthermo.tensor_network.heisenberg_tebd import HeisenbergTEBD
from qthermo.tensor_network.influence_functional import InfluenceFunctional
from qthermo.tensor_network.light_cone_contraction import LightConeContraction
from qthermo.tensor_network.purified_tebd import PurifiedTEBD
from qthermo.tensor_network.tdvp import TDVP
from qthermo.theory.avalanche_theory import AvalancheTheory
from qthermo.theory.band_ladder import BandLadder
from qthermo.theory.bath_spectrum import BathSpectrum
from qthermo.theory.cavity_diffuson import CavityDiffuson
from qthermo.theory.golden_rule import GoldenRule
from qthermo.theory.hilbert_average import RateEquation
from qthermo.theory.population_dynamics import PopulationDynamics

__version__ = version("qthermo")

__all__ = [
    "DMRG",
    "DMRGX",
    "TDVP",
    "Autocorrelation",
    "AvalancheTheory",
    "BandDynamics",
    "BandLadder",
    "BathSpectrum",
    "CavityDiffuson",
    "Chebyshev",
    "CoarseGrained",
    "CollisionCircuit",
    "Davies",
    "Dense",
    "DilationCircuit",
    "Evolution",
    "ExcitedState",
    "ExecutionError",
    "FileError",
    "GoldenRule",
    "GroundState",
    "HeisenbergTEBD",
    "InfluenceFunctional",
    "InputError",
    "KMSJumps",
    "KPMSpread",
    "Krylov",
    "LanczosSpread",
    "LightConeContraction",
    "MemoryRefusedError",
    "MixingGap",
    "NotConvergedError",
    "NotConvergedWarning",
    "OperatorSpread",
    "PauliString",
    "PauliSum",
    "PopulationDynamics",
    "Propagator",
    "PurifiedTEBD",
    "QThermoError",
    "RateEquation",
    "Relaxation",
    "StructureFactor",
    "Study",
    "ThermalState",
    "Thermometer",
    "TrotterCircuit",
    "UnsupportedError",
    "ValidityWarning",
    "WavePacket",
    "average_results",
    "collect_study",
    "compare_methods",
    "load_result",
    "load_study",
    "models",
    "parse_study",
    "run_study",
    "save_result",
    "show",
    "solve",
]
