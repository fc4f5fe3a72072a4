"""Pauli sums as text: "0.91 Z0 - 0.37 Z1 + (1+2j) X0 Y1 + 2"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from qthermo.errors import InputError

if TYPE_CHECKING:
    from qthermo.operators.pauli_sum import PauliSum

__all__ = ["format_terms", "parse_terms"]

_MAX_CHARACTERS = 10_000_000
_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
_TOKEN = re.compile(
    rf"\s*(?:(?P<sign>[+-])|(?P<complex>\([^()]{{1,80}}\))|(?P<number>{_NUMBER})"
    r"|(?P<pauli>[XYZ]\d{1,7})|(?P<identity>I)|(?P<times>\*))",
    re.ASCII,
)


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise InputError(
                f"A Pauli sum reads like '0.5 Z0 - 1.2 X0 X1', but {_excerpt(text, position)} is not that."
            )
        yield match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup)
        position = match.end()


def _excerpt(text: str, position: int) -> str:
    return f"{text[position : position + 20].strip()!r} at character {position}"


def parse_terms(text: str) -> list[tuple[complex, dict[int, str]]]:
    """Return the terms of `text` as `(coefficient, {site: letter})`.

    A term is an optional coefficient (a number, or a Python complex number in brackets) and letters X, Y, Z with a
    site, each site at most once; terms are joined by + or -. A bare number, or I, is a multiple of the identity.

    Raises:
        InputError: the text is too long or cannot be read.
    """
    if len(text) > _MAX_CHARACTERS:
        raise InputError(f"A Pauli sum must have at most {_MAX_CHARACTERS} characters, but this one has {len(text)}.")
    terms: list[tuple[complex, dict[int, str]]] = []
    coefficient: complex | None = None
    letters: dict[int, str] = {}
    sign, signed, filled = 1, False, False

    def close() -> None:
        terms.append((sign * (1.0 if coefficient is None else coefficient), dict(letters)))

    for kind, word, position in _tokens(text):
        if kind == "sign":
            if filled:
                close()
                filled, coefficient, letters = False, None, {}
            elif signed:
                raise InputError(f"A sign must stand between terms, but {_excerpt(text, position)} follows a sign.")
            sign, signed = 1 if word == "+" else -1, True
            continue
        if kind in ("number", "complex"):
            if filled:
                raise InputError(f"A number must open its term, but {_excerpt(text, position)} follows another factor.")
            coefficient = _number(word)
        elif kind == "pauli":
            site = int(word[1:])
            if site in letters:
                raise InputError(
                    f"A site must stand once in a term, but {_excerpt(text, position)} repeats site {site}."
                )
            letters[site] = word[0]
        filled, signed = kind != "times" or filled, kind == "times"
        if not filled:
            raise InputError(f"A term must open with a number or a letter, but {_excerpt(text, position)} opens one.")
    if not filled or signed:
        raise InputError("A Pauli sum must have at least one term and must not end in a sign.")
    close()
    return terms


def _number(word: str) -> complex:
    try:
        return complex(word)
    except ValueError:
        raise InputError(f"A coefficient must be a number such as 0.5 or (1+2j), but is {word!r}.") from None


def format_terms(pauli_sum: PauliSum) -> str:
    """Return text that `parse_terms` reads back to the same coefficients, bit for bit."""
    if not pauli_sum:
        return "0"
    pieces = []
    for string, coefficient in pauli_sum.items():
        negative = coefficient.imag == 0 and coefficient.real < 0
        value = -coefficient if negative else coefficient
        number = f"{value.real!r}" if value.imag == 0 else f"({value!r})".replace("((", "(").replace("))", ")")
        word = number if not string.sites else f"{number} {string}"
        pieces.append(("- " if negative else "+ ") + word)
    text = " ".join(pieces)
    return text[2:] if text.startswith("+ ") else "-" + text[2:]
