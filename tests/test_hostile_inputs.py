"""Defects that the fuzzer found, each with the sentence that the reader now says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import qthermo as qt
from qthermo.circuits import analyse_counts, check_bundle, export_bundle, load_qasm, manifest
from qthermo.cli import main as command_line
from qthermo.files import open_sealed, seal
from qthermo.models.model import describe_dimension
from qthermo.studies.folder import open_store
from qthermo.studies.method_names import parse_options
from qthermo.studies.problem_names import build_problem

CHAIN = qt.models.sample_imbrie_chain(num_bath_sites=2, disorder=1.0, seed=1)
STUDY = Path(__file__).parent / "data" / "study_v1"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "bundle"
    export_bundle(CHAIN, folder, times=[0.5], num_steps=2, target=None)
    return folder


def change_manifest(bundle: Path, folder: Path, **changes: object) -> Path:
    """A copy whose manifest says something else, under a seal that fits; None removes a key."""
    copy = Path(shutil.copytree(bundle, folder / "copy"))
    content = json.loads((copy / "manifest.json").read_text()) | changes
    content = {key: value for key, value in content.items() if value != "gone" and key != "seal"}
    content["seal"] = manifest._seal(content)
    (copy / "manifest.json").write_text(json.dumps(content))
    return copy


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": "gone"},
        {"trotter_value": "gone"},
        {"reference": 3},
        {"trotter_value": [[0.5]]},
        {"trotter_value": [0.5, 0.5]},
        {"files": 3},
        {"model": [None]},
        {"model": {"family": "x"}},
        {
            "model": {
                "family": "x",
                "num_sites": 3,
                "parameters": {},
                "thermometer": 1,
                "bath": "Z1",
                "coupling": "X0 X1",
            }
        },
        {"time_steps": []},
        {"time_steps": "gone"},
        {"num_steps": True},
    ],
    ids=str,
)
def test_manifests_under_a_seal_that_fits(bundle, tmp_path, changes):
    copy = change_manifest(bundle, tmp_path, **changes)
    with pytest.raises(qt.FileError, match=r"manifest\.json must|must agree with the bundle"):
        check_both(copy)


def check_both(folder: Path) -> None:
    check_bundle(folder)
    analyse_counts(folder, [{"0000": 1}])


@pytest.mark.parametrize(
    "counts",
    [
        3.5,
        "0000",
        {"0000": 1},
        [{"0000": [1]}],
        [{"0000": float("inf")}],
        [{"0000": float("nan")}],
        [{"0000": ""}],
        [{"0000": True}],
        [{"0000": 0.5}],
        [{"0000": 10**13}],
        [{"0000": 10**30}],
    ],
    ids=str,
)
def test_counts(bundle, counts):
    with pytest.raises(qt.InputError, match="counts"):
        analyse_counts(bundle, counts)


def test_counts_as_floats_are_whole_numbers_too(bundle):
    one, other = (analyse_counts(bundle, [{"0000": n, "1000": n}]) for n in (3, 3.0))
    assert one["correlator"].item() == other["correlator"].item() == 0.0


def test_texts_nested_too_deeply():
    with pytest.raises(qt.InputError, match="nested"):
        parse_options(["a=" + "[" * 5000])
    assert parse_options(["a=1\nb=2"]) == {"a": "1\nb=2"}  # one value, never the first of two


@pytest.mark.parametrize("jumps", ["[[]]", "[1]", "3", "[[1, 2]]", "[[0.1, 'Z0', 3]]"])
def test_jump_operators(jumps):
    with pytest.raises(qt.InputError, match="jump_operators"):
        build_problem("evolution", CHAIN, {"initial_state": "000", "jump_operators": jumps})


def test_numbers_larger_than_any_float():
    with pytest.raises(qt.InputError, match="`beta` must be a real number"):
        qt.Autocorrelation(CHAIN, times=[0.0], beta=10**400)


def test_a_panic_of_the_compiled_reader_is_a_refusal(bundle, tmp_path):
    path = tmp_path / "circuit.qasm"
    path.write_text(f'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[{"9" * 40}];\n')
    with pytest.raises(qt.FileError, match="OpenQASM"):
        load_qasm(path)


def test_rows_of_different_length():
    with pytest.raises(qt.InputError, match="`times` must be an array of numbers"):
        qt.Autocorrelation(CHAIN, times=[[1, 2], [3]])


@pytest.mark.parametrize(
    "sample",
    [
        lambda n: qt.models.sample_imbrie_chain(num_bath_sites=n, disorder=1.0, seed=1),
        lambda n: qt.models.sample_all_to_all_ising(num_bath_sites=n, seed=1),
        lambda n: qt.models.sample_levy_bath(dim=n, exponent=1.5, scale=0.3, seed=1),
    ],
    ids=("imbrie", "all_to_all", "levy"),
)
@pytest.mark.parametrize("size", [5_000_000, 1 << 42, 10**30])
def test_models_that_fit_in_no_memory(sample, size):
    with pytest.raises(qt.InputError, match=r"memory|between"):
        sample(size)


def test_dimensions_beyond_the_digits_that_python_prints():
    assert describe_dimension(2**100) == str(2**100)
    assert describe_dimension(2**20000) == "2**20000"


def reseal_result(folder: Path, **attributes: object) -> Path:
    """A result whose attributes were changed under a seal that fits."""
    import io

    import h5py

    data = qt.solve(qt.Autocorrelation(CHAIN, times=[0.0, 1.0]), qt.Dense())
    path = qt.save_result(data, folder / "result.nc")
    buffer = io.BytesIO(open_sealed(path, "A result"))
    with h5py.File(buffer, "r+") as file:
        for name, value in attributes.items():
            file.attrs[name] = value
            if value == "gone":
                del file.attrs[name]
    path.write_bytes(seal(buffer.getvalue()))
    return path


@pytest.mark.parametrize(
    "attributes",
    [{"problem": "gone"}, {"problem": 3}, {"warnings": 0.5}, {"warnings": "{}"}, {"diagnostics": "{1"}],
    ids=str,
)
def test_results_under_a_seal_that_fits(tmp_path, attributes):
    with pytest.raises(qt.FileError, match="not of its form"):
        qt.load_result(reseal_result(tmp_path, **attributes))


def test_info_prints_names(tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    evolution = qt.Evolution(CHAIN, times=[0.0, 1.0], initial_state="000")
    path = qt.save_result(qt.solve(evolution, qt.Dense()), tmp_path / "result.nc")
    monkeypatch.setattr("sys.argv", ["qthermo", "info", str(path)])
    with pytest.raises(SystemExit) as exit_info:
        command_line()
    assert not exit_info.value.code
    assert "Z0" in capsys.readouterr().out


def reseal_shard(folder: Path, name: str, values: np.ndarray) -> Path:
    import io

    copy = Path(shutil.copytree(STUDY, folder / "study"))
    path = copy / "shards" / "p0000" / "Dense" / "r000001.npz"
    with np.load(io.BytesIO(open_sealed(path, "A shard"))) as stored:
        arrays = {key: stored[key] for key in stored.files} | {name: values}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    path.write_bytes(seal(buffer.getvalue()))
    return copy


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("v0", np.zeros(4)),
        ("c0", np.full(3, np.nan)),
        ("c0", np.zeros((2, 0, 3))),
        ("header", np.frombuffer(b"[1]", np.uint8)),
    ],
    ids=str,
)
def test_shards_under_a_seal_that_fits(tmp_path, name, values):
    copy = reseal_shard(tmp_path, name, values)
    assert len(open_store(copy).scan(verify=True).sentences) == 1
    with pytest.raises(qt.FileError, match="resume"):
        qt.collect_study(copy)


def test_a_study_copy_with_an_infinite_schema(tmp_path):
    (tmp_path / "study.json").write_text('{"qthermo_study": Infinity, "study": {}, "sha256": ""}')
    with pytest.raises(qt.FileError, match="cannot be read"):
        open_store(tmp_path)
