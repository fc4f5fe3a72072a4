"""The gap of a thermalising Lindbladian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qthermo.answers import Answer, Variable
from qthermo.checks import check_real
from qthermo.models import Model
from qthermo.problems.checks import check_couplings, check_model_type

__all__ = ["MixingGap", "gap_answer"]


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
        check_model_type(self.model)
        object.__setattr__(self, "beta", check_real("beta", self.beta, minimum=0))
        check_couplings(self.couplings)


def gap_answer(
    gap: float,
    fixed_point_error: float | None,
    *,
    certificate: float | None = None,
    diagnostics: Mapping[str, Any] | None = None,
) -> Answer:
    """Return the answer to `MixingGap`; what a method cannot know is left out."""
    variables = {"gap": Variable((), np.array(gap), "energy", "least nonzero -Re of the generator's eigenvalues")}
    if fixed_point_error is not None:
        words = "trace distance of the fixed point from the Gibbs state"
        variables["fixed_point_error"] = Variable((), np.array(fixed_point_error), "1", words)
    if certificate is not None:
        words = "lowest eigenvalue of the parent Hamiltonian, 0 if it were exact"
        variables["certificate"] = Variable((), np.array(certificate), "energy", words)
    return Answer(variables=variables, coordinates={}, diagnostics=diagnostics or {})
