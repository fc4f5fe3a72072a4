"""What a method answers with: named arrays with their dimensions, units and meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

__all__ = ["Answer", "Variable"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One named array of an answer: its dimensions, values, unit and meaning."""

    dims: tuple[str, ...]
    values: NDArray[Any]
    units: str
    long_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a method's `run` returns: variables, coordinates, and diagnostics such as steps, residuals or shots.

    Diagnostics are JSON values; those a user should see first come first.
    """

    variables: Mapping[str, Variable]
    coordinates: Mapping[str, NDArray[Any]]
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
