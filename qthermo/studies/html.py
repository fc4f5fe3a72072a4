"""Small pieces of HTML: escaped text, tables, and figures as data inside the page."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

__all__ = ["STYLE", "details", "embed_image", "paragraph", "table"]

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 1080px;
       margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2rem; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; font-size: 13px; } td, th { padding: 2px 12px 2px 0; text-align: left; }
th { border-bottom: 1px solid #999; } tr:nth-child(even) td { background: #f6f6f6; }
pre { background: #f6f6f6; padding: .7rem; overflow-x: auto; font-size: 12.5px; } img { max-width: 100%; }
.bad { color: #a40000; font-weight: 600; } .quiet { color: #666; } .wide { overflow-x: auto; }
"""


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph of escaped text, `kind` being its class."""
    return f'<p class="{kind}">{html.escape(text)}</p>' if kind else f"<p>{html.escape(text)}</p>"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of escaped text; cells that say DISAGREES or failed are marked."""
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>\n" for row in rows)
    return f'<div class="wide"><table><tr>{head}</tr>\n{body}</table></div>'


def _cell(text: str) -> str:
    mark = ' class="bad"' if text == "DISAGREES" else ""
    return f"<td{mark}>{html.escape(text)}</td>"


def details(summary: str, text: str) -> str:
    """Return preformatted text behind a line to click on."""
    return f"<details><summary>{html.escape(summary)}</summary><pre>{html.escape(text)}</pre></details>"


def embed_image(png: bytes, alternative: str) -> str:
    """Return a PNG as an image inside the page."""
    data = base64.b64encode(png).decode()
    return f'<img alt="{html.escape(alternative)}" src="data:image/png;base64,{data}">'
