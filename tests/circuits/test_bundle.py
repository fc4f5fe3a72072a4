import json
from pathlib import Path

import numpy as np
import pytest
from qiskit import qpy

import qthermo as qt
from qthermo.circuits import BundleCheck, check_bundle, export_bundle, load_qasm
from qthermo.circuits.layouts import LAYOUTS

GALLERY = Path(__file__).parents[2] / "circuits"
CHAIN = qt.models.sample_imbrie_chain(num_bath_sites=4, disorder=1.0, seed=1)
ALL_TO_ALL = qt.models.sample_all_to_all_ising(num_bath_sites=4, seed=1)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_written_is_read_back_and_agrees(layout, tmp_path):
    model = CHAIN if layout == "line" else ALL_TO_ALL
    export_bundle(model, tmp_path, times=[0.5, 1.0], num_steps=3, layout=layout, target="fake_fez")
    check = check_bundle(tmp_path)
    assert set(check.deviations) == {
        *(f"logical_00{k}.{kind}" for k in (0, 1) for kind in ("qasm", "qasm2")),
        *("logical.qpy", "isa.qpy", "trotter_value"),
    }
    assert max(check.deviations.values()) < 1e-9


def test_a_check_says_in_one_line_what_it_found(tmp_path):
    export_bundle(CHAIN, tmp_path, times=[0.5], num_steps=2, target=None)
    check = check_bundle(tmp_path)
    assert len(repr(check)) < 200 + len(str(tmp_path))
    assert f"{len(check.deviations)} comparisons" in repr(check)
    assert max(check.deviations, key=check.deviations.get) in repr(check)
    none = BundleCheck(directory=tmp_path, manifest={}, deviations={})
    assert repr(none) == f"<BundleCheck of {tmp_path} (bundle): 0 comparisons>"


def test_circuits_are_written_for_qiskits_older_than_ours(tmp_path):
    """Byte 6 of a QPY file is the version of its format, of which a reader must know at least that one."""
    export_bundle(CHAIN, tmp_path, times=[0.5], num_steps=2, target="fake_fez")
    for path in [*tmp_path.glob("*.qpy"), *GALLERY.glob("*/*.qpy")]:
        assert path.read_bytes()[:6] == b"QISKIT"
        assert path.read_bytes()[6] <= qpy.QPY_COMPATIBILITY_VERSION


def test_manifest_says_what_a_device_user_needs(tmp_path):
    times = [0.5, 1.0]
    reference = qt.solve(qt.Autocorrelation(CHAIN, times=times), qt.Dense())
    path = export_bundle(CHAIN, tmp_path, times=times, target="fake_fez", reference=reference, num_shots=500)
    manifest = json.loads(path.read_text())
    assert manifest["num_steps"] == 10
    assert manifest["num_shots"] == 500
    assert manifest["target"]["name"] == "fake_fez"
    assert manifest["target"]["swap_free"]
    assert manifest["target"]["counts"]["measure"] == 6
    assert [row["site"] for row in manifest["sites"]] == list(range(5))
    assert manifest["observables"]["isa"] == [["Z", [manifest["sites"][0]["final_physical_qubit"]], 1.0]]
    assert manifest["reference"]["method"] == "Dense"
    assert np.allclose(manifest["reference"]["correlator"], manifest["trotter_value"], atol=2e-2)


def test_fifty_sites_are_compared_gate_by_gate_and_by_mps(tmp_path):
    model = qt.models.sample_imbrie_chain(num_bath_sites=49, disorder=4.0, seed=1)
    export_bundle(model, tmp_path, times=[0.4], num_steps=2, target="fake_fez")
    assert max(check_bundle(tmp_path).deviations.values()) < 1e-6


def test_fractional_target_holds_folded_angles(tmp_path):
    model = qt.models.sample_imbrie_chain(num_bath_sites=3, disorder=1.0, seed=1)
    export_bundle(model, tmp_path, times=[0.5, 3.0], num_steps=2, target="fake_fractional")
    with open(tmp_path / "isa_001.qpy", "rb") as file:
        (circuit,) = qpy.load(file)
    angles = [item.operation.params[0] for item in circuit.data if item.operation.name == "rzz"]
    assert angles
    assert all(0 <= angle <= np.pi / 2 for angle in angles)
    assert check_bundle(tmp_path).deviations["isa_001.qpy"] < 1e-9


def damage(path, old, new):
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("manifest.json", b'"num_steps": 3', b'"num_steps": 4', "seal"),
        ("manifest.json", b"{", b"[", "JSON"),
        ("manifest.json", b'"qthermo-bundle"', b'"some-bundle"', "something else"),
        ("manifest.json", b'"format_version": 1', b'"format_version": 9', "version 9"),
        ("logical_000.qasm", b"rz(", b"rx(", "SHA-256"),
        ("logical.qpy", b"Q", b"q", "SHA-256"),
    ],
)
def test_corruption_is_named_in_one_sentence(name, old, new, words, tmp_path):
    export_bundle(CHAIN, tmp_path, times=[0.5], num_steps=3)
    damage(tmp_path / name, old, new)
    with pytest.raises(qt.FileError, match=words) as caught:
        check_bundle(tmp_path)
    assert "\n" not in str(caught.value)


def test_missing_parts_are_named(tmp_path):
    with pytest.raises(qt.FileError, match=r"manifest\.json"):
        check_bundle(tmp_path)
    export_bundle(CHAIN, tmp_path, times=[0.5], num_steps=3)
    (tmp_path / "logical_000.qasm").unlink()
    with pytest.raises(qt.FileError, match="missing"):
        check_bundle(tmp_path)


def test_a_wrong_circuit_with_right_hashes_is_found(tmp_path):
    """Someone who writes a changed circuit and reseals the manifest is found by simulation."""
    from qthermo.circuits.manifest import read_manifest, write_manifest

    export_bundle(CHAIN, tmp_path, times=[0.5], num_steps=3)
    content = read_manifest(tmp_path)
    damage(tmp_path / "logical_000.qasm", b"rx(", b"ry(")
    write_manifest(tmp_path, {**content, "files": list(content["files"])})
    with pytest.raises(qt.FileError, match="logical_000"):
        check_bundle(tmp_path)


def test_names_outside_the_folder_are_refused(tmp_path):
    from qthermo.circuits.manifest import read_manifest, write_manifest

    (tmp_path / "bundle").mkdir()
    (tmp_path / "secret.txt").write_text("x")
    export_bundle(CHAIN, tmp_path / "bundle", times=[0.5], num_steps=3)
    content = read_manifest(tmp_path / "bundle")
    write_manifest(tmp_path / "bundle", {**content, "files": [*content["files"], "../secret.txt"]})
    with pytest.raises(qt.FileError, match="own folder"):
        check_bundle(tmp_path / "bundle")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"times": [0.0, 1.0]}, "times"),
        ({"times": [1.0, float("nan")]}, "times"),
        ({"num_steps": 0}, "num_steps"),
        ({"time_step": 0.0}, "time_step"),
        ({"layout": "ring"}, "layout"),
        ({"target": "fake_nothing"}, "fake_fez"),
        ({"target": "fake_fractional", "layout": "line"}, "has 5"),
    ],
)
def test_bad_arguments_are_named(arguments, words, tmp_path):
    model = qt.models.sample_imbrie_chain(num_bath_sites=7, disorder=1.0, seed=1)
    with pytest.raises(qt.InputError, match=words):
        export_bundle(model, tmp_path, **arguments)
    assert not list(tmp_path.iterdir())


def test_reference_at_other_times_is_refused(tmp_path):
    reference = qt.solve(qt.Autocorrelation(CHAIN, times=[0.3]), qt.Dense())
    with pytest.raises(qt.InputError, match="exactly the times"):
        export_bundle(CHAIN, tmp_path, times=[0.5], reference=reference)


@pytest.mark.parametrize(
    "text",
    [
        'OPENQASM 2.0; include "/etc/passwd"; qreg q[1];',
        'OPENQASM 3.0; include "other.inc"; qubit q;',
        'OPENQASM 2.0; include\n"../secret.inc"; qreg q[1];',
        'OPENQASM 2.0; /* include "qelib1.inc"; */ include "qelib1.inc.d/x"; qreg q[1];',
    ],
)
def test_foreign_includes_are_refused(text, tmp_path):
    path = tmp_path / "foreign.qasm"
    path.write_text(text)
    with pytest.raises(qt.FileError, match="includes"):
        load_qasm(path)


def test_files_that_are_no_qasm_are_refused(tmp_path):
    path = tmp_path / "foreign.qasm"
    path.write_text("hello")
    with pytest.raises(qt.FileError, match="OpenQASM"):
        load_qasm(path)
    with pytest.raises(qt.FileError, match="readable"):
        load_qasm(tmp_path / "nothing.qasm")
    with open(path, "wb") as file:
        file.truncate(30_000_000)
    with pytest.raises(qt.FileError, match="at most"):
        load_qasm(path)


def test_a_damaged_qpy_file_is_one_sentence_without_a_backtrace(tmp_path):
    from qthermo.circuits.comparison import load_qpy

    whole = (Path(__file__).parents[2] / "circuits/imbrie-w1-6/logical.qpy").read_bytes()
    path = tmp_path / "circuit.qpy"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(qt.FileError, match="must hold one circuit in QPY, but cannot be read") as caught:
        load_qpy(path)
    words = str(caught.value)
    assert "\n" not in words
    assert "\\n" not in words
    assert "x1b" not in words
    assert "Backtrace" not in words
