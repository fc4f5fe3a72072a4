"""The layers: imports point up the list only, and importing qthermo stays cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import qthermo

ROOT = Path(qthermo.__file__).parent
LAYERS = [
    {"errors"},
    {"checks", "files", "progress"},
    {"seeds", "memory"},
    {"linalg"},
    {"operators"},
    {"models", "kms"},
    {"answers"},
    {"problems"},
    {"results"},
    {"exact", "tensor_network", "circuits", "master_equation", "theory"},
    {"solve"},
    {"plotting"},
    {"studies"},
    {"cli"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
FOREIGN = {
    "quimb": "tensor_network",
    "cotengra": "tensor_network",
    "qiskit": "circuits",
    "qiskit_aer": "circuits",
    "qiskit_ibm_runtime": "circuits",
    "matplotlib": "plotting",
    "distributed": "studies",
    "typer": "cli",
    "pydantic": "studies",
}


def imported_names(path: Path) -> set[str]:
    """All modules a file imports, also inside functions; relative imports are refused."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


FILES = [path for path in sorted(ROOT.rglob("*.py")) if room(path) not in ("__init__", "__main__")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_up_the_layers(path: Path):
    own = room(path)
    assert own in RANK, f"{own} has no place in the layers"
    for name in imported_names(path):
        parts = name.split(".")
        if parts[0] == "qthermo":
            other = parts[1] if len(parts) > 1 else ""
            if other in RANK:
                assert RANK[other] < RANK[own] or other == own, f"{path} imports {name}"
            else:
                assert own in ("solve", "studies", "cli", "results"), f"{path} imports {name} from the package's front"
        elif parts[0] in FOREIGN:
            assert own == FOREIGN[parts[0]], f"{path} imports {name}: only {FOREIGN[parts[0]]}/ may"
        assert parts[0] != "pickle", f"{path} imports pickle"


def test_importing_qthermo_loads_nothing_heavy():
    heavy = {
        "quimb",
        "cotengra",
        "qiskit",
        "qiskit_aer",
        "xarray",
        "matplotlib",
        "numba",
        "pydantic",
        "typer",
        "pandas",
    }
    code = f"import qthermo, sys; print(*sorted({heavy!r} & set(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == ""


def test_exports_exist_and_are_sorted():
    names = list(qthermo.__all__)
    assert names == sorted(names, key=lambda name: (not name.isupper(), name)), "the order that ruff keeps"
    for name in qthermo.__all__:
        assert hasattr(qthermo, name), name


def test_every_method_is_exported_and_a_frozen_dataclass():
    from qthermo.solve import METHODS

    for cls in METHODS:
        assert getattr(qthermo, cls.__name__) is cls
        assert cls.__dataclass_params__.frozen
        assert cls.answers
        assert cls() == cls(), f"{cls.__name__} must be makeable without arguments"
