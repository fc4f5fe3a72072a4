"""Models from TOML: the `[model]` table of a model or study file, checked key by key."""

from __future__ import annotations

import inspect
import tomllib
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from qthermo.errors import FileError, InputError
from qthermo.models import (
    AnyModel,
    Thermometer,
    sample_all_to_all_ising,
    sample_anderson_lattice,
    sample_band_chain,
    sample_band_matrix,
    sample_ergodic_grain,
    sample_imbrie_chain,
    sample_levy_bath,
)
from qthermo.studies.names import suggest

if TYPE_CHECKING:
    import pydantic

__all__ = ["FAMILIES", "build_schema", "explain_errors", "load_model", "parse_model", "read_toml"]

FAMILIES: Mapping[str, Callable[..., AnyModel]] = MappingProxyType(
    {
        "imbrie_chain": sample_imbrie_chain,
        "all_to_all_ising": sample_all_to_all_ising,
        "levy_bath": sample_levy_bath,
        "ergodic_grain": sample_ergodic_grain,
        "band_chain": sample_band_chain,
        "anderson_lattice": sample_anderson_lattice,
        "band_matrix": sample_band_matrix,
    }
)
_MAX_BYTES = 10_000_000


def load_model(path: str | Path) -> AnyModel:
    """Read a model file: one table `[model]` with `family` (a sampler's name without `sample_`) and its arguments.

    Raises:
        FileError: the file is missing, too large, or no TOML.
        InputError: a key is unknown or missing, or a value has the wrong type; every such key is named.
    """
    tables = read_toml(path)
    for key in tables:
        if key != "model":
            raise InputError(f"A model file must hold one table [model], but {path} has {key!r} too; remove it.")
    return parse_model(tables.get("model", {}))


def read_toml(path: str | Path) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        FileError: the file is missing, too large, or no TOML.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise FileError(f"A TOML file must be smaller than {_MAX_BYTES} bytes, but {path} is larger.")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise FileError(f"A TOML file must be readable, but {path} is not ({problem.strerror}).") from None
    except (ValueError, RecursionError) as problem:
        raise FileError(f"{path} must be a TOML file, but cannot be read as one ({problem}).") from None


def parse_model(table: object) -> AnyModel:
    """Return the model that a `[model]` table describes.

    Raises:
        InputError: the family is unknown, or keys are unknown, missing or of the wrong type; all are named at once.
    """
    if not isinstance(table, Mapping) or "family" not in table:
        raise InputError(f"A model file must hold a table [model] with the key `family`: one of {', '.join(FAMILIES)}.")
    family = table["family"]
    if not isinstance(family, str) or family not in FAMILIES:
        raise InputError(f"Key `model.family` must be one of {', '.join(FAMILIES)}, but is {family!r}.")
    arguments = {key: value for key, value in table.items() if key != "family"}
    sampler = FAMILIES[family]
    schema = build_schema(sampler)
    import pydantic

    try:
        checked = schema.model_validate(arguments)
    except pydantic.ValidationError as problem:
        raise InputError(" ".join(explain_errors(problem, "model", ["family", *schema.model_fields]))) from None
    values = {name: getattr(checked, name) for name in checked.model_fields_set}
    if isinstance(values.get("thermometer"), pydantic.BaseModel):
        values["thermometer"] = Thermometer(**values["thermometer"].model_dump(exclude_unset=True))
    return sampler(**values)


def build_schema(function: Callable[..., Any]) -> type[pydantic.BaseModel]:
    """Return a pydantic model of a function's keyword arguments; unknown keys are errors, types are strict."""
    import pydantic

    hints = typing.get_type_hints(function)
    declared: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints[name]
        if hint == Thermometer | None:
            hint = build_schema(Thermometer) | None
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        declared[name] = (hint, default)
    schema: type[pydantic.BaseModel] = pydantic.create_model(
        function.__name__, __config__=pydantic.ConfigDict(extra="forbid", strict=True), **declared
    )
    return schema


def explain_errors(problem: pydantic.ValidationError, table: str, known: Sequence[str]) -> list[str]:
    """Return one sentence for each error, with the path of its key; `known` are the table's keys."""
    sentences = []
    for error in problem.errors():
        path = ".".join(str(part) for part in (table, *error["loc"]) if not str(part).startswith("function-"))
        if error["type"] == "extra_forbidden":
            inner = len(error["loc"]) > 1
            keys = list(inspect.signature(Thermometer).parameters) if inner else known
            sentences.append(f"Key `{path}` is unknown; {suggest(str(error['loc'][-1]), keys)}")
        elif error["type"] == "missing":
            sentences.append(f"Key `{path}` is missing.")
        else:
            message = error["msg"][0].lower() + error["msg"][1:]
            sentences.append(f"Key `{path}`: {message}, but is {error['input']!r}.")
    return sentences
