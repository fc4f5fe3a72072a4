"""`Dense`: exact diagonalisation, the judge of every other method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from qthermo.answers import Answer
from qthermo.exact.autocorrelation import thermal_autocorrelation
from qthermo.exact.band_dynamics import exact_band_dynamics, largest_component
from qthermo.exact.evolution import exact_evolution, nearest_energy
from qthermo.exact.operator_spread import exact_operator_spread
from qthermo.exact.propagator import exact_propagator
from qthermo.exact.spectrum import block_dimensions, diagonalise_blocks, ground_energy, thermal_sums
from qthermo.exact.structure_factor import exact_structure_factor
from qthermo.exact.wave_packet import exact_wave_packet
from qthermo.problems import (
    Autocorrelation,
    BandDynamics,
    Evolution,
    ExcitedState,
    GroundState,
    OperatorSpread,
    Problem,
    Propagator,
    StructureFactor,
    ThermalState,
    WavePacket,
    autocorrelation_answer,
    evolution_answer,
    ground_state_answer,
    propagator_answer,
    structure_factor_answer,
    thermal_answer,
)
from qthermo.progress import Progress

__all__ = ["Dense"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """Exact diagonalisation of H, block by block where Pauli-string symmetries or selection rules split it.

    The spectrum is found once; every time, energy and Laplace value is then a product of matrices.

    Errors: rounding only, about 1e-12 times the norm of H times t.
    Cost: (largest block dimension D)^3 for the spectrum, D^2 per time, energy or Laplace value;
    memory about 5 D^2 numbers.
    """

    answers: ClassVar[tuple[type, ...]] = (
        Autocorrelation,
        Evolution,
        Propagator,
        GroundState,
        ExcitedState,
        StructureFactor,
        ThermalState,
        OperatorSpread,
        BandDynamics,
        WavePacket,
    )

    def check(self, problem: Problem) -> None:
        """Accept every model."""

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        if isinstance(problem, BandDynamics):
            samples = 8.0 * problem.num_states * problem.times.size * problem.model.num_configurations
            states = 16.0 * problem.num_states * problem.model.dimension
            return 16.0 * 6 * largest_component(problem) ** 2 + 2 * samples + 3 * states
        if isinstance(problem, WavePacket):
            return 16.0 * 5 * problem.model.dimension**2
        if isinstance(problem, Propagator | Evolution | ExcitedState | OperatorSpread):
            largest, copies = problem.model.dimension, 8.0
            copies *= 4.0 if isinstance(problem, Evolution) and problem.jump_operators else 1.0
        else:
            largest, copies = max(block_dimensions(problem.model)), 5.0
        return copies * 8.0 * largest**2

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Diagonalise and evaluate."""
        if isinstance(problem, Autocorrelation):
            return _autocorrelation(problem, progress)
        if isinstance(problem, BandDynamics):
            return exact_band_dynamics(problem, progress)
        if isinstance(problem, WavePacket):
            return exact_wave_packet(problem, progress)
        if isinstance(problem, Propagator):
            return _propagator(problem, progress)
        if isinstance(problem, Evolution):
            return evolution_answer(problem, exact_evolution(problem, progress))
        if isinstance(problem, ExcitedState):
            return ground_state_answer(nearest_energy(problem))
        if isinstance(problem, StructureFactor):
            return structure_factor_answer(problem, exact_structure_factor(problem))
        if isinstance(problem, OperatorSpread):
            progress(0.0, "spectrum")
            return exact_operator_spread(problem)
        if isinstance(problem, ThermalState):
            progress(0.0, "spectrum")
            return thermal_answer(problem, *thermal_sums(problem.model, problem.betas))
        progress(0.0, "ground state")
        return ground_state_answer(ground_energy(problem.model))


def _autocorrelation(problem: Autocorrelation, progress: Progress) -> Answer:
    blocks = diagonalise_blocks(problem.model, progress)
    values = thermal_autocorrelation(blocks, problem.times, problem.beta)
    return autocorrelation_answer(
        problem, values, diagnostics={"block_dimensions": [block.energies.size for block in blocks]}
    )


def _propagator(problem: Propagator, progress: Progress) -> Answer:
    progress(0.0, "diagonalising the bath")
    basis = problem.model.to_bath_eigenbasis()
    propagator, broadenings = exact_propagator(basis, *problem.points, progress)
    return propagator_answer(problem, basis, propagator, broadenings)
