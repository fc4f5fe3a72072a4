"""The thermometer's autocorrelation C(t)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, Variable
from qthermo.checks import check_ascending, check_real
from qthermo.models import Model
from qthermo.problems.checks import check_model_type

__all__ = ["ERROR_WORDS", "Autocorrelation", "autocorrelation_answer"]

ERROR_WORDS = {
    "stderr": "standard error of the sampled correlator",
    "truncation_error": "estimated error from the bond dimension",
    "trotter_error": "estimated error from the time step",
    "laplace_error": "estimated error of the inverse Laplace transform",
}


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
        check_model_type(self.model)
        object.__setattr__(self, "times", check_ascending("times", self.times))
        object.__setattr__(self, "beta", check_real("beta", self.beta, minimum=0))


def autocorrelation_answer(
    problem: Autocorrelation,
    correlator: NDArray[Any],
    *,
    errors: Mapping[str, NDArray[np.float64]] | None = None,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer to `Autocorrelation`; `errors` may hold `stderr`, `truncation_error` and `trotter_error`."""
    variables = {"correlator": Variable(("time",), correlator, "1", "C(t) = Tr[rho Z_0(t) Z_0]")}
    for name, values in (errors or {}).items():
        variables[name] = Variable(("time",), values, "1", ERROR_WORDS[name])
    return Answer(variables=variables, coordinates={"time": problem.times}, diagnostics=diagnostics or {})
