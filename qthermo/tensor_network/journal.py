"""What a run has finished, by name, kept in one checkpoint file: for runs that are made of parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from qthermo.problems import Problem
from qthermo.tensor_network.checkpoint import fingerprint, load_checkpoint, method_fields, save_checkpoint

__all__ = ["Journal"]


@dataclass(slots=True)
class Journal:
    """Entries of a run: JSON values and arrays by name. A resumed run reads its entries instead of repeating the work.

    Args:
        path: the file, rewritten at every entry; None keeps values for this run only, and no arrays.
        key: fingerprint of the run.

    The file changes from one whole state to the next, so that a crash at any moment loses the part at work only.
    """

    path: str | None
    key: str
    _values: dict[str, Any] = field(default_factory=dict)
    _arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    @classmethod
    def open(cls, problem: Problem, method: Any) -> Journal:
        """Return the journal at `method.checkpoint`, with what an earlier run of the same problem and method entered.

        Raises:
            FileError: the file is damaged, foreign, or belongs to another run.
        """
        journal = cls(method.checkpoint, fingerprint(problem, method, method_fields(method)))
        stored = None if journal.path is None else load_checkpoint(journal.path, journal.key)
        if stored is not None:
            journal._arrays, journal._values = stored[0], dict(stored[1])
        return journal

    def find(self, name: str) -> Any:
        """Return the JSON value entered under a name, or None."""
        return self._values.get(name)

    def find_arrays(self, name: str) -> list[NDArray[Any]]:
        """Return the arrays entered under a name, in order."""
        found: list[NDArray[Any]] = []
        while f"{name}/{len(found)}" in self._arrays:
            found.append(self._arrays[f"{name}/{len(found)}"])
        return found

    def enter(self, name: str, value: Any, arrays: Sequence[NDArray[Any]] = ()) -> None:
        """Enter a value and arrays under a name, in place of older ones, and write the file.

        Raises:
            FileError: the place cannot be written.
        """
        self._values[name] = value
        if self.path is None:
            return
        for number in range(len(self.find_arrays(name))):
            del self._arrays[f"{name}/{number}"]
        self._arrays |= {f"{name}/{number}": array for number, array in enumerate(arrays)}
        save_checkpoint(self.path, self.key, self._arrays, self._values)
