"""Expectation values from a product state, with or without dissipation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, Variable
from qthermo.checks import check_ascending, check_real
from qthermo.errors import InputError
from qthermo.models import SpinModel
from qthermo.operators import PauliSum
from qthermo.problems.autocorrelation import ERROR_WORDS
from qthermo.problems.checks import check_model_type, check_operator, check_product_state

__all__ = ["Evolution", "evolution_answer"]


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
        check_model_type(self.model)
        if not isinstance(self.model, SpinModel):
            raise InputError("Argument `model` must be a model of spins, but is given by matrices.")
        object.__setattr__(self, "times", check_ascending("times", self.times))
        check_product_state(self.initial_state, self.model.num_sites)
        observables = MappingProxyType(dict(self.observables))
        for name, operator in observables.items():
            check_operator(f"observables[{name!r}]", operator, self.model.num_sites)
            if not operator.is_hermitian:
                raise InputError(f"Argument `observables[{name!r}]` must be Hermitian, but has complex coefficients.")
        object.__setattr__(self, "observables", observables)
        try:
            pairs = [(rate, jump) for rate, jump in self.jump_operators]
        except (TypeError, ValueError):
            raise InputError(
                "Argument `jump_operators` must hold pairs of a rate and a Pauli sum, but is "
                f"{str(self.jump_operators)[:80]}."
            ) from None
        jumps = tuple((check_real("rate", rate, minimum=0), jump) for rate, jump in pairs)
        for k, (_, jump) in enumerate(jumps):
            check_operator(f"jump_operators[{k}]", jump, self.model.num_sites)
        object.__setattr__(self, "jump_operators", jumps)


def evolution_answer(
    problem: Evolution,
    expectation: NDArray[np.float64],
    *,
    errors: Mapping[str, NDArray[np.float64]] | None = None,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer to `Evolution` from Tr[rho(t) O], shape (time, observable), and errors of the same shape."""
    dims = ("time", "observable")
    variables = {"expectation": Variable(dims, expectation, "1", "Tr[rho(t) O]")}
    for name, values in (errors or {}).items():
        variables[name] = Variable(dims, values, "1", ERROR_WORDS[name].replace("correlator", "value"))
    return Answer(
        variables=variables,
        coordinates={"time": problem.times, "observable": np.array(list(problem.observables))},
        diagnostics=diagnostics or {},
    )
