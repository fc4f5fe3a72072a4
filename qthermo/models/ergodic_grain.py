"""An ergodic grain coupled to localised spins: the model of the avalanche."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qthermo.checks import check_choice, check_finite_array, check_hermitian
from qthermo.errors import InputError
from qthermo.linalg.split_operator import Flip, SplitOperator
from qthermo.models.model import SpinModel, record
from qthermo.operators import PauliString, PauliSum

__all__ = ["GrainModel", "ergodic_grain"]

LAYOUTS = ("lioms", "spins")
_CORE_SPINS = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class GrainModel:
    """H = H_G + sum_i h_i Z_i + couplings, the grain's spins being sites 0 .. m-1, the localised ones m .. m+n-1.

    Layout "lioms": every localised spin i = 1..n couples to the grain's last spin, g_i X_(m-1) X_(m+i-1), as local
    integrals of motion do. Layout "spins": neighbours couple, g_i X_(m+i-2) X_(m+i-1), as physical spins do.

    Args:
        family: name of the model family.
        parameters: what made the model, as JSON values.
        grain: H_G, a Pauli sum on sites below m, or a Hermitian matrix of shape (2^m, 2^m).
        num_grain_spins: m.
        fields: h_i, shape (n,), energy.
        couplings: g_i, shape (n,), energy.
        layout: "lioms" or "spins".

    Raises:
        InputError: a shape does not fit, a number is not finite, or H_G is not Hermitian.
    """

    kind: ClassVar[str] = "grain"

    family: str
    parameters: Mapping[str, Any]
    grain: PauliSum | NDArray[Any] = field(repr=False)
    num_grain_spins: int
    fields: NDArray[np.float64] = field(repr=False)
    couplings: NDArray[np.float64] = field(repr=False)
    layout: str = "lioms"

    def __post_init__(self) -> None:
        check_choice("layout", self.layout, LAYOUTS)
        for name in ("fields", "couplings"):
            object.__setattr__(self, name, check_finite_array(name, getattr(self, name), ndim=1))
        if self.fields.shape != self.couplings.shape:
            raise InputError(
                f"Argument `couplings` must hold as many values as `fields`, but they hold {self.couplings.size} and "
                f"{self.fields.size}."
            )
        if isinstance(self.grain, PauliSum):
            if not self.grain.is_hermitian or self.grain.num_sites > self.num_grain_spins:
                raise InputError(
                    f"Argument `grain` must be Hermitian and act on sites below {self.num_grain_spins}, but is "
                    f"{self.grain}."
                )
            return
        matrix = check_finite_array("grain", self.grain, ndim=2, complex_allowed=True)
        if matrix.shape != (2**self.num_grain_spins,) * 2:
            raise InputError(
                f"Argument `grain` must be {2**self.num_grain_spins} square for {self.num_grain_spins} spins, but has "
                f"shape {matrix.shape}."
            )
        check_hermitian("grain", matrix)
        object.__setattr__(self, "grain", matrix)

    @property
    def num_lioms(self) -> int:
        """The number n of localised spins."""
        return int(self.fields.size)

    @property
    def num_sites(self) -> int:
        """The number m + n of spins in all."""
        return self.num_grain_spins + self.num_lioms

    @property
    def dimension(self) -> int:
        """The dimension 2^(m+n) of the Hilbert space."""
        return int(2**self.num_sites)

    @property
    def is_spin_grain(self) -> bool:
        """Whether H_G is a Pauli sum rather than a matrix."""
        return isinstance(self.grain, PauliSum)

    @property
    def bare(self) -> GrainModel:
        """The grain alone."""
        return self.attach(fields=[], couplings=[])

    @cached_property
    def localised(self) -> PauliSum:
        """H - H_G: fields and couplings of the localised spins."""
        m = self.num_grain_spins
        terms: list[tuple[complex, dict[int, str]]] = []
        for i, (h, g) in enumerate(zip(self.fields, self.couplings, strict=True)):
            partner = m + i - 1 if self.layout == "spins" else m - 1
            terms += [(h, {m + i: "Z"}), (g, {partner: "X", m + i: "X"})]
        return PauliSum.from_letters(terms)

    @cached_property
    def grain_matrix(self) -> NDArray[Any]:
        """H_G as a matrix, shape (2^m, 2^m)."""
        return self.grain.to_dense(self.num_grain_spins) if isinstance(self.grain, PauliSum) else self.grain

    def attach(self, *, fields: ArrayLike, couplings: ArrayLike) -> GrainModel:
        """Return the same grain with other localised spins."""
        h, g = np.asarray(fields, np.float64), np.asarray(couplings, np.float64)
        return GrainModel(
            family=self.family,
            parameters={**self.parameters, "fields": h.tolist(), "couplings": g.tolist()},
            grain=self.grain,
            num_grain_spins=self.num_grain_spins,
            fields=h,
            couplings=g,
            layout=self.layout,
        )

    def find_site(self, name: str) -> int:
        """Return the site that a name means: "grain" (its first spin), "boundary" (its last), "grain:k", "liom:i".

        Raises:
            InputError: no such site.
        """
        kind, _, number = name.partition(":")
        fixed = {"grain": 0, "boundary": self.num_grain_spins - 1}
        if not number and kind in fixed:
            return fixed[kind]
        first, count = {"grain": (0, self.num_grain_spins), "liom": (self.num_grain_spins, self.num_lioms)}.get(
            kind, (0, 0)
        )
        if number.isdecimal() and 1 <= int(number) <= count:
            return first + int(number) - 1
        raise InputError(
            f'An operator must be "grain", "boundary", "grain:1" to "grain:{self.num_grain_spins}" or "liom:1" to '
            f'"liom:{self.num_lioms}", but is {name!r}.'
        )

    def to_matrix(self) -> NDArray[Any]:
        """Return H, shape (2^(m+n),) * 2, the grain's first spin the leftmost Kronecker factor."""
        matrix: NDArray[Any] = np.kron(self.grain_matrix, np.eye(2**self.num_lioms))
        matrix += self.localised.to_dense(self.num_sites)
        return matrix

    def to_split_operator(self) -> tuple[SplitOperator, dict[int, Flip]]:
        """Return H for fast products, and the X matrix of every site in its basis.

        The core holds a matrix grain whole; of a grain of spins its last ones, filled up with localised spins to six.
        """
        from qthermo.models.grain_splitting import split_grain

        return split_grain(self, _CORE_SPINS)

    def to_spin_model(self) -> SpinModel:
        """Return the model with the last localised spin as thermometer, on site 0.

        The order is reversed: sites 1, 2, ... are the other localised spins, the nearest to the grain last, then the
        grain from its last spin to its first.

        Raises:
            InputError: the grain is a matrix, or there is no localised spin.
        """
        if not isinstance(self.grain, PauliSum):
            raise InputError("A model of spins needs a grain of spins, but this one is a matrix: take kind='local'.")
        if self.num_lioms == 0:
            raise InputError("A model of spins needs a localised spin as thermometer, but there is none.")
        last = self.num_sites - 1
        hamiltonian = PauliSum([(_mirror(string, last), c) for string, c in (self.grain + self.localised).items()])
        parts: dict[str, list[tuple[PauliString, complex]]] = {"thermometer": [], "bath": [], "coupling": []}
        for string, c in hamiltonian.items():
            name = "bath" if string.sites[:1] != (0,) else "coupling" if len(string.sites) > 1 else "thermometer"
            parts[name].append((string, c))
        return SpinModel(
            family=self.family,
            parameters=self.parameters,
            num_sites=self.num_sites,
            **{name: PauliSum(terms) for name, terms in parts.items()},
        )

    def __repr__(self) -> str:
        return f"<GrainModel {self.family}: {self.num_grain_spins} + {self.num_lioms} spins>"


def ergodic_grain(
    *,
    grain: PauliSum | NDArray[Any],
    num_grain_spins: int,
    fields: ArrayLike,
    couplings: ArrayLike,
    layout: str = "lioms",
) -> GrainModel:
    """Return your own grain, a Pauli sum or a Hermitian matrix, with localised spins; see `GrainModel`.

    Raises:
        InputError: a shape does not fit, a number is not finite, or the grain is not Hermitian.
    """
    h, g = np.atleast_1d(np.asarray(fields, np.float64)), np.atleast_1d(np.asarray(couplings, np.float64))
    parameters = {"grain": record(grain), "fields": h.tolist(), "couplings": g.tolist(), "layout": layout}
    return GrainModel(
        family="ergodic_grain",
        parameters=parameters,
        grain=grain,
        num_grain_spins=num_grain_spins,
        fields=h,
        couplings=g,
        layout=layout,
    )


def _mirror(string: PauliString, last: int) -> PauliString:
    return PauliString.from_letters({last - site: letter for site, letter in string.letters.items()})
