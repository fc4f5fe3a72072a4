"""`RateEquation`: the Hilbert-space average method, diffusion of energy predicted from the Schroedinger equation."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qthermo.answers import Answer
from qthermo.errors import InputError, UnsupportedError, ValidityWarning
from qthermo.problems import BandDynamics, Problem, band_answer
from qthermo.progress import Progress
from qthermo.theory.band_fluctuations import has_closed_variance, state_variance
from qthermo.theory.band_rates import Criterion, RateMatrix, build_rates, check_criteria, decay_constant, pair_strength
from qthermo.theory.rate_onset import OnsetRates, build_onset_rates

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["RateEquation", "fit_time_scale", "mean_square_deviation"]

_LARGEST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class RateEquation:
    """Rate equation dP_a/dt = sum_b (S_ab / d_b) P_b - (S_ab / d_a) P_a between the configurations of a band chain.

    One excitation: dP_mu/dt = -kappa (2 P_mu - P_(mu-1) - P_(mu+1)), kappa = 2 pi lambda^2 n / band_width. It is the
    average over all states with the given P_mu, and most states follow it: those of dimension n deviate by about
    1/sqrt(n). For `initial="average"` the answer also holds their `variance` in closed form, unless other subunits
    stand by in bands of several levels or there are more than 32 configurations.

    Args:
        onset: let every rate grow from 0 within about 1/band_width, as second order in lambda says, instead of
            holding from the start; the variance keeps the full rates.

    Errors: the conditions lambda n / band_width >= 1/2 and lambda^2 n / band_width^2 << 1 must hold; the diagnostics
    say whether they are satisfied, marginal or violated. A state on few levels is not typical. Either raises a
    `ValidityWarning`.
    Cost: cube of the number of configurations; n does not enter.
    Reference: M. Michel, J. Gemmer, G. Mahler, arXiv:cond-mat/0511727.
    """

    onset: bool = False

    answers: ClassVar[tuple[type, ...]] = (BandDynamics,)

    def __post_init__(self) -> None:
        if not isinstance(self.onset, bool):
            raise InputError(f"Argument `onset` must be True or False, but is {self.onset!r}.")

    def check(self, problem: Problem) -> None:
        """Accept band chains with up to 4096 configurations that have a band to decay into."""
        if isinstance(problem, BandDynamics):
            for here, there in {pairs for bond in problem.model.blocks for pairs in bond}:
                pair_strength(problem.model, here, there)
            count = problem.model.num_configurations
            if count > _LARGEST:
                raise UnsupportedError(
                    f"RateEquation needs at most {_LARGEST} configurations of bands, but got {count}; "
                    "give the model a smaller total_energy."
                )

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        if not isinstance(problem, BandDynamics):
            return 0.0
        count = problem.model.num_configurations
        return 8.0 * 6 * (count**2 + min(count, 32) ** 4) + 16.0 * 4 * problem.model.dimension

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Evolve the probabilities and judge whether the rates hold."""
        if not isinstance(problem, BandDynamics):
            raise UnsupportedError(f"RateEquation does not answer {type(problem).__name__}.")
        progress(0.0, "rates")
        model = problem.model
        criteria = check_criteria(model)
        typical = _typicality(problem)
        _warn(criteria, typical)
        rates = build_onset_rates(model) if self.onset else build_rates(model)
        diagnostics: dict[str, object] = {
            "criteria": {name: asdict(criterion) for name, criterion in criteria.items()},
            "typicality": typical,
            "initial_state": "typical" if typical >= 0.5 else "outside typicality",
        }
        if len(model.bands) > 1:
            diagnostics["decay_constant"] = decay_constant(model)
        weights = problem.initial_weights
        average = isinstance(problem.initial, str) and problem.initial == "average"
        variance = None
        if average and has_closed_variance(model):
            variance = state_variance(model, weights, problem.times)
        probabilities = rates.evolve(weights, problem.times)
        return band_answer(problem, probabilities[None], variance=variance, diagnostics=diagnostics)


def _typicality(problem: BandDynamics) -> float:
    """Return the least share of levels that a configuration's initial state fills, 1 being a random state's.

    For a vector psi of dimension d the number of filled levels is |psi|^4 / sum_k |psi_k|^4, on average about
    (d + 1)/2 for uniformly distributed ones.
    """
    if isinstance(problem.initial, str) and problem.initial in ("haar", "average", "product"):
        return 1.0
    (state,) = problem.initial_states().T
    share = 1.0
    for part in problem.model.space.slices:
        weights = np.abs(state[part]) ** 2
        if weights.sum() > 1e-12:
            filled = float(weights.sum() ** 2 / (weights**2).sum())
            share = min(share, 2 * filled / (weights.size + 1))
    return share


def _warn(criteria: dict[str, Criterion], typical: float) -> None:
    words = {"dense": "lambda n / band_width >= 1/2", "weak": "lambda^2 n / band_width^2 << 1"}
    for name, criterion in criteria.items():
        if criterion.verdict == "violated":
            warnings.warn(
                f"The Hilbert-space average needs {words[name]}, but it is {criterion.value:.3g}: the rates may not "
                "hold; change coupling, num_levels or band_width, or compare with Dense.",
                ValidityWarning,
                stacklevel=4,
            )
    if typical < 0.5:
        warnings.warn(
            f"The Hilbert-space average speaks of typical states, but this one fills only {typical:.2g} of the levels "
            'that a typical one does: expect large deviations; take initial="haar" or compare with Dense.',
            ValidityWarning,
            stacklevel=4,
        )


def mean_square_deviation(
    exact: xr.Dataset, theory: xr.Dataset, *, relaxation_time: float, subunit: int = 0
) -> NDArray[np.float64]:
    """Return D^2 = (1/5 tau) int_0^{5 tau} (P_theory - P_exact)^2 dt of every state, by the trapezoidal rule.

    With the exact moments of all states (`initial="average"`) it is their mean: the deviation of the mean squared plus
    the variance.

    Args:
        exact: answer to `BandDynamics` by an exact method; its times must reach 5 tau.
        theory: answer on the same times by `RateEquation`.
        relaxation_time: tau, 1/kappa for one excitation, 1/energy.
        subunit: mu.

    Raises:
        InputError: the times differ or end before 5 tau.

    Reference: M. Michel, J. Gemmer, G. Mahler, arXiv:cond-mat/0511727, equation (33).
    """
    times, end = exact["time"].values, 5 * relaxation_time
    if not np.array_equal(times, theory["time"].values) or times[0] > 0 or times[-1] < end * (1 - 1e-9):
        raise InputError(f"Both results must have the same times from 0 to 5 tau = {end:g}; give them those.")
    keep = times <= end * (1 + 1e-9)
    name = "sample" if "sample" in exact else "probability"
    values = np.atleast_2d(exact[name].isel(subunit=subunit).values)
    square = (values - theory["probability"].isel(subunit=subunit).values) ** 2
    if "variance" in exact:
        square = square + exact["variance"].isel(subunit=subunit).values
    return np.asarray(np.trapezoid(square[:, keep], times[keep], axis=1) / end)


def fit_time_scale(
    times: ArrayLike,
    probabilities: ArrayLike,
    rates: RateMatrix | OnsetRates,
    start: ArrayLike,
    *,
    window: tuple[float, float],
    observable: ArrayLike | None = None,
) -> tuple[float, float]:
    """Return s, and its standard error, such that P(t) of the rate equation at s t is nearest to exact probabilities.

    A fitted diffusion constant is s kappa, a fitted conductivity s kappa_th.

    Args:
        times: t, shape (time,), 1/energy.
        probabilities: exact ones, shape (time, configuration).
        rates: of the model, from `build_rates`, or from `build_onset_rates` to allow for their onset.
        start: probabilities at t = 0, shape (configuration,).
        window: first and last time to use, 1/energy.
        observable: compare its mean instead of all probabilities; its value in each configuration, as the energy of
            one subunit, shape (configuration,).

    Raises:
        InputError: fewer than three times lie in the window.
    """
    from scipy.optimize import least_squares

    grid, exact = np.asarray(times, np.float64), np.asarray(probabilities, np.float64)
    keep = (grid >= window[0]) & (grid <= window[1])
    if keep.sum() < 3:
        raise InputError(f"Argument `window` must hold at least 3 times, but {window} holds {keep.sum()}.")
    first = np.asarray(start, np.float64)
    views = np.eye(first.size) if observable is None else np.asarray(observable, np.float64)[:, None]
    seen = exact[keep] @ views
    size = float(np.abs(seen - first @ views).max()) or 1.0

    def miss(log_scale: NDArray[np.float64]) -> NDArray[np.float64]:
        return ((rates.evolve(first, np.exp(log_scale[0]) * grid[keep]) @ views - seen) / size).ravel()

    found = least_squares(miss, np.zeros(1))
    freedom = max(int(keep.sum()) - 1, 1)
    curvature = float((np.asarray(found.jac) ** 2).sum())
    error = np.sqrt(2 * found.cost / freedom / curvature) if curvature > 0 else np.inf
    scale = float(np.exp(found.x[0]))
    return scale, scale * float(error)
