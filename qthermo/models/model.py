"""What every model is: a thermometer, a bath and a coupling, with the parameters that made it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from qthermo.checks import check_integer
from qthermo.errors import InputError
from qthermo.memory import check_memory
from qthermo.models.bath_eigenbasis import BathEigenbasis, diagonalise_bath
from qthermo.operators import PauliString, PauliSum

__all__ = [
    "MAX_SITES",
    "MatrixModel",
    "Model",
    "SpinModel",
    "check_model",
    "check_model_size",
    "describe_dimension",
    "record",
]

MAX_SITES = 10_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class SpinModel:
    """A thermometer spin on site 0 and bath spins on sites 1 .. num_sites - 1.

    Args:
        family: name of the model family.
        parameters: everything that made the model, as JSON values (numbers, text, lists).
        thermometer: H_T, acting on site 0 only.
        bath: H_B, not acting on site 0.
        coupling: V, every term acting on site 0 and on the bath.
        num_sites: number of spins in all.

    Raises:
        InputError: a part acts where it must not, is not Hermitian, or exceeds `num_sites`.
    """

    kind: ClassVar[str] = "spin"

    family: str
    parameters: Mapping[str, Any]
    thermometer: PauliSum
    bath: PauliSum
    coupling: PauliSum
    num_sites: int

    def __post_init__(self) -> None:
        check_model(self)

    @cached_property
    def hamiltonian(self) -> PauliSum:
        """H = H_T + H_B + V."""
        return self.thermometer + self.bath + self.coupling

    @property
    def observable(self) -> PauliSum:
        """Z_0, the thermometer's observable."""
        return PauliSum.pauli("Z", 0)

    @property
    def num_bath_sites(self) -> int:
        """The number of bath spins."""
        return self.num_sites - 1

    @property
    def dimension(self) -> int:
        """The dimension 2**num_sites of the Hilbert space."""
        return int(2**self.num_sites)

    def to_bath_eigenbasis(self) -> BathEigenbasis:
        """Return H in the eigenbasis of H_T + H_B; needs dense matrices of the bath."""
        return diagonalise_bath(self.thermometer, self.bath, self.coupling, self.num_sites)

    def to_matrix_model(self, *, thermometer_sites: int = 1) -> MatrixModel:
        """Return the model as matrices in the bath's eigenbasis, the thermometer being the first sites.

        With more than one thermometer site its 2**thermometer_sites levels are the states of the Z basis, site 0
        leftmost, and the observable is still Z_0. The answers to `Propagator` then resolve all these levels.

        Args:
            thermometer_sites: number of sites that belong to the thermometer; the others are the bath.

        Raises:
            InputError: there is no bath left, or the terms on the thermometer alone are not diagonal in the Z basis.
            MemoryRefusedError: the dense bath matrices do not fit.
        """
        count = check_integer("thermometer_sites", thermometer_sites, minimum=1, maximum=self.num_sites - 1)
        inside, outside = (1 << count) - 1, -1 << count
        parts: dict[str, list[tuple[PauliString, complex]]] = {"thermometer": [], "bath": [], "coupling": []}
        for string, coefficient in self.hamiltonian.items():
            mask = string.x | string.z
            name = "bath" if not mask & inside else "coupling" if mask & outside else "thermometer"
            parts[name].append((string, coefficient))
        eigenbasis = diagonalise_bath(
            **{name: PauliSum(terms) for name, terms in parts.items()},
            num_sites=self.num_sites,
            thermometer_sites=count,
        )
        parameters = {**self.parameters, "thermometer_sites": count}
        return MatrixModel(family=self.family, parameters=parameters, eigenbasis=eigenbasis)

    def __repr__(self) -> str:
        return f"<SpinModel {self.family}: {self.num_sites} spins, {len(self.hamiltonian)} terms>"


@dataclass(frozen=True, kw_only=True, eq=False)
class MatrixModel:
    """A thermometer of d levels and a bath given by its energies and coupling matrices.

    Args:
        family: name of the model family.
        parameters: what made the model, as JSON values.
        eigenbasis: the Hamiltonian, already in the eigenbasis of H_T + H_B.
    """

    kind: ClassVar[str] = "matrix"

    family: str
    parameters: Mapping[str, Any]
    eigenbasis: BathEigenbasis = field(repr=False)

    def __post_init__(self) -> None:
        check_model(self)

    @property
    def dimension(self) -> int:
        """The dimension d*N of the Hilbert space."""
        return self.eigenbasis.num_levels * self.eigenbasis.num_bath_states

    def to_bath_eigenbasis(self) -> BathEigenbasis:
        """Return H in the eigenbasis of H_T + H_B."""
        return self.eigenbasis


Model = SpinModel | MatrixModel


def check_model(model: Model) -> None:
    """Raise unless the model's parts are Hermitian, act where they must, and its parameters can be recorded.

    Raises:
        InputError: naming the part and what is wrong with it.
    """
    try:
        json.dumps(dict(model.parameters), allow_nan=False)
    except (TypeError, ValueError) as problem:
        raise InputError(f"A model's parameters must be finite JSON values, but: {problem}.") from None
    if isinstance(model, SpinModel):
        _check_parts(model)


def _check_parts(model: SpinModel) -> None:
    for name in ("thermometer", "bath", "coupling"):
        part: PauliSum = getattr(model, name)
        if not part.is_hermitian:
            raise InputError(f"A model's `{name}` must be Hermitian, but has complex coefficients: {part}.")
        if part.num_sites > model.num_sites:
            raise InputError(f"A model's `{name}` must act on sites below {model.num_sites}, but acts on {part.sites}.")
    if any(string.x | string.z > 1 for string in model.thermometer):
        raise InputError(f"A model's `thermometer` must act on site 0 only, but is {model.thermometer}.")
    if 0 in model.bath.sites:
        raise InputError("A model's `bath` must not act on site 0, the thermometer's.")
    if any(string.sites[:1] != (0,) or len(string.sites) < 2 for string in model.coupling):
        raise InputError("Every term of a model's `coupling` must act on site 0 and on the bath.")


def check_model_size(num_sites: int, num_terms: int) -> None:
    """Refuse to make a spin model whose terms would not fit in memory, before anything is allocated.

    Raises:
        MemoryRefusedError: the estimate, 400 bytes and two masks of `num_sites` bits for each term, does not fit.
    """
    needed = float(min(num_terms, MAX_SITES**2)) * (400.0 + min(num_sites, MAX_SITES) / 4.0)
    check_memory(needed, what=f"A model of {num_sites} spins", remedy="take a smaller one.")


def describe_dimension(dimension: int) -> str:
    """Return a Hilbert space's dimension as text: as 2**n above 2**1000, where it is one of spins."""
    return str(dimension) if dimension.bit_length() <= 1000 else f"2**{dimension.bit_length() - 1}"


def record(value: object) -> Any:
    """Return `value` as JSON: Pauli sums as text, arrays as lists, or as shape and SHA-256 above 4096 numbers.

    Values with fields become mappings of these.
    """
    if isinstance(value, np.ndarray):
        if value.size <= 4096 and not np.iscomplexobj(value):
            return value.tolist()
        from hashlib import sha256

        return {"shape": list(value.shape), "sha256": sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}
    if isinstance(value, PauliSum):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: record(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): record(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [record(item) for item in value]
    return value
