"""A Hermitian operator on (rows x core): one dense matrix on the core, a diagonal on the rows, and flips of bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Flip", "SplitOperator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """weight * (X on the rows' bits in `row_mask`) (x) (X on the core's bits in `core_mask`)."""

    row_mask: int
    core_mask: int
    weight: float = 1.0

    def act(self, vector: NDArray[Any]) -> NDArray[Any]:
        """Return the image of a vector of shape (rows, core)."""
        rows, core = np.arange(vector.shape[0]), np.arange(vector.shape[1])
        image: NDArray[Any] = self.weight * vector[(rows ^ self.row_mask)[:, None], core ^ self.core_mask]
        return image


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SplitOperator:
    """H = 1 (x) core + diagonal (x) 1 + flips, on vectors of shape (rows, core dimension).

    The product with the core is one matrix product, of half the size where the flips share one X on the core; a flip
    adds whole runs of memory, so that its cost hardly shows.
    An operator without structure is a sparse core with one row.

    Args:
        core: Hermitian matrix (c, c), dense or sparse.
        diagonal: real, shape (rows,).
        flips: sorted by the caller as it likes.
    """

    core: NDArray[Any] | csr_array
    diagonal: NDArray[np.float64]
    flips: tuple[Flip, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and core dimension of the vectors."""
        return self.diagonal.size, int(self.core.shape[0])

    @property
    def num_levels(self) -> int:
        """The dimension of the space."""
        return self.diagonal.size * int(self.core.shape[0])

    @property
    def dtype(self) -> Any:
        """Float or complex, as the core is."""
        return np.complex128 if np.iscomplexobj(self.core) else np.float64

    def compile_steps(self) -> Any:
        """Return the compiled three-term recurrences of this operator.

        `linalg.sector_recurrences.SectorRecurrences` where all flips move the same bits of a dense core or none, else
        `linalg.recurrences.Recurrences`, with the same methods.
        """
        masks = {flip.core_mask for flip in self.flips} - {0}
        if isinstance(self.core, np.ndarray) and len(masks) == 1:
            from qthermo.linalg.sector_recurrences import SectorRecurrences

            return SectorRecurrences(self, masks.pop())
        from qthermo.linalg.recurrences import Recurrences

        return Recurrences(self)

    def to_matrix(self) -> NDArray[Any]:
        """Return H as a matrix over the flattened (row, core) index."""
        rows, core = self.shape
        dense = np.asarray(self.core if isinstance(self.core, np.ndarray) else self.core.toarray())
        matrix: NDArray[Any] = np.kron(np.eye(rows), dense) + np.kron(np.diag(self.diagonal), np.eye(core))
        index = np.arange(rows * core)
        for flip in self.flips:
            matrix[index ^ (flip.row_mask * core + flip.core_mask), index] += flip.weight
        return matrix
