"""Hardware bundles with a reference value, and the gallery of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.checks import check_ascending
from qthermo.circuits.bundle_options import BundleOptions
from qthermo.circuits.collision_circuit import CollisionCircuit
from qthermo.circuits.dilation_circuit import DilationCircuit
from qthermo.errors import InputError
from qthermo.exact.dense import Dense
from qthermo.files import write_atomically
from qthermo.models import (
    AnyModel,
    SpinModel,
    sample_all_to_all_ising,
    sample_band_chain,
    sample_ergodic_grain,
    sample_imbrie_chain,
    spin_chain,
)
from qthermo.operators import PauliSum
from qthermo.problems import Autocorrelation, Relaxation
from qthermo.solve import Method, solve
from qthermo.studies.problem_names import build_problem
from qthermo.tensor_network.heisenberg_tebd import HeisenbergTEBD

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "GALLERY",
    "GalleryEntry",
    "RelaxationEntry",
    "export_gallery",
    "export_thermalising",
    "export_with_reference",
    "solve_reference",
]

_DENSE_SITES = 10
_PLAIN = BundleOptions()


def export_with_reference(
    model: AnyModel,
    directory: str | Path,
    *,
    times: NDArray[np.float64],
    target: str | None,
    options: BundleOptions = _PLAIN,
) -> Path:
    """Write a hardware bundle whose manifest holds C(t) by exact diagonalisation or, for larger chains, by MPS.

    Raises:
        InputError: the model is no spin model, or an argument is out of range.
        FileError: the folder cannot be written.
    """
    from qthermo.circuits.bundle import write_bundle

    if not isinstance(model, SpinModel):
        raise InputError(f"A circuit needs a spin model, but {model.family} is given by matrices; take a spin family.")
    return write_bundle(model, directory, options, times=times, target=target, reference=solve_reference(model, times))


def export_thermalising(
    model: AnyModel,
    directory: str | Path,
    method: Method,
    asked: Mapping[str, str],
    *,
    num_rounds: NDArray[np.float64] | None = None,
    target: str | None = None,
    num_shots: int = 1000,
    seed: int = 0,
) -> Path:
    """Write the hardware bundle of circuits that take a chain to its Gibbs state.

    Args:
        model: the chain.
        directory: the folder.
        method: `CollisionCircuit` or `DilationCircuit`.
        asked: fields of `Relaxation` as text.
        num_rounds: collisions, or sweeps of dilations, in the place of `times`.
        target: a fake device's name, to compile for.
        num_shots: shots per circuit that the manifest asks for.
        seed: of the transpiler.

    Raises:
        InputError: a field of `Relaxation` cannot be read or is missing, or times are given twice or not at all.
        UnsupportedError: the method cannot make circuits of the problem.
        FileError: the folder cannot be written.
    """
    from qthermo.circuits import export_relaxation

    if not isinstance(method, CollisionCircuit | DilationCircuit):
        raise InputError(
            "A bundle is made by TrotterCircuit, CollisionCircuit or DilationCircuit, but the method is "
            f"{type(method).__name__}; name one of the three."
        )
    if ("times" in asked) == (num_rounds is not None):
        raise InputError("A bundle that thermalises needs either `times` or `num_rounds`; give one of the two.")
    problem = build_problem("relaxation", model, asked if num_rounds is None else {**asked, "times": "0"})
    if not isinstance(problem, Relaxation) or not isinstance(model, SpinModel):
        raise InputError(f"A circuit needs a spin model, but {model.family} is given by matrices; take a spin family.")
    if num_rounds is not None:
        rounds = check_ascending("num_rounds", num_rounds, exclusive=True)
        if np.any(rounds != np.rint(rounds)):
            raise InputError(f"Argument `num_rounds` must hold whole numbers, but is {rounds.tolist()}.")
        count = len(problem.couplings) * model.num_sites
        unit = method.time_per_round(beta=problem.beta, num_couplings=count)
        problem = replace(problem, times=unit * rounds)
    return export_relaxation(problem, method, directory, target=target, num_shots=num_shots, seed=seed)


def solve_reference(model: SpinModel, times: NDArray[np.float64]) -> xr.Dataset | None:
    """Return C(t) by `Dense` up to 10 sites, by `HeisenbergTEBD` for longer chains, else None."""
    problem = Autocorrelation(model, times=times)
    if model.num_sites <= _DENSE_SITES:
        return solve(problem, Dense())
    neighbours = all(string.sites[-1] - string.sites[0] <= 1 for string in model.hamiltonian if string.sites)
    return solve(problem, HeisenbergTEBD()) if neighbours else None


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryEntry:
    """One bundle of C(t) in the gallery: its model and how its circuits are made."""

    model: Callable[[], SpinModel]
    layout: str = "line"
    num_steps: int = 8
    times: tuple[float, ...] = (0.5, 1.0, 2.0)

    def export(self, directory: Path, *, target: str | None) -> Path:
        """Write the bundle and return the manifest's path."""
        options = BundleOptions(num_steps=self.num_steps, layout=self.layout)
        return export_with_reference(
            self.model(), directory, times=np.array(self.times), target=target, options=options
        )

    def describe(self) -> dict[str, Any]:
        """Return the entry's row in the gallery's manifest."""
        model = self.model()
        row = {"model": model.family, "num_qubits": model.num_sites, "layout": self.layout}
        return row | {"num_steps": self.num_steps}


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaxationEntry:
    """One bundle of thermalising circuits in the gallery; beta = 1, all spins down at the start.

    Args:
        model: the chain.
        method: how it is cooled.
        num_rounds: collisions, or sweeps of dilations, at each time.
    """

    model: Callable[[], SpinModel]
    method: CollisionCircuit | DilationCircuit
    num_rounds: tuple[int, ...]

    def export(self, directory: Path, *, target: str | None) -> Path:
        """Write the bundle and return the manifest's path."""
        from qthermo.circuits import export_relaxation

        return export_relaxation(self.problem(), self.method, directory, target=target)

    def problem(self) -> Relaxation:
        """Return the problem, its times those of whole rounds."""
        model = self.model()
        unit = self.method.time_per_round(beta=1.0, num_couplings=3 * model.num_sites)
        return Relaxation(model, beta=1.0, times=unit * np.array(self.num_rounds))

    def describe(self) -> dict[str, Any]:
        """Return the entry's row in the gallery's manifest."""
        model = self.model()
        row = {"model": model.family, "num_qubits": model.num_sites + 1, "method": type(self.method).__name__}
        return row | {"num_rounds": list(self.num_rounds)}


def _imbrie(num_sites: int, disorder: float, *, parity_symmetric: bool = False) -> Callable[[], SpinModel]:
    return partial(
        sample_imbrie_chain,
        num_bath_sites=num_sites - 1,
        disorder=disorder,
        seed=1,
        parity_symmetric=parity_symmetric,
    )


def _all_to_all(num_sites: int) -> Callable[[], SpinModel]:
    return partial(sample_all_to_all_ising, num_bath_sites=num_sites - 1, seed=1)


def _grain(num_grain_spins: int, num_lioms: int) -> SpinModel:
    """Return a local grain whose last localised spin is the thermometer."""
    grain = sample_ergodic_grain(
        kind="local", num_grain_spins=num_grain_spins, num_lioms=num_lioms, last_coupling=0.5, seed=1
    )
    return grain.to_spin_model()


def _tilted_ising(num_sites: int) -> SpinModel:
    terms = [(-1.0, {j: "Z", j + 1: "Z"}) for j in range(num_sites - 1)]
    terms += [(-0.9045, {j: "X"}) for j in range(num_sites)] + [(-0.809, {j: "Z"}) for j in range(num_sites)]
    return spin_chain(hamiltonian=PauliSum.from_letters(terms))


def _band_chain() -> SpinModel:
    """Two subunits of a ground level and a band of three levels, two qubits each."""
    return sample_band_chain(num_subunits=2, num_levels=3, band_width=0.3, coupling=0.3, seed=1).to_spin_model()


_COLLISIONS = CollisionCircuit(coupling=0.8, energy_width=0.8, time_step=0.25, num_sequences=2)

GALLERY: Mapping[str, GalleryEntry | RelaxationEntry] = MappingProxyType(
    {
        "imbrie-w1-6": GalleryEntry(model=_imbrie(6, 1.0)),
        "imbrie-w4-6": GalleryEntry(model=_imbrie(6, 4.0)),
        "imbrie-w1-12": GalleryEntry(model=_imbrie(12, 1.0)),
        "imbrie-w4-20": GalleryEntry(model=_imbrie(20, 4.0)),
        "imbrie-w4-50": GalleryEntry(model=_imbrie(50, 4.0)),
        "imbrie-parity-w1-8": GalleryEntry(model=_imbrie(8, 1.0, parity_symmetric=True)),
        "band-chain-4": GalleryEntry(model=_band_chain, num_steps=1, times=(0.5,)),
        "all-to-all-8-line": GalleryEntry(model=_all_to_all(8), num_steps=4),
        "all-to-all-8-round-robin": GalleryEntry(model=_all_to_all(8), num_steps=4, layout="round_robin"),
        "all-to-all-8-swap-network": GalleryEntry(model=_all_to_all(8), num_steps=4, layout="swap_network"),
        "all-to-all-8-parity-network": GalleryEntry(model=_all_to_all(8), num_steps=4, layout="parity_network"),
        "ergodic-grain-9": GalleryEntry(model=partial(_grain, 6, 3), layout="swap_network", num_steps=4),
        "collisions-tilted-ising-3": RelaxationEntry(
            model=partial(_tilted_ising, 3), method=_COLLISIONS, num_rounds=(4,)
        ),
        "collisions-imbrie-w1-4": RelaxationEntry(model=_imbrie(4, 1.0), method=_COLLISIONS, num_rounds=(2,)),
        "dilations-tilted-ising-3": RelaxationEntry(
            model=partial(_tilted_ising, 3), method=DilationCircuit(time_step=0.2), num_rounds=(1,)
        ),
        "dilations-imbrie-w1-4": RelaxationEntry(
            model=_imbrie(4, 1.0), method=DilationCircuit(time_step=0.2, patch_radius=0), num_rounds=(2,)
        ),
    }
)


def export_gallery(directory: str | Path, *, target: str = "fake_fez") -> Path:
    """Write every bundle of the gallery into a folder of its name, and a manifest of them all; return its path.

    Raises:
        FileError: the folder cannot be written.
    """
    folder = Path(directory)
    rows = {}
    for name, entry in GALLERY.items():
        path = entry.export(folder / name, target=target)
        rows[name] = {**entry.describe(), "manifest_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    content = {"format": "qthermo-gallery", "target": target, "bundles": rows}
    return write_atomically(folder / "manifest.json", (json.dumps(content, indent=1) + "\n").encode())
