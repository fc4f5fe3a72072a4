"""The spectrum of the bath operator that the thermometer couples to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, Variable
from qthermo.checks import check_ascending, check_real
from qthermo.errors import InputError
from qthermo.models import SpinModel
from qthermo.operators import PauliString, PauliSum

__all__ = ["StructureFactor", "structure_factor_answer"]


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


def structure_factor_answer(
    problem: StructureFactor, values: NDArray[np.float64], *, diagnostics: Mapping[str, Any] | None = None
) -> Answer:
    """Return the answer to `StructureFactor` from v(omega), shape (frequency,)."""
    return Answer(
        variables={"structure_factor": Variable(("frequency",), values, "energy", "v(omega) of the bath operator B")},
        coordinates={"frequency": problem.frequencies},
        diagnostics=diagnostics or {},
    )
