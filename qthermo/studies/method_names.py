"""Methods by name, with options given as text: what the command line and study files need."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from qthermo.errors import InputError
from qthermo.solve import METHODS, Method
from qthermo.studies.names import find_named, suggest

__all__ = ["build_method", "find_method", "parse_options", "read_value", "split_options"]


def build_method(name: str, options: Mapping[str, Any]) -> Method:
    """Return the method called `name` (case, hyphens and underscores do not matter) with the given options.

    Raises:
        InputError: no method has that name, or the method has no such option.
    """
    cls = find_method(name)
    allowed = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    for key in options:
        if key not in allowed:
            raise InputError(f"{cls.__name__} has no option `{key}`; {suggest(key, allowed, 'its options are')}")
    return cls(**options)


def find_method(name: str) -> type[Method]:
    """Return the method called `name`; case, hyphens and underscores do not matter.

    Raises:
        InputError: no method has that name.
    """
    return find_named("method", name, {cls.__name__: cls for cls in METHODS})


def parse_options(texts: Iterable[str]) -> dict[str, Any]:
    """Return {"max_bond_dim": 64} from ["max_bond_dim=64"]; a value that is no TOML value is taken as text.

    Raises:
        InputError: a text has no `=`.
    """
    options: dict[str, Any] = {}
    for key, text in split_options(texts).items():
        options[key] = read_value(text)
    return options


def read_value(text: str) -> Any:
    """Return the TOML value that `text` spells, or the text itself if it spells none.

    Raises:
        InputError: the text is nested too deeply.
    """
    try:
        tables = tomllib.loads(f"value = {text}")
    except ValueError:  # no TOML, or a number of more digits than python reads
        return text
    except RecursionError:
        raise InputError(f"A value must not be nested that deeply, but is {text[:40]!r} ...") from None
    return tables["value"] if tables.keys() == {"value"} else text


def split_options(texts: Iterable[str]) -> dict[str, str]:
    """Return {"max_bond_dim": "64"} from ["max_bond_dim=64"].

    Raises:
        InputError: a text has no `=`.
    """
    options = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise InputError(f"An option must read key=value, but is {text!r}.")
        options[key.strip()] = value.strip()
    return options
