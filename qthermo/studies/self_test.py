"""A self-test of all engines in a few seconds, against numbers that are known exactly."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qthermo.circuits.trotter_circuit import TrotterCircuit
from qthermo.exact.dense import Dense
from qthermo.exact.krylov import Krylov
from qthermo.master_equation.davies import Davies
from qthermo.master_equation.kms_jumps import KMSJumps
from qthermo.models import SpinModel, matrix_bath, spin_chain
from qthermo.operators import PauliSum
from qthermo.problems import Autocorrelation, Evolution, GroundState, MixingGap, Problem, Propagator, Relaxation
from qthermo.solve import Method, run_method
from qthermo.tensor_network.dmrg import DMRG
from qthermo.tensor_network.heisenberg_tebd import HeisenbergTEBD
from qthermo.tensor_network.light_cone_contraction import LightConeContraction
from qthermo.tensor_network.purified_tebd import PurifiedTEBD
from qthermo.tensor_network.tdvp import TDVP
from qthermo.theory.cavity_diffuson import CavityDiffuson

if TYPE_CHECKING:
    from qthermo.answers import Answer

__all__ = ["FreeChain", "SelfTest", "SelfTestResult", "list_self_tests", "run_self_tests"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeChain:
    """H = sum_j h_j Z_j + sum_j J_j X_j X_{j+1}, solved exactly as free Majorana fermions.

    With c = (a_0, b_0, a_1, b_1, ...), a_j = (prod_{k<j} Z_k) X_j, b_j = (prod_{k<j} Z_k) Y_j, it is
    H = -i sum_k t_k c_k c_{k+1} with t = (h_0, J_0, h_1, ...), so that c(t) = exp(M t) c.

    Reference: P. Pfeuty, Annals of Physics 57, 79 (1970).
    """

    fields: tuple[float, ...] = (0.5, 0.3, -0.4, 0.2, 0.6)
    bonds: tuple[float, ...] = (0.5, 0.9, 1.1, 0.8)

    @property
    def model(self) -> SpinModel:
        """The chain as a model; site 0 is the thermometer."""
        terms = [(h, {j: "Z"}) for j, h in enumerate(self.fields)]
        terms += [(J, {j: "X", j + 1: "X"}) for j, J in enumerate(self.bonds)]
        return spin_chain(hamiltonian=PauliSum.from_letters(terms))

    @property
    def energies(self) -> NDArray[np.float64]:
        """Energies e of the fermions: those of the chain are the sums of +-e."""
        found: NDArray[np.float64] = np.sort(np.abs(np.linalg.eigvalsh(1j * self._generator())) / 2)[::2]
        return found

    def autocorrelation(self, times: Sequence[float]) -> NDArray[np.float64]:
        """C(t) = Tr[Z_0(t) Z_0] / 2^n."""
        return np.array([R[0, 0] * R[1, 1] - R[0, 1] * R[1, 0] for R in map(self._rotation, times)])

    def polarisation(self, times: Sequence[float]) -> NDArray[np.float64]:
        """<Z_0(t)> from all spins up."""
        rotations = map(self._rotation, times)
        return np.array([R[0, ::2] @ R[1, 1::2] - R[0, 1::2] @ R[1, ::2] for R in rotations])

    def thermal_energy(self, beta: float) -> float:
        """Tr[H exp(-beta H)] / Z."""
        return -float(self.energies @ np.tanh(beta * self.energies))

    def _generator(self) -> NDArray[np.float64]:
        steps = np.zeros(2 * len(self.fields) - 1)
        steps[::2], steps[1::2] = self.fields, self.bonds
        return 2 * (np.diag(steps, -1) - np.diag(steps, 1))

    def _rotation(self, t: float) -> NDArray[np.float64]:
        values, vectors = np.linalg.eigh(1j * self._generator())
        rotation: NDArray[np.float64] = ((vectors * np.exp(-1j * values * t)) @ vectors.conj().T).real
        return rotation


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """One question with a known answer.

    Args:
        engine: the part of the package that is tried.
        problem: the question.
        method: who answers it.
        variable: what of the answer is compared; its last values, as many as `exact` has.
        exact: the known values.
        tolerance: the largest deviation accepted.
    """

    engine: str
    problem: Problem
    method: Method
    variable: str
    exact: NDArray[np.float64]
    tolerance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestResult:
    """What a self-test found: the deviation, or the words of what went wrong."""

    test: SelfTest
    deviation: float
    seconds: float
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether the answer came and lies within the tolerance."""
        return not self.problem and self.deviation <= self.test.tolerance


def list_self_tests() -> list[SelfTest]:
    """Return the self-tests of all engines."""
    return [*_chain_tests(), *_pair_tests(), *_thermal_tests()]


def _chain_tests() -> Iterator[SelfTest]:
    """Yield tests on a free chain of five spins: C(t), <Z_0(t)> and the ground state."""
    chain, times = FreeChain(), (0.5, 1.0)
    correlator = Autocorrelation(chain.model, times=np.array(times))
    for engine, method, tolerance in (
        ("exact", Dense(), 1e-10),
        ("tensor_network", HeisenbergTEBD(), 1e-4),
        ("tensor_network", PurifiedTEBD(), 1e-4),
        ("circuits", TrotterCircuit(time_step=0.05), 3e-3),
    ):
        yield _test(engine, correlator, method, "correlator", chain.autocorrelation(times), tolerance)
    short, early = FreeChain(fields=chain.fields[:3], bonds=chain.bonds[:2]), times[:1]
    contraction = LightConeContraction(optimizer="auto")  # three spins, few gates: nothing is to be compiled
    for evolved, moments, network, tolerance in ((chain, times, TDVP(), 1e-3), (short, early, contraction, 1e-2)):
        evolution = Evolution(evolved.model, times=np.array(moments), initial_state="0" * len(evolved.fields))
        yield _test("tensor_network", evolution, network, "expectation", evolved.polarisation(moments), tolerance)
    ground = np.array([-chain.energies.sum()])
    yield _test("exact", GroundState(chain.model), Dense(), "energy", ground, 1e-10)
    yield _test("tensor_network", GroundState(chain.model), DMRG(), "energy", ground, 1e-6)


def _pair_tests() -> Iterator[SelfTest]:
    """Yield tests on two coupled levels, a tree, where cavity equation and edge closure are exact."""
    laplace, energy = np.array([0.5, 1.0]), 0.2
    levels = two_level_propagator(0.6, 0.5, energy, laplace)
    contrast = (np.array([[1, -1], [-1, 1]]) * levels).sum((1, 2)) / levels.sum((1, 2))
    spins = spin_chain(hamiltonian=PauliSum.from_text("0.3 Z0 + 0.5 X0 X1"))
    single = matrix_bath(bath_energies=np.zeros(1), coupling_matrix=np.array([[0.5]]), splitting=0.6)
    on_spins, on_levels = (Propagator(m, energies=np.array([energy]), laplace=laplace) for m in (spins, single))
    yield _test("exact", on_spins, Krylov(num_vectors=2), "autocorrelation", contrast, 1e-3)
    yield _test("theory", on_levels, CavityDiffuson(closure="edge"), "propagator", levels, 1e-6)


def _thermal_tests() -> Iterator[SelfTest]:
    """Yield tests of generators: a gap of one spin, and the energy of the Gibbs state of two."""
    spin, pair = spin_chain(hamiltonian=PauliSum.from_text("0.5 Z0")), FreeChain(fields=(0.5, 0.3), bonds=(0.6,))
    gap = MixingGap(spin, beta=1.0, couplings="X")
    yield _test("master_equation", gap, Davies(), "gap", np.array([0.5]), 1e-8)
    cooled = Relaxation(pair.model, beta=1.0, times=np.array([60.0]))
    thermal = np.array([pair.thermal_energy(1.0)])
    yield _test("master_equation", cooled, KMSJumps(), "energy", thermal, 1e-6)


def _test(
    engine: str, problem: Problem, method: Method, variable: str, exact: NDArray[np.float64], tolerance: float
) -> SelfTest:
    return SelfTest(engine=engine, problem=problem, method=method, variable=variable, exact=exact, tolerance=tolerance)


def two_level_propagator(
    splitting: float, coupling: float, energy: float, laplace: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return |<b| 1/(E + i s/2 - H) |a>|^2 of H = (splitting/2) Z + coupling X, shape (laplace, 2, 2)."""
    z = energy + 0.5j * laplace
    determinant = z**2 - splitting**2 / 4 - coupling**2
    resolvent = np.array(
        [[z + splitting / 2, np.full_like(z, coupling)], [np.full_like(z, coupling), z - splitting / 2]]
    )
    values: NDArray[np.float64] = np.abs(resolvent / determinant) ** 2
    return values.transpose(2, 0, 1)


def run_self_tests(tests: Sequence[SelfTest]) -> Iterator[SelfTestResult]:
    """Run self-tests one by one; an engine that raises is a failed test, not the end."""
    for test in tests:
        start = time.perf_counter()
        deviation, words = float("nan"), ""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answer = run_method(test.problem, test.method).answer
            deviation = _deviation(answer, test)
        except Exception as problem:  # a broken installation may raise anything; the doctor must go on
            words = f"{type(problem).__name__}: {problem}"
        yield SelfTestResult(test=test, deviation=deviation, seconds=time.perf_counter() - start, problem=words)


def _deviation(answer: Answer, test: SelfTest) -> float:
    found = np.ravel(answer.variables[test.variable].values)[-test.exact.size :]
    return float(np.abs(found - np.ravel(test.exact)).max())
