"""How the Hamiltonian of a grain with localised spins falls into a dense core, a diagonal and flips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.linalg.split_operator import Flip, SplitOperator
from qthermo.operators import PauliString, PauliSum

if TYPE_CHECKING:
    from qthermo.models.ergodic_grain import GrainModel

__all__ = ["split_grain"]


def split_grain(model: GrainModel, num_core_spins: int) -> tuple[SplitOperator, dict[int, Flip]]:
    """Return H as a `SplitOperator` and X on every site as a `Flip`.

    The sites that flips reach stand first in the core, so that a flip moves long runs of memory.
    """
    core = _choose_core(model, num_core_spins)
    rows = [site for site in range(model.num_sites) if site not in core]
    row_bit = {site: 1 << (len(rows) - 1 - k) for k, site in enumerate(rows)}
    core_bit = {site: 1 << (len(core) - 1 - k) for k, site in enumerate(core)}
    whole_matrix = not isinstance(model.grain, PauliSum)
    terms = model.localised if not isinstance(model.grain, PauliSum) else model.grain + model.localised
    inside, flips = [], []
    diagonal = np.zeros(2 ** len(rows))
    for string, coefficient in terms.items():
        if set(string.sites) <= set(core):
            inside.append((_relabel(string, core), coefficient))
        elif string.x == 0:
            diagonal += coefficient.real * _signs(string, row_bit)
        else:
            masks = [sum(bits.get(site, 0) for site in string.sites) for bits in (row_bit, core_bit)]
            flips.append(Flip(row_mask=masks[0], core_mask=masks[1], weight=coefficient.real))
    matrix = PauliSum(inside).to_dense(len(core))
    if whole_matrix:
        matrix = matrix + _permute(model.grain_matrix, core, model.num_grain_spins)
    operator = SplitOperator(core=np.ascontiguousarray(matrix), diagonal=diagonal, flips=tuple(flips))
    letters = {
        site: Flip(row_mask=row_bit.get(site, 0), core_mask=core_bit.get(site, 0)) for site in range(model.num_sites)
    }
    return operator, letters


def _choose_core(model: GrainModel, num_core_spins: int) -> list[int]:
    """Return the core's sites, the leftmost Kronecker factor first; all terms that leave it must be X or row-Z only."""
    m = model.num_grain_spins
    grain = model.grain
    if isinstance(grain, PauliSum):
        first = max(0, m - num_core_spins)
        crossing = [s for s in grain if s.sites and s.sites[0] < first]
        simple = all(s.z == 0 or (s.x == 0 and s.sites[-1] < first) for s in crossing)
        first = first if simple else 0
        reached = {site for s in crossing for site in s.sites if site >= first} if simple else set()
        inner = range(first, m)
    else:
        inner, reached = range(m), set()
    last = m - 1
    core = [last, *sorted(reached - {last}), *(site for site in inner if site != last and site not in reached)]
    room = max(0, num_core_spins - len(core)) if model.layout == "lioms" else 0
    return core + list(range(m, min(m + room, model.num_sites)))


def _relabel(string: PauliString, core: list[int]) -> PauliString:
    return PauliString.from_letters({core.index(site): letter for site, letter in string.letters.items()})


def _signs(string: PauliString, row_bit: dict[int, int]) -> NDArray[np.float64]:
    mask = sum(row_bit[site] for site in string.sites)
    index = np.arange(2 ** len(row_bit))
    signs: NDArray[np.float64] = 1.0 - 2.0 * (np.bitwise_count(index & mask) % 2)
    return signs


def _permute(matrix: NDArray[Any], core: list[int], num_spins: int) -> NDArray[Any]:
    """Return the grain's matrix with its spins in the core's order, times the identity on what else is in the core."""
    order = [site for site in core if site < num_spins]
    side = matrix.shape[0]
    tensor = matrix.reshape((2,) * (2 * num_spins)).transpose(order + [num_spins + site for site in order])
    return np.kron(tensor.reshape(side, side), np.eye(2 ** (len(core) - num_spins)))
