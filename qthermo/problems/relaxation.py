"""The way of a state to the Gibbs state under a thermalising Lindbladian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, Variable
from qthermo.checks import check_ascending, check_finite_array, check_hermitian, check_real
from qthermo.errors import InputError
from qthermo.models import Model
from qthermo.problems.checks import check_couplings, check_model_type

__all__ = ["Relaxation", "relaxation_answer"]

_RELAXATION = {
    "trace_distance": (("time",), "1", "(1/2) |rho(t) - sigma|_1"),
    "relative_entropy": (("time",), "1", "S(rho(t) | sigma)"),
    "energy": (("time",), "energy", "Tr[rho(t) H]"),
    "polarisation": (("time", "site"), "1", "Tr[rho(t) Z_j]"),
    "gibbs_energy": ((), "energy", "Tr[sigma H]"),
    "gibbs_polarisation": (("site",), "1", "Tr[sigma Z_j]"),
    "stderr": (("time", "site"), "1", "standard error of the sampled polarisation"),
    "truncation_error": (("time", "site"), "1", "change of the polarisation from half the bonds and twice the step"),
}


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
        check_model_type(self.model)
        object.__setattr__(self, "beta", check_real("beta", self.beta, minimum=0))
        object.__setattr__(self, "times", check_ascending("times", self.times))
        object.__setattr__(self, "initial_state", _check_state(self.initial_state, self.model.dimension))
        check_couplings(self.couplings)


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


def relaxation_answer(
    problem: Relaxation, values: Mapping[str, NDArray[Any]], *, diagnostics: Mapping[str, Any] | None = None
) -> Answer:
    """Return the answer to `Relaxation`; the names of `values` are those of the variables."""
    num_sites = problem.model.dimension.bit_length() - 1
    return Answer(
        variables={
            name: Variable(dims, values[name], units, words)
            for name, (dims, units, words) in _RELAXATION.items()
            if name in values
        },
        coordinates={"time": problem.times, "site": np.arange(num_sites)},
        diagnostics=diagnostics or {},
    )
