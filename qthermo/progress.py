"""How long work says how far it is: a callable that takes a fraction in [0, 1] and a few words."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "silent"]

Progress = Callable[[float, str], None]


def silent(_fraction: float, _words: str) -> None:
    """Say nothing."""
