"""What can be asked: each problem is a value that says what is wanted of which model, and nothing of how."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.checks import check_ascending, check_finite_array, check_hermitian, check_real, frozen
from qthermo.errors import InputError
from qthermo.models import MatrixModel, Model, SpinModel
from qthermo.models.model import record
from qthermo.operators import PauliString, PauliSum

__all__ = [
    "Autocorrelation",
    "Evolution",
    "ExcitedState",
    "GroundState",
    "MixingGap",
    "Problem",
    "Propagator",
    "Relaxation",
    "StructureFactor",
    "ThermalState",
    "problem_parameters",
]


def _check_model_type(model: object) -> None:
    if not isinstance(model, SpinModel | MatrixModel):
        raise InputError(f"Argument `model` must be made by qthermo.models, but is a {type(model).__name__}.")


@dataclass(frozen=True, slots=True, eq=False)
class Autocorrelation:
    """The thermometer's autocorrelation C(t) = Tr[rho Z_0(t) Z_0], Z_0(t) = e^{iHt} Z_0 e^{-iHt}, rho = e^{-beta H}/Z.

    Args:
        model: the model.
        times: t >= 0, ascending, in units of 1/energy (hbar = 1).
        beta: inverse temperature >= 0, in units of 1/energy; 0 is infinite temperature, where C(t) is real.

    Raises:
        InputError: times do not ascend or are negative or not finite, or beta is negative.

    The answer holds `correlator` (time,), and `stderr`, `truncation_error`, `trotter_error` where the method has them.
    """

    model: Model
    times: NDArray[np.float64] = field(kw_only=True)
    beta: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        _check_model_type(self.model)
        object.__setattr__(self, "times", check_ascending("times", self.times))
        object.__setattr__(self, "beta", check_real("beta", self.beta, minimum=0))


@dataclass(frozen=True, slots=True, eq=False)
class Propagator:
    """The joint propagator of thermometer populations, P_ab(E,s) = sum_ij |G_{(ia),(jb)}(E + i s/2)|^2.

    G(z) = (z - H)^-1; i, j run over bath states, a, b over thermometer levels (level 0 has Z = +1 for a spin).

    Args:
        model: the model.
        energies: E, shape (num_energies,), energy.
        laplace: s, real and positive or complex with positive real part, shape (num_laplace,), in units of energy; the
            convention is int_0^inf dt e^{-st}. At complex s the second G of P_ab is taken at (E - is/2)^*.
        energy_window: standard deviation of a Gaussian p(E) around each energy, over which P_ab is averaged; the
            density of states at E decides the temperature that the thermometer is to reach.

    Raises:
        InputError: an energy is not finite, a Laplace variable has no positive real part, or the window is negative.

    The answer holds `propagator` (energy, laplace, initial, final), `autocorrelation` c(E,s) =
    sum_ab z_a z_b P_ab / sum_ab P_ab (energy, laplace), and the distribution of the level broadenings Gamma_k =
    -Im Sigma_k(E + is/2): `typical_broadening` exp <log Gamma>, `mean_broadening`, `broadening_quantile` (energy,
    laplace, quantile) and `broadening_histogram` (energy, laplace, log10_broadening), a density over log10 Gamma.

    Reference: A. V. Lunkin, arXiv:2603.12234.
    """

    model: Model
    energies: NDArray[np.float64] = field(kw_only=True)
    laplace: NDArray[Any] = field(kw_only=True)
    energy_window: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        _check_model_type(self.model)
        object.__setattr__(self, "energy_window", check_real("energy_window", self.energy_window, minimum=0))
        for name in ("energies", "laplace"):
            given = np.atleast_1d(np.asarray(getattr(self, name)))
            values = check_finite_array(name, given, ndim=1, complex_allowed=name == "laplace")
            if values.size == 0:
                raise InputError(f"Argument `{name}` must hold at least one value, but is empty.")
            object.__setattr__(self, name, frozen(values))
        least = float(self.laplace.real.min())
        if least <= 0:
            raise InputError(
                f"Argument `laplace` must be positive (if complex: its real part), but is {least:g} somewhere."
            )

    @property
    def window_nodes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Offsets and weights of the average over the window, at most Re(s)/2 apart (P is analytic on that scale)."""
        if self.energy_window == 0:
            return np.zeros(1), np.ones(1)
        spacing = min(float(self.laplace.real.min()) / 2, self.energy_window / 2)
        half = math.ceil(5 * self.energy_window / spacing)
        offsets = spacing * np.arange(-half, half + 1)
        weights = np.exp(-0.5 * (offsets / self.energy_window) ** 2)
        normalised: NDArray[np.float64] = weights / weights.sum()
        return np.asarray(offsets, np.float64), normalised

    @property
    def points(self) -> tuple[NDArray[np.float64], NDArray[Any]]:
        """All points (E, s) to solve, as two flat arrays in the order (energy, laplace, window node)."""
        offsets, _ = self.window_nodes
        energies, laplace, shift = np.meshgrid(self.energies, self.laplace, offsets, indexing="ij")
        return (energies + shift).ravel(), laplace.ravel()


@dataclass(frozen=True, slots=True, eq=False)
class GroundState:
    """The ground-state energy of H.

    Args:
        model: the model.

    The answer holds `energy`, a scalar.
    """

    model: Model

    def __post_init__(self) -> None:
        _check_model_type(self.model)


@dataclass(frozen=True, slots=True, eq=False)
class Evolution:
    """Expectation values Tr[rho(t) O] from a product state, with or without dissipation.

    d rho/dt = -i [H, rho] + sum_k r_k (L_k rho L_k^dag - {L_k^dag L_k, rho}/2).

    Args:
        model: a model of spins.
        times: t >= 0, ascending, in units of 1/energy.
        initial_state: one letter per site, site 0 first: "0" (Z = 1), "1" (Z = -1), "+" or "-" (X = 1 or -1).
        observables: named Hermitian Pauli sums; by default Z of the thermometer.
        jump_operators: pairs (r_k, L_k) of a rate >= 0, in units of energy, and a Pauli sum.

    Raises:
        InputError: a field does not fit the model or is out of range.

    The answer holds `expectation` (time, observable), and error estimates of that shape where the method has them.
    """

    model: SpinModel
    times: NDArray[np.float64] = field(kw_only=True)
    initial_state: str = field(kw_only=True)
    observables: Mapping[str, PauliSum] = field(default_factory=lambda: {"Z0": PauliSum.pauli("Z", 0)}, kw_only=True)
    jump_operators: tuple[tuple[float, PauliSum], ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        _check_model_type(self.model)
        if not isinstance(self.model, SpinModel):
            raise InputError("Argument `model` must be a model of spins, but is given by matrices.")
        object.__setattr__(self, "times", check_ascending("times", self.times))
        _check_product_state(self.initial_state, self.model.num_sites)
        observables = MappingProxyType(dict(self.observables))
        for name, operator in observables.items():
            _check_operator(f"observables[{name!r}]", operator, self.model.num_sites)
            if not operator.is_hermitian:
                raise InputError(f"Argument `observables[{name!r}]` must be Hermitian, but has complex coefficients.")
        object.__setattr__(self, "observables", observables)
        jumps = tuple((check_real("rate", rate, minimum=0), jump) for rate, jump in self.jump_operators)
        for k, (_, jump) in enumerate(jumps):
            _check_operator(f"jump_operators[{k}]", jump, self.model.num_sites)
        object.__setattr__(self, "jump_operators", jumps)


def _check_product_state(letters: object, num_sites: int) -> None:
    if not isinstance(letters, str) or len(letters) != num_sites or set(letters) - set("01+-"):
        raise InputError(f"Argument `initial_state` must be {num_sites} letters of 0, 1, + and -, but is {letters!r}.")


def _check_operator(name: str, operator: object, num_sites: int) -> None:
    if not isinstance(operator, PauliSum):
        raise InputError(f"Argument `{name}` must be a PauliSum, but is a {type(operator).__name__}.")
    if operator.num_sites > num_sites:
        raise InputError(f"Argument `{name}` must act on sites below {num_sites}, but acts on {operator.sites[-1]}.")


@dataclass(frozen=True, slots=True, eq=False)
class StructureFactor:
    """The spectrum of the bath operator B that the thermometer couples to, at infinite temperature.

    With V = P_0 (x) B (B includes the coupling strength) and B(t) evolved by the bath alone,
    v(omega) = int dt e^{i omega t} e^{-(resolution t)^2 / 2} Tr[B(t) B] / 2^n. By the golden rule a thermometer with
    P = X and splitting Omega relaxes as C(t) = exp(-2 v(Omega) t).

    Args:
        model: a model of spins whose coupling has the same Pauli matrix on site 0 in every term.
        frequencies: omega, ascending, in units of energy.
        resolution: standard deviation of the Gaussian broadening, energy.

    Raises:
        InputError: a number is out of range, or the coupling is no such product.

    The answer holds `structure_factor` (frequency,), energy.
    """

    model: SpinModel
    frequencies: NDArray[np.float64] = field(kw_only=True)
    resolution: float = field(kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.model, SpinModel) or len({s.letters[0] for s in self.model.coupling}) != 1:
            raise InputError(
                "Argument `model` must be of spins, its coupling one Pauli matrix of site 0 times the bath."
            )
        object.__setattr__(self, "frequencies", check_ascending("frequencies", self.frequencies, minimum=-np.inf))
        object.__setattr__(self, "resolution", check_real("resolution", self.resolution, minimum=0, exclusive=True))

    @property
    def bath_hamiltonian(self) -> PauliSum:
        """H_B with the bath's first site as site 0."""
        return self.model.bath.shift_sites(-1)

    @property
    def bath_operator(self) -> PauliSum:
        """B with the bath's first site as site 0."""
        return PauliSum([(PauliString(s.x & ~1, s.z & ~1), c) for s, c in self.model.coupling.items()]).shift_sites(-1)


@dataclass(frozen=True, slots=True, eq=False)
class ExcitedState:
    """The energy of the eigenstate that overlaps most with a product state.

    Args:
        model: a model of spins.
        initial_state: one letter per site, site 0 first, as in `Evolution`.

    Raises:
        InputError: the letters do not fit the model.

    The answer holds `energy`, a scalar.
    """

    model: SpinModel
    initial_state: str = field(kw_only=True)

    def __post_init__(self) -> None:
        _check_model_type(self.model)
        if not isinstance(self.model, SpinModel):
            raise InputError("Argument `model` must be a model of spins, but is given by matrices.")
        _check_product_state(self.initial_state, self.model.num_sites)


@dataclass(frozen=True, slots=True, eq=False)
class ThermalState:
    """Energy and free energy of rho = e^{-beta H} / Z.

    Args:
        model: the model.
        betas: inverse temperatures > 0, ascending, in units of 1/energy.

    Raises:
        InputError: betas do not ascend or are not positive.

    The answer holds `energy` Tr[rho H] and `free_energy` -ln(Z) / beta, both (beta,).
    """

    model: Model
    betas: NDArray[np.float64] = field(kw_only=True)

    def __post_init__(self) -> None:
        _check_model_type(self.model)
        object.__setattr__(self, "betas", check_ascending("betas", self.betas, exclusive=True))


def _check_couplings(letters: object) -> None:
    if not isinstance(letters, str) or not letters or set(letters) - set("XYZ") or len(set(letters)) < len(letters):
        raise InputError(f'Argument `couplings` must be distinct letters of "XYZ", but is {letters!r}.')


@dataclass(frozen=True, slots=True, eq=False)
class MixingGap:
    """The gap of a thermalising Lindbladian: the least -Re of its eigenvalues but for the one that is zero.

    Args:
        model: a spin model.
        beta: inverse temperature >= 0 of the environment, 1/energy.
        couplings: Pauli letters by which every site couples to its own environment, weight 1 each.

    Raises:
        InputError: beta is negative, or the letters are no distinct letters of "XYZ".

    The answer holds `gap` and `fixed_point_error`, the trace distance between the fixed point and e^{-beta H} / Z.
    """

    model: Model
    beta: float = field(kw_only=True)
    couplings: str = field(default="XYZ", kw_only=True)

    def __post_init__(self) -> None:
        _check_model_type(self.model)
        object.__setattr__(self, "beta", check_real("beta", self.beta, minimum=0))
        _check_couplings(self.couplings)


@dataclass(frozen=True, slots=True, eq=False)
class Relaxation:
    """The way of a state to the Gibbs state sigma = e^{-beta H} / Z under a thermalising Lindbladian.

    Args:
        model: a spin model.
        beta: inverse temperature >= 0 of the environment, 1/energy.
        times: t >= 0, ascending, in units of 1/(rate of one coupling).
        initial_state: a string of bits, site 0 first, "1" being Z = -1; or a state vector or density matrix in the
            computational basis. All spins down by default.
        couplings: Pauli letters by which every site couples to its own environment, weight 1 each.

    Raises:
        InputError: an argument is out of range, or the state has the wrong size, norm or trace.

    The answer holds `trace_distance` to sigma, `relative_entropy` S(rho|sigma) and `energy` Tr[rho H] (time,), and
    `polarisation` Tr[rho Z_j] (time, site), with the values at equilibrium beside them.
    """

    model: Model
    beta: float = field(kw_only=True)
    times: NDArray[np.float64] = field(kw_only=True)
    initial_state: str | NDArray[Any] | None = field(default=None, kw_only=True)
    couplings: str = field(default="XYZ", kw_only=True)

    def __post_init__(self) -> None:
        _check_model_type(self.model)
        object.__setattr__(self, "beta", check_real("beta", self.beta, minimum=0))
        object.__setattr__(self, "times", check_ascending("times", self.times))
        object.__setattr__(self, "initial_state", _check_state(self.initial_state, self.model.dimension))
        _check_couplings(self.couplings)


def _check_state(state: object, dimension: int) -> str | NDArray[Any]:
    if state is None or isinstance(state, str):
        length = dimension.bit_length() - 1
        bits = "1" * length if state is None else state
        if len(bits) != length or set(bits) - set("01"):
            raise InputError(f"Argument `initial_state` must be {length} bits 0 or 1, but is {bits!r}.")
        return bits
    array = check_finite_array("initial_state", state, ndim=np.ndim(state), complex_allowed=True)  # type: ignore[arg-type]
    if array.shape not in ((dimension,), (dimension, dimension)):
        raise InputError(
            f"Argument `initial_state` must be a vector or matrix of dimension {dimension}, but has shape "
            f"{array.shape}."
        )
    if array.ndim == 2:
        check_hermitian("initial_state", array)
        if np.linalg.eigvalsh(array)[0] < -1e-9:
            raise InputError("Argument `initial_state` must be positive, but has a negative eigenvalue.")
    size = float(np.linalg.norm(array) ** 2 if array.ndim == 1 else np.trace(array).real)
    if abs(size - 1) > 1e-9:
        raise InputError(f"Argument `initial_state` must have norm or trace 1, but has {size:.6g}.")
    return array


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
)


def problem_parameters(problem: Problem) -> dict[str, Any]:
    """Return the problem's fields, but for the model, as JSON values."""
    return {f.name: record(getattr(problem, f.name)) for f in fields(problem) if f.name != "model"}
