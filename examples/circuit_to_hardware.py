"""From the model to hardware and back
===================================

From the model to hardware and back: a bundle is exported, checked, run on a noisy device, and its counts analysed.

The device is IBM's fake Fez, simulated by Aer with its gate and readout errors; a real one takes the same bundle.
Beside the counts stand exact diagonalisation, the ideal circuit, and the same circuit extrapolated to zero noise.
Run `python examples/circuit_to_hardware.py`; it needs the `hardware` extra,
and writes circuit_to_hardware.png.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

import qthermo as qt
from qthermo.circuits import analyse_counts, check_bundle, export_bundle, load_qasm
from qthermo.circuits.device_runs import noisy_backend, prepare_for_device
from qthermo.plotting import save_figure
from qthermo.seeds import Stream, spawn_seed


def run_on_fake_device(folder: Path, num_times: int, num_shots: int) -> list[dict[str, int]]:
    """Run the bundle's OpenQASM files with the noise of fake_fez and return their counts."""
    counts = []
    for k in range(num_times):
        prepared = prepare_for_device(load_qasm(folder / f"logical_{k:03d}.qasm"), "fake_fez")
        backend = noisy_backend(prepared, method="statevector")
        seed = spawn_seed(1, Stream.SIMULATOR, k)
        job = backend.run(prepared.compact, shots=num_shots, seed_simulator=seed)
        counts.append(job.result().get_counts())
    return counts


def mitigated_value(model: qt.models.SpinModel, time: float, num_steps: int) -> float:
    """Return C(t) of the noisy circuit extrapolated to zero noise from the circuit and its threefold one."""
    method = qt.TrotterCircuit(time_step=time / num_steps, device="fake_fez", noise_factors=(1, 3))
    return float(qt.solve(qt.Autocorrelation(model, times=[time]), method)["correlator"][0])


def main(quick: bool = False) -> dict[str, np.ndarray]:
    """Print the table, draw the figure, and return the columns."""
    num_bath_sites, num_steps, num_shots = (2, 3, 500) if quick else (4, 6, 4000)
    times = [0.5, 1.0] if quick else [0.5, 1.0, 1.5, 2.0, 3.0]
    model = qt.models.sample_imbrie_chain(num_bath_sites=num_bath_sites, disorder=1.0, seed=1)
    problem = qt.Autocorrelation(model, times=times)
    exact = qt.solve(problem, qt.Dense())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export_bundle(model, folder, times=times, num_steps=num_steps, target="fake_fez", reference=exact)
        check = check_bundle(folder)
        measured = analyse_counts(folder, run_on_fake_device(folder, len(times), num_shots), backend="fake_fez")
    mitigated = [mitigated_value(model, time, num_steps) for time in times]
    columns = {
        "t": np.array(times),
        "exact": exact["correlator"].values,
        "ideal circuit": np.array(check.manifest["trotter_value"]),
        "counts": measured["correlator"].values,
        "stderr": measured["stderr"].values,
        "zero noise": np.array(mitigated),
    }
    print("".join(f"{key:>15}" for key in columns))
    for row in zip(*columns.values(), strict=True):
        print("".join(f"{value:15.4f}" for value in row))
    draw(columns)
    return columns


def draw(columns: dict[str, np.ndarray]) -> None:
    """Write circuit_to_hardware.png."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(5, 3.5), layout="constrained")
    ax.plot(columns["t"], columns["exact"], "k-", label="exact")
    ax.plot(columns["t"], columns["ideal circuit"], "C1x", label="ideal circuit")
    ax.errorbar(columns["t"], columns["counts"], columns["stderr"], fmt="C0o", label="counts of the noisy device")
    ax.plot(columns["t"], columns["zero noise"], "C2s", mfc="none", label="extrapolated to zero noise")
    ax.set(xlabel="time t", ylabel="C(t)")
    ax.legend(fontsize=8)
    path = save_figure(figure, "circuit_to_hardware.png")
    print(f"wrote {path}")


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
