"""Trotter circuits against qiskit's own: gate counts, depth and compile time, in one interleaved run.

Usage: python benchmarks/circuits_perf.py [--quick]

The peer is PauliEvolutionGate with SuzukiTrotter(order=2, reps=20) as a qiskit user writes it, compiled by the preset
pass manager at the same optimisation level for the same target. Both circuits keep the time step as a Parameter.
Times are CPU times, the least of several interleaved rounds.
"""

from __future__ import annotations

import sys
import warnings
from importlib.metadata import version

from common import Comparison, cpu, record
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.synthesis import SuzukiTrotter
from qiskit.transpiler import CouplingMap, Target, generate_preset_pass_manager

import qthermo as qt
from qthermo.circuits import build_trotter_circuit, compile_circuit, to_sparse_pauli_op
from qthermo.circuits.compilation import find_target

STEPS = 20


def chain(num_sites):
    return qt.models.sample_imbrie_chain(num_bath_sites=num_sites - 1, disorder=4.0, seed=1)


def all_to_all(num_sites):
    return qt.models.sample_all_to_all_ising(num_bath_sites=num_sites - 1, seed=1)


def peer_circuit(model, num_steps=STEPS):
    operator = to_sparse_pauli_op(model.hamiltonian, model.num_sites)
    gate = PauliEvolutionGate(
        operator, num_steps * Parameter("time_step"), synthesis=SuzukiTrotter(order=2, reps=num_steps)
    )
    circuit = QuantumCircuit(model.num_sites)
    circuit.append(gate, range(model.num_sites))
    return circuit


def peer_compile(circuit, target):
    return generate_preset_pass_manager(optimization_level=1, target=target, seed_transpiler=1).run(circuit)


def costs(circuit):
    return circuit.num_nonlocal_gates(), circuit.depth(lambda item: len(item.qubits) == 2)


def line_target(num_qubits, basis=("cz", "rz", "sx", "x")):
    return Target.from_configuration(list(basis), num_qubits, CouplingMap.from_line(num_qubits))


def compare_chain(num_sites, target, rounds):
    model = chain(num_sites)
    times = {name: [] for name in ("build", "compile", "bind", "peer build", "peer compile")}

    def clock(name, function):
        seconds, value = cpu(function)
        times[name].append(seconds)
        return value

    for _ in range(rounds):
        circuit = clock("build", lambda: build_trotter_circuit(model, num_steps=STEPS))
        compiled = clock("compile", lambda circuit=circuit: compile_circuit(circuit, target))
        peer = clock("peer build", lambda: peer_circuit(model))
        peer = clock("peer compile", lambda peer=peer: peer_compile(peer, target))
        clock("bind", lambda compiled=compiled: compiled.bind(0.1))
    ours, theirs = costs(compiled.circuit), costs(peer)
    best = {name: 1e3 * min(values) for name, values in times.items()}
    total = (best["build"] + best["compile"]) / (best["peer build"] + best["peer compile"])
    for what, mine, other, unit in (
        ("CZ gates", ours[0], theirs[0], "gates"),
        ("two-qubit depth", ours[1], theirs[1], "layers"),
        (
            "build and compile",
            1e-3 * (best["build"] + best["compile"]),
            1e-3 * (best["peer build"] + best["peer compile"]),
            "CPU s",
        ),
    ):
        work = f"20 Trotter steps, chain of {num_sites} on fake_fez: {what}"
        record(Comparison(work=work, peer="qiskit, PauliEvolutionGate", ours=mine, theirs=other, unit=unit))
    print(
        f"chain n={num_sites} fake_fez: CZ {ours[0]} / {theirs[0]} = {ours[0] / theirs[0]:.3f}; "
        f"2q depth {ours[1]} / {theirs[1]}; "
        f"compile {best['compile']:.1f} / {best['peer compile']:.1f} ms = "
        f"{best['compile'] / best['peer compile']:.2f}, "
        f"with building {total:.2f}; bind / compile {best['bind']:.2f} / {best['compile']:.1f} ms = "
        f"{best['bind'] / best['compile']:.3f}"
    )


def compare_fractional(num_sites):
    target = line_target(num_sites, ("rzz", "rz", "sx", "x", "rx"))
    counts = []
    for steps in (10, 20):
        counts.append(
            costs(compile_circuit(build_trotter_circuit(chain(num_sites), num_steps=steps), target).bind(0.1))
        )
    per_step = [(b - a) / 10 for a, b in zip(*counts, strict=True)]
    print(
        f"chain n={num_sites} rzz target: per step {per_step[0]:.1f} rzz (n-1 = {num_sites - 1}), "
        f"depth {per_step[1]:.1f}"
    )


def compare_all_to_all(num_sites, num_steps):
    model, target = all_to_all(num_sites), line_target(num_sites)
    peer_gates, peer_depth = costs(peer_compile(peer_circuit(model, num_steps), target))
    for layout in ("parity_network", "swap_network"):
        circuit = build_trotter_circuit(model, num_steps=num_steps, layout=layout)
        seconds, compiled = cpu(lambda circuit=circuit: compile_circuit(circuit, target))
        gates, depth = costs(compiled.circuit)
        work = f"{num_steps} Trotter steps, all-to-all, {num_sites} qubits on a line, {layout}: CZ gates"
        record(Comparison(work=work, peer="qiskit, PauliEvolutionGate", ours=gates, theirs=peer_gates, unit="gates"))
        print(
            f"all-to-all n={num_sites} line, {num_steps} steps, {layout}: "
            f"CZ {gates} / {peer_gates} = 1/{peer_gates / gates:.2f}; "
            f"2q depth {depth} / {peer_depth} = 1/{peer_depth / depth:.2f}   ({seconds:.2f} s)"
        )
    full = Target.from_configuration(["cz", "rz", "sx", "x"], num_sites, CouplingMap.from_full(num_sites))
    circuits = [build_trotter_circuit(model, num_steps=k, layout="round_robin") for k in (1, 2)]
    first, second = (costs(compile_circuit(circuit, full).circuit) for circuit in circuits)
    print(
        f"all-to-all n={num_sites} full connectivity, round_robin: per step CZ {second[0] - first[0]}, "
        f"2q depth {second[1] - first[1]} (2(n-1) = {2 * (num_sites - 1)})"
    )


def main():
    quick = "--quick" in sys.argv
    print(", ".join(f"{name} {version(name)}" for name in ("qthermo", "qiskit", "qiskit-ibm-runtime", "numpy")))
    warnings.simplefilter("ignore")
    _, fez = find_target("fake_fez")
    for num_sites in (20,) if quick else (20, 50, 100):
        compare_chain(num_sites, fez, rounds=3 if quick else 7)
    compare_fractional(20)
    compare_all_to_all(10 if quick else 40, 4)


if __name__ == "__main__":
    main()
