"""Models: a thermometer, a bath and their coupling; one file a family, `sample_` draws from its ensemble."""

from qthermo.models.all_to_all_ising import all_to_all_ising, sample_all_to_all_ising
from qthermo.models.anderson_lattice import AndersonLatticeModel, anderson_lattice, sample_anderson_lattice
from qthermo.models.band_chain import BandChainModel, band_chain, sample_band_chain
from qthermo.models.band_matrix import BandMatrixModel, band_matrix, sample_band_matrix
from qthermo.models.band_space import Band
from qthermo.models.bath_eigenbasis import BathEigenbasis
from qthermo.models.ergodic_grain import GrainModel, ergodic_grain
from qthermo.models.grain_ensembles import sample_ergodic_grain
from qthermo.models.imbrie_chain import imbrie_chain, sample_imbrie_chain
from qthermo.models.matrix_bath import matrix_bath, sample_levy_bath
from qthermo.models.model import MatrixModel, Model, SpinModel, check_model
from qthermo.models.spin_chain import spin_chain
from qthermo.models.thermometer import Thermometer

__all__ = [
    "AndersonLatticeModel",
    "AnyModel",
    "Band",
    "BandChainModel",
    "BandMatrixModel",
    "BathEigenbasis",
    "GrainModel",
    "MatrixModel",
    "Model",
    "SpinModel",
    "Thermometer",
    "all_to_all_ising",
    "anderson_lattice",
    "band_chain",
    "band_matrix",
    "check_model",
    "ergodic_grain",
    "imbrie_chain",
    "matrix_bath",
    "sample_all_to_all_ising",
    "sample_anderson_lattice",
    "sample_band_chain",
    "sample_band_matrix",
    "sample_ergodic_grain",
    "sample_imbrie_chain",
    "sample_levy_bath",
    "spin_chain",
]

AnyModel = Model | GrainModel | BandChainModel | AndersonLatticeModel | BandMatrixModel
"""Every model of the package; `Model` are those with a thermometer."""
