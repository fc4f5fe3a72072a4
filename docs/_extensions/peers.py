"""Cells that need a package which may be missing: they are then shown but not run, and page and build say so.

Such a cell begins with the line `# needs NAME`, NAME being what is imported.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["setup", "show_only"]

_CELL = re.compile(r"^```\{code-cell\}\n((?::.*\n)*)# needs (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
logger = logging.getLogger(__name__)


def show_only(text: str, docname: str) -> str:
    """Return the page with the cells that cannot run as plain code under a notice."""

    def replace(match: re.Match[str]) -> str:
        options, name, code = match.groups()
        if _is_installed(name):
            return f"```{{code-cell}}\n{options}{code}```"
        logger.info("NOT RUN: a cell of %s, because %s is not installed.", docname, name)
        notice = f":::{{warning}}\nNot run in this build: {name} is not installed.\n:::"
        return f"{notice}\n\n```python\n{code}```"

    return _CELL.sub(replace, text)


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # the package above it is missing
        return False


def _on_source_read(app: Sphinx, docname: str, source: list[str]) -> None:
    source[0] = show_only(source[0], docname)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to the reading of every page."""
    app.connect("source-read", _on_source_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
