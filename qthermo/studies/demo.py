"""The main job in one minute: a disordered chain with a thermometer by four methods, compared and drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qthermo.circuits.trotter_circuit import TrotterCircuit
from qthermo.errors import FileError
from qthermo.exact.dense import Dense
from qthermo.models import SpinModel, sample_imbrie_chain
from qthermo.problems import Autocorrelation, Problem, Propagator
from qthermo.progress import Progress
from qthermo.results import load_result, matches_request, save_result
from qthermo.solve import Method, solve
from qthermo.studies.compare import Comparison, compare_correlators, compare_propagators
from qthermo.tensor_network.heisenberg_tebd import HeisenbergTEBD
from qthermo.theory.cavity_diffuson import CavityDiffuson

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["DemoStep", "compare_demo", "demo_model", "demo_steps", "run_demo", "run_step", "write_demo_files"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoStep:
    """One question to one method; `name` is that of its file and `label` what the table calls it."""

    name: str
    label: str
    problem: Problem
    method: Method

    @property
    def estimated_memory(self) -> float:
        """Bytes that the step needs at its peak."""
        return self.method.estimate_memory(self.problem)


def demo_model(*, num_bath_sites: int = 9, disorder: float = 1.0, seed: int = 1) -> SpinModel:
    """Return the demo's model: an Imbrie chain with the default thermometer."""
    return sample_imbrie_chain(num_bath_sites=num_bath_sites, disorder=disorder, seed=seed)


def demo_steps(model: SpinModel, *, seed: int = 1) -> list[DemoStep]:
    """Return the demo's steps: C(t) by three engines, and c(E=0, s) exactly and by both closures of the theory."""
    times = np.linspace(0, 6, 25)
    dynamics = Autocorrelation(model, times=times)
    measured = Autocorrelation(model, times=times[::6])
    laplace = Propagator(model, energies=[0.0], laplace=np.geomspace(0.1, 5, 9))  # type: ignore[arg-type]
    circuit = TrotterCircuit(protocol="shots", num_shots=4_000, seed=seed)
    return [
        DemoStep(name="exact", label="Dense", problem=dynamics, method=Dense()),
        DemoStep(name="tensor-network", label="HeisenbergTEBD", problem=dynamics, method=HeisenbergTEBD()),
        DemoStep(name="circuit", label="TrotterCircuit", problem=measured, method=circuit),
        DemoStep(name="exact-laplace", label="Dense", problem=laplace, method=Dense()),
        DemoStep(name="edge", label="diffuson, edge", problem=laplace, method=CavityDiffuson(closure="edge")),
        DemoStep(
            name="averaged", label="diffuson, averaged", problem=laplace, method=CavityDiffuson(closure="averaged")
        ),
    ]


def run_demo(steps: list[DemoStep], folder: Path, progress: Callable[[DemoStep], Progress]) -> dict[str, xr.Dataset]:
    """Run the steps that `folder` does not hold yet and return all results by name.

    Each result is saved as soon as it is there, so that an interrupted demo goes on where it stopped.
    """
    return {step.name: run_step(step, folder, progress(step)) for step in steps}


def run_step(step: DemoStep, folder: Path, progress: Progress) -> xr.Dataset:
    """Return the step's result, from its file in `folder` if that answers the same question, else by running it."""
    path = folder / f"{step.name}.nc"
    try:
        data = load_result(path)
        if matches_request(data, step.problem, step.method):
            progress(1.0, "already there")
            return data
    except FileError:
        pass  # missing or damaged: run again
    data = solve(step.problem, step.method, progress=progress)
    save_result(data, path)
    progress(1.0, "done")
    return data


def compare_demo(steps: list[DemoStep], results: dict[str, xr.Dataset]) -> Iterator[Comparison]:
    """Compare every step with exact diagonalisation."""
    for step in steps:
        data = results[step.name]
        if isinstance(step.problem, Autocorrelation):
            yield compare_correlators(data, results["exact"])
        else:
            yield compare_propagators(data, results["exact-laplace"], label=step.label)


def write_demo_files(model: SpinModel, results: dict[str, xr.Dataset], folder: Path) -> list[Path]:
    """Write figure.png, result.nc (all results, their names as suffixes) and circuit.qasm; return their paths."""
    from qthermo.circuits import build_measured_circuit, save_qasm
    from qthermo.plotting import save_demo_figure
    from qthermo.results import merge_results

    correlators = [results[name] for name in ("exact", "tensor-network", "circuit")]
    propagators = [results[name] for name in ("exact-laplace", "edge", "averaged")]
    figure = save_demo_figure(correlators, propagators, repr(model)[1:-1], folder / "figure.png")
    merged = save_result(merge_results(results), folder / "result.nc")
    circuit = build_measured_circuit(model, num_steps=60, time_step=0.1)
    return [figure, merged, save_qasm(circuit, folder / "circuit.qasm")]
