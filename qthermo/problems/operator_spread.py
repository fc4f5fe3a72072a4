"""How many eigenstates a local operator reaches from one eigenstate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, Variable
from qthermo.checks import check_integer, check_real
from qthermo.errors import InputError
from qthermo.linalg.split_operator import SplitOperator
from qthermo.models import GrainModel, SpinModel
from qthermo.operators import PauliSum

__all__ = ["OperatorSpread", "operator_spread_answer"]

Action = Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class OperatorSpread:
    """D(O) = log IPR, IPR = 1 / sum_k |<psi_k|O|psi>|^4 / |O psi|^4, for the eigenstate psi nearest to an energy.

    Where eigenstates are ergodic, D grows by log 2 with each spin; where O leaves psi alone, D = 0.

    Args:
        model: a grain with localised spins, or a model of spins.
        operators: X on these sites: "grain" (the grain's first spin), "boundary" (its last), "grain:k", "liom:i"; for a
            model of spins, Pauli sums such as "X3".
        energy: the target energy.
        num_states: None for the one state nearest to `energy`; a number for as many, and an axis `state` in the answer,
            the nearest first.

    Raises:
        InputError: an operator is unknown or acts beyond the model, or a number is out of range.

    The answer holds `log_ipr` (operator,) or (state, operator), `log_ipr_error` where the method has one, and
    `state_energy`.
    """

    model: SpinModel | GrainModel
    operators: tuple[str, ...] = field(default=("grain",), kw_only=True)
    energy: float = field(default=0.0, kw_only=True)
    num_states: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.model, SpinModel | GrainModel):
            raise InputError(
                f"Argument `model` must be a grain or a model of spins, but is a {type(self.model).__name__}."
            )
        object.__setattr__(self, "operators", _check_names(self.operators, self.model))
        object.__setattr__(self, "energy", check_real("energy", self.energy))
        if self.num_states is not None:
            check_integer("num_states", self.num_states, minimum=1, maximum=self.model.dimension)

    @property
    def count(self) -> int:
        """The number of states asked for."""
        return 1 if self.num_states is None else self.num_states

    def split(self) -> tuple[SplitOperator, tuple[Action, ...]]:
        """Return H for fast products, and each operator as a function of a vector in the same basis and shape."""
        if isinstance(self.model, GrainModel):
            operator, letters = self.model.to_split_operator()
            return operator, tuple(letters[self.model.find_site(name)].act for name in self.operators)
        core = self.model.hamiltonian.to_sparse(self.model.num_sites)
        split = SplitOperator(core=core, diagonal=np.zeros(1))
        return split, tuple(_sparse_action(PauliSum.from_text(name), self.model.num_sites) for name in self.operators)


def operator_spread_answer(
    problem: OperatorSpread,
    log_ipr: NDArray[np.float64],
    energies: NDArray[np.float64] | None,
    *,
    error: NDArray[np.float64] | None = None,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer to `OperatorSpread` from arrays (state, operator) and (state,), one state where asked for one.

    A theory that knows no single state leaves `energies` out.
    """
    alone = problem.num_states is None
    states: tuple[str, ...] = () if alone else ("state",)
    variables = {"log_ipr": Variable((*states, "operator"), log_ipr[0] if alone else log_ipr, "1", "D(O) = log IPR")}
    if error is not None:
        values = error[0] if alone else error
        variables["log_ipr_error"] = Variable((*states, "operator"), values, "1", "estimated error of D(O)")
    if energies is not None:
        values = np.asarray(energies[0]) if alone else energies
        variables["state_energy"] = Variable(states, values, "energy", "energy of the eigenstate")
    coordinates: dict[str, NDArray[Any]] = {"operator": np.array(problem.operators)}
    if not alone:
        coordinates["state"] = np.arange(len(log_ipr))
    return Answer(variables=variables, coordinates=coordinates, diagnostics=diagnostics or {})


def _check_names(names: object, model: SpinModel | GrainModel) -> tuple[str, ...]:
    if isinstance(names, str) or not isinstance(names, Sequence) or not names:
        raise InputError(f"Argument `operators` must be a list of at least one name, but is {names!r}.")
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"Argument `operators` must hold names, but holds {name!r}.")
        if isinstance(model, GrainModel):
            model.find_site(name)
            continue
        operator = PauliSum.from_text(name)
        if not operator or operator.num_sites > model.num_sites:
            raise InputError(f"An operator must act on sites below {model.num_sites} and not vanish, but is {name!r}.")
    return tuple(names)


def _sparse_action(operator: PauliSum, num_sites: int) -> Action:
    matrix = operator.to_sparse(num_sites)

    def act(vector: NDArray[Any]) -> NDArray[Any]:
        image: NDArray[Any] = (matrix @ vector.ravel()).reshape(vector.shape)
        return image

    return act
