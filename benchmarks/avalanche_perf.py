"""Cost of D(O) by long Lanczos runs against full diagonalisation by scipy.

Run `python benchmarks/avalanche_perf.py [--quick] [--largest] [--huge]`; both sides work in one run, in turns. CPU time
is measured, since wall time on a shared machine says little; wall time is printed beside it. `--largest` adds one state
and one operator at 2^14 levels, `--huge` at 2^16.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable

import numpy as np
import scipy
import scipy.linalg
from common import Comparison, record

import qthermo as qt

ROUNDS = 3


def measure(work: Callable[[], object]) -> tuple[float, float]:
    """Return CPU and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def spread(num_lioms: int, seed: int) -> tuple[float, float]:
    """Find psi and D(O) of one operator for a random-matrix grain of 6 spins."""
    model = qt.models.sample_ergodic_grain(kind="goe", num_lioms=num_lioms, seed=seed)
    return measure(lambda: qt.solve(qt.OperatorSpread(model), qt.LanczosSpread()))


def diagonalise(num_lioms: int, seed: int, driver: str) -> tuple[float, float]:
    """Diagonalise the same Hamiltonian."""
    matrix = qt.models.sample_ergodic_grain(kind="goe", num_lioms=num_lioms, seed=seed).to_matrix()
    return measure(lambda: scipy.linalg.eigh(matrix, driver=driver, check_finite=False))


def main() -> None:
    """Print a table of CPU and wall seconds, and the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="2^10 levels only")
    parser.add_argument("--largest", action="store_true", help="also 2^14 levels")
    parser.add_argument("--huge", action="store_true", help="also 2^16 levels")
    options = parser.parse_args()
    print(
        f"python {sys.version.split()[0]}, numpy {np.__version__}, scipy {scipy.__version__}, qthermo {qt.__version__}"
    )
    spread(2, 0)
    print("levels   ours CPU (wall) s     scipy evr           scipy evd           ratio evr  ratio evd  (CPU)")
    for num_lioms in (4,) if options.quick else (4, 5, 6):
        rows = []
        for seed in range(ROUNDS):
            rows.append(
                (spread(num_lioms, seed), diagonalise(num_lioms, seed, "evr"), diagonalise(num_lioms, seed, "evd"))
            )
        ours, evr, evd = np.median(np.array(rows), axis=0)
        for driver, (cpu, _) in (("evr", evr), ("evd", evd)):
            work = f"D(O) of a grain, 2^{6 + num_lioms} levels"
            record(Comparison(work=work, peer=f"scipy, eigh ({driver})", ours=ours[0], theirs=cpu))
        cells = "   ".join(f"{cpu:7.2f} ({wall:7.2f})" for cpu, wall in (ours, evr, evd))
        print(f"2^{6 + num_lioms:2d}   {cells}   {evr[0] / ours[0]:8.1f} {evd[0] / ours[0]:8.1f}", flush=True)
    for wanted, num_lioms in ((options.largest, 8), (options.huge, 10)):
        if wanted:
            cpu, wall = spread(num_lioms, 0)
            print(f"2^{6 + num_lioms}, one state, one operator: CPU {cpu:.1f} s, wall {wall:.1f} s", flush=True)
    print(f"peak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB")


if __name__ == "__main__":
    main()
