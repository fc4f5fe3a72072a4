"""The user's own spin model, from any Pauli sum."""

from __future__ import annotations

from qthermo.checks import check_integer
from qthermo.errors import InputError
from qthermo.models.model import SpinModel
from qthermo.models.thermometer import Thermometer
from qthermo.operators import PauliSum

__all__ = ["spin_chain"]


def spin_chain(
    *, hamiltonian: PauliSum, num_sites: int | None = None, thermometer: Thermometer | None = None
) -> SpinModel:
    """Return a model with the given Hamiltonian, site 0 being the thermometer.

    Without `thermometer`, `hamiltonian` is the whole H: its terms on site 0 alone are H_T, those without site 0 are
    H_B, the rest is the coupling. With `thermometer`, `hamiltonian` is H_B on sites 1, 2, ... and H_T and V are added.

    Args:
        hamiltonian: a Hermitian `PauliSum`, energy.
        num_sites: number of spins; by default one more than the highest site that occurs.
        thermometer: the thermometer to add.

    Raises:
        InputError: the sum is not a Hermitian `PauliSum`, or acts on site 0 although a thermometer is given.
    """
    if not isinstance(hamiltonian, PauliSum):
        raise InputError(f"Argument `hamiltonian` must be a PauliSum, but is a {type(hamiltonian).__name__}.")
    least = max(hamiltonian.num_sites, 1 if thermometer is None else 2)
    n = least if num_sites is None else check_integer("num_sites", num_sites, minimum=least)
    alone = PauliSum([(s, c) for s, c in hamiltonian.items() if s.sites == (0,)])
    joint = PauliSum([(s, c) for s, c in hamiltonian.items() if len(s.sites) > 1 and s.sites[0] == 0])
    rest = PauliSum([(s, c) for s, c in hamiltonian.items() if s.sites[:1] != (0,)])
    if thermometer is not None:
        if alone or joint:
            raise InputError(
                "Argument `hamiltonian` must not act on site 0 when a thermometer is given; shift its sites."
            )
        alone, joint = thermometer.hamiltonian, thermometer.couple_to_first_site()
    return SpinModel(
        family="spin_chain",
        parameters={
            "hamiltonian": str(hamiltonian),
            "num_sites": n,
            "thermometer": None if thermometer is None else thermometer.parameters,
        },
        thermometer=alone,
        bath=rest,
        coupling=joint,
        num_sites=n,
    )
