"""Tensor networks against TeNPy, DMRG against quimb too: CPU time on one thread, interleaved in one run.

Run `python benchmarks/tensor_network_perf.py [part ...]`; parts: correlator, layers, length, dmrg.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from common import Comparison, cpu, interleave, record
from threadpoolctl import threadpool_limits

import qthermo as qt
from qthermo.tensor_network.canonical_chain import CanonicalChain


def reference_chain(num_sites: int, disorder: float) -> qt.models.SpinModel:
    rng = np.random.default_rng(1)
    fields = disorder * rng.uniform(-1, 1, num_sites - 1)
    return qt.models.imbrie_chain(fields=fields, bonds=rng.uniform(0.8, 1.2, num_sites - 2))


def all_to_all(num_sites: int) -> qt.models.SpinModel:
    J = np.triu(np.random.default_rng(1).standard_normal((num_sites, num_sites)), 1) / np.sqrt(num_sites)
    terms = [(J[i, j], {i: "Z", j: "Z"}) for i in range(num_sites) for j in range(i + 1, num_sites)]
    terms += [(1.0, {i: "X"}) for i in range(num_sites)]
    return qt.models.spin_chain(hamiltonian=qt.PauliSum.from_letters(terms))


def tenpy_model(model: qt.models.SpinModel, *, nearest: bool):
    """Return the same Hamiltonian as a TeNPy model."""
    from tenpy.models.lattice import Chain
    from tenpy.models.model import CouplingModel, MPOModel, NearestNeighborModel
    from tenpy.networks.site import SpinHalfSite

    coupling = CouplingModel(Chain(model.num_sites, SpinHalfSite(conserve=None), bc_MPS="finite", bc="open"))
    names = {"X": "Sigmax", "Y": "Sigmay", "Z": "Sigmaz"}
    for string, c in model.hamiltonian.items():
        letters = [(site, names[letter]) for site, letter in string.letters.items()]
        if len(letters) == 1:
            coupling.add_onsite_term(c.real, letters[0][0], letters[0][1])
        else:
            (i, a), (j, b) = letters
            coupling.add_coupling_term(c.real, i, j, a, b)
    if nearest:
        return NearestNeighborModel(coupling.lat, coupling.calc_H_bond())
    return MPOModel(coupling.lat, coupling.calc_H_MPO())


def report(what: str, ours: float, theirs: float, target: float, note: str = "", peer: str = "physics-tenpy") -> None:
    aim = target if np.isfinite(target) else None
    record(Comparison(work=what, peer=peer, ours=ours, theirs=theirs, target=aim))
    if note:
        print(f"    {note}")


def compare_correlators() -> None:
    from tenpy.algorithms.purification import PurificationTEBD
    from tenpy.networks.purification_mps import PurificationMPS

    model, times = reference_chain(20, 4.0), np.arange(0.25, 6.01, 0.25)
    problem = qt.Autocorrelation(model, times=times)
    M = tenpy_model(model, nearest=True)

    def theirs() -> float:
        psi = PurificationMPS.from_infiniteT(M.lat.mps_sites(), bc="finite")
        psi.apply_local_op(0, "Sigmaz", unitary=True)
        start = psi.copy()
        options = {
            "order": 4, "dt": 0.25, "N_steps": 1, "disentangle": "backwards",
            "trunc_params": {"chi_max": 64, "svd_min": 1e-7},
        }  # fmt: skip
        engine = PurificationTEBD(psi, M, options)
        values = []
        for _ in times:
            engine.run()
            values.append(start.overlap(psi).real)
        return values[-1]

    timed_theirs, last = cpu(theirs)
    for doubling in (True, False):
        for estimates in (False, True):
            method = qt.HeisenbergTEBD(
                max_bond_dim=64, time_step=0.25, time_doubling=doubling, estimate_errors=estimates
            )
            qt.solve(problem, method)
            ours, data = cpu(lambda method=method: qt.solve(problem, method))
            name = f"C(t) L=20 W=4 chi=64{' doubling' if doubling else ''}{' with errors' if estimates else ''}"
            difference = abs(float(data["correlator"][-1]) - last)
            report(name, ours, timed_theirs, 0.12, f"|dC(6)| = {difference:.1e}")


def random_tensors(num_sites: int, d: int, chi: int, rng: np.random.Generator, *, real: bool) -> list[np.ndarray]:
    dims = [min(chi, d**k, d ** (num_sites - k)) for k in range(num_sites + 1)]
    shapes = [(dims[k], d, dims[k + 1]) for k in range(num_sites)]
    tensors = [rng.standard_normal(s) if real else rng.standard_normal(s) + 1j * rng.standard_normal(s) for s in shapes]
    chain = CanonicalChain.from_tensors(tensors, chi, 0.0)
    chain.tensors[0] = chain.tensors[0] / np.linalg.norm(chain.tensors[0])
    return chain.tensors


def random_gates(count: int, dim: int, rng: np.random.Generator, *, real: bool) -> np.ndarray:
    import scipy.linalg

    generators = rng.standard_normal((count, dim, dim))
    if not real:
        generators = generators + 1j * rng.standard_normal((count, dim, dim))
    return scipy.linalg.expm(0.1 * (generators - generators.conj().transpose(0, 2, 1)) / np.sqrt(dim))


def compare_layers() -> None:
    """One even and one odd layer of gates on a chain whose bonds are full."""
    import tenpy.linalg.np_conserved as npc
    from tenpy.algorithms.tebd import TEBDEngine
    from tenpy.models.lattice import Chain
    from tenpy.models.model import NearestNeighborModel
    from tenpy.networks.mps import MPS
    from tenpy.networks.site import Site

    cases = [(4, 16, 0.15), (4, 64, 0.15), (4, 128, 0.15), (2, 16, 0.15), (2, 64, 0.4), (2, 128, 0.65), (2, 256, 0.65)]
    for d, chi, target in cases:
        n = 2 * int(np.ceil(np.log(chi) / np.log(d))) + 8
        rng = np.random.default_rng(0)
        real = d == 4
        gates = random_gates(n - 1, d * d, rng, real=real)
        chain = CanonicalChain.from_tensors(random_tensors(n, d, chi, rng, real=real), chi, 1e-14)

        def ours(chain: CanonicalChain = chain, gates: np.ndarray = gates, n: int = n) -> None:
            for parity in (0, 1):
                for bond in range(parity, n - 1, 2):
                    chain.apply_gate(bond, gates[bond])

        site = Site(npc.LegCharge.from_trivial(d))
        lattice = Chain(n, site, bc_MPS="finite", bc="open")
        H = rng.standard_normal((n - 1, d * d, d * d))
        bonds = [None] + [
            npc.Array.from_ndarray_trivial((h + h.T).reshape(d, d, d, d) / d, labels=["p0", "p1", "p0*", "p1*"])
            for h in H
        ]
        M = NearestNeighborModel(lattice, bonds)
        flat = [t.transpose(1, 0, 2).astype(complex) for t in random_tensors(n, d, chi, rng, real=False)]
        psi = MPS.from_Bflat(lattice.mps_sites(), flat, bc="finite", form=None)
        psi.canonical_form()
        engine = TEBDEngine(psi, M, {"trunc_params": {"chi_max": chi, "svd_min": 1e-14}, "max_trunc_err": None})
        engine.calc_U(1, 0.1, type_evo="real")

        def theirs(engine: TEBDEngine = engine) -> None:
            engine.evolve(1, 0.1)

        ours()
        theirs()
        report(f"two layers, d={d} chi={chi} ({n} sites)", *interleave(ours, theirs, 3)[:2], target)


def compare_lengths() -> None:
    times = np.arange(0.25, 6.01, 0.25)
    problems = [qt.Autocorrelation(reference_chain(n, 4.0), times=times) for n in (100, 20)]
    for doubling in (True, False):
        method = qt.HeisenbergTEBD(max_bond_dim=64, estimate_errors=False, time_doubling=doubling)
        runs = [lambda problem=problem, method=method: qt.solve(problem, method) for problem in problems]
        runs[0]()
        report(
            f"L=100 over L=20{' doubling' if doubling else ''} (ours both)",
            *interleave(runs[0], runs[1], 3)[:2],
            1.3,
            peer="qthermo, the shorter chain",
        )


def tenpy_energy(model: qt.models.SpinModel, chi: int) -> Callable[[], float]:
    from tenpy.algorithms.dmrg import TwoSiteDMRGEngine
    from tenpy.networks.mps import MPS

    M = tenpy_model(model, nearest=False)

    def run() -> float:
        psi = MPS.from_product_state(M.lat.mps_sites(), ["up"] * M.lat.N_sites, bc="finite")
        options = {
            "mixer": True, "max_E_err": 1e-9, "max_sweeps": 40, "max_trunc_err": None,
            "trunc_params": {"chi_max": chi, "svd_min": 1e-10},
        }  # fmt: skip
        return TwoSiteDMRGEngine(psi, M, options).run()[0]

    return run


def quimb_energy(model: qt.models.SpinModel, chi: int, *, reordered: bool) -> Callable[[], float]:
    """Return quimb's DMRG2 on our MPO (its own is no shorter), sites in the given order or in ours."""
    from quimb.tensor import DMRG2

    from qthermo.tensor_network.site_order import find_positions, permute_sites

    hamiltonian = model.hamiltonian
    if reordered:
        hamiltonian = permute_sites(hamiltonian, find_positions(hamiltonian, model.num_sites))
    mpo = qt.tensor_network.build_mpo(hamiltonian, num_sites=model.num_sites).operator

    def run() -> float:
        bonds = [chi // 4, chi // 4, chi // 2, chi // 2, chi]
        dmrg = DMRG2(mpo, bond_dims=bonds, cutoffs=1e-12)
        dmrg.solve(tol=1e-7, max_sweeps=40, verbosity=0)
        return float(np.real(dmrg.energy))

    return run


def compare_dmrg() -> None:
    """Ground states beside TeNPy and quimb's own DMRG2, which runs on the given order of sites and on ours."""
    relaxed = {"tolerance": 1.0, "sweep_tolerance": 1e-6, "max_sweeps": 200}
    cases = [
        ("Imbrie L=100 chi=32", reference_chain(100, 2.0), 32, {}),
        ("all-to-all N=20 chi=64", all_to_all(20), 64, relaxed),
        ("all-to-all N=40 chi=32", all_to_all(40), 32, relaxed),
    ]
    for name, model, chi, options in cases:
        method = qt.DMRG(max_bond_dim=chi, **options)
        peers = {
            "TeNPy": tenpy_energy(model, chi),
            "quimb DMRG2": quimb_energy(model, chi, reordered=False),
            "quimb DMRG2, our order": quimb_energy(model, chi, reordered=True),
        }
        problem = qt.GroundState(model)
        rounds = []
        for _ in range(2):
            ours, data = cpu(lambda problem=problem, method=method: qt.solve(problem, method))
            rounds.append((ours, {peer: cpu(run) for peer, run in peers.items()}))
        mine = float(data["energy"])
        fastest = min(ours for ours, _ in rounds)
        for peer in peers:
            timed = min(found[peer][0] for _, found in rounds)
            target = 0.2 if peer == "TeNPy" and "Imbrie" in name else np.inf
            lowest, highest = (extreme(found[peer][1] for _, found in rounds) for extreme in (min, max))
            note = f"E = {mine:.8f}, minus {peer}'s {mine - lowest:.1e} .. {mine - highest:.1e}"
            known = {"TeNPy": "physics-tenpy"}
            package = peer.split(" ")[0].rstrip(",")
            words = f"{known.get(package, package)},{peer[len(package) :]} DMRG"
            report(f"DMRG {name}", fastest, timed, target, note, peer=words)


PARTS = {
    "correlator": compare_correlators,
    "layers": compare_layers,
    "length": compare_lengths,
    "dmrg": compare_dmrg,
}


def main() -> None:
    warnings.simplefilter("ignore")
    print({name: version(name) for name in ("qthermo", "numpy", "scipy", "physics-tenpy", "quimb")})
    with threadpool_limits(1):
        for part in sys.argv[1:] or PARTS:
            PARTS[part]()


if __name__ == "__main__":
    main()
