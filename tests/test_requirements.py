"""Requirements are said in one way everywhere: bounds, the oldest versions tested, the page on installation."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {name: [Requirement(text) for text in rows] for name, rows in PROJECT["optional-dependencies"].items()}
BASE = [Requirement(text) for text in PROJECT["dependencies"]]
TOOLS = {"ruff", "mypy", "scipy-stubs", "pytest", "pytest-xdist", "pytest-benchmark", "hypothesis"}


def pins(name: str) -> dict[str, str]:
    lines = (line for line in (ROOT / name).read_text().splitlines() if not line.startswith("#"))
    return dict(line.split("==") for line in lines)


def least(requirement: Requirement) -> str:
    (bound,) = [specifier for specifier in requirement.specifier if specifier.operator == ">="]
    return bound.version


def numbers(version: str) -> list[int]:
    found = [int(word) for word in version.split(".")]
    while found and found[-1] == 0:
        found.pop()
    return found


def test_every_requirement_has_a_lower_bound_and_one_only():
    bounds: dict[str, set[str]] = {}
    for requirement in [*BASE, *(r for rows in EXTRAS.values() for r in rows)]:
        bounds.setdefault(requirement.name, set()).add(least(requirement))
    assert {name: found for name, found in bounds.items() if len(found) > 1} == {}


def test_the_oldest_versions_tested_are_the_lower_bounds():
    wanted = {r.name: numbers(least(r)) for r in [*BASE, *EXTRAS["test"]] if r.name not in TOOLS}
    assert {name: numbers(version) for name, version in pins("constraints-lowest.txt").items()} == wanted


def test_the_versions_of_make_test_are_allowed():
    pinned = pins("constraints.txt")
    for requirement in [*BASE, *EXTRAS["test"]]:
        assert requirement.specifier.contains(pinned[requirement.name]), requirement


@pytest.mark.parametrize("name", sorted(EXTRAS))
def test_the_installation_page_names_every_extra(name: str):
    assert re.search(rf"^\| `{name}` \|", (ROOT / "docs/installation.md").read_text(), re.MULTILINE)
