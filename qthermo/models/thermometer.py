"""The thermometer: one spin on site 0 and the way it is coupled to the bath."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from qthermo.checks import check_choice, check_real
from qthermo.operators import PauliSum

__all__ = ["Thermometer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thermometer:
    """A spin on site 0 with H_T = (splitting/2) Z_0 and coupling V = coupling X_0 (x) B.

    Args:
        splitting: level splitting Omega, in units of energy.
        coupling: strength g.
        bath_operator: letter of the single-site operator B on the first bath site (site 1), for models whose B is
            one site; all-to-all models have their own B, the sum of J_0j Z_j.

    Raises:
        InputError: a number is not finite, or `bath_operator` is not "X", "Y" or "Z".
    """

    splitting: float = 1.0
    coupling: float = 0.5
    bath_operator: str = "X"

    def __post_init__(self) -> None:
        object.__setattr__(self, "splitting", check_real("splitting", self.splitting))
        object.__setattr__(self, "coupling", check_real("coupling", self.coupling))
        check_choice("bath_operator", self.bath_operator, ("X", "Y", "Z"))

    @property
    def parameters(self) -> dict[str, float | str]:
        """The fields as JSON values."""
        return asdict(self)

    @property
    def hamiltonian(self) -> PauliSum:
        """H_T = (splitting/2) Z_0."""
        return self.splitting / 2 * PauliSum.pauli("Z", 0)

    def couple_to(self, bath_operator: PauliSum) -> PauliSum:
        """Return V = coupling X_0 (x) B for an operator B on bath sites."""
        return self.coupling * (PauliSum.pauli("X", 0) @ bath_operator)

    def couple_to_first_site(self) -> PauliSum:
        """Return V = coupling X_0 (x) B with B the letter `bath_operator` on site 1."""
        return self.couple_to(PauliSum.pauli(self.bath_operator, 1))
