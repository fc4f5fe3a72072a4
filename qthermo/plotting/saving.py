"""Figures to files: whole or not at all, and let go of once they are there."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from qthermo.errors import FileError
from qthermo.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["save_figure"]


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure to an image file, its ending choosing the format (.png without one), and return the path.

    150 dots an inch, cropped to what is drawn. The file is written whole or not at all, and a figure that
    `matplotlib.pyplot` keeps is closed afterwards.

    Raises:
        FileError: the place cannot be written, or the ending names no format.
    """
    path = Path(path)
    buffer = io.BytesIO()
    try:
        figure.savefig(buffer, format=path.suffix.lstrip(".") or "png", dpi=150, bbox_inches="tight")
    except ValueError as problem:
        raise FileError(f"A figure must end in .png, .pdf or .svg, but {path} does not: {problem}.") from None
    write_atomically(path, buffer.getvalue())
    if figure.canvas.manager is not None:
        from matplotlib import pyplot

        pyplot.close(figure)
    return path
