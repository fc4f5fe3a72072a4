"""Cost of the cavity equation with the edge ladder against full diagonalisation, and its growth with the bath.

Run `python benchmarks/cavity_perf.py [--quick] [--largest]`; both sides use the same cores in one run. CPU time is
measured, since wall time on a shared machine says little.
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

LAPLACE = np.geomspace(0.1, 3.0, 16)


def measure(work: Callable[[], object]) -> tuple[float, float]:
    """Return CPU and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def solve(dim: int, precision: str) -> tuple[float, float]:
    """Solve 16 Laplace points with the edge ladder for one Levy bath of `dim` states."""
    model = qt.models.sample_levy_bath(dim=dim, exponent=1.5, scale=0.3, seed=1)
    problem = qt.Propagator(model, energies=[0.0], laplace=LAPLACE)
    return measure(lambda: qt.solve(problem, qt.CavityDiffuson(precision=precision, tolerance=1e-5)))


def diagonalise(dim: int) -> tuple[float, float]:
    """Diagonalise the full Hamiltonian of the same kind of bath."""
    basis = qt.models.sample_levy_bath(dim=dim, exponent=1.5, scale=0.3, seed=1).eigenbasis
    matrix = basis.to_matrix()
    return measure(lambda: scipy.linalg.eigh(matrix, overwrite_a=True, check_finite=False, driver="evd"))


def main() -> None:
    """Print a table of CPU and wall seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="bath of 512 states only")
    parser.add_argument("--largest", action="store_true", help="also 16384 states")
    options = parser.parse_args()
    print(
        f"python {sys.version.split()[0]}, numpy {np.__version__}, scipy {scipy.__version__}, qthermo {qt.__version__}"
    )
    solve(64, "double"), solve(64, "single")
    top = 512 if options.quick else 4096
    cost = {}
    print(f"{'bath states':>12} {'precision':>10} {'CPU s':>8} {'wall s':>8}   (16 Laplace points, edge closure)")
    for dim in (top // 4, top // 2, top, 2 * top) if not options.largest else (16384,):
        for precision in ("double", "single"):
            if dim == 16384 and precision == "double":
                continue
            cost[dim, precision] = cpu, wall = solve(dim, precision)
            print(f"{dim:12d} {precision:>10} {cpu:8.2f} {wall:8.2f}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory of the process: {peak:.1f} GiB")
    if options.largest:
        return
    growth = np.log(cost[2 * top, "double"][0] / cost[top // 4, "double"][0]) / np.log(8)
    print(f"cost grows as N^{growth:.2f} from {top // 4} to {2 * top} bath states")
    cpu, wall = diagonalise(top)
    print(f"eigh of the {2 * top} matrix: CPU {cpu:.2f} s, wall {wall:.2f} s")
    for precision in ("double", "single"):
        ours = cost[top, precision]
        work = f"P(E, s) at 16 points against all eigenvectors, {top} bath states, {precision} precision"
        record(Comparison(work=work, peer="scipy, eigh", ours=ours[0], theirs=cpu))


if __name__ == "__main__":
    main()
