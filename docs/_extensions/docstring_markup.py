"""From the docstrings' plain text to reStructuredText.

The docstrings are written to be read in a terminal: single backquotes around names, indented equations, and `|V|^2` or
`2 * t` as they stand. Here names become literals, equations literal blocks, and the rest is escaped; it runs before
napoleon reads the sections.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["setup", "to_rest"]

_SECTION = re.compile(r"\s*(Args|Returns|Raises|Yields|Attributes|Warns|Example|Examples|Note|Notes):\s*$")
_LABEL = re.compile(r"(\s*)(Errors|Cost|Limits|Reference|References|Measured): ")
_NAME = re.compile(r"(`[^`]+`)")


def to_rest(lines: list[str]) -> list[str]:
    """Return the docstring's lines as reStructuredText."""
    converted: list[str] = []
    previous, base = "", 0  # the last line that is not empty, and the indentation of its paragraph
    in_equation = False
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if not line.strip():
            converted.append(line)
            continue
        begins = not converted or not converted[-1].strip()
        if begins:
            opens = bool(previous) and indent > base and not _SECTION.match(previous)
            if opens and not in_equation:
                converted += [" " * base + "::", ""]
            in_equation = opens
        if in_equation and indent > base:
            converted.append(line)
        else:
            in_equation = False
            base = indent if begins or indent < base else base
            converted += _mark_label(line, begins)
        previous = line
    return converted


def _mark_label(line: str, begins: bool) -> list[str]:
    """Return a line of text with a leading `Cost: ` and the like in bold, as a paragraph of its own."""
    label = _LABEL.match(line)
    if not label:
        return [_escape(line)]
    text = f"{label[1]}**{label[2]}.** {_escape(line[label.end() :])}"
    return [text] if begins else ["", text]


def _escape(line: str) -> str:
    parts = _NAME.split(line)
    return "".join(f"`{part}`" if _NAME.fullmatch(part) else _escape_text(part) for part in parts)


def _escape_text(text: str) -> str:
    text = re.sub(r"([\\*|])", r"\\\1", text)
    text = re.sub(r"(?<=\w)_(?!\w)", r"\\_", text)
    return re.sub(r"\barXiv:([a-z-]*/?\d[\d.]*\d)", r"`arXiv:\1 <https://arxiv.org/abs/\1>`__", text)


def _convert(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = to_rest(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the conversion, before napoleon's own."""
    app.connect("autodoc-process-docstring", _convert, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
