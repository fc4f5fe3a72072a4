"""The tables of a study file, each checked whole: every complaint is collected with the path of its key."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from qthermo.errors import InputError
from qthermo.models import Thermometer
from qthermo.models.model import record
from qthermo.solve import PROBLEMS
from qthermo.studies.method_names import build_method, find_method
from qthermo.studies.model_file import FAMILIES, build_schema, explain_errors
from qthermo.studies.names import suggest
from qthermo.studies.problem_names import GRIDS, find_problem, read_field
from qthermo.studies.study import Axis

__all__ = ["LABEL", "parse_methods", "parse_model_table", "parse_problem_table", "with_path"]

LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+=-]{0,63}")
_SCALARS = (int, float, str, bool)


def with_path(problem: Exception, table: str) -> str:
    """Return an error's words with "Argument `x`" made "Key `table.x`", or with the table put before."""
    text = str(problem)
    renamed = re.sub(r"^Argument `([^`]+)`", rf"Key `{table}.\1`", text)
    return renamed if renamed != text else f"In [{table}]: {text}"


def is_scalar(hint: Any) -> bool:
    """Return whether a declared type is that of single values, so that a list of them is an axis."""
    if typing.get_origin(hint) is typing.Literal:
        return True
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return all(part is type(None) or is_scalar(part) for part in typing.get_args(hint))
    return hint in _SCALARS


def _scalar_axes(table: Mapping[str, Any], hints: Mapping[str, Any], prefix: str) -> list[Axis]:
    """Return an axis for every key that is declared a scalar and given as a list."""
    found = []
    for key, value in table.items():
        hint = hints.get(key)
        if hint in (Thermometer, Thermometer | None) and isinstance(value, Mapping):
            found += _scalar_axes(value, typing.get_type_hints(Thermometer), f"{prefix}.{key}")
        elif is_scalar(hint) and isinstance(value, list):
            found.append(Axis(path=f"{prefix}.{key}", name="", values=tuple(value)))
    return found


def parse_model_table(table: Mapping[str, Any] | None, complaints: list[str]) -> tuple[dict[str, Any], list[Axis], Any]:
    """Return the canonical table (numbers of the declared type), its axes, and its seed or None."""
    family = None if table is None else table.get("family")
    if table is None or not isinstance(family, str) or family not in FAMILIES:
        if table is not None:
            complaints.append(f"Key `model.family` must be one of {', '.join(FAMILIES)}, but is {family!r}.")
        return {}, [], None
    if "realization" in table:
        complaints.append("Key `model.realization` is set by the study, which runs over realizations; remove it.")
    seed = table.get("seed")
    hints = typing.get_type_hints(FAMILIES[family])
    arguments = {key: value for key, value in table.items() if key not in ("family", "seed", "realization")}
    axes = _scalar_axes(arguments, hints, "model")
    complaints += [
        f"Axis `{axis.path}` must hold at least one value, but is empty." for axis in axes if not axis.values
    ]
    checked = _check_model_values(arguments, axes, FAMILIES[family], complaints)
    if isinstance(seed, list):
        complaints.append("Key `model.seed` must be one whole number; realizations take the place of a list of seeds.")
        seed = None
    return {"family": family, **checked}, [_reread(axis, checked) for axis in axes], seed


def _check_model_values(
    arguments: Mapping[str, Any], axes: list[Axis], sampler: Any, complaints: list[str]
) -> dict[str, Any]:
    """Check types with the first value of every axis, then each further value in its place; return the table."""
    import pydantic

    schema = build_schema(sampler)
    known = ["family", *schema.model_fields]

    def validate(values: Mapping[str, Any]) -> Any:
        return schema.model_validate({**values, "seed": 0})

    first = _copy(arguments)
    for axis in axes:
        _put(first, axis.path, axis.values[0] if axis.values else 0)
    on_axes = tuple(f"Key `{axis.path}`" for axis in axes)
    result = _copy(arguments)
    try:
        result = validate(first).model_dump(exclude_unset=True)
        result.pop("seed", None)
    except pydantic.ValidationError as problem:
        complaints += [line for line in explain_errors(problem, "model", known) if not line.startswith(on_axes)]
    for axis in axes:
        column = []
        for k, value in enumerate(axis.values):
            trial = _copy(first)
            _put(trial, axis.path, value)
            try:
                column.append(_get(validate(trial).model_dump(exclude_unset=True), axis.path))
            except pydantic.ValidationError as problem:
                lines = [ln for ln in explain_errors(problem, "model", known) if ln.startswith(f"Key `{axis.path}`")]
                complaints += [line.replace(f"`{axis.path}`", f"`{axis.path}[{k}]`") for line in lines]
        _put(result, axis.path, column)
    return result


def _copy(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: dict(value) if isinstance(value, Mapping) else value for key, value in table.items()}


def _put(table: dict[str, Any], path: str, value: Any) -> None:
    *inner, last = path.split(".")[1:]
    for key in inner:
        table = table[key]
    table[last] = value


def _get(table: Mapping[str, Any], path: str) -> Any:
    value: Any = table
    for key in path.split(".")[1:]:
        value = value[key]
    return value


def _reread(axis: Axis, table: Mapping[str, Any]) -> Axis:
    """Return the axis with the values that the checked table holds."""
    return Axis(path=axis.path, name="", values=tuple(_get(table, axis.path)))


def parse_problem_table(table: Mapping[str, Any] | None, complaints: list[str]) -> tuple[dict[str, Any], list[Axis]]:
    """Return the canonical table, grids written out and defaults filled in, and its axes."""
    if table is None:
        return {}, []
    try:
        cls = find_problem(str(table.get("name")))
    except InputError:
        names = ", ".join(problem.__name__ for problem in PROBLEMS)
        complaints.append(f"Key `problem.name` must be one of {names}, but is {table.get('name')!r}.")
        return {}, []
    wanted = {f.name: f for f in fields(cls) if f.name != "model"}
    given = {key: value for key, value in table.items() if key != "name"}
    known = ["name", *wanted]
    complaints += [f"Key `problem.{key}` is unknown; {suggest(key, known)}" for key in given if key not in wanted]
    hints = typing.get_type_hints(cls)
    axes = _scalar_axes(given, hints, "problem")
    values = {key: text for key, text in GRIDS.items() if key in wanted} | {k: given[k] for k in given if k in wanted}
    result: dict[str, Any] = {"name": cls.__name__}
    for key, value in values.items():
        try:
            result[key] = _canonical_field(key, value, hints[key])
        except (InputError, ValueError, TypeError, AttributeError) as problem:
            complaints.append(f"Key `problem.{key}` cannot be read: {problem}")
    for key, declared in wanted.items():
        if key not in values and declared.default is MISSING and declared.default_factory is MISSING:
            complaints.append(f"Key `problem.{key}` is missing.")
    return result, [_reread(axis, result) for axis in axes if axis.path.split(".")[1] in result]


def _canonical_field(key: str, value: Any, hint: Any) -> Any:
    """Return a field as JSON: grids as lists of numbers, floats as floats."""
    if key in GRIDS:
        return record(read_field(key, value))
    if is_scalar(hint):
        items = value if isinstance(value, list) else [value]
        if not items:
            raise InputError("an axis must hold at least one value, but is empty.")
        for item in items:
            _check_scalar(item, hint)
        items = [float(item) for item in items] if hint is float else items
        return items if isinstance(value, list) else items[0]
    read_field(key, value)
    return value


def _check_scalar(item: Any, hint: Any) -> None:
    if hint not in _SCALARS:
        return  # the problem itself checks choices
    allowed = (int, float) if hint is float else (hint,)
    if not isinstance(item, allowed) or (isinstance(item, bool) and hint is not bool):
        raise InputError(f"it must be of type {hint.__name__}, but is {item!r}.")


def parse_methods(tables: Mapping[str, Any], complaints: list[str]) -> list[dict[str, Any]]:
    """Return the canonical tables of all methods."""
    if "method" in tables and "methods" in tables:
        complaints.append("A study file must hold either [method] or [[methods]], but has both.")
    given = tables.get("methods", [tables["method"]] if "method" in tables else None)
    if not isinstance(given, list) or not given:
        complaints.append("A study file must hold at least one table [[methods]], but has none.")
        return []
    place = "methods[{}]" if "methods" in tables else "method"
    found = []
    for k, table in enumerate(given):
        found.append(_parse_method(table, place.format(k), complaints))
    labels = [table["label"] for table in found]
    for k, label in enumerate(labels):
        if label in labels[:k]:
            complaints.append(f"Key `{place.format(k)}.label` must differ from the others, but is {label!r} again.")
    return found


def _parse_method(table: Any, path: str, complaints: list[str]) -> dict[str, Any]:
    if not isinstance(table, Mapping) or not isinstance(table.get("name"), str):
        complaints.append(f"Key `{path}.name` must be the name of a method, but is missing.")
        return {"label": path}
    label = table.get("label", table["name"])
    result = {"name": table["name"], "label": label}
    try:
        cls = find_method(table["name"])
    except InputError as problem:
        complaints.append(f"Key `{path}.name`: {problem}")
        return result
    result["name"] = cls.__name__
    result["label"] = label = table.get("label", cls.__name__)
    if not isinstance(label, str) or not LABEL.fullmatch(label):
        complaints.append(f"Key `{path}.label` must be up to 64 letters, digits and ._+=-, but is {label!r}.")
    options = {key: value for key, value in table.items() if key not in ("name", "label")}
    known = [field.name for field in fields(cls) if field.name not in ("seed", "checkpoint")]  # type: ignore[arg-type]
    reserved = {
        "seed": "is spawned for every realization from `ensemble.seed`; remove it.",
        "checkpoint": "is chosen for every realization; remove it and set `output.checkpoints`.",
    }
    bad = [key for key in options if key not in known]
    for key in bad:
        words = reserved.get(key) if key in inspect.signature(cls).parameters else None
        complaints.append(f"Key `{path}.{key}` {words or 'is unknown; ' + suggest(key, ['name', 'label', *known])}")
    if not bad:
        try:
            method = build_method(cls.__name__, options)
            result |= {key: _plain(getattr(method, key), value) for key, value in options.items()}
        except InputError as problem:
            complaints += _option_errors(cls, options, path) or [with_path(problem, path)]
        except TypeError as problem:
            complaints.append(f"In [{path}]: {problem}.")
    return result


def _option_errors(cls: type[Any], options: Mapping[str, Any], path: str) -> list[str]:
    """Return what is wrong with each option by itself."""
    found = []
    for key, value in options.items():
        try:
            cls(**{key: value})
        except InputError as problem:
            found.append(with_path(problem, path))
    return found


def _plain(built: Any, given: Any) -> Any:
    """Return the value as the method holds it where that is a scalar, else as it was given."""
    return built if isinstance(built, _SCALARS) and not is_dataclass(built) else given
