"""Analysis of counts measured on hardware: counts in, the same Dataset as any other method's out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, Variable
from qthermo.checks import check_finite_array
from qthermo.circuits.manifest import AUTOCORRELATION, MANIFEST, read_manifest, rebuild_model
from qthermo.circuits.measurement import estimate_correlator, shot_products
from qthermo.errors import InputError
from qthermo.files import refuse_malformed
from qthermo.problems import Autocorrelation, autocorrelation_answer
from qthermo.results import build_dataset

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["HardwareCounts", "analyse_counts"]

_MAX_SHOTS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareCounts:
    """How counts were made, for the Dataset's record.

    Args:
        backend: name of the device that measured.
        num_steps: Trotter steps of each circuit.
        trotter_order: order of the formula.
        layout: order of the pair gates.
        num_shots: shots per time.
    """

    backend: str
    num_steps: int
    trotter_order: int
    layout: str
    num_shots: tuple[int, ...]


def analyse_counts(directory: str | Path, counts: Sequence[Any], *, backend: str = "unknown") -> xr.Dataset:
    """Return C(t) with error bars from the counts of a bundle's circuits, one entry for each time of its manifest.

    C(t) = mean of (-1)^(z_initial[0] + z_final[0]), standard error sqrt((1 - C^2) / shots). Where the manifest holds a
    reference (or the exact Trotter value), the Dataset also holds `reference` and `deviation` = (C - reference) /
    stderr.

    Args:
        directory: the bundle that was run.
        counts: for each time a mapping from bit strings "z_final z_initial" (as qiskit's `get_counts` gives them, with
            or without the space) to counts, or a V2 sampler's DataBin or PubResult with the registers `z_initial` and
            `z_final`; a PrimitiveResult is such a sequence.
        backend: name of the device.

    Raises:
        FileError: the bundle is missing or was changed.
        InputError: the number of entries or the length of a bit string does not fit the bundle, or there are no shots.
    """
    manifest = read_manifest(Path(directory))
    if manifest["kind"] != AUTOCORRELATION:
        raise InputError(
            f"Argument `directory` must hold a bundle of C(t), but {directory} holds one of {manifest['kind']}; "
            "average its counts as the manifest's `estimator` says."
        )
    with refuse_malformed(Path(directory) / MANIFEST, "the manifest of a bundle"):
        model = rebuild_model(manifest["model"])
        problem = Autocorrelation(model, times=manifest["times"])
        reference = _read_reference(manifest, problem.times.size)
    if isinstance(counts, Mapping | str) or not hasattr(counts, "__len__"):
        raise InputError(
            f"Argument `counts` must be a sequence with one entry for each time, but is {type(counts).__name__}."
        )
    if len(counts) != problem.times.size:
        raise InputError(
            f"Argument `counts` must hold one entry for each of the {problem.times.size} times, but has {len(counts)}."
        )
    products = [_products(entry, model.num_sites, k) for k, entry in enumerate(counts)]
    correlator, stderr = np.array([estimate_correlator(values) for values in products]).T
    answer = autocorrelation_answer(problem, correlator, errors={"stderr": stderr})
    method = HardwareCounts(
        backend=backend,
        num_steps=manifest["num_steps"],
        trotter_order=manifest["trotter_order"],
        layout=manifest["layout"],
        num_shots=tuple(values.size for values in products),
    )
    compared = _compare(answer, reference, correlator, stderr)
    return build_dataset(compared, problem, method, wall_time=0.0, messages=[])


def _read_reference(manifest: Mapping[str, Any], num_times: int) -> tuple[str, NDArray[np.float64]] | None:
    """Return source and values of the manifest's reference, or None if it has none."""
    stored = manifest["reference"]
    if stored is None and manifest["trotter_value"] is None:
        return None
    source, found = (
        (stored["method"], stored["correlator"]) if stored else ("exact Trotter value", manifest["trotter_value"])
    )
    values = check_finite_array("reference", found, ndim=1)
    if values.size != num_times or not isinstance(source, str):
        raise ValueError(f"its reference must name its method and hold {num_times} values")
    return source, values


def _compare(
    answer: Answer,
    reference: tuple[str, NDArray[np.float64]] | None,
    correlator: NDArray[np.float64],
    stderr: NDArray[np.float64],
) -> Answer:
    """Add the reference, if there is one, and the deviation from it in standard errors."""
    if reference is None:
        return answer
    source, values = reference
    extra = {
        "reference": Variable(("time",), values, "1", f"C(t) by {source}"),
        "deviation": Variable(("time",), (correlator - values) / stderr, "1", "(C - reference) / stderr"),
    }
    return replace(answer, variables={**answer.variables, **extra}, diagnostics={"reference": source})


def _is_whole(count: object) -> bool:
    """Return whether a count is a whole number >= 0; counts from JSON may be floats."""
    if isinstance(count, bool) or not isinstance(count, int | float | np.integer | np.floating):
        return False
    return bool(count >= 0 and count == count // 1 and count < 2.0**63)


def _products(entry: Any, num_sites: int, index: int) -> NDArray[np.float64]:
    """Return the +-1 product of each shot."""
    data = getattr(entry, "data", entry)
    if hasattr(data, "z_initial") and hasattr(data, "z_final"):
        return shot_products(data.z_initial.array, data.z_final.array)
    if not isinstance(data, Mapping) or not data:
        raise InputError(f"Entry {index} of `counts` must map bit strings to counts, but is {type(entry).__name__}.")
    signs, repeats = [], []
    for word, count in data.items():
        bits = str(word).replace(" ", "")
        if len(bits) != num_sites + 1 or set(bits) - {"0", "1"} or not _is_whole(count):
            raise InputError(
                f"Entry {index} of `counts` must map strings of {num_sites + 1} bits (z_final, then z_initial) to "
                f"whole numbers, but holds {word!r}: {count!r}."
            )
        signs.append(1.0 if bits[0] == bits[-1] else -1.0)
        repeats.append(int(count))
    total = sum(repeats)
    if total == 0:
        raise InputError(f"Entry {index} of `counts` must hold at least one shot, but holds none.")
    if total > _MAX_SHOTS:
        raise InputError(f"Entry {index} of `counts` must hold at most {_MAX_SHOTS:.0e} shots, but holds more.")
    return np.repeat(np.array(signs), repeats)
