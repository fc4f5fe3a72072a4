"""The band chain: subunits with bands of levels, coupled to their neighbours by random exchange of energy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qthermo.checks import check_choice, check_finite_array, check_integer, check_real, frozen
from qthermo.errors import InputError
from qthermo.models.band_space import Band, BandSpace, Pair, conserving_pairs, count_states, energy_key
from qthermo.models.model import SpinModel, record
from qthermo.models.spin_chain import spin_chain
from qthermo.operators import PauliSum, decompose_matrix
from qthermo.seeds import Stream, sample_generator

__all__ = ["BandChainModel", "band_chain", "sample_band_chain"]

Blocks = Mapping[tuple[Pair, Pair], NDArray[Any]]
ENSEMBLES = ("ginibre", "hermitian", "real", "phases")


@dataclass(frozen=True, kw_only=True, eq=False)
class BandChainModel:
    """H = sum_mu H_loc(mu) + lambda sum_mu V(mu, mu+1) of N subunits, each with the same bands of levels.

    V moves two neighbours from bands (i, j) to bands (k, l) of the same energy E_i + E_j = E_k + E_l.

    Args:
        family: name of the model family.
        parameters: everything that made the model, as JSON values.
        bands: the bands of every subunit, the lowest first.
        coupling: lambda, energy.
        blocks: for each bond the blocks <ij|V|kl>, keyed ((i, j), (k, l)), with mean |element|^2 = 1.
        total_energy: sum of band energies of the states kept; None keeps them all.

    Raises:
        InputError: a block joins bands of different energy, has the wrong shape, or no state has that energy.
    """

    kind: ClassVar[str] = "band_chain"

    family: str
    parameters: Mapping[str, Any]
    bands: tuple[Band, ...]
    coupling: float
    blocks: tuple[Blocks, ...] = field(repr=False)
    total_energy: float | None

    def __post_init__(self) -> None:
        json.dumps(dict(self.parameters), allow_nan=False)
        for bond in self.blocks:
            _check_blocks(bond, self.bands)
        if self.dimension == 0:
            raise InputError(f"Argument `total_energy` must be a sum of band energies, but is {self.total_energy}.")

    @property
    def num_subunits(self) -> int:
        """The number N of subunits."""
        return len(self.blocks) + 1

    @property
    def local_dimension(self) -> int:
        """The number of levels of one subunit."""
        return sum(band.num_levels for band in self.bands)

    @cached_property
    def dimension(self) -> int:
        """The dimension of the Hilbert space."""
        return count_states(self.bands, self.num_subunits, self.total_energy)

    @cached_property
    def num_configurations(self) -> int:
        """The number of ways to put the subunits into bands, counted without listing them."""
        single = [replace(band, num_levels=1) for band in self.bands]
        return count_states(single, self.num_subunits, self.total_energy)

    @cached_property
    def space(self) -> BandSpace:
        """The space with H on it; the list of configurations grows as (number of bands)^N."""
        scaled = [{pairs: self.coupling * block for pairs, block in bond.items()} for bond in self.blocks]
        return BandSpace(self.bands, self.num_subunits, self.total_energy, scaled)

    @property
    def excited_first(self) -> tuple[int, ...]:
        """The configuration with the first subunit in its lowest band that can hold the energy, the others lowest."""
        lowest, rest = self.bands[0].energy, self.num_subunits - 1
        if self.total_energy is None:
            return (min(1, len(self.bands) - 1), *([0] * rest))
        for k, band in enumerate(self.bands):
            if energy_key(band.energy + rest * lowest) == energy_key(self.total_energy):
                return (k, *([0] * rest))
        return self.space.configurations[0]

    def thermal_weights(self, betas: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each configuration, prod_mu n_i e^{-beta_mu E_i}, normalised on this space.

        Args:
            betas: inverse temperature of each subunit, shape (N,), 1/energy.

        Raises:
            InputError: there are not N finite values.
        """
        values = check_finite_array("betas", betas, ndim=1)
        if values.size != self.num_subunits:
            raise InputError(f"Argument `betas` must hold {self.num_subunits} values, but holds {values.size}.")
        space = self.space
        energies = np.array([[self.bands[b].energy for b in c] for c in space.configurations])
        logs = np.log(space.block_dimensions) - energies @ values
        weights = np.exp(logs - logs.max())
        return np.asarray(weights / weights.sum())

    def bond_hamiltonian(self, bond: int) -> NDArray[Any]:
        """Return lambda V of one bond on the d^2 states of its two subunits, the left one's level slowest."""
        d = self.local_dimension
        starts = np.cumsum([0, *(band.num_levels for band in self.bands)])
        where = [np.arange(starts[k], starts[k + 1]) for k in range(len(self.bands))]
        matrix = np.zeros((d * d, d * d), np.complex128)
        for (here, there), block in self.blocks[bond].items():
            rows = np.add.outer(d * where[here[0]], where[here[1]]).ravel()
            columns = np.add.outer(d * where[there[0]], where[there[1]]).ravel()
            matrix[np.ix_(rows, columns)] += self.coupling * block
            matrix[np.ix_(columns, rows)] += self.coupling * block.conj().T
        return matrix

    def to_spin_model(self) -> SpinModel:
        """Return H on all levels as Pauli strings, log2(d) qubits a subunit, its level number in binary.

        The ground level is 0...0, the first level of the first band 0...01. Site 0, the first digit of the first
        subunit, is what the package calls the thermometer.

        Raises:
            InputError: the number d of levels of a subunit is no power of two.
        """
        width = self.local_dimension.bit_length() - 1
        if self.local_dimension != 2**width or width == 0:
            raise InputError(
                f"A chain on qubits must have 2, 4, 8, ... levels a subunit, but has {self.local_dimension}; "
                "take num_levels = 1, 3, 7, ..."
            )
        total = PauliSum()
        for subunit in range(self.num_subunits):
            sites = range(width * subunit, width * (subunit + 1))
            total += decompose_matrix(np.diag(self.local_levels), sites)
        for bond in range(self.num_subunits - 1):
            sites = range(width * bond, width * (bond + 2))
            total += decompose_matrix(self.bond_hamiltonian(bond), sites)
        spins = spin_chain(hamiltonian=total, num_sites=width * self.num_subunits)
        return replace(spins, family=self.family, parameters={**self.parameters, "qubits_per_subunit": width})

    @property
    def local_levels(self) -> NDArray[np.float64]:
        """The d level energies of one subunit, band after band."""
        return np.concatenate([band.levels for band in self.bands])


def band_chain(
    *, bands: Sequence[Band], blocks: Sequence[Blocks], coupling: float, total_energy: float | None = None
) -> BandChainModel:
    """Return a chain with given bands and coupling blocks.

    Args:
        bands: bands of every subunit, ascending in energy, the lowest at energy 0.
        blocks: for each bond the blocks of V, keyed ((i, j), (k, l)) with (i, j) < (k, l).
        coupling: lambda, energy.
        total_energy: sum of band energies of the states kept; None keeps them all.

    Raises:
        InputError: something does not fit.
    """
    checked = []
    for k, bond in enumerate(blocks):
        checked.append(
            {pairs: check_finite_array(f"blocks[{k}]", b, ndim=2, complex_allowed=True) for pairs, b in bond.items()}
        )
    parameters = {"blocks": [{str(pairs): record(b) for pairs, b in bond.items()} for bond in checked]}
    return _build(tuple(bands), checked, coupling, total_energy, parameters)


def sample_band_chain(
    *,
    num_subunits: int,
    num_levels: int | list[int],
    band_width: float,
    coupling: float,
    seed: int,
    realization: int = 0,
    ensemble: str = "ginibre",
    band_energies: list[float] | None = None,
    total_energy: float | None = 1.0,
    all_energies: bool = False,
) -> BandChainModel:
    """Sample a chain of subunits with a non-degenerate ground level and bands of levels above it.

    Every element of V has mean square modulus 1.

    Args:
        num_subunits: N >= 2.
        num_levels: levels n of the band, or of each band if there are several.
        band_width: delta_eps >= 0 of every band, energy; levels are evenly spread.
        coupling: lambda, energy.
        seed: entropy of the random numbers; `realization` selects one member of the ensemble.
        realization: index of the disorder realization.
        ensemble: "ginibre" (independent complex Gaussian elements), "real" (real Gaussian), "hermitian" (square blocks
            Hermitian, others Ginibre) or "phases" (modulus 1, random phase).
        band_energies: E_i of the bands; 1, 2, ... by default, the ground level being 0.
        total_energy: sum of band energies of the states kept: 1 is one excitation.
        all_energies: keep the states of all energies instead.

    Raises:
        InputError: a number is out of range.

    Reference: M. Michel, J. Gemmer, G. Mahler, arXiv:cond-mat/0511727.
    """
    check_integer("num_subunits", num_subunits, minimum=2)
    check_choice("ensemble", ensemble, ENSEMBLES)
    counts = [num_levels] if isinstance(num_levels, int | np.integer) else list(num_levels)
    counts = [check_integer(f"num_levels[{k}]", n, minimum=1) for k, n in enumerate(counts)]
    width = check_real("band_width", band_width, minimum=0)
    energies = [float(k + 1) for k in range(len(counts))] if band_energies is None else list(band_energies)
    if len(energies) != len(counts):
        raise InputError(
            f"Argument `band_energies` must hold one energy for each of {len(counts)} bands, but holds {len(energies)}."
        )
    bands = (
        Band(energy=0.0, num_levels=1),
        *(
            Band(energy=float(e), num_levels=n, width=width if n > 1 else 0.0)
            for e, n in zip(energies, counts, strict=True)
        ),
    )
    rng = sample_generator(seed, Stream.MODEL, realization)
    _check_bands(bands)
    energy = None if all_energies or total_energy is None else check_real("total_energy", total_energy)
    blocks = _sample_blocks(bands, num_subunits, energy, ensemble, rng)
    sampling = {"ensemble": ensemble, "seed": seed, "realization": realization}
    return _build(bands, blocks, coupling, energy, sampling)


def _build(
    bands: tuple[Band, ...],
    blocks: Sequence[Blocks],
    coupling: float,
    total_energy: float | None,
    sampling: Mapping[str, Any],
) -> BandChainModel:
    if not blocks:
        raise InputError("A band chain must have at least two subunits, so `blocks` must not be empty.")
    _check_bands(bands)
    strength = check_real("coupling", coupling, minimum=0)
    energy = None if total_energy is None else check_real("total_energy", total_energy)
    parameters = {
        "num_subunits": len(blocks) + 1,
        "bands": record(bands),
        "coupling": strength,
        "total_energy": energy,
        **sampling,
    }
    fixed = tuple(MappingProxyType({pairs: frozen(block) for pairs, block in bond.items()}) for bond in blocks)
    return BandChainModel(
        family="band_chain",
        parameters=parameters,
        bands=bands,
        coupling=strength,
        blocks=fixed,
        total_energy=energy,
    )


def _check_bands(bands: tuple[Band, ...]) -> None:
    if not bands:
        raise InputError("Argument `bands` must hold at least one band, but is empty.")
    for k, band in enumerate(bands):
        check_real(f"bands[{k}].energy", band.energy)
        check_real(f"bands[{k}].width", band.width, minimum=0)
        check_integer(f"bands[{k}].num_levels", band.num_levels, minimum=1)
    energies = [band.energy for band in bands]
    if energies[0] != 0 or any(b <= a for a, b in pairwise(energies)):
        raise InputError(f"Band energies must ascend from 0, but are {energies}.")


def _check_blocks(blocks: Blocks, bands: tuple[Band, ...]) -> None:
    for (here, there), block in blocks.items():
        pairs = (here, there)
        if any(not 0 <= band < len(bands) for pair in pairs for band in pair) or not here < there:
            raise InputError(f"A block of V must be keyed by two ascending pairs of bands, but by {pairs}.")
        one, other = (energy_key(sum(bands[band].energy for band in pair)) for pair in pairs)
        if one != other:
            raise InputError(f"A block of V must conserve the band energy, but {pairs} joins {one:g} and {other:g}.")
        shape = tuple(int(np.prod([bands[band].num_levels for band in pair])) for pair in pairs)
        if block.shape != shape:
            raise InputError(f"The block {pairs} of V must have shape {shape}, but has {block.shape}.")


def _sample_blocks(
    bands: tuple[Band, ...], num_subunits: int, total_energy: float | None, ensemble: str, rng: np.random.Generator
) -> list[Blocks]:
    """Draw the blocks of every bond; each has its own stream, so that those no state reaches need not be drawn."""
    pairs = conserving_pairs(bands)
    bonds: list[Blocks] = []
    for streams in (rng.spawn(len(pairs)) for _ in range(num_subunits - 1)):
        blocks: dict[tuple[Pair, Pair], NDArray[Any]] = {}
        for (here, there), stream in zip(pairs, streams, strict=True):
            energy = bands[here[0]].energy + bands[here[1]].energy
            rest = None if total_energy is None else total_energy - energy
            if rest is None or count_states(bands, num_subunits - 2, rest) > 0:
                rows, columns = (int(np.prod([bands[band].num_levels for band in pair])) for pair in (here, there))
                blocks[here, there] = _sample_block(rows, columns, ensemble, stream)
        bonds.append(blocks)
    return bonds


def _sample_block(rows: int, columns: int, ensemble: str, rng: np.random.Generator) -> NDArray[Any]:
    if ensemble == "real":
        return rng.standard_normal((rows, columns))
    if ensemble == "phases":
        return np.asarray(np.exp(2j * np.pi * rng.random((rows, columns))))
    block = (rng.standard_normal((rows, columns)) + 1j * rng.standard_normal((rows, columns))) * 0.5**0.5
    if ensemble == "hermitian" and rows == columns:
        return np.asarray((block + block.conj().T) * 0.5**0.5)
    return np.asarray(block)
