"""Thermal energies and free energies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, Variable
from qthermo.checks import check_ascending
from qthermo.models import Model
from qthermo.problems.checks import check_model_type

__all__ = ["ThermalState", "thermal_answer"]


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
        check_model_type(self.model)
        object.__setattr__(self, "betas", check_ascending("betas", self.betas, exclusive=True))


def thermal_answer(
    problem: ThermalState,
    energy: NDArray[np.float64],
    log_partition: NDArray[np.float64],
    *,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer to `ThermalState` from Tr[rho H] and ln Z, both shape (beta,)."""
    return Answer(
        variables={
            "energy": Variable(("beta",), energy, "energy", "Tr[rho H]"),
            "free_energy": Variable(("beta",), -log_partition / problem.betas, "energy", "-ln(Z) / beta"),
        },
        coordinates={"beta": problem.betas},
        diagnostics=diagnostics or {},
    )
