"""`AvalancheTheory`: D(O) predicted from the bare grain alone, for any number of localised spins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, Variable
from qthermo.checks import check_integer, check_real
from qthermo.errors import UnsupportedError
from qthermo.linalg.spectral_histograms import fold_weights, nearest_levels
from qthermo.models import GrainModel
from qthermo.problems import OperatorSpread, Problem, operator_spread_answer
from qthermo.progress import Progress
from qthermo.theory.avalanche import (
    broaden,
    hybridisation_parameter,
    hybridisation_width,
    log_ipr_of_spin,
    log_ipr_of_structure_factor,
    spin_structure_factor,
)

__all__ = ["AvalancheTheory"]

_MAX_GRAIN_SPINS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class AvalancheTheory:
    """The random-matrix theory of the avalanche, fed with density and structure factor of the bare grain.

    Spin after spin, G_i = g_i sqrt(v(2 h_i) rho_i) decides whether it thermalises; if it does, rho doubles, v becomes
    k*v*k with w_i = pi g_i^2 v(2 h_i), and X on it gets two peaks of half width 2 w_i. Then
    D(O) = log(rho / int v_O^2) - log 3 (log 2 for complex matrices), and 0 for spins that stay localised.

    Args:
        threshold: G from which on a spin counts as thermalised; D(O) of the grain gains half of log 2 at about 0.1.
        resolution: bin width of v, energy; None takes 1/40 of the grain's spectral width.
        num_states: grain eigenstates around the target energy over which v is averaged.

    Raises:
        InputError: an option is out of range.

    Errors: sharp where the truth is a crossover around G = 1; widths by the golden rule, back-reaction left out; v and
    rho of one small grain scatter by some ten per cent. The answer adds `coupling_parameter` and `width`, G_i and w_i.
    Cost: one eigendecomposition of the bare grain; the localised spins cost nothing.
    Reference: W. De Roeck, F. Huveneers, Phys. Rev. B 95, 155129 (2017), arXiv:1608.01815.
    """

    answers: ClassVar[tuple[type, ...]] = (OperatorSpread,)

    threshold: float = 0.1
    resolution: float | None = None
    num_states: int = 8

    def __post_init__(self) -> None:
        check_real("threshold", self.threshold, minimum=0, exclusive=True)
        if self.resolution is not None:
            check_real("resolution", self.resolution, minimum=0, exclusive=True)
        check_integer("num_states", self.num_states, minimum=1)

    def check(self, problem: Problem) -> None:
        """Accept grains of at most 12 spins."""
        model = problem.model
        if not isinstance(model, GrainModel):
            raise UnsupportedError("AvalancheTheory needs a grain with localised spins.")
        if model.num_grain_spins > _MAX_GRAIN_SPINS:
            raise UnsupportedError(
                f"AvalancheTheory needs a grain of at most {_MAX_GRAIN_SPINS} spins, but it has "
                f"{model.num_grain_spins}."
            )

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        model = problem.model
        return 16.0 * 8 * 4.0**model.num_grain_spins if isinstance(model, GrainModel) else 0.0

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Diagonalise the bare grain, then walk along the localised spins."""
        model = problem.model
        if not isinstance(problem, OperatorSpread) or not isinstance(model, GrainModel):
            raise UnsupportedError(f"AvalancheTheory answers OperatorSpread of a grain, not {type(problem).__name__}.")
        progress(0.0, "bare grain")
        bare = BareGrain.from_model(model, problem.energy, self)
        parameters, widths, density = self._walk(model, bare)
        thermal = parameters > self.threshold
        broadening = float(widths[thermal].sum())
        values = []
        for name in problem.operators:
            site = model.find_site(name)
            if site < model.num_grain_spins:
                factor = bare.structure_factor(site)
                if broadening > 0 and model.layout == "lioms":
                    factor = broaden(factor, bare.omega, broadening)
                values.append(log_ipr_of_structure_factor(factor, bare.omega, density, is_real=bare.is_real))
            else:
                i = site - model.num_grain_spins
                inside = log_ipr_of_spin(float(widths[i]), density, is_real=bare.is_real) if thermal[i] else 0.0
                values.append(max(inside, 0.0))
        answer = operator_spread_answer(
            problem, np.tile(values, (problem.count, 1)), None,
            diagnostics={"num_thermalised": int(thermal.sum()), "density": float(density)},
        )  # fmt: skip
        spins = {
            "coupling_parameter": Variable(("liom",), parameters, "1", "G of each localised spin"),
            "width": Variable(("liom",), widths, "energy", "half width w of the hybridisation curve"),
        }
        return Answer(
            variables={**answer.variables, **spins},
            coordinates={**answer.coordinates, "liom": np.arange(1, model.num_lioms + 1)},
            diagnostics=answer.diagnostics,
        )

    def _walk(self, model: GrainModel, bare: BareGrain) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Return G_i and w_i of all localised spins and the density of states of the thermal region."""
        density, factor = bare.density, bare.structure_factor(model.num_grain_spins - 1)
        parameters, widths = np.empty((2, model.num_lioms))
        for i, (h, g) in enumerate(zip(model.fields, model.couplings, strict=True)):
            value = float(np.interp(2 * h, bare.omega, factor))
            parameters[i] = hybridisation_parameter(g, value, density)
            widths[i] = max(hybridisation_width(g, value), 1e-300)
            if parameters[i] <= self.threshold:
                if model.layout == "spins":  # what lies behind a localised spin sees no bath
                    parameters[i + 1 :], widths[i + 1 :] = 0.0, 1e-300
                    break
                continue
            density *= 2
            if model.layout == "spins":
                factor = spin_structure_factor(bare.omega, h, max(widths[i], bare.omega[1] - bare.omega[0]))
            else:
                factor = broaden(factor, bare.omega, widths[i])
        return parameters, widths, density


@dataclass(frozen=True, slots=True, eq=False)
class BareGrain:
    """Eigenbasis of the grain around an energy, as the theory needs it."""

    energies: NDArray[np.float64]
    vectors: NDArray[np.complex128]
    chosen: NDArray[np.intp]
    edges: NDArray[np.float64]
    num_spins: int

    @staticmethod
    def from_model(model: GrainModel, energy: float, method: AvalancheTheory) -> BareGrain:
        """Diagonalise H_G."""
        energies, vectors = np.linalg.eigh(model.grain_matrix)
        width = float(np.ptp(energies))
        step = width / 40 if method.resolution is None else method.resolution
        bins = 2 * int(np.ceil(1.25 * width / step)) + 1
        edges = np.asarray((np.arange(bins + 1) - bins / 2) * step, np.float64)
        chosen = nearest_levels(energies, energy, min(method.num_states, energies.size))
        return BareGrain(energies, vectors, chosen, edges, model.num_grain_spins)

    @property
    def omega(self) -> NDArray[np.float64]:
        """Centres of the bins, from below -1.25 to above 1.25 spectral widths."""
        return (self.edges[1:] + self.edges[:-1]) / 2

    @property
    def is_real(self) -> bool:
        """Whether the grain's matrix is real."""
        return not np.iscomplexobj(self.vectors)

    @property
    def density(self) -> float:
        """Levels per energy within an eighth of the spectral width around the target."""
        centre, reach = self.energies[self.chosen[0]], np.ptp(self.energies) / 8
        return float(max(1, np.sum(np.abs(self.energies - centre) <= reach)) / (2 * reach))

    def structure_factor(self, site: int) -> NDArray[np.float64]:
        """Return v(omega) of X on a grain spin, averaged over the chosen states and made even, int v = 1."""
        states = self.vectors[:, self.chosen]
        image = states[np.arange(len(self.energies)) ^ (1 << (self.num_spins - 1 - site))]
        weights = np.abs(self.vectors.conj().T @ image) ** 2
        gaps = self.energies[:, None] - self.energies[self.chosen]
        density = fold_weights(gaps.ravel(), weights.ravel() / self.chosen.size, self.edges)
        return (density + density[::-1]) / 2
