"""Wave packets and band chains against scipy, every pair timed in turn within one run.

Run `python benchmarks/wave_packet_perf.py [--quick]`. CPU time is compared, since wall time on a shared machine says
little; peers get the same tolerance and the same number of terms.
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
import scipy.sparse as sp
from common import Comparison, record
from scipy.sparse.linalg import expm_multiply
from scipy.special import jv

import qthermo as qt

DISORDER, TIME = 6.0, 10.0


def measure(work: Callable[[], object]) -> tuple[float, float, object]:
    """Return CPU and wall seconds, and the result."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    return time.process_time() - cpu, time.perf_counter() - wall, result


def sparse_hamiltonian(potential: np.ndarray) -> sp.csr_array:
    """Return the Anderson Hamiltonian of a cube as a sparse matrix."""
    side = potential.shape[0]
    ring = sp.diags_array([np.ones(side - 1), np.ones(side - 1), [1.0], [1.0]], offsets=[1, -1, side - 1, 1 - side])
    one = sp.eye_array(side)
    hops = sp.kron(sp.kron(ring, one), one) + sp.kron(sp.kron(one, ring), one) + sp.kron(sp.kron(one, one), ring)
    return sp.csr_array(sp.diags_array(potential.ravel()) - hops)


def sparse_chebyshev(hamiltonian: sp.csr_array, start: np.ndarray, radius: float, terms: int) -> np.ndarray:
    """Return |psi(t)|^2 by the textbook recursion on complex vectors."""
    scaled = hamiltonian / radius
    before, here = start.astype(complex), scaled @ start.astype(complex)
    total = jv(0, radius * TIME) * before - 2j * jv(1, radius * TIME) * here
    for k in range(2, terms):
        before, here = here, 2 * (scaled @ here) - before
        total += 2 * (-1j) ** k * jv(k, radius * TIME) * here
    return np.abs(total) ** 2


def msd(weights: np.ndarray, side: int) -> float:
    """Return the mean square displacement from the middle."""
    x = (np.arange(side) - side // 2) ** 2
    p = weights.reshape((side,) * 3)
    return float(sum(p.sum(axis=tuple(a for a in range(3) if a != axis)) @ x for axis in range(3)))


def compare_cube(side: int, *, repeats: int) -> None:
    """Time qthermo, a scipy.sparse Chebyshev and expm_multiply on one cube, interleaved."""
    model = qt.models.sample_anderson_lattice(shape=(side,) * 3, disorder=DISORDER, seed=1)
    problem = qt.WavePacket(model, times=[TIME])
    matrix = sparse_hamiltonian(model.potential)
    start = problem.start().ravel()
    terms = 131
    ours, peers = [], []
    for _ in range(repeats):
        ours.append(measure(lambda: float(qt.solve(problem, qt.Chebyshev())["msd"][0])))
        peers.append(measure(lambda: msd(sparse_chebyshev(matrix, start, 9.0, terms), side)))
    slow = measure(lambda: msd(np.abs(expm_multiply(-1j * TIME * matrix, start.astype(complex))) ** 2, side))
    mine, sparse = min(ours), min(peers)
    for name, row in (("scipy, Chebyshev on a sparse matrix", sparse), ("scipy, expm_multiply", slow)):
        work, difference = f"wave packet in a cube of {side}, t = {TIME:g}", abs(mine[2] - row[2])
        record(Comparison(work=work, peer=name, ours=mine[0], theirs=row[0], difference=difference))
    print(f"cube of {side}, t = {TIME:g}: CPU (wall) seconds, msd")
    for name, row in (("qthermo Chebyshev", mine), ("scipy.sparse Chebyshev", sparse), ("scipy expm_multiply", slow)):
        print(f"  {name:24} {row[0]:8.3f} ({row[1]:8.3f})  {row[2]:.8f}   {row[0] / mine[0]:6.1f} x")


def run_large(side: int) -> None:
    """Evolve one large cube and report the memory."""
    model = qt.models.sample_anderson_lattice(shape=(side,) * 3, disorder=DISORDER, seed=1)
    problem = qt.WavePacket(model, times=[TIME])
    estimate = qt.Chebyshev().estimate_memory(problem)
    cpu, wall, data = measure(lambda: qt.solve(problem, qt.Chebyshev()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"cube of {side}: CPU {cpu:.1f} s, wall {wall:.1f} s, msd {float(data['msd'][0]):.4f}")
    print(f"  memory: estimated {estimate / 2**30:.2f} GiB for the run, peak of the process {peak / 2**30:.2f} GiB")


def compare_band_chain(num_levels: int, *, repeats: int) -> None:
    """Time one state of five subunits by Chebyshev and by eigh of the same matrix, interleaved."""
    model = qt.models.sample_band_chain(
        num_subunits=5, num_levels=num_levels, band_width=0.05, coupling=0.025 / num_levels, seed=1
    )
    kappa = 2 * np.pi * (0.025 / num_levels) ** 2 * num_levels / 0.05
    problem = qt.BandDynamics(model, times=np.linspace(0, 5 / kappa, 41))
    matrix = model.space.to_dense()
    ours, peers = [], []
    for _ in range(repeats):
        ours.append(measure(lambda: qt.solve(problem, qt.Chebyshev())))
        peers.append(measure(lambda: scipy.linalg.eigh(matrix, driver="evd", check_finite=False)))
    mine, other = min(row[0] for row in ours), min(row[0] for row in peers)
    work = f"band chain of 5 subunits with {num_levels} levels, 41 times"
    record(Comparison(work=work, peer="scipy, eigh", ours=mine, theirs=other))
    print(f"band chain of 5 subunits with {num_levels} levels, one state, 41 times to 5/kappa:")
    print(f"  Chebyshev {mine:.2f} s CPU, eigh of dimension {model.dimension} {other:.2f} s: {other / mine:.1f} x")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="small sizes")
    quick = parser.parse_args().quick
    print(
        f"python {sys.version.split()[0]}, numpy {np.__version__}, scipy {scipy.__version__}, qthermo {qt.__version__}"
    )
    warm = qt.models.sample_anderson_lattice(shape=(5, 5, 5), disorder=DISORDER, seed=1)
    qt.solve(qt.WavePacket(warm, times=[0.0]), qt.Chebyshev())  # compiles the kernels
    compare_cube(20 if quick else 60, repeats=1 if quick else 3)
    run_large(32 if quick else 128)
    compare_band_chain(40 if quick else 500, repeats=1)


if __name__ == "__main__":
    main()
