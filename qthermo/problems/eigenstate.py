"""Energies of single eigenstates: the ground state, and the excited state next to a product state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qthermo.answers import Answer, Variable
from qthermo.errors import InputError
from qthermo.models import Model, SpinModel
from qthermo.problems.checks import check_model_type, check_product_state

__all__ = ["ExcitedState", "GroundState", "ground_state_answer"]


@dataclass(frozen=True, slots=True, eq=False)
class GroundState:
    """The ground-state energy of H.

    Args:
        model: the model.

    The answer holds `energy`, a scalar.
    """

    model: Model

    def __post_init__(self) -> None:
        check_model_type(self.model)


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
        check_model_type(self.model)
        if not isinstance(self.model, SpinModel):
            raise InputError("Argument `model` must be a model of spins, but is given by matrices.")
        check_product_state(self.initial_state, self.model.num_sites)


def ground_state_answer(
    energy: float,
    *,
    variance: float | None = None,
    truncation_error: float | None = None,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer to `GroundState` or `ExcitedState`; variance and truncation error where the method has them."""
    variables = {"energy": Variable((), np.array(energy), "energy", "energy of the eigenstate")}
    if variance is not None:
        variables["variance"] = Variable((), np.array(variance), "energy^2", "<H^2> - <H>^2")
    if truncation_error is not None:
        variables["truncation_error"] = Variable(
            (), np.array(truncation_error), "energy", "change of the energy with the bond dimension"
        )
    return Answer(variables=variables, coordinates={}, diagnostics=diagnostics or {})
