"""`show`: a result or collected study as a card in a notebook, or as a few lines of text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qthermo.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Card", "show"]

_SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """What a result says, at a glance; a notebook draws it, `print` writes it."""

    data: xr.Dataset

    @property
    def title(self) -> str:
        """What was asked, of which model, by which method."""
        attributes = self.data.attrs
        return " ".join(
            [
                attributes["problem"],
                "of",
                attributes.get("model", "?"),
                "by",
                attributes.get("method", "several methods"),
            ]
        )

    def rows(self) -> list[tuple[str, str, str]]:
        """Return name, range of values, and meaning of every variable that holds numbers."""
        found = []
        for name, variable in self.data.data_vars.items():
            if np.issubdtype(variable.dtype, np.number):
                found.append((str(name), _range(variable.values), str(variable.attrs.get("long_name", ""))))
        return found

    @property
    def warnings(self) -> list[str]:
        """What the method warned of, the first three; a last line counts the others."""
        words = list(json.loads(self.data.attrs.get("warnings", "[]")))
        more = [f"and {len(words) - _SHOWN} more"] if len(words) > _SHOWN else []
        return words[:_SHOWN] + more

    def __str__(self) -> str:
        rows = self.rows()
        width = max((len(name) for name, _, _ in rows), default=0)
        lines = [self.title, *(f"  {name.ljust(width)}  {values}" for name, values, _ in rows)]
        return "\n".join(lines + [f"  warning: {words}" for words in self.warnings])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from qthermo.plotting import draw_result
        from qthermo.studies.html import embed_image, paragraph, table
        from qthermo.studies.method_comparison import compare_methods, comparison_rows

        parts = [f"<b>{paragraph(self.title)}</b>"]
        image = draw_result(self.data)
        if image is not None:
            parts.append(embed_image(image, self.title))
        parts.append(table(["variable", "values", "meaning"], self.rows()))
        if "deviation" in self.data:
            parts.append(table(*comparison_rows(list(compare_methods(self.data)))))
        parts += [paragraph(f"warning: {words}", "bad") for words in self.warnings]
        return "<div>" + "\n".join(parts) + "</div>"


def _range(values: np.ndarray) -> str:
    seen = values[np.isfinite(values)] if values.ndim else np.atleast_1d(values)
    if seen.size == 0:
        return "none"
    if seen.size == 1:
        return f"{seen.item():.6g}"
    if np.iscomplexobj(seen):
        return f"modulus {np.abs(seen).min():.4g} to {np.abs(seen).max():.4g}"
    low, high = f"{seen.min():.4g}", f"{seen.max():.4g}"
    return low if low == high else f"{low} to {high}"


def show(data: xr.Dataset) -> Card:
    """Return a card of a result: figure, values, error estimates, warnings, and verdicts of a study.

    In a notebook `qt.show(data)` as the last line of a cell draws it; elsewhere `print(qt.show(data))` writes it.

    Raises:
        InputError: `data` is no result of qthermo.
    """
    if "qthermo_schema" not in getattr(data, "attrs", {}):
        raise InputError("Argument `data` must be a Dataset of qthermo, but has no qthermo schema.")
    return Card(data)
