"""Immutable sums of Pauli strings: the single source of every spin Hamiltonian."""

from __future__ import annotations

import cmath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Number
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import LinearOperator

__all__ = ["PauliString", "PauliSum"]

_LETTERS = {(0, 0): "I", (1, 0): "X", (1, 1): "Y", (0, 1): "Z"}
_BITS = {letter: bits for bits, letter in _LETTERS.items()}
_MAX_SITES = 1_000_000


@dataclass(frozen=True, slots=True, order=True)
class PauliString:
    """A product of Pauli matrices, `P = prod_j i^(x_j z_j) X_j^(x_j) Z_j^(z_j)`, Hermitian with P^2 = 1.

    Args:
        x: integer whose bit j is set where site j carries X or Y.
        z: integer whose bit j is set where site j carries Z or Y.
    """

    x: int = 0
    z: int = 0

    @staticmethod
    def from_letters(letters: Mapping[int, str]) -> PauliString:
        """Return the string with the given letter ("I", "X", "Y" or "Z") on each site of `letters`."""
        x = z = 0
        for site, letter in letters.items():
            if not isinstance(site, int | np.integer) or not 0 <= site < _MAX_SITES:
                raise InputError(f"A site must be a whole number from 0 to {_MAX_SITES - 1}, but is {site!r}.")
            if letter not in _BITS:
                raise InputError(f"A Pauli letter must be I, X, Y or Z, but is {letter!r} on site {site}.")
            x |= _BITS[letter][0] << int(site)
            z |= _BITS[letter][1] << int(site)
        return PauliString(x, z)

    @property
    def sites(self) -> tuple[int, ...]:
        """The sites that carry X, Y or Z, ascending."""
        mask, sites = self.x | self.z, []
        while mask:
            low = mask & -mask
            sites.append(low.bit_length() - 1)
            mask ^= low
        return tuple(sites)

    @property
    def letters(self) -> dict[int, str]:
        """Map from site to "X", "Y" or "Z"; sites with the identity are left out."""
        return {site: _LETTERS[self.x >> site & 1, self.z >> site & 1] for site in self.sites}

    @property
    def num_y(self) -> int:
        """The number of sites with Y; the matrix is real if it is even, imaginary if it is odd."""
        return (self.x & self.z).bit_count()

    def commutes_with(self, other: PauliString) -> bool:
        """Return whether the two strings commute (else they anticommute)."""
        return ((self.x & other.z).bit_count() + (self.z & other.x).bit_count()) % 2 == 0

    def multiply(self, other: PauliString) -> tuple[complex, PauliString]:
        """Return `(phase, string)` with `self @ other = phase * string`, phase in {1, i, -1, -i}."""
        product = PauliString(self.x ^ other.x, self.z ^ other.z)
        quarter_turns = self.num_y + other.num_y - product.num_y + 2 * (self.z & other.x).bit_count()
        return (1, 1j, -1, -1j)[quarter_turns % 4], product

    def __str__(self) -> str:
        return " ".join(f"{letter}{site}" for site, letter in self.letters.items()) or "I"


class PauliSum(Mapping[PauliString, complex]):
    """An immutable sum `sum_k c_k P_k` of Pauli strings with complex coefficients.

    A mapping from `PauliString` to coefficient, in the order of the sites. Coefficients that are exactly zero are
    dropped, so equal sums compare equal. Products cost one multiplication per pair of terms.

    Args:
        terms: pairs of string and coefficient; equal strings are added up.

    Raises:
        InputError: a coefficient is not finite.

    Example:
        >>> H = PauliSum.from_text("0.5 Z0 - 1.2 X0 X1")
        >>> print(H @ H)
        1.69 - ...
    """

    __slots__ = ("_hash", "_terms")

    def __init__(self, terms: Mapping[PauliString, complex] | Iterable[tuple[PauliString, complex]] = ()) -> None:
        collected: dict[PauliString, complex] = {}
        for string, coefficient in terms.items() if isinstance(terms, Mapping) else terms:
            value = complex(coefficient)
            if not cmath.isfinite(value):
                raise InputError(f"Pauli coefficients must be finite, but that of `{string}` is {coefficient}.")
            collected[string] = collected.get(string, 0.0) + value
        ordered = sorted(collected, key=lambda string: (len(string.sites), string.sites, string.x, string.z))
        self._terms = MappingProxyType({string: collected[string] for string in ordered if collected[string] != 0})
        self._hash: int | None = None

    @classmethod
    def from_letters(cls, terms: Iterable[tuple[complex, Mapping[int, str]]]) -> PauliSum:
        """Build from `(coefficient, {site: letter})` pairs, such as `(1.2, {0: "X", 1: "X"})`."""
        return cls((PauliString.from_letters(letters), coefficient) for coefficient, letters in terms)

    @classmethod
    def pauli(cls, letters: str, *sites: int) -> PauliSum:
        """Return one string with coefficient 1: `PauliSum.pauli("XZ", 0, 3)` is X_0 Z_3."""
        if len(letters) != len(sites) or len(set(sites)) != len(sites):
            raise InputError(
                f"Argument `letters` must give one letter per distinct site, but got {letters!r}, {sites}."
            )
        return cls([(PauliString.from_letters(dict(zip(sites, letters, strict=True))), 1.0)])

    @classmethod
    def from_text(cls, text: str) -> PauliSum:
        """Parse text such as "0.91 Z0 - 0.37 Z1 + (1+2j) X0 Y1 + 2"; `str` is its inverse.

        Raises:
            InputError: the text cannot be read; the message names the place.
        """
        from qthermo.operators.pauli_text import parse_terms

        return cls.from_letters(parse_terms(text))

    def __getitem__(self, string: PauliString) -> complex:
        return self._terms[string]

    def __iter__(self) -> Iterator[PauliString]:
        return iter(self._terms)

    def __len__(self) -> int:
        return len(self._terms)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(tuple(self._terms.items()))
        return self._hash

    def __eq__(self, other: object) -> bool:
        return dict(self._terms) == dict(other._terms) if isinstance(other, PauliSum) else NotImplemented

    def __reduce__(self) -> tuple[type[PauliSum], tuple[tuple[tuple[PauliString, complex], ...]]]:
        return PauliSum, (tuple(self._terms.items()),)

    def __add__(self, other: PauliSum | complex) -> PauliSum:
        if isinstance(other, Number):
            other = PauliSum([(PauliString(), complex(other))])  # type: ignore[arg-type]
        if not isinstance(other, PauliSum):
            return NotImplemented
        return PauliSum([*self._terms.items(), *other._terms.items()])

    __radd__ = __add__

    def __neg__(self) -> PauliSum:
        return -1 * self

    def __sub__(self, other: PauliSum | complex) -> PauliSum:
        return self + (-1 * other)

    def __rsub__(self, other: complex) -> PauliSum:
        return other + (-1 * self)

    def __mul__(self, factor: complex) -> PauliSum:
        if not isinstance(factor, Number):
            return NotImplemented
        return PauliSum([(string, coefficient * complex(factor)) for string, coefficient in self.items()])

    __rmul__ = __mul__

    def __truediv__(self, divisor: complex) -> PauliSum:
        return self * (1 / divisor)

    def __matmul__(self, other: PauliSum) -> PauliSum:
        if not isinstance(other, PauliSum):
            return NotImplemented
        products = []
        for left, a in self.items():
            for right, b in other.items():
                phase, string = left.multiply(right)
                products.append((string, a * b * phase))
        return PauliSum(products)

    def commutator(self, other: PauliSum) -> PauliSum:
        """Return `[self, other]`; commuting pairs of strings are skipped, the others count twice."""
        products = []
        for left, a in self.items():
            for right, b in other.items():
                if not left.commutes_with(right):
                    phase, string = left.multiply(right)
                    products.append((string, 2 * a * b * phase))
        return PauliSum(products)

    def adjoint(self) -> PauliSum:
        """Return the Hermitian conjugate."""
        return PauliSum([(string, coefficient.conjugate()) for string, coefficient in self.items()])

    def shift_sites(self, offset: int) -> PauliSum:
        """Return the same sum with every site moved by `offset` (which may be negative)."""
        if self.sites and self.sites[0] + offset < 0:
            raise InputError(f"Sites must stay at 0 or above, but site {self.sites[0]} would move by {offset}.")

        def move(mask: int) -> int:
            return mask << offset if offset >= 0 else mask >> -offset

        return PauliSum([(PauliString(move(string.x), move(string.z)), c) for string, c in self.items()])

    @property
    def sites(self) -> tuple[int, ...]:
        """All sites on which some term acts, ascending."""
        mask = 0
        for string in self:
            mask |= string.x | string.z
        return PauliString(mask).sites

    @property
    def num_sites(self) -> int:
        """One more than the highest site on which a term acts (0 for a multiple of the identity)."""
        return max((string.x | string.z).bit_length() for string in self) if self else 0

    @property
    def locality(self) -> int:
        """The largest number of sites in one term."""
        return max((len(string.sites) for string in self), default=0)

    @property
    def is_hermitian(self) -> bool:
        """Whether every coefficient is real."""
        return all(coefficient.imag == 0 for coefficient in self.values())

    @property
    def is_real(self) -> bool:
        """Whether the matrix in the computational basis is real."""
        return all((c.imag if s.num_y % 2 == 0 else c.real) == 0 for s, c in self.items())

    @property
    def one_norm(self) -> float:
        """The sum of the moduli of the coefficients, a bound on the operator norm."""
        return sum(abs(coefficient) for coefficient in self.values())

    def to_dense(self, num_sites: int | None = None) -> NDArray[Any]:
        """Return the matrix, shape (2**num_sites,) * 2, site 0 the leftmost Kronecker factor; float if it is real."""
        return self.to_sparse(num_sites).toarray()

    def to_sparse(self, num_sites: int | None = None) -> csr_array:
        """Return the matrix as `scipy.sparse.csr_array`, site 0 the leftmost Kronecker factor; float if it is real."""
        from qthermo.operators.pauli_matrices import to_sparse

        return to_sparse(self, self._check_num_sites(num_sites))

    def to_linear_operator(self, num_sites: int | None = None) -> LinearOperator:
        """Return a matrix-free `scipy.sparse.linalg.LinearOperator`; cost len(self) * 2**num_sites per product."""
        from qthermo.operators.pauli_matrices import to_linear_operator

        return to_linear_operator(self, self._check_num_sites(num_sites))

    def _check_num_sites(self, num_sites: int | None) -> int:
        if num_sites is None:
            return self.num_sites
        if num_sites < self.num_sites:
            raise InputError(f"Argument `num_sites` must be at least {self.num_sites}, but is {num_sites}.")
        return num_sites

    def __str__(self) -> str:
        from qthermo.operators.pauli_text import format_terms

        return format_terms(self)

    def __repr__(self) -> str:
        text = str(self)
        return f"PauliSum.from_text({text!r})" if len(text) <= 200 else f"<PauliSum of {len(self)} terms>"
