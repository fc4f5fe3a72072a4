"""What can be asked: a problem is a value that says what is wanted of which model; one file holds it and its answer."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args

from qthermo.models.model import record
from qthermo.problems.autocorrelation import Autocorrelation, autocorrelation_answer
from qthermo.problems.band_dynamics import BandDynamics, band_answer, subunit_answer
from qthermo.problems.eigenstate import ExcitedState, GroundState, ground_state_answer
from qthermo.problems.evolution import Evolution, evolution_answer
from qthermo.problems.mixing_gap import MixingGap, gap_answer
from qthermo.problems.operator_spread import OperatorSpread, operator_spread_answer
from qthermo.problems.propagator import Propagator, propagator_answer
from qthermo.problems.relaxation import Relaxation, relaxation_answer
from qthermo.problems.structure_factor import StructureFactor, structure_factor_answer
from qthermo.problems.thermal_state import ThermalState, thermal_answer
from qthermo.problems.wave_packet import WavePacket, wave_packet_answer

__all__ = [
    "PROBLEMS",
    "Autocorrelation",
    "BandDynamics",
    "Evolution",
    "ExcitedState",
    "GroundState",
    "MixingGap",
    "OperatorSpread",
    "Problem",
    "Propagator",
    "Relaxation",
    "StructureFactor",
    "ThermalState",
    "WavePacket",
    "autocorrelation_answer",
    "band_answer",
    "evolution_answer",
    "gap_answer",
    "ground_state_answer",
    "operator_spread_answer",
    "problem_parameters",
    "propagator_answer",
    "relaxation_answer",
    "structure_factor_answer",
    "subunit_answer",
    "thermal_answer",
    "wave_packet_answer",
]

Problem = (
    Autocorrelation
    | Evolution
    | Propagator
    | GroundState
    | ExcitedState
    | StructureFactor
    | ThermalState
    | MixingGap
    | Relaxation
    | OperatorSpread
    | BandDynamics
    | WavePacket
)
PROBLEMS: tuple[type[Problem], ...] = get_args(Problem)


def problem_parameters(problem: Problem) -> dict[str, Any]:
    """Return the problem's fields, but for the model, as JSON values."""
    return {f.name: record(getattr(problem, f.name)) for f in fields(problem) if f.name != "model"}
