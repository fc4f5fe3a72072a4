"""Where the energy of a band chain is, after it began in one subunit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qthermo.answers import Answer, Variable
from qthermo.checks import check_ascending, check_finite_array, check_integer, frozen
from qthermo.errors import InputError
from qthermo.models import BandChainModel
from qthermo.problems.autocorrelation import ERROR_WORDS
from qthermo.seeds import Stream, sample_generator

__all__ = ["BandDynamics", "band_answer", "subunit_answer"]

KINDS = ("haar", "average", "level", "product")
_LISTED = 4096
"""Configurations up to which the answer lists every one."""


@dataclass(frozen=True, slots=True, eq=False)
class BandDynamics:
    """The probability P_mu(t) that subunit mu of a band chain is excited, from the Schroedinger equation.

    Args:
        model: a band chain.
        times: t >= 0, ascending, in units of 1/energy.
        initial: "haar" is a random state of each configuration with weight, its phase and direction uniform;
            "average" the mean over all such states, with their variance; "level" the one state in which every subunit
            sits on the middle level of its band; "product" a random state of every subunit's band; or a vector in the
            basis of `model.space`.
        weights: probability of each configuration of `model.space`.
        configuration: the band that each subunit starts in, without `weights`; the first one excited by default.
        num_states: number of random states for "haar" and "product".
        seed: entropy of the random states.

    Raises:
        InputError: a field is out of range or does not fit the model.

    The answer holds `probability` and `energy` (time, subunit), and `band_probability` (time, configuration) where
    there are few configurations; with several states the mean, its `stderr` and all of them as `sample`; for "average"
    also `variance` over initial states.

    Reference: M. Michel, J. Gemmer, G. Mahler, arXiv:cond-mat/0511727.
    """

    model: BandChainModel
    times: NDArray[np.float64] = field(kw_only=True)
    initial: str | NDArray[Any] = field(default="haar", kw_only=True)
    weights: NDArray[np.float64] | None = field(default=None, kw_only=True)
    configuration: tuple[int, ...] | None = field(default=None, kw_only=True)
    num_states: int = field(default=1, kw_only=True)
    seed: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.model, BandChainModel):
            raise InputError(f"Argument `model` must be a band chain, but is a {type(self.model).__name__}.")
        object.__setattr__(self, "times", check_ascending("times", self.times))
        check_integer("num_states", self.num_states, minimum=1)
        check_integer("seed", self.seed, minimum=0)
        object.__setattr__(self, "initial", _check_initial(self.initial, self.model))
        if self.num_states > 1 and not self.is_random:
            raise InputError(
                f'Argument `num_states` must be 1 unless `initial` is "haar" or "product", but is {self.num_states}.'
            )
        configuration = _check_configuration(self.configuration, self.model)
        if self.weights is not None:
            if self.configuration is not None:
                raise InputError("Arguments `weights` and `configuration` exclude each other; leave one out.")
            if not isinstance(self.initial, str) or self.initial in ("level", "product"):
                raise InputError('Argument `weights` must be left out unless `initial` is "haar" or "average".')
            object.__setattr__(self, "weights", _check_weights(self.weights, self.model.num_configurations))
        else:
            object.__setattr__(self, "configuration", configuration)

    @property
    def is_random(self) -> bool:
        """Whether the state is drawn at random."""
        return isinstance(self.initial, str) and self.initial in ("haar", "product")

    @property
    def is_product(self) -> bool:
        """Whether the initial states are products: random states are if one subunit alone has a choice of levels."""
        if not isinstance(self.initial, str) or self.weights is not None:
            return False
        wide = sum(self.model.bands[band].num_levels > 1 for band in self.start_configuration)
        return self.initial in ("product", "level") or (self.initial == "haar" and wide <= 1)

    @property
    def start_configuration(self) -> tuple[int, ...]:
        """The band that each subunit starts in."""
        return self.model.excited_first if self.configuration is None else self.configuration

    @property
    def initial_weights(self) -> NDArray[np.float64]:
        """The probability of each configuration at time 0."""
        space = self.model.space
        if not isinstance(self.initial, str):
            vector = self.initial
            return np.array([float(np.vdot(vector[part], vector[part]).real) for part in space.slices])
        if self.weights is not None:
            return self.weights
        start = np.zeros(len(space.configurations))
        start[space.configurations.index(self.start_configuration)] = 1.0
        return start

    def _band_states(self, state: int) -> list[NDArray[Any]]:
        """Return a vector in the band of each subunit: random, or its middle level."""
        rng = sample_generator(self.seed, Stream.STATES, state)
        sizes = [self.model.bands[band].num_levels for band in self.start_configuration]
        if self.initial == "level":
            return [_middle(size) for size in sizes]
        if self.initial == "haar":
            return [_haar(size, rng) if size > 1 else np.ones(1) for size in sizes]
        return [_haar(size, rng) for size in sizes]

    def sample_local_states(self, state: int) -> NDArray[Any]:
        """Return one vector of `local_dimension` for each subunit, whose product is the initial state.

        It is one if `is_product`: with a single level for every other subunit a random state of a band.
        """
        starts = np.cumsum([0, *(band.num_levels for band in self.model.bands)])
        vectors = np.zeros((self.model.num_subunits, self.model.local_dimension), np.complex128)
        for vector, band, inside in zip(vectors, self.start_configuration, self._band_states(state), strict=True):
            vector[starts[band] : starts[band + 1]] = inside
        return vectors

    def initial_states(self, first: int = 0, last: int | None = None) -> NDArray[Any]:
        """Return the states numbered first .. last - 1 as columns, shape (dimension, states)."""
        numbers = range(first, self.num_states if last is None else last)
        space = self.model.space
        if not isinstance(self.initial, str):
            return np.array(self.initial)[:, None]
        states = np.zeros((space.dimension, len(numbers)), np.complex128)
        if self.initial in ("level", "product"):
            part = space.slices[space.configurations.index(self.start_configuration)]
            for k in numbers:
                states[part, k - first] = reduce(np.kron, self._band_states(k))
            return states
        for k in numbers:
            rng = sample_generator(self.seed, Stream.STATES, k)
            for weight, part in zip(self.initial_weights, space.slices, strict=True):
                if weight > 0:
                    states[part, k - first] = np.sqrt(weight) * _haar(part.stop - part.start, rng)
        return states


def _haar(size: int, rng: np.random.Generator) -> NDArray[Any]:
    vector = rng.standard_normal(size) + 1j * rng.standard_normal(size)
    return np.asarray(vector / np.linalg.norm(vector))


def _middle(size: int) -> NDArray[Any]:
    vector = np.zeros(size, np.complex128)
    vector[size // 2] = 1.0
    return vector


def _check_initial(initial: object, model: BandChainModel) -> str | NDArray[Any]:
    if isinstance(initial, str):
        if initial not in KINDS:
            raise InputError(f"Argument `initial` must be a vector or one of {', '.join(KINDS)}, but is {initial!r}.")
        return initial
    vector = check_finite_array("initial", initial, ndim=1, complex_allowed=True)  # type: ignore[arg-type]
    if vector.size != model.dimension:
        raise InputError(f"Argument `initial` must have {model.dimension} components, but has {vector.size}.")
    norm = float(np.linalg.norm(vector))
    if abs(norm - 1) > 1e-9:
        raise InputError(f"Argument `initial` must have norm 1, but has {norm:.6g}.")
    return frozen(vector.astype(np.complex128))


def _check_configuration(given: object, model: BandChainModel) -> tuple[int, ...]:
    if given is None:
        return model.excited_first
    bands = tuple(np.atleast_1d(np.asarray(given)).tolist())
    if len(bands) != model.num_subunits:
        raise InputError(f"Argument `configuration` must name {model.num_subunits} bands, but names {len(bands)}.")
    for k, band in enumerate(bands):
        check_integer(f"configuration[{k}]", band, minimum=0, maximum=len(model.bands) - 1)
    energy = sum(model.bands[band].energy for band in bands)
    if model.total_energy is not None and abs(energy - model.total_energy) > 1e-9:
        raise InputError(
            f"Argument `configuration` must have the model's total_energy {model.total_energy:g}, but has {energy:g}."
        )
    return bands


def _check_weights(weights: ArrayLike, count: int) -> NDArray[np.float64]:
    values = check_finite_array("weights", weights, ndim=1)
    if values.size != count or values.min(initial=0.0) < 0 or abs(values.sum() - 1) > 1e-9:
        raise InputError(
            f"Argument `weights` must hold {count} probabilities that sum to 1, but holds {values.size} with minimum "
            f"{values.min(initial=0.0):g} and sum {values.sum():g}."
        )
    return values


def _subunit_variables(
    problem: BandDynamics, excited: NDArray[np.float64], energies: NDArray[np.float64]
) -> tuple[dict[str, Variable], dict[str, NDArray[Any]]]:
    dims = ("time", "subunit")
    variables = {
        "probability": Variable(dims, excited, "1", "P_mu(t), probability that the subunit is excited"),
        "energy": Variable(dims, energies, "energy", "sum_i E_i P_mu,i(t), mean band energy of the subunit"),
    }
    return variables, {"time": problem.times, "subunit": np.arange(problem.model.num_subunits)}


def subunit_answer(
    problem: BandDynamics,
    bands: NDArray[np.float64],
    *,
    errors: Mapping[str, NDArray[np.float64]] | None = None,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer to `BandDynamics` where configurations are too many to list.

    Args:
        problem: the problem.
        bands: probability of every band of every subunit, shape (time, subunit, band).
        errors: estimates for P_mu, shape (time, subunit).
        diagnostics: of the method.
    """
    energies = bands @ np.array([band.energy for band in problem.model.bands])
    variables, coordinates = _subunit_variables(problem, bands[..., 1:].sum(axis=-1), energies)
    for name, values in (errors or {}).items():
        variables[name] = Variable(("time", "subunit"), values, "1", ERROR_WORDS[name].replace("correlator", "value"))
    return Answer(variables=variables, coordinates=coordinates, diagnostics=diagnostics or {})


def band_answer(
    problem: BandDynamics,
    samples: NDArray[np.float64],
    *,
    variance: NDArray[np.float64] | None = None,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer to `BandDynamics`.

    Args:
        problem: the problem.
        samples: probability of each configuration, shape (state, time, configuration).
        variance: of P_mu over initial states, shape (time, subunit).
        diagnostics: of the method.
    """
    model, space = problem.model, problem.model.space
    excited = (np.array(space.configurations) > 0).astype(np.float64)
    energies = np.array([band.energy for band in model.bands])[np.array(space.configurations)]
    mean = samples.mean(axis=0)
    dims = ("time", "subunit")
    variables, coordinates = _subunit_variables(problem, mean @ excited, mean @ energies)
    if len(space.configurations) <= _LISTED:
        words = "probability of the configuration of bands"
        variables["band_probability"] = Variable(("time", "configuration"), mean, "1", words)
        coordinates["configuration"] = np.array(["-".join(map(str, c)) for c in space.configurations])
    if len(samples) > 1:
        each = samples @ excited
        spread = each.std(axis=0, ddof=1) / np.sqrt(len(samples))
        variables["stderr"] = Variable(dims, spread, "1", "standard error of P_mu over random states")
        variables["sample"] = Variable(("state", *dims), each, "1", "P_mu(t) of every random state")
        coordinates["state"] = np.arange(len(samples))
    if variance is not None:
        variables["variance"] = Variable(dims, variance, "1", "variance of P_mu over random initial states")
    return Answer(variables=variables, coordinates=coordinates, diagnostics=diagnostics or {})
