"""What a study costs beyond its method: overhead per realization, gain of a second worker, time to collect.

Run `python benchmarks/study_perf.py [--quick]` on an idle machine. One and two workers alternate in the same run, and
so do one and two bare processes that do the same work without any study: what these gain is what the machine allows.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np
import psutil
from common import Comparison, record

import qthermo as qt
from qthermo.studies.folder import open_store


def build_study(num_realizations: int, num_bath_sites: int = 2, num_times: int = 41) -> qt.Study:
    """Return a study of C(t) of one chain by exact diagonalisation."""
    return qt.parse_study(
        {
            "name": "bench",
            "model": {"family": "imbrie_chain", "num_bath_sites": num_bath_sites, "disorder": 2.0},
            "problem": {"name": "Autocorrelation", "times": f"0:10:{num_times}"},
            "methods": [{"name": "Dense"}],
            "ensemble": {"num_realizations": num_realizations, "seed": 1},
        }
    )


def run(study: qt.Study, num_workers: int) -> tuple[float, float]:
    """Return wall seconds of a run, without the start of its workers, and those that the methods took in all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "s"
        started: list[float] = []

        def note_first(status: qt.studies.RunStatus) -> None:
            if status.computed >= num_workers and not started:
                started.extend((time.perf_counter(), status.computed))

        qt.run_study(study, folder, num_workers=num_workers, progress=note_first)
        wall = time.perf_counter() - started[0]
        store = open_store(folder)
        seconds = [float(store.read(task).header["wall_time"]) for task in sorted(store.scan().done)]
        return wall, sum(seconds[int(started[1]) :])


def measure_overhead(count: int, rounds: int) -> float:
    """Return milliseconds per realization that are not the method's, one worker."""
    study = build_study(count)
    values = []
    for _ in range(rounds):
        wall, method = run(study, 1)
        values.append(1e3 * (wall - method) / count)
    print(f"overhead per realization: {median(values):.2f} ms (rounds: {', '.join(f'{v:.2f}' for v in values)})")
    return median(values)


def measure_fsync(count: int = 200) -> float:
    """Return milliseconds that one write with fsync and rename takes on this disk."""
    from qthermo.files import write_atomically

    with tempfile.TemporaryDirectory() as name:
        start = time.perf_counter()
        for k in range(count):
            write_atomically(Path(name) / str(k), bytes(4000))
        value = 1e3 * (time.perf_counter() - start) / count
    print(f"of which one write of 4 kB with fsync and rename: {value:.2f} ms")
    return value


def measure_cpu(study: qt.Study, num_workers: int) -> float:
    """Return the CPU seconds of driver and workers together."""
    driver = psutil.Process()
    readings: list[float] = []

    def read(_status: qt.studies.RunStatus) -> None:
        total = time.process_time()
        for process in driver.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        readings.append(total)

    with tempfile.TemporaryDirectory() as name:
        qt.run_study(study, Path(name) / "s", num_workers=num_workers, progress=read)
    return readings[-1] - readings[0]


def measure_gain(num_bath_sites: int, count: int, rounds: int) -> float:
    """Return how much faster two workers finish than one; runs alternate."""
    study = build_study(count, num_bath_sites)
    walls: dict[int, list[float]] = {1: [], 2: []}
    processor: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for workers in (1, 2):
            start = time.perf_counter()
            processor[workers].append(measure_cpu(study, workers))
            walls[workers].append(time.perf_counter() - start)
    wall, cpu = ({n: median(values) for n, values in found.items()} for found in (walls, processor))
    gain = wall[1] / wall[2]
    print(f"two workers / one: {gain:.2f} times faster ({count} tasks; one {wall[1]:.1f} s, two {wall[2]:.1f} s)")
    print(
        f"CPU seconds per task, driver and workers: one {cpu[1] / count:.3f}, two {cpu[2] / count:.3f}; "
        f"by CPU time alone two are {2 * cpu[1] / cpu[2]:.2f} times faster on two free cores"
    )
    return gain


def work_bare(num_bath_sites: int, count: int) -> None:
    """Do the work of `count` tasks in this process, without a study."""
    from threadpoolctl import threadpool_limits

    study = build_study(count, num_bath_sites)
    with threadpool_limits(1):
        for realization in range(count):
            qt.solve(study.build_problem(0, realization), qt.Dense())


def measure_machine(num_bath_sites: int, count: int, rounds: int) -> float:
    """Return how much faster two bare processes do the same work than one."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["qthermo.studies.worker"])
    times: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for workers in (1, 2):
            start = time.perf_counter()
            arguments = (num_bath_sites, count // workers)
            processes = [context.Process(target=work_bare, args=arguments) for _ in range(workers)]
            for process in processes:
                process.start()
            for process in processes:
                process.join()
            times[workers].append(time.perf_counter() - start)
    gain = median(times[1]) / median(times[2])
    print(f"two bare processes / one: {gain:.2f} times faster")
    return gain


def measure_collect(count: int, rounds: int) -> float:
    """Return the seconds in which a study of `count` shards becomes a netCDF file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "s"
        qt.run_study(build_study(count), folder, num_workers=2)
        qt.collect_study(folder)  # xarray is loaded
        values = []
        for _ in range(rounds):
            start = time.perf_counter()
            qt.save_result(qt.collect_study(folder), folder / "result.nc")
            values.append(time.perf_counter() - start)
    print(f"collect of {count} shards: {median(values):.2f} s")
    return median(values)


def main() -> None:
    """Print the three figures beside their targets."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer tasks and rounds")
    quick = parser.parse_args().quick
    print(f"python {sys.version.split()[0]}, numpy {np.__version__}, qthermo {qt.__version__}, {platform.platform()}")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    overhead = measure_overhead(100 if quick else 400, 1 if quick else 3)
    measure_fsync()
    gain = measure_gain(6 if quick else 9, 20 if quick else 60, 1 if quick else 3)
    machine = measure_machine(6 if quick else 9, 20 if quick else 60, 1 if quick else 3)
    seconds = measure_collect(200 if quick else 1000, 1 if quick else 3)
    print(f"targets: overhead <= 5 ms: {overhead:.2f}; collect < 3 s: {seconds:.2f}")
    record(
        Comparison(
            work="wall time of two workers / of one, against bare processes",
            peer="qthermo, without a study",
            ours=1 / gain,
            theirs=1 / machine,
            unit="of one",
        )
    )
    print(f"gain of two workers >= 1.8: {gain:.2f}, where the machine allows {machine:.2f}")


if __name__ == "__main__":
    main()
