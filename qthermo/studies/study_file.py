"""Study files: TOML tables, checked key by key, all errors told at once with their paths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qthermo.errors import InputError
from qthermo.studies.ensemble import Ensemble, Output
from qthermo.studies.method_names import parse_options
from qthermo.studies.model_file import build_schema, explain_errors, read_toml
from qthermo.studies.names import suggest
from qthermo.studies.study import Axis, Study
from qthermo.studies.study_tables import LABEL, parse_methods, parse_model_table, parse_problem_table, with_path

__all__ = ["apply_overrides", "load_study", "parse_study", "raise_together"]

_TABLES = ("name", "model", "problem", "method", "methods", "ensemble", "output")


def load_study(path: str | Path, *, overrides: Sequence[str] = ()) -> Study:
    """Read and check a study file.

    Args:
        path: TOML file with the tables `[model]`, `[problem]`, `[[methods]]` (or one `[method]`), `[ensemble]` and,
            if wanted, `[output]`; docs/studies.md lists every key.
        overrides: texts such as "model.disorder=3" that replace keys of the file.

    Raises:
        FileError: the file is missing or no TOML.
        InputError: keys are unknown, missing, of the wrong type or out of range; all are named at once.
    """
    tables = apply_overrides(read_toml(path), overrides)
    tables.setdefault("name", Path(path).stem)
    return parse_study(tables)


def apply_overrides(tables: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Return the tables with keys replaced; a method is named by its label or its place from 0.

    Raises:
        InputError: an override is not path=value, or leads through a key that is no table.
    """
    result: dict[str, Any] = {**tables}
    for path, value in parse_options(overrides).items():
        parts = path.split(".")
        target: Any = result
        for part in parts[:-1]:
            target = _step_into(target, part, path)
        if not isinstance(target, dict):
            raise InputError(f"Override `{path}` must name a key of a table of the study file, but does not.")
        target[parts[-1]] = value
    return result


def _step_into(target: Any, part: str, path: str) -> Any:
    """Return a fresh copy, linked into its parent, of the table or list called `part`."""
    if isinstance(target, list):
        names = [str(t.get("label", t.get("name"))) if isinstance(t, dict) else "" for t in target]
        if part not in names and not (part.isdigit() and int(part) < len(target)):
            raise InputError(f"Override `{path}` must name one of the methods {', '.join(names)}, but has {part!r}.")
        place: Any = names.index(part) if part in names else int(part)
    elif isinstance(target, dict):
        place = part
        target.setdefault(part, {})
    else:
        raise InputError(f"Override `{path}` must lead through tables of the study file, but {part!r} is none.")
    inner = target[place]
    target[place] = dict(inner) if isinstance(inner, dict) else list(inner) if isinstance(inner, list) else inner
    return target[place]


def raise_together(complaints: Sequence[str]) -> None:
    """Raise one `InputError` with all complaints, each on a line of its own if there are several."""
    unique = list(dict.fromkeys(complaints))
    if len(unique) == 1:
        raise InputError(unique[0])
    if unique:
        raise InputError(f"{len(unique)} things must be mended in the study:\n  " + "\n  ".join(unique))


def parse_study(tables: Mapping[str, Any]) -> Study:
    """Check the tables of a study file and return the study.

    Raises:
        InputError: keys are unknown, missing, of the wrong type or out of range; all are named at once.
    """
    complaints = [f"Key `{key}` is unknown; {suggest(key, _TABLES)}" for key in tables if key not in _TABLES]
    name = tables.get("name", "study")
    if not isinstance(name, str) or not LABEL.fullmatch(name):
        complaints.append(f"Key `name` must be up to 64 letters, digits and ._+=-, but is {name!r}.")
    model, model_axes, model_seed = parse_model_table(_table(tables, "model", complaints), complaints)
    problem, problem_axes = parse_problem_table(_table(tables, "problem", complaints), complaints)
    methods = parse_methods(tables, complaints)
    ensemble = _parse_dataclass(_ensemble_table(tables, model_seed, complaints), "ensemble", Ensemble, complaints)
    output = _parse_dataclass(_table(tables, "output", complaints, optional=True), "output", Output, complaints)
    if ensemble is not None and ensemble.judge is not None and methods:
        labels = [str(method["label"]) for method in methods]
        if ensemble.judge not in labels:
            complaints.append(f"Key `ensemble.judge` must be one of {', '.join(labels)}, but is {ensemble.judge!r}.")
    raise_together(complaints)
    return Study(
        name=name,
        model=model,
        problem=problem,
        methods=tuple(methods),
        axes=_name_axes(model_axes + problem_axes),
        ensemble=ensemble,
        output=output,
    )


def _table(
    tables: Mapping[str, Any], key: str, complaints: list[str], *, optional: bool = False
) -> Mapping[str, Any] | None:
    table = tables.get(key, {} if optional else None)
    if isinstance(table, Mapping):
        return table
    complaints.append(
        f"A study file must hold a table [{key}], but " + ("has none." if table is None else "it is none.")
    )
    return None


def _ensemble_table(tables: Mapping[str, Any], model_seed: object, complaints: list[str]) -> Mapping[str, Any] | None:
    table = _table(tables, "ensemble", complaints)
    if table is None:
        return None
    if model_seed is not None and table.get("seed", model_seed) != model_seed:
        complaints.append(
            f"Keys `model.seed` and `ensemble.seed` must agree, but are {model_seed} and {table['seed']}; remove one."
        )
    seed = table.get("seed", 0 if model_seed is None else model_seed)
    return {**table, "seed": seed}


def _parse_dataclass(table: Mapping[str, Any] | None, name: str, cls: type[Any], complaints: list[str]) -> Any:
    """Return `cls(**table)` after a strict check of keys and types, or None."""
    if table is None:
        return None
    import pydantic

    schema = build_schema(cls)
    try:
        checked = schema.model_validate(dict(table))
        return cls(**{key: getattr(checked, key) for key in checked.model_fields_set})
    except pydantic.ValidationError as problem:
        complaints += explain_errors(problem, name, list(schema.model_fields))
        bad = {error["loc"][0] for error in problem.errors()}
        complaints += _range_errors(cls, {key: value for key, value in table.items() if key not in bad}, name)
    except InputError:
        complaints += _range_errors(cls, table, name)
    return None


def _range_errors(cls: type[Any], table: Mapping[str, Any], name: str) -> list[str]:
    """Return what is wrong with each key by itself."""
    found = []
    needed = {"num_realizations": 1} if cls is Ensemble else {}
    for key, value in table.items():
        try:
            cls(**{**needed, key: value})
        except InputError as problem:
            found.append(with_path(problem, name))
    return found


def _name_axes(axes: list[Axis]) -> tuple[Axis, ...]:
    """Name every axis by its path without the table, or with it where two would be called the same."""
    short = [axis.path.split(".", 1)[1].replace(".", "_") for axis in axes]
    taken = {"label", "method_name", "time", "energy", "laplace", "frequency", "observable", "site"}
    return tuple(
        Axis(
            path=axis.path,
            name=axis.path.replace(".", "_") if short.count(name) > 1 or name in taken else name,
            values=axis.values,
        )
        for axis, name in zip(axes, short, strict=True)
    )
