"""Hostile variants of valid data: bytes, text, and JSON-like values; every one is a pure function of the generator."""

from __future__ import annotations

import random
from typing import Any

WORDS = (
    "", " ", "nan", "NaN", "-inf", "Infinity", "1e999", "-0", "1e-400", "9" * 400, "0x10", "1_000", "true", "None",
    "\x00", "\n", "\ufeff", "\u202e", "\U0001f9ea", "e\u0301", "\ud7ff", "'", '"', '"""', "\\", "../../etc/passwd",
    "%s%n", "[[", "]]", "{", "}", "=", "#", "$(id)", "A" * 5000, "[" * 3000, "Z999999", "Z0 Z0", "(1+2j)",
    "0:1:1000000000", "5:1:3", "1:2", "nan:1:3", "0,0", "1,nan", "-1", "0", "1", "2.5", "1e308", "9223372036854775808",
)  # fmt: skip
NUMBERS = (
    0, 1, -1, 2, 3, 1 << 20, 1 << 31, 1 << 63, -(1 << 63), 1 << 64, 10**30, 0.0, -0.0, 0.5, -1.5, 1e-300, 1e300, -1e300,
    float("nan"), float("inf"), float("-inf"), True, False, 5e-324, 2.0000000001,
)  # fmt: skip


def mutate_bytes(rng: random.Random, data: bytes) -> bytes:
    """Return `data` with bits flipped, cut, doubled, shuffled, or words written into it."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        size = len(out)
        place = rng.randrange(size + 1)
        kind = rng.randrange(7)
        if kind == 0 and size:
            out[rng.randrange(size)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del out[place:]
        elif kind == 2:
            del out[place : place + rng.randrange(1, 40)]
        elif kind == 3:
            out[place:place] = out[place : place + rng.randrange(1, 200)]
        elif kind == 4:
            out[place:place] = rng.choice(WORDS).encode("utf-8", "surrogatepass")
        elif kind == 5:
            out[place : place + 8] = rng.randbytes(rng.randrange(9))
        elif size:
            other = rng.randrange(size)
            out[place : place + 16], out[other : other + 16] = out[other : other + 16], out[place : place + 16]
    return bytes(out)


def mutate_text(rng: random.Random, text: str) -> str:
    """Return `text` with characters, words or whole tokens changed; never invalid Unicode."""
    for _ in range(rng.choice((1, 1, 2, 5))):
        place = rng.randrange(len(text) + 1)
        kind = rng.randrange(6)
        if kind == 0:
            text = text[:place] + rng.choice(WORDS) + text[place:]
        elif kind == 1:
            text = text[:place] + text[place + rng.randrange(1, 9) :]
        elif kind == 2:
            tokens = text.split(" ")
            tokens[rng.randrange(len(tokens))] = rng.choice((*WORDS, *map(repr, NUMBERS)))
            text = " ".join(tokens)
        elif kind == 3:
            text = text[:place] + chr(rng.choice((0, 9, 10, 0x30, 0x7F, 0x660, 0xB2, 0x1D7D8, 0x2028))) + text[place:]
        elif kind == 4:
            text = text[:place] + text[:place][-rng.randrange(1, 60) :] + text[place:]
        else:
            lines = text.split("\n")
            rng.shuffle(lines)
            text = "\n".join(lines)
    return text


def random_value(rng: random.Random, depth: int = 0) -> Any:
    """Return a JSON-like value of any type, at times nested deeply."""
    kind = rng.randrange(8)
    if kind == 0 and depth < 4:
        return [random_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 1 and depth < 4:
        return {rng.choice(WORDS): random_value(rng, depth + 1) for _ in range(rng.randrange(4))}
    if kind == 2:
        value: Any = rng.choice(NUMBERS)
        for _ in range(rng.choice((1, 3, 60))):
            value = [value]
        return value
    return rng.choice(WORDS) if kind < 5 else rng.choice(NUMBERS)


def mutate_value(rng: random.Random, value: Any) -> Any:
    """Return a JSON-like value with some part replaced, removed, renamed, swapped or repeated."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        value = _mutate_once(rng, value)
    return value


def _mutate_once(rng: random.Random, value: Any) -> Any:
    if isinstance(value, dict) and value:
        key = rng.choice(sorted(value, key=str))
        kind = rng.randrange(8)
        if kind == 0:
            return {k: v for k, v in value.items() if k != key}
        if kind == 1:
            return {(rng.choice(WORDS) if k == key else k): v for k, v in value.items()}
        if kind == 2:
            other = rng.choice(sorted(value, key=str))
            return value | {key: value[other], other: value[key]}
        if kind == 3:
            return value | {key: random_value(rng)}
        return value | {key: _mutate_once(rng, value[key])}
    if isinstance(value, list) and value:
        place = rng.randrange(len(value))
        kind = rng.randrange(6)
        if kind == 0:
            return value[:place] + value[place + 1 :]
        if kind == 1:
            return value[: place + 1] + value[place:]
        if kind == 2:
            return value[::-1]
        return [*value[:place], _mutate_once(rng, value[place]), *value[place + 1 :]]
    if isinstance(value, str) and rng.random() < 0.5:
        return mutate_text(rng, value)
    if isinstance(value, int | float) and not isinstance(value, bool) and rng.random() < 0.5:
        return value * rng.choice((-1, 0, 2, 0.5, 1e10, 1 << 40))
    return random_value(rng)
