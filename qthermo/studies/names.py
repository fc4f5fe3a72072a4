"""Names as people type them: found whatever their case and hyphens, and a near one suggested where none is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

from qthermo.errors import InputError

__all__ = ["find_named", "plain_name", "suggest"]

Found = TypeVar("Found")


def plain_name(name: str) -> str:
    """Return a name without case, hyphens and underscores: "heisenbergtebd" from "Heisenberg-TEBD"."""
    return name.lower().replace("-", "").replace("_", "")


def find_named(kind: str, name: str, known: Mapping[str, Found]) -> Found:
    """Return what is called `name`; case, hyphens and underscores do not matter.

    Args:
        kind: what it is, "method" for example.
        name: as typed.
        known: what there is, by name.

    Raises:
        InputError: nothing has that name; the sentence suggests the nearest.
    """
    for key, value in known.items():
        if plain_name(key) == plain_name(name):
            return value
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean `{close[0]}`?" if close else "."
    raise InputError(f"A {kind} must be one of {', '.join(known)}, but is {name!r}{hint}")


def suggest(key: str, known: Iterable[str], otherwise: str = "known keys are") -> str:
    """Return "did you mean `disorder`?", or `otherwise` and the list of what is known."""
    names = list(known)
    close = difflib.get_close_matches(key, names, n=1)
    return f"did you mean `{close[0]}`?" if close else f"{otherwise} {', '.join(names) or 'none'}."
