"""What collisions cost against the error asked of the Gibbs state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qthermo.checks import check_real
from qthermo.circuits.collision_builder import count_collision_gates
from qthermo.kms.collisions import advise_scheme
from qthermo.kms.energy_basis import site_couplings
from qthermo.models import SpinModel

__all__ = ["tabulate_resources"]


def tabulate_resources(
    model: SpinModel, *, beta: float, errors: Sequence[float], gap: float, letters: str = "XYZ"
) -> list[dict[str, Any]]:
    """Return one row per error: coupling, kicks, collisions, two-qubit gates in all.

    Half of the error is given to the fixed point, which sets the coupling (`advise_scheme`), half to what is left of
    the initial state after m collisions, e^{1 - gap m tau / (1 + .65 lambda^2 / s)} = error / 2, tau the time per
    collision: m grows as ln(1/error) / (error gap). The first factor allows for several slow modes, the second is the
    measured slowing down of strong collisions.

    Args:
        model: a spin model.
        beta: inverse temperature.
        errors: trace distances.
        gap: of the generator, for example from `MixingGap` by `CoarseGrained(rate="glauber")` of a shorter chain.
        letters: couplings of every site.

    Raises:
        InputError: an error or the gap is not positive.
    """
    check_real("gap", gap, minimum=0, exclusive=True)
    couplings = site_couplings(letters, model.num_sites)
    rows = []
    for error in errors:
        check_real("errors", error, minimum=0, exclusive=True)
        scheme = advise_scheme(model.hamiltonian, couplings, beta=beta, error=error / 2)
        cost = count_collision_gates(model, scheme)
        slowing = 1 + 0.65 * scheme.coupling**2 / scheme.energy_width
        unit = scheme.time_per_collision(len(couplings))
        count = int(np.ceil((1 + np.log(2 / error)) * slowing / (gap * unit)))
        rows.append(
            {
                "error": error,
                "coupling": scheme.coupling,
                "energy_width": scheme.energy_width,
                "kicks": cost["kicks"],
                "collisions": count,
                "two_qubit_gates": count * cost["two_qubit_gates"],
                "evolution_time": count * cost["evolution_time"],
            }
        )
    return rows
