"""The same work as a user of raw quimb, Qiskit and Aer, QuSpin, scipy or QuTiP would do it, in one run.

Run `python benchmarks/peers_perf.py [--quick] [PART ...]`; parts: quimb, aer, exact, scaling. CPU seconds, alternating.
A part whose peer is not installed says so and is left out.
"""

from __future__ import annotations

import argparse
import warnings
from importlib.metadata import PackageNotFoundError

import numpy as np
from common import Comparison, Scaling, cpu, interleave, record
from threadpoolctl import threadpool_limits

import qthermo as qt


def chain(num_sites: int, disorder: float) -> qt.models.SpinModel:
    """The chain whose C(t) the tests of all engines share."""
    rng = np.random.default_rng(1)
    fields = disorder * rng.uniform(-1, 1, num_sites - 1)
    return qt.models.imbrie_chain(fields=fields, bonds=rng.uniform(0.8, 1.2, num_sites - 2))


def bond_matrices(model: qt.models.SpinModel) -> dict[tuple[int, int], np.ndarray]:
    """Return the Hamiltonian as one 4 x 4 matrix per bond; single-site terms go to the bond on their right."""
    pauli = {"X": np.array([[0, 1], [1, 0]]), "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.diag([1.0, -1])}
    n = model.num_sites
    bonds = {(j, j + 1): np.zeros((4, 4), complex) for j in range(n - 1)}
    for string, c in model.hamiltonian.items():
        left = min(string.sites[0], n - 2)
        parts = [pauli.get(string.letters.get(site, ""), np.eye(2)) for site in (left, left + 1)]
        bonds[left, left + 1] += c * np.kron(*parts)
    return bonds


def compare_quimb(quick: bool) -> None:
    """C(t) by TEBD of the operator as a vector, order 4, step 0.25, bond dimension 64."""
    import quimb.tensor as qtn

    n, chi, times = (10, 32, np.arange(0.25, 3.01, 0.25)) if quick else (20, 64, np.arange(0.25, 6.01, 0.25))
    model = chain(n, 4.0)
    swap = (
        np.eye(16).reshape((2,) * 8).transpose(0, 2, 1, 3, 4, 5, 6, 7).reshape(16, 16)
    )  # (i j)(i' j') to (i i')(j j')
    terms = {
        bond: swap @ (np.kron(h, np.eye(4)) - np.kron(np.eye(4), h.T)) @ swap
        for bond, h in bond_matrices(model).items()
    }
    identity, z = np.eye(2).ravel() / np.sqrt(2), np.diag([1.0, -1]).ravel() / np.sqrt(2)

    def theirs() -> np.ndarray:
        start = qtn.MPS_product_state([z, *([identity] * (n - 1))])
        options = {"cutoff": 1e-10, "max_bond": chi}
        evolution = qtn.TEBD(start, qtn.LocalHam1D(n, terms), dt=0.25, split_opts=options, progbar=False)
        return np.array([start.H @ psi for psi in evolution.at_times(times, order=4, progbar=False)]).real

    def ours() -> np.ndarray:
        method = qt.HeisenbergTEBD(max_bond_dim=chi, time_step=0.25, estimate_errors=False, time_doubling=False)
        return qt.solve(qt.Autocorrelation(model, times=times), method)["correlator"].values.real

    ours()
    mine, other, a, b = interleave(ours, theirs, 1)
    work = f"C(t) to t = {times[-1]:g}, chain of {n}, W = 4, chi = {chi}"
    record(Comparison(work=work, peer="quimb, TEBD", ours=mine, theirs=other, difference=float(abs(a - b).max())))


def compare_aer(quick: bool) -> None:
    """Build, compile and sample the Trotter circuits of C(t) at five times on Aer's simulator."""
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
    from qiskit.circuit.library import PauliEvolutionGate
    from qiskit.synthesis import SuzukiTrotter
    from qiskit_aer import AerSimulator

    from qthermo.circuits import to_sparse_pauli_op

    n, shots = (8, 2000) if quick else (12, 2000)
    model, times = chain(n, 1.0), np.linspace(0.4, 2.0, 5)
    problem = qt.Autocorrelation(model, times=times)
    operator = to_sparse_pauli_op(model.hamiltonian, n)

    def theirs() -> float:
        simulator, value = AerSimulator(seed_simulator=1), 0.0
        for t in times:
            qubits, first, last = QuantumRegister(n), ClassicalRegister(1, "first"), ClassicalRegister(1, "last")
            circuit = QuantumCircuit(qubits, first, last)
            circuit.h(range(n))
            circuit.measure(0, first[0])
            steps = round(t / 0.1)
            gate = PauliEvolutionGate(operator, t, synthesis=SuzukiTrotter(order=2, reps=steps))
            circuit.append(gate, qubits)
            circuit.measure(0, last[0])
            counts = (
                simulator.run(transpile(circuit, simulator, optimization_level=1), shots=shots).result().get_counts()
            )
            value = sum((1 if word[0] == word[-1] else -1) * count for word, count in counts.items()) / shots
        return value

    def ours() -> float:
        method = qt.TrotterCircuit(time_step=0.1, protocol="shots", num_shots=shots)
        return float(qt.solve(problem, method)["correlator"][-1].real)

    ours()
    mine, other, a, b = interleave(ours, theirs, 1)
    work = f"5 Trotter circuits of C(t), {n} qubits, {shots} shots: build, compile, run"
    record(Comparison(work=work, peer="qiskit-aer, AerSimulator", ours=mine, theirs=other, difference=abs(a - b)))


def compare_exact(quick: bool) -> None:
    """<Z_0(t)> from a product state (scipy, QuTiP), and C(t) by full diagonalisation (QuSpin, scipy)."""
    n = 8 if quick else 12
    model, times = chain(n, 1.0), np.linspace(0, 5, 21)
    problem = qt.Evolution(model, times=times, initial_state="0" * n)
    sparse = model.hamiltonian.to_sparse(n)
    signs = np.where(np.arange(2**n) < 2 ** (n - 1), 1.0, -1.0)
    start = np.zeros(2**n, complex)
    start[0] = 1

    def ours() -> np.ndarray:
        return qt.solve(problem, qt.Dense())["expectation"].values[:, 0]

    def by_scipy() -> np.ndarray:
        from scipy.sparse.linalg import expm_multiply

        states = expm_multiply(-1j * sparse, start, start=0, stop=times[-1], num=times.size, endpoint=True)
        return (abs(states) ** 2) @ signs

    def by_qutip() -> np.ndarray:
        import qutip

        dims = [[2] * n, [2] * n]
        options = {"rtol": 1e-8, "atol": 1e-10, "progress_bar": ""}
        z = qutip.Qobj(np.diag(signs), dims=dims)
        vector = qutip.Qobj(start, dims=[[2] * n, [1] * n])
        return qutip.sesolve(qutip.Qobj(sparse, dims=dims), vector, times, e_ops=[z], options=options).expect[0]

    for peer, theirs in (("scipy, expm_multiply", by_scipy), ("qutip, sesolve", by_qutip)):
        run_pair(f"<Z_0(t)> at {times.size} times, {n} spins, exactly", peer, ours, theirs)
    compare_spectra(n - 1, times)


def compare_spectra(n: int, times: np.ndarray) -> None:
    """C(t) at infinite temperature from all eigenvectors."""
    model = chain(n, 1.0)
    problem = qt.Autocorrelation(model, times=times)

    def ours() -> np.ndarray:
        return qt.solve(problem, qt.Dense())["correlator"].values.real

    def from_spectrum(energies: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        signs = np.where(np.arange(2**n) < 2 ** (n - 1), 1.0, -1.0)
        weights = abs(vectors.conj().T @ (signs[:, None] * vectors)) ** 2
        phases = np.exp(1j * np.outer(times, energies))
        return np.einsum("ta,ab,tb->t", phases, weights, phases.conj(), optimize=True).real / 2**n

    def by_scipy() -> np.ndarray:
        import scipy.linalg

        return from_spectrum(*scipy.linalg.eigh(model.hamiltonian.to_sparse(n).toarray(), driver="evd"))

    def by_quspin() -> np.ndarray:
        from quspin.basis import spin_basis_1d
        from quspin.operators import hamiltonian

        static = [
            ["".join(string.letters.values()).lower(), [[c.real, *string.letters]]]
            for string, c in model.hamiltonian.items()
        ]
        checks = {"check_symm": False, "check_herm": False, "check_pcon": False}
        matrix = hamiltonian(static, [], basis=spin_basis_1d(n, pauli=1), dtype=np.float64, **checks)
        return from_spectrum(*matrix.eigh())

    for peer, theirs in (("scipy, eigh", by_scipy), ("quspin, hamiltonian.eigh", by_quspin)):
        run_pair(f"C(t) at {times.size} times, {n} spins, all eigenvectors", peer, ours, theirs)


def run_pair(work: str, peer: str, ours, theirs) -> None:
    """Time and record a pair; a peer that is not installed is left out with a word."""
    try:
        ours(), theirs()
        mine, other, a, b = interleave(ours, theirs, 1)
    except (ImportError, PackageNotFoundError) as problem:
        print(f"{work}: {peer} left out ({problem})")
        return
    record(Comparison(work=work, peer=peer, ours=mine, theirs=other, difference=float(abs(a - b).max())))


def measure_scaling(quick: bool) -> None:
    """Our own cost against size; each size once warmed, then the least of two."""
    times = np.linspace(0.5, 3, 6)

    def cost(problem, method) -> float:
        return min(cpu(lambda: qt.solve(problem, method))[0] for _ in range(2))

    sizes = [6, 7, 8, 9] if quick else [7, 8, 9, 10, 11, 12]
    cost(qt.Autocorrelation(chain(5, 1.0), times=times), qt.Dense())
    seconds = [cost(qt.Autocorrelation(chain(n, 1.0), times=times), qt.Dense()) for n in sizes]
    record(Scaling(work="C(t) by Dense", axis="spins", sizes=sizes, seconds=seconds, law="exponential"))

    tebd = qt.HeisenbergTEBD(max_bond_dim=32, estimate_errors=False)
    sizes = [10, 20, 40] if quick else [10, 20, 40, 80, 160]
    seconds = [cost(qt.Autocorrelation(chain(n, 1.0), times=times), tebd) for n in sizes]
    record(Scaling(work="C(t) by HeisenbergTEBD, chi = 32", axis="spins", sizes=sizes, seconds=seconds))

    sizes = [8, 16, 32] if quick else [16, 32, 64, 128]
    long = qt.Autocorrelation(chain(16, 0.5), times=np.linspace(1, 6, 6))
    seconds = [cost(long, qt.HeisenbergTEBD(max_bond_dim=chi, estimate_errors=False)) for chi in sizes]
    record(Scaling(work="C(t) by HeisenbergTEBD, 16 spins", axis="bond dimension", sizes=sizes, seconds=seconds))

    sizes = [64, 128, 256] if quick else [128, 256, 512, 1024, 2048]
    seconds = []
    for dim in sizes:
        bath = qt.models.sample_levy_bath(dim=dim, exponent=1.5, scale=0.3, seed=1)
        laplace = qt.Propagator(bath, energies=[0.0], laplace=np.geomspace(0.1, 3, 8))
        seconds.append(cost(laplace, qt.CavityDiffuson(tolerance=1e-5)))
    record(Scaling(work="P(E, s) by CavityDiffuson, 8 points", axis="bath states", sizes=sizes, seconds=seconds))

    sizes = [3, 4, 5] if quick else [3, 4, 5, 6]
    rng = np.random.default_rng(1)
    seconds = []
    for n in sizes:
        model = qt.models.imbrie_chain(fields=rng.uniform(-1, 1, n - 1), bonds=np.ones(n - 2))
        seconds.append(cost(qt.MixingGap(model, beta=1.0), qt.KMSJumps()))
    record(Scaling(work="gap by KMSJumps", axis="spins", sizes=sizes, seconds=seconds, law="exponential"))


PARTS = {"quimb": compare_quimb, "aer": compare_aer, "exact": compare_exact, "scaling": measure_scaling}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        for part in options.parts or PARTS:
            PARTS[part](options.quick)


if __name__ == "__main__":
    main()
