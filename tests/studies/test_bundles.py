"""Bundles with a reference, the gallery in the repository, and the command that makes and checks them."""

import dataclasses
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import qthermo as qt
from qthermo.circuits import check_bundle, export_bundle
from qthermo.cli import main
from qthermo.studies import bundles
from qthermo.studies.bundles import GALLERY, RelaxationEntry, export_with_reference, solve_reference

FOLDER = Path(__file__).parents[2] / "circuits"
RELAXATIONS = [name for name, entry in GALLERY.items() if isinstance(entry, RelaxationEntry)]
AUTOCORRELATIONS = [name for name in GALLERY if name not in RELAXATIONS]


@pytest.fixture
def run(monkeypatch, capsys):
    def call(*words):
        monkeypatch.setattr(sys, "argv", ["qthermo", *map(str, words)])
        with pytest.raises(SystemExit) as exit_info:
            main()
        captured = capsys.readouterr()
        return int(exit_info.value.code or 0), captured.out, captured.err

    return call


def listed_in_the_gallery(name):
    """The row of the gallery's manifest, its hash compared with the bundle's."""
    row = json.loads((FOLDER / "manifest.json").read_text())["bundles"][name]
    assert row["manifest_sha256"] == hashlib.sha256((FOLDER / name / "manifest.json").read_bytes()).hexdigest()
    return row


@pytest.mark.parametrize("name", AUTOCORRELATIONS)
def test_bundle_of_the_gallery_is_whole_and_made_again_alike(name, tmp_path):
    entry = GALLERY[name]
    check = check_bundle(FOLDER / name)
    assert max(check.deviations.values()) < 1e-6
    listed = listed_in_the_gallery(name)
    model = entry.model()
    assert check.manifest["model"]["num_sites"] == model.num_sites == listed["num_qubits"]
    export_bundle(model, tmp_path, times=entry.times, num_steps=entry.num_steps, layout=entry.layout)
    for path in sorted(tmp_path.glob("*.qasm*")):
        assert path.read_bytes() == (FOLDER / name / path.name).read_bytes()


@pytest.mark.parametrize("name", RELAXATIONS)
def test_thermalising_bundle_of_the_gallery_is_whole_and_made_again_alike(name, tmp_path):
    """Collisions byte by byte; dilations by the values, since the synthesis of unitaries depends on rounding."""
    entry = GALLERY[name]
    check = check_bundle(FOLDER / name)
    count = len(check.manifest["circuits"])
    kinds = [f"{kind}_00{k}.{end}" for k in range(count) for kind, end in (("logical", "qasm"), ("isa", "qpy"))]
    assert set(check.deviations) == {*kinds, "polarisation"}
    assert max(check.deviations.values()) < 1e-5
    listed = listed_in_the_gallery(name)
    assert listed["num_qubits"] == check.manifest["model"]["num_sites"] + 1
    assert tuple(listed["num_rounds"]) == entry.num_rounds
    again = json.loads(entry.export(tmp_path, target=None).read_text())
    for one, other in zip(again["circuits"], check.manifest["circuits"], strict=True):
        assert (one["sequence"], one["num_rounds"]) == (other["sequence"], other["num_rounds"])
        np.testing.assert_allclose(one["polarisation"], other["polarisation"], atol=1e-12)
    if listed["method"] == "CollisionCircuit":
        for path in sorted(tmp_path.glob("*.qasm")):
            assert path.read_bytes() == (FOLDER / name / path.name).read_bytes()


@pytest.mark.parametrize("name", RELAXATIONS)
def test_mean_of_a_thermalising_bundle_is_what_solve_gives(name):
    entry, manifest = GALLERY[name], check_bundle(FOLDER / name).manifest
    data = qt.solve(entry.problem(), dataclasses.replace(entry.method, protocol="density_matrix"))
    mean = np.mean([row["polarisation"] for row in manifest["circuits"]], axis=0)
    np.testing.assert_allclose(mean, data["polarisation"].values[0], atol=1e-10)
    np.testing.assert_allclose(manifest["gibbs_polarisation"], data["gibbs_polarisation"].values, atol=1e-10)


def test_gallery_holds_what_it_lists_and_nothing_else():
    listed = json.loads((FOLDER / "manifest.json").read_text())["bundles"]
    assert set(listed) == set(GALLERY)
    assert {path.name for path in FOLDER.iterdir() if path.is_dir()} == set(GALLERY)


def test_gallery_is_written_with_its_list(tmp_path, monkeypatch):
    name = "dilations-imbrie-w1-4"
    monkeypatch.setattr(bundles, "GALLERY", {name: GALLERY[name]})
    (row,) = json.loads(bundles.export_gallery(tmp_path, target="fake_fez").read_text())["bundles"].items()
    listed = listed_in_the_gallery(name)
    assert row[0] == name
    assert {**row[1], "manifest_sha256": ""} == {**listed, "manifest_sha256": ""}
    assert row[1]["manifest_sha256"] == hashlib.sha256((tmp_path / name / "manifest.json").read_bytes()).hexdigest()
    assert check_bundle(tmp_path / name).manifest["target"] == {"name": "fake_fez"}


@pytest.mark.parametrize("name", ["imbrie-w1-6", "all-to-all-8-swap-network"])
def test_stored_reference_is_the_exact_value(name):
    manifest = check_bundle(FOLDER / name).manifest
    problem = qt.Autocorrelation(GALLERY[name].model(), times=manifest["times"])
    exact = qt.solve(problem, qt.Dense())["correlator"].values
    assert np.allclose(manifest["reference"]["correlator"], exact, atol=1e-10)
    assert np.abs(exact - manifest["trotter_value"]).max() < 0.05


def test_reference_is_exact_for_few_sites_mps_for_chains_and_absent_else():
    times = np.array([0.2])
    chain = qt.models.sample_imbrie_chain(num_bath_sites=11, disorder=2.0, seed=1)
    assert solve_reference(chain, times).attrs["method"] == "HeisenbergTEBD"
    small = qt.models.sample_imbrie_chain(num_bath_sites=3, disorder=2.0, seed=1)
    assert solve_reference(small, times).attrs["method"] == "Dense"
    assert solve_reference(qt.models.sample_all_to_all_ising(num_bath_sites=15, seed=1), times) is None


def test_models_given_by_matrices_have_no_circuit(tmp_path):
    levy = qt.models.sample_levy_bath(dim=8, exponent=1.5, scale=0.3, seed=1)
    with pytest.raises(qt.InputError, match="spin model"):
        export_with_reference(levy, tmp_path, times=np.array([1.0]), target=None)


def test_command_exports_and_checks(run, tmp_path):
    model = tmp_path / "model.toml"
    model.write_text('[model]\nfamily = "imbrie_chain"\nnum_bath_sites = 3\ndisorder = 2.0\nseed = 3\n')
    folder = tmp_path / "bundle"
    code, out, _ = run("export", model, "--target", "fake_fez", "-o", folder, "--num-steps", 3)
    assert code == 0
    assert "no swaps" in out
    code, out, _ = run("export", "--check", folder)
    assert code == 0
    assert "all agree" in out
    code, out, _ = run("export", "--check", FOLDER / "collisions-imbrie-w1-4")
    assert code == 0
    assert "isa_001.qpy" in out
    (folder / "logical.qpy").write_bytes(b"nothing")
    code, _, err = run("export", "--check", folder)
    assert code == 2
    assert "SHA-256" in err


def test_command_without_what_it_needs_says_so(run, tmp_path):
    code, _, err = run("export")
    assert code == 2
    assert "MODEL.toml" in err


CHAIN_FILE = '[model]\nfamily = "imbrie_chain"\nnum_bath_sites = 2\ndisorder = 1.0\nseed = 1\n'
FEW_KICKS = ("coupling=0.8", "energy_width=1.0", "window=1.5", "time_step=0.3", "cutoff=4", "num_sequences=2")


def chosen(options):
    return [word for option in options for word in ("--option", option)]


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "chain.toml"
    path.write_text(CHAIN_FILE)
    return path


def test_command_writes_the_collisions_that_solve_runs_and_checks_them(run, model_file, tmp_path):
    folder = tmp_path / "bundle"
    words = (
        "--num-rounds",
        "1,3",
        "--beta",
        1,
        "--ask",
        "initial_state=010",
        "--num-shots",
        300,
        "--target",
        "fake_fez",
    )
    code, out, err = run("export", model_file, "-o", folder, "--method", "CollisionCircuit", *words, *chosen(FEW_KICKS))
    assert (code, err) == (0, "")
    assert "two-qubit gates on fake_fez" in out
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["num_shots"] == 300
    assert manifest["initial_state"] == "010"
    assert [row["num_rounds"] for row in manifest["circuits"]] == [1, 3, 1, 3]
    model = qt.models.sample_imbrie_chain(num_bath_sites=2, disorder=1.0, seed=1)
    method = qt.CollisionCircuit(
        coupling=0.8, energy_width=1.0, window=1.5, time_step=0.3, cutoff=4, num_sequences=2, protocol="density_matrix"
    )
    unit = method.time_per_round(beta=1.0, num_couplings=9)
    data = qt.solve(qt.Relaxation(model, beta=1.0, times=[unit, 3 * unit], initial_state="010"), method)
    stored = np.array([row["polarisation"] for row in manifest["circuits"]]).reshape(2, 2, 3).mean(axis=0)
    np.testing.assert_allclose(stored, data["polarisation"].values, atol=1e-10)
    code, out, _ = run("export", "--check", folder)
    assert code == 0
    assert "isa_003.qpy" in out
    assert "all agree" in out


def test_command_writes_dilations_at_times(run, model_file, tmp_path):
    folder, options = tmp_path / "bundle", ("patch_radius=0", "time_step=0.2")
    words = ("--times", "0.2,0.6", "--beta", 0.5, "--ask", "couplings=X", "-m", "dilation-circuit")
    code, out, err = run("export", model_file, "-o", folder, *words, *chosen(options))
    assert (code, err) == (0, "")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [row["num_rounds"] for row in manifest["circuits"]] == [1, 3]
    assert (manifest["couplings"], manifest["target"], manifest["num_shots"]) == ("X", None, 1000)
    assert out.splitlines()[1].split() == ["sequence", "time", "rounds"]
    assert run("export", "--check", folder)[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--beta", 1), "none of --beta"),
        (("--option", "coupling=1"), "none of --beta"),
        (("-m", "CollisionCircuit", "--times", "1"), "needs the field `beta`"),
        (("-m", "CollisionCircuit", "--beta", 1), "either `times` or `num_rounds`"),
        (("-m", "CollisionCircuit", "--beta", 1, "--times", "1", "--num-rounds", "2"), "either `times` or"),
        (("-m", "CollisionCircuit", "--beta", 1, "--num-rounds", "1.5"), "whole numbers"),
        (("-m", "CollisionCircuit", "--beta", 1, "--num-rounds", "1", "--layout", "round_robin"), "belong to bundles"),
        (("-m", "CollisionCircuit", "--beta", 1, "--num-rounds", "1", "--option", "widht=1"), "no option `widht`"),
        (("-m", "Davies", "--beta", 1, "--num-rounds", "1"), "name one of the three"),
        (("-m", "DilationCircuit", "--beta", 1, "--num-rounds", "1", "--ask", "state=00"), "no field `state`"),
        (("--layout", "ring"), "layout"),
    ],
)
def test_command_refuses_in_one_sentence_what_does_not_belong_together(run, model_file, tmp_path, words, message):
    code, _, err = run("export", model_file, "-o", tmp_path / "bundle", *words)
    assert code == 2
    assert message in err
    assert not (tmp_path / "bundle").exists()
