"""Pages of the reference, written from what the package exports, so that no name can be forgotten."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

__all__ = ["setup"]

_MODULES = ("qthermo.models", "qthermo.operators", "qthermo.kms", "qthermo.circuits", "qthermo.plotting")


def group_names() -> dict[str, list[str]]:
    """Return the names of `qthermo` by what they are."""
    import qthermo
    from qthermo.solve import METHODS, PROBLEMS

    groups: dict[str, list[str]] = {
        "Problems": [cls.__name__ for cls in PROBLEMS],
        "Methods": [cls.__name__ for cls in METHODS],
        "Functions": [],
        "Values": [],
        "Errors and warnings": [],
    }
    known = {*groups["Problems"], *groups["Methods"]}
    for name in qthermo.__all__:
        thing = getattr(qthermo, name)
        if name in known or inspect.ismodule(thing):
            continue
        if inspect.isclass(thing) and issubclass(thing, (Exception, Warning)):
            groups["Errors and warnings"].append(name)
        else:
            groups["Values" if inspect.isclass(thing) else "Functions"].append(name)
    return groups


def write_pages(folder: Path) -> None:
    """Write `index.rst` and one page a module; files that would not change are left alone."""
    import qthermo

    folder.mkdir(exist_ok=True)
    names = ["qthermo", *_MODULES]
    _write(folder / "index.rst", _title("Reference") + _toctree(names))
    text = _title("qthermo") + ".. currentmodule:: qthermo\n\n"
    text += "".join(_title(group, "-") + _table(members) for group, members in group_names().items())
    _write(folder / "qthermo.rst", text)
    for name in _MODULES:
        module = import_module(name)
        intro = (module.__doc__ or "").split("\n\n")[0].strip()
        own = [member for member in module.__all__ if member not in qthermo.__all__]  # the others have a page already
        _write(folder / f"{name}.rst", f"{_title(name)}{intro}\n\n.. currentmodule:: {name}\n\n{_table(own)}")


def _title(text: str, line: str = "=") -> str:
    return f"{text}\n{line * len(text)}\n\n"


def _toctree(names: list[str]) -> str:
    return ".. toctree::\n   :maxdepth: 1\n\n" + "".join(f"   {name}\n" for name in names)


def _table(names: list[str]) -> str:
    rows = "".join(f"   {name}\n" for name in sorted(names, key=str.lower))
    return f".. autosummary::\n   :toctree: objects\n   :nosignatures:\n\n{rows}\n"


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _on_config(app: Sphinx, config: Config) -> None:
    write_pages(Path(app.srcdir) / "api")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before autosummary looks for them."""
    app.connect("config-inited", _on_config)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
