"""Bundles of thermalising circuits: what is written is what is described, and tampering is found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from kms_reference import imbrie, tilted_ising
from qiskit.transpiler import Target

import qthermo as qt
from qthermo.circuits import analyse_counts, check_bundle, export_relaxation, load_qasm
from qthermo.circuits.manifest import read_manifest, write_manifest

MODEL = qt.models.spin_chain(hamiltonian=tilted_ising(2))
COLLISIONS = qt.CollisionCircuit(coupling=0.8, energy_width=1.0, time_step=0.25, num_sequences=2, seed=3)
UNIT = COLLISIONS.time_per_round(beta=1.0, num_couplings=6)
PROBLEM = qt.Relaxation(MODEL, beta=1.0, times=UNIT * np.array([1, 3]))


def test_collisions_are_read_back_and_agree_with_dense_channels_and_on_the_device(tmp_path: Path):
    path = export_relaxation(PROBLEM, COLLISIONS, tmp_path / "bundle", target="fake_fez")
    check = check_bundle(path.parent)
    assert set(check.deviations) == {
        *(f"{name}_00{k}.{end}" for k in range(4) for name, end in (("logical", "qasm"), ("isa", "qpy"))),
        "polarisation",
    }
    assert max(check.deviations.values()) < 1e-9
    rows = check.manifest["circuits"]
    assert [(row["sequence"], row["time"], row["num_rounds"]) for row in rows] == [
        (0, 0, 1),
        (0, 1, 3),
        (1, 0, 1),
        (1, 1, 3),
    ]
    assert rows[1]["polarisation"] != rows[3]["polarisation"]
    circuit = load_qasm(path.parent / "logical_001.qasm")
    assert circuit.count_ops()["reset"] == 3
    assert circuit.count_ops()["measure"] == 2


def test_dilations_are_read_back_and_agree_with_their_channel(tmp_path: Path):
    """Unitaries on ancilla and patch, written in rz, sx, x and cx, act on bits as the dense channel does."""
    model = qt.models.spin_chain(hamiltonian=imbrie(3))
    problem = qt.Relaxation(model, beta=1.0, times=[0.0, 0.4], initial_state="011", couplings="XZ")
    method = qt.DilationCircuit(time_step=0.2, patch_radius=1)
    path = export_relaxation(problem, method, tmp_path)
    assert check_bundle(tmp_path).deviations["polarisation"] < 2e-5
    rows = json.loads(path.read_text())["circuits"]
    assert rows[0]["polarisation"] == [1, -1, -1]
    exact = qt.solve(problem, method)["polarisation"].values[1]
    np.testing.assert_allclose(rows[1]["polarisation"], exact, atol=1e-12)
    names = set(load_qasm(tmp_path / "logical_001.qasm").count_ops())
    assert names <= {"rz", "sx", "x", "cx", "reset", "measure"}


def test_beyond_density_matrices_files_are_compared_gate_by_gate(tmp_path: Path):
    model = qt.models.spin_chain(hamiltonian=tilted_ising(9))
    unit = COLLISIONS.time_per_round(beta=1.0, num_couplings=27)
    path = export_relaxation(qt.Relaxation(model, beta=1.0, times=[unit]), COLLISIONS, tmp_path)
    assert check_bundle(tmp_path).deviations == {"logical_000.qasm": 0.0, "logical_001.qasm": 0.0}
    content = json.loads(path.read_text())
    assert content["circuits"][0]["polarisation"] is None
    assert len(content["gibbs_polarisation"]) == 9


def test_changed_files_and_manifests_are_found(tmp_path: Path):
    path = export_relaxation(PROBLEM, COLLISIONS, tmp_path)
    file = tmp_path / "logical_001.qasm"
    text = file.read_text()
    file.write_text(text.replace("reset", "// reset", 1))
    with pytest.raises(qt.FileError, match="SHA-256"):
        check_bundle(tmp_path)
    file.write_text(text)
    path.write_text(path.read_text().replace('"num_rounds": 3', '"num_rounds": 2', 1))
    with pytest.raises(qt.FileError, match="seal"):
        check_bundle(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [("reset", "// reset"), ("rxx(0.", "rxx(1."), ("z_final[0] = measure thermometer", "z_final[0] = measure bath")],
)
def test_a_wrong_circuit_with_right_hashes_is_found(old: str, new: str, tmp_path: Path):
    export_relaxation(PROBLEM, COLLISIONS, tmp_path)
    content = read_manifest(tmp_path)
    file = tmp_path / "logical_001.qasm"
    head, body = file.read_text().split("qubit[", 1)
    assert old in body
    file.write_text(head + "qubit[" + body.replace(old, new, 1))
    write_manifest(tmp_path, {**content, "files": list(content["files"])})
    with pytest.raises(qt.FileError, match="logical_001"):
        check_bundle(tmp_path)


def test_wrong_values_and_foreign_manifests_are_found(tmp_path: Path):
    export_relaxation(PROBLEM, COLLISIONS, tmp_path)
    content = read_manifest(tmp_path)
    files = list(content["files"])
    row = {**content["circuits"][0], "polarisation": [0.0, 0.0]}
    for change, words in (
        ({"circuits": [row, *content["circuits"][1:]]}, "logical_000"),
        ({"circuits": content["circuits"][:1]}, "4 circuits"),
        ({"method": {"name": "Dense"}}, "CollisionCircuit"),
        ({"method": {**content["method"], "colour": 1}}, "colour"),
        ({"kind": "tomography"}, "tomography"),
    ):
        write_manifest(tmp_path, {**content, **change, "files": files})
        with pytest.raises(qt.FileError, match=words):
            check_bundle(tmp_path)


def test_what_cannot_be_exported_is_refused(tmp_path: Path):
    with pytest.raises(qt.InputError, match="method"):
        export_relaxation(PROBLEM, qt.KMSJumps(), tmp_path)
    with pytest.raises(qt.InputError, match="num_shots"):
        export_relaxation(PROBLEM, COLLISIONS, tmp_path, num_shots=1)
    with pytest.raises(qt.InputError, match="time_step"):
        export_relaxation(PROBLEM, qt.CollisionCircuit(time_step=0.7), tmp_path)
    with pytest.raises(qt.UnsupportedError, match="order"):
        export_relaxation(PROBLEM, qt.CollisionCircuit(trotter_order=0), tmp_path)
    with pytest.raises(qt.InputError, match="reset"):
        export_relaxation(PROBLEM, COLLISIONS, tmp_path, target=Target(num_qubits=3))
    state = qt.Relaxation(MODEL, beta=1.0, times=[1.0], initial_state=np.full(4, 0.5))
    with pytest.raises(qt.UnsupportedError, match="bits"):
        export_relaxation(state, qt.DilationCircuit(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_counts_of_relaxation_are_no_autocorrelation(tmp_path: Path):
    export_relaxation(PROBLEM, COLLISIONS, tmp_path)
    with pytest.raises(qt.InputError, match="bundle of C"):
        analyse_counts(tmp_path, [{"00 0": 1}] * 2)


def test_dilations_of_a_gaussian_filter_at_low_temperature_are_warned_of():
    chain = qt.models.spin_chain(hamiltonian=tilted_ising(4))
    with pytest.warns(qt.ValidityWarning, match=r"6e-05 of its value at beta = 0.5.*smooth_metropolis"):
        qt.solve(qt.Relaxation(chain, beta=2.0, times=[0.1]), qt.DilationCircuit(filter="gaussian"))
