"""Checks of user input, used at the public doors only; nothing below them checks again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qthermo.errors import InputError

__all__ = [
    "check_ascending",
    "check_choice",
    "check_finite_array",
    "check_hermitian",
    "check_integer",
    "check_real",
    "frozen",
]


def frozen(values: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only copy."""
    copy = np.array(values)
    copy.setflags(write=False)
    return copy


def check_real(name: str, value: object, *, minimum: float | None = None, exclusive: bool = False) -> float:
    """Return `value` as a finite float of at least (or, if `exclusive`, more than) `minimum`."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (OverflowError, TypeError, ValueError):
        raise InputError(f"Argument `{name}` must be a real number, but is {value!r}.") from None
    if not math.isfinite(number):
        raise InputError(f"Argument `{name}` must be finite, but is {number}.")
    if minimum is not None and (number < minimum or (exclusive and number == minimum)):
        bound = "greater than" if exclusive else "at least"
        raise InputError(f"Argument `{name}` must be {bound} {minimum:g}, but is {number:g}.")
    return number


def check_integer(name: str, value: object, *, minimum: int, maximum: int | None = None) -> int:
    """Return `value` as an int between `minimum` and `maximum`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InputError(f"Argument `{name}` must be a whole number, but is {value!r}.")
    number = int(value)
    if number < minimum or (maximum is not None and number > maximum):
        bound = f"at least {minimum}" if maximum is None else f"between {minimum} and {maximum}"
        raise InputError(f"Argument `{name}` must be {bound}, but is {number}.")
    return number


def check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """Raise unless `value` is one of `choices`."""
    if value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise InputError(f"Argument `{name}` must be one of {listed}, but is {value!r}.")


def check_finite_array(name: str, values: ArrayLike, *, ndim: int, complex_allowed: bool = False) -> NDArray[Any]:
    """Return `values` as a read-only float (or complex) array of `ndim` axes without NaN or infinity."""
    try:
        array = np.asarray(values)
        array = array.astype(np.complex128 if np.iscomplexobj(array) else np.float64)
    except (TypeError, ValueError):
        raise InputError(f"Argument `{name}` must be an array of numbers, but is {type(values).__name__}.") from None
    if np.iscomplexobj(array) and not complex_allowed:
        raise InputError(f"Argument `{name}` must be real, but has complex entries.")
    if array.ndim != ndim:
        raise InputError(
            f"Argument `{name}` must have {ndim} {'axis' if ndim == 1 else 'axes'}, but has shape {array.shape}."
        )
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        place = ", ".join(str(index) for index in bad[0])
        raise InputError(f"Argument `{name}` must be finite, but {name}[{place}] = {array[tuple(bad[0])]}.")
    return frozen(array)


def check_ascending(name: str, values: ArrayLike, *, minimum: float = 0.0, exclusive: bool = False) -> NDArray[Any]:
    """Return `values` as a read-only, non-empty, strictly ascending 1D float array bounded below by `minimum`."""
    try:
        flat = np.atleast_1d(np.asarray(values))
    except ValueError:
        raise InputError(f"Argument `{name}` must be an array of numbers, but its rows differ in length.") from None
    array = check_finite_array(name, flat, ndim=1)
    if array.size == 0:
        raise InputError(f"Argument `{name}` must hold at least one value, but is empty.")
    falls = np.flatnonzero(np.diff(array) <= 0)
    if falls.size:
        k = int(falls[0]) + 1
        raise InputError(f"Argument `{name}` must ascend, but {name}[{k}]={array[k]:g} follows {array[k - 1]:g}.")
    if array[0] < minimum or (exclusive and array[0] == minimum):
        bound = "greater than" if exclusive else "at least"
        raise InputError(f"Argument `{name}` must be {bound} {minimum:g}, but {name}[0]={array[0]:g}.")
    return array


def check_hermitian(name: str, matrix: NDArray[Any], *, rtol: float = 1e-10) -> None:
    """Raise unless the square `matrix` equals its conjugate transpose within `rtol` of its largest entry."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"Argument `{name}` must be a square matrix, but has shape {matrix.shape}.")
    deviation = float(np.abs(matrix - matrix.conj().T).max(initial=0.0))
    if deviation > rtol * max(1.0, float(np.abs(matrix).max(initial=0.0))):
        raise InputError(f"Argument `{name}` must be Hermitian, but deviates from its adjoint by {deviation:.3g}.")
