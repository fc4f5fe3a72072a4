"""Entanglement entropies and bond dimensions of an evolution at every time, as variables of its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, Variable

__all__ = ["EntanglementRecord", "add_entanglement", "describe_operator"]


def describe_operator(doubling: bool) -> str:
    """Return which operator is cut in two, in a run for C(t)."""
    return "the operator evolved to t/2 (C is read at twice its time)" if doubling else "the operator at t"


@dataclass(slots=True)
class EntanglementRecord:
    """What one evolution looked like: entropy (nats) and dimension, shape (time, bond); NaN and 0 after a stop."""

    entropy: NDArray[np.float64]
    bond_dimension: NDArray[np.intp]

    @classmethod
    def start(cls, num_times: int, num_sites: int) -> EntanglementRecord:
        """Return an empty record."""
        shape = (num_times, num_sites - 1)
        return cls(np.full(shape, np.nan), np.zeros(shape, np.intp))

    def take(self, index: int, entropies: NDArray[np.float64], dimensions: NDArray[np.intp]) -> None:
        """Enter the time of this index."""
        self.entropy[index], self.bond_dimension[index] = entropies, dimensions

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what `load_arrays` takes."""
        return {"record/entropy": self.entropy, "record/bond_dimension": self.bond_dimension}

    def load_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `to_arrays` returned; the shapes must be those of this record."""
        for name, array in self.to_arrays().items():
            if arrays[name].shape != array.shape:
                raise ValueError(f"`{name}` must have the shape {array.shape}")
            array[:] = arrays[name]


def add_entanglement(answer: Answer, records: Sequence[EntanglementRecord], *, of: str, per_observable: bool) -> Answer:
    """Return the answer with `entropy` and `bond_dimension`, (time, bond) or (time, observable, bond).

    Args:
        answer: the answer without them.
        records: one, or one for each observable; none leaves the answer as it is.
        of: what is cut in two at each bond, for the variables' description.
        per_observable: whether each observable has its own record.
    """
    if not records:
        return answer
    entropy = np.stack([record.entropy for record in records], axis=1)
    dimension = np.stack([record.bond_dimension for record in records], axis=1)
    dims = ("time", "observable", "bond") if per_observable else ("time", "bond")
    if not per_observable:
        entropy, dimension = entropy[:, 0], dimension[:, 0]
    added = {
        "entropy": Variable(dims, entropy, "1", f"entanglement entropy of {of} between sites bond and bond + 1, nats"),
        "bond_dimension": Variable(dims, dimension, "1", f"bond dimension of {of} between sites bond and bond + 1"),
    }
    return Answer(
        variables={**answer.variables, **added},
        coordinates={**answer.coordinates, "bond": np.arange(entropy.shape[-1])},
        diagnostics=answer.diagnostics,
    )
