"""Gap and relaxation of a thermalising Lindbladian: qthermo against QuTiP's superoperators, in one run.

Both get the same jumps and coherent term (smooth Metropolis filter, beta = 1, X, Y, Z on every site of the tilted Ising
chain). QuTiP's gap is the dense route: liouvillian, then all eigenvalues; its path is mesolve at the tolerances shown.
CPU seconds, best of the repetitions, interleaved. Run `python benchmarks/kms_perf.py [--sites 5] [--large] [--beyond]`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
import scipy.linalg
from common import Comparison, cpu, record

import qthermo as qt

TIMES = np.linspace(0, 5, 11)


def tilted_ising(num_sites: int) -> qt.models.SpinModel:
    terms = [(-1.0, {j: "Z", j + 1: "Z"}) for j in range(num_sites - 1)]
    terms += [(-0.9045, {j: "X"}) for j in range(num_sites)] + [(-0.8090, {j: "Z"}) for j in range(num_sites)]
    return qt.models.spin_chain(hamiltonian=qt.PauliSum.from_letters(terms))


def build_peer(num_sites: int):
    """The Lindbladian as QuTiP objects in the eigenbasis of H; building them is not timed."""
    import qutip

    problem = qt.MixingGap(tilted_ising(num_sites), beta=1.0)
    full = qt.KMSJumps().build_generator(problem)
    bare = qt.KMSJumps(coherent=False).build_generator(problem)
    jumps = [qutip.Qobj(full.map.jumps[:, k, :]) for k in range(full.map.jumps.shape[1])]
    coherent = qutip.Qobj(-1j * (full.map.decay - bare.map.decay))
    bits = full.basis.vectors[-1]
    return coherent, jumps, qutip.Qobj(np.outer(bits, bits)), qutip.Qobj(np.diag(full.basis.energies))


def compare_gap(num_sites: int, repeats: int) -> None:
    import qutip

    coherent, jumps, _, _ = build_peer(num_sites)

    def peer() -> float:
        matrix = qutip.liouvillian(coherent, jumps).full()
        return float(np.sort(-scipy.linalg.eigvals(matrix, overwrite_a=True, check_finite=False).real)[1])

    def ours() -> float:
        return float(qt.solve(qt.MixingGap(tilted_ising(num_sites), beta=1.0), qt.KMSJumps())["gap"])

    report("gap", num_sites, ours, peer, repeats)


def compare_path(num_sites: int, repeats: int) -> None:
    import qutip

    coherent, jumps, start, energy = build_peer(num_sites)
    options = {"rtol": 1e-8, "atol": 1e-10, "progress_bar": ""}

    def peer() -> float:
        return float(qutip.mesolve(coherent, start, TIMES, jumps, e_ops=[energy], options=options).expect[0][-1])

    def ours() -> float:
        problem = qt.Relaxation(tilted_ising(num_sites), beta=1.0, times=TIMES)
        return float(qt.solve(problem, qt.KMSJumps())["energy"][-1])

    report("path to t = 5", num_sites, ours, peer, repeats)


def report(name: str, num_sites: int, ours: Callable[[], float], peer: Callable[[], float], repeats: int) -> None:
    pairs = [(cpu(ours), cpu(peer)) for _ in range(repeats)]
    mine, theirs = (min(pair[k][0] for pair in pairs) for k in (0, 1))
    difference = abs(pairs[0][0][1] - pairs[0][1][1])
    work = f"{name} of the thermalising Lindbladian, {num_sites} spins"
    peer = "qutip, mesolve" if name.startswith("path") else "qutip, liouvillian and all eigenvalues"
    record(Comparison(work=work, peer=peer, ours=mine, theirs=theirs, difference=difference))


def time_large() -> None:
    for num_sites in (7, 8):
        problem = qt.MixingGap(tilted_ising(num_sites), beta=1.0)
        start = time.perf_counter()
        spent, data = cpu(lambda problem=problem: qt.solve(problem, qt.KMSJumps()))
        wall = time.perf_counter() - start
        print(
            f"gap            n={num_sites}  {float(data['gap']):.10f}  CPU {spent:.1f} s, wall {wall:.1f} s", flush=True
        )
    problem = qt.Relaxation(tilted_ising(10), beta=1.0, times=[0.5])
    spent, data = cpu(lambda: qt.solve(problem, qt.KMSJumps(tolerance=1e-6)))
    energy = float(data["energy"][-1])
    print(
        f"path to t=.5   n=10 energy {energy:.6f}  CPU {spent:.1f} s, {data.attrs['wall_time']:.1f} s wall", flush=True
    )


def time_beyond() -> None:
    """Beyond matrices, where QuTiP has no counterpart: gap by DMRG with default options, a path by TDVP."""
    for num_sites in (8, 20):
        problem = qt.MixingGap(tilted_ising(num_sites), beta=1.0)
        spent, data = cpu(lambda problem=problem: qt.solve(problem, qt.DMRG()))
        gap, certificate = float(data["gap"]), float(data["certificate"])
        print(f"gap by DMRG    n={num_sites}  {gap:.8f}, E0 {certificate:.3e}  CPU {spent:.1f} s", flush=True)
    problem = qt.Relaxation(tilted_ising(40), beta=1.0, times=[1.0], initial_state="10" * 20)
    spent, data = cpu(lambda: qt.solve(problem, qt.TDVP(max_bond_dim=16, estimate_errors=False)))
    print(f"path to t=1    n=40  <Z_0> {float(data['polarisation'][0, 0]):.6f} by TDVP  CPU {spent:.1f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sites", type=int, nargs="+", default=[4, 5])
    parser.add_argument("--large", action="store_true", help="also our own times at 7, 8 and 10 spins")
    parser.add_argument("--beyond", action="store_true", help="also DMRG at 8 and 20 and TDVP at 40 spins")
    arguments = parser.parse_args()
    print(", ".join(f"{name} {version(name)}" for name in ("qthermo", "qutip", "numpy", "scipy")))
    qt.solve(qt.MixingGap(tilted_ising(2), beta=1.0), qt.KMSJumps())
    for num_sites in arguments.sites:
        compare_path(num_sites, repeats=1 if num_sites > 5 else 3)
        compare_gap(num_sites, repeats=1 if num_sites > 4 else 3)
    if arguments.large:
        time_large()
    if arguments.beyond:
        time_beyond()


if __name__ == "__main__":
    main()
