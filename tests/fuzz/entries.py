"""Every door through which data from outside comes in, as an `Entry`: valid data, and one hostile try.

A new reader is one function and one row of `ENTRIES`. A try either returns (the data were accepted) or raises; the run
judges what it raised.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import importlib
import io
import json
import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mutations import mutate_bytes, mutate_text, mutate_value

import qthermo as qt

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One door.

    Args:
        attempt: takes a generator and an empty folder, makes one hostile input there and hands it to the library.
        weight: share of the inputs.
    """

    attempt: Callable[[random.Random, Path], None]
    weight: int


@functools.cache
def workshop() -> Path:
    """A folder with valid files, made once per process and removed with it."""
    holder = tempfile.TemporaryDirectory(prefix="qthermo-fuzz-")
    _HOLDERS.append(holder)
    return Path(holder.name)


_HOLDERS: list[tempfile.TemporaryDirectory[str]] = []


@functools.cache
def chain() -> qt.models.SpinModel:
    return qt.models.sample_imbrie_chain(num_bath_sites=2, disorder=1.0, seed=1)


def to_toml(value: Any) -> str:
    """JSON-like tables as TOML text, whatever their values: what TOML cannot say becomes invalid TOML."""
    lines = []
    for key, item in value.items() if isinstance(value, dict) else [("value", value)]:
        if isinstance(item, dict):
            lines.append(f"[{key}]")
            for inner, entry in item.items():
                lines.append(f"{_key(inner)} = {_inline(entry)}")
        elif isinstance(item, list) and item and all(isinstance(row, dict) for row in item):
            for row in item:
                lines.append(f"[[{key}]]")
                lines += [f"{_key(inner)} = {_inline(entry)}" for inner, entry in row.items()]
        else:
            lines.insert(0, f"{_key(key)} = {_inline(item)}")
    return "\n".join(lines)


def _key(key: str) -> str:
    return key if key.replace("_", "").isalnum() and key.isascii() else json.dumps(key)


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")


SUMS = (
    "0.91 Z0 - 0.37 Z1 + 0.4 X0 + 0.4 X1 + 0.83 Z0 Z1",
    "(1+2j) X0 Y1 - (0.5-0.1j) Z7 + 2",
    "- 1.5e-3 X12 Y13 * Z14 + I",
)


def try_pauli_text(rng: random.Random, _folder: Path) -> None:
    found = qt.PauliSum.from_text(mutate_text(rng, rng.choice(SUMS)))
    again = qt.PauliSum.from_text(str(found))
    if again != found:
        raise AssertionError(f"{str(found)[:200]!r} does not read back")


MODEL = {
    "model": {
        "family": "imbrie_chain", "num_bath_sites": 4, "disorder": 2.0, "seed": 3, "parity_symmetric": False,
        "thermometer": {"splitting": 1.0, "coupling": 0.5, "bath_operator": "X"},
    }
}  # fmt: skip
LEVY = {"model": {"family": "levy_bath", "dim": 30, "exponent": 1.5, "scale": 0.3, "seed": 1}}
ALL = {"model": {"family": "all_to_all_ising", "num_bath_sites": 4, "seed": 1, "coupling_scale": 1.0}}


def _hostile_toml(rng: random.Random, tables: dict[str, Any]) -> bytes:
    if rng.random() < 0.5:
        return to_toml(mutate_value(rng, tables)).encode("utf-8", "surrogatepass")
    text = to_toml(tables)
    return mutate_text(rng, text).encode() if rng.random() < 0.5 else mutate_bytes(rng, text.encode())


def try_model_file(rng: random.Random, folder: Path) -> None:
    from qthermo.studies.model_file import load_model

    path = folder / "model.toml"
    path.write_bytes(_hostile_toml(rng, rng.choice((MODEL, LEVY, ALL))))
    load_model(path)


OPTIONS = (
    "max_bond_dim=64", "time_step=0.1", "tolerance=1e-3", "filter=gaussian", "rate=glauber", "closure=edge", "seed=1",
    "protocol=shots", "multi_product=[1,2]", "estimate_errors=false", "num_shots=100", "patch_radius=1",
    "checkpoint=a.npz",
)  # fmt: skip


def try_option_text(rng: random.Random, _folder: Path) -> None:
    from qthermo.solve import METHODS
    from qthermo.studies.method_names import build_method, parse_options

    cls = rng.choice(METHODS)
    names = [name for name in cls.__dataclass_fields__ if name != "answers"]
    texts = [rng.choice(OPTIONS), f"{rng.choice(names or ['x'])}={rng.choice(OPTIONS).partition('=')[2]}"]
    options = parse_options([mutate_text(rng, text) if rng.random() < 0.7 else text for text in texts])
    build_method(cls.__name__ if rng.random() < 0.9 else mutate_text(rng, cls.__name__), options)


ASKED = {
    "times": "0:2:5", "beta": "0.5", "energies": "0", "laplace": "0.1:3:8", "initial_state": "000", "couplings": "XZ",
    "betas": "0.5,1", "frequencies": "-1:1:5", "resolution": "0.2", "energy_window": "0",
    "observables": "Z0; Z1 + X0 X1", "jump_operators": "[]",
}  # fmt: skip


def try_problem_text(rng: random.Random, _folder: Path) -> None:
    from qthermo.solve import PROBLEMS
    from qthermo.studies.problem_names import build_problem

    cls = rng.choice(PROBLEMS)
    names = [name for name in cls.__dataclass_fields__ if name != "model"]
    given = {name: ASKED.get(name, "1") for name in names if rng.random() < 0.8}
    for name in list(given):
        if rng.random() < 0.5:
            given[name] = mutate_text(rng, given[name])
    if rng.random() < 0.1:
        given[mutate_text(rng, "times")] = "1"
    build_problem(cls.__name__, chain(), given)


@functools.cache
def result_file() -> bytes:
    data = qt.solve(qt.Autocorrelation(chain(), times=[0.0, 0.5, 1.0]), qt.Dense())
    return qt.save_result(data, workshop() / "result.nc").read_bytes()


def try_result_file(rng: random.Random, folder: Path) -> None:
    """Bytes changed: the seal must tell. Attributes changed and sealed again: the reader must."""
    cli = importlib.import_module("qthermo.cli.main")
    path = folder / "result.nc"
    path.write_bytes(mutate_bytes(rng, result_file()) if rng.random() < 0.5 else _resealed_result(rng))
    with contextlib.redirect_stdout(io.StringIO()):
        cli.info(path)


def _resealed_result(rng: random.Random) -> bytes:
    from qthermo.files import open_sealed, seal

    path = workshop() / f"base-{rng.randrange(1 << 60)}.nc"
    path.write_bytes(result_file())
    try:
        body = open_sealed(path, "A result")
    finally:
        path.unlink()
    import h5py

    buffer = io.BytesIO(body)
    with h5py.File(buffer, "r+") as file:
        for _ in range(rng.choice((1, 2, 5))):
            owner = rng.choice((file, *file.values()))
            names = sorted(owner.attrs)
            value = mutate_value(rng, rng.choice(("Dense", 3, 0.5, '{"a": 1}', "[1, 2]")))
            if names and rng.random() < 0.4:
                del owner.attrs[rng.choice(names)]
            elif isinstance(value, str | int | float) and abs(value if not isinstance(value, str) else 0) < 1 << 62:
                with contextlib.suppress(ValueError, OSError):  # a name or text that HDF5 cannot hold
                    owner.attrs[rng.choice((*names, "x"))] = value
            elif len(file) > 1:
                del file[rng.choice(sorted(file))]
    return seal(buffer.getvalue())


@functools.cache
def bundle(kind: str) -> Path:
    from qthermo.circuits import export_bundle, export_relaxation

    folder = workshop() / kind
    if kind == "autocorrelation":
        export_bundle(chain(), folder, times=[0.5], num_steps=2, target=None)
    else:
        method = qt.CollisionCircuit(coupling=0.8, energy_width=0.8, time_step=0.25, num_sequences=1)
        unit = method.time_per_round(beta=1.0, num_couplings=6)
        model = qt.models.spin_chain(hamiltonian=qt.PauliSum.from_text("Z0 Z1 + 0.5 X0 + 0.5 X1"))
        export_relaxation(qt.Relaxation(model, beta=1.0, times=[unit]), method, folder)
    return folder


def _copy_bundle(kind: str, folder: Path) -> Path:
    return Path(shutil.copytree(bundle(kind), folder / "bundle"))


def _reseal(folder: Path, content: Any) -> None:
    """Write a manifest whose seal and hashes fit, whatever it says."""
    from qthermo.circuits import manifest

    if isinstance(content, dict):
        content = {key: value for key, value in content.items() if key != "seal"}
        if isinstance(content.get("files"), dict):
            for name in content["files"]:
                path = folder / str(name)
                with contextlib.suppress(OSError, ValueError):
                    content["files"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
        with contextlib.suppress(TypeError):
            content["seal"] = manifest._seal(content)
    (folder / "manifest.json").write_text(json.dumps(content))


def try_manifest(rng: random.Random, folder: Path) -> None:
    from qthermo.circuits import analyse_counts, check_bundle

    kind = rng.choice(("autocorrelation", "relaxation"))
    copy = _copy_bundle(kind, folder)
    path = copy / "manifest.json"
    if rng.random() < 0.3:
        path.write_bytes(mutate_bytes(rng, path.read_bytes()))
    else:
        _reseal(copy, mutate_value(rng, json.loads(path.read_text())))
    if kind == "autocorrelation" and rng.random() < 0.7:
        analyse_counts(copy, [{"0000": 3, "1000": 5}])
    else:
        check_bundle(copy)


def try_bundle_file(rng: random.Random, folder: Path) -> None:
    """A circuit of a bundle changed, with or without hashes that fit."""
    from qthermo.circuits import check_bundle

    copy = _copy_bundle(rng.choice(("autocorrelation", "relaxation")), folder)
    path = rng.choice(sorted(p for p in copy.iterdir() if p.suffix != ".json"))
    path.write_bytes(mutate_bytes(rng, path.read_bytes()))
    if rng.random() < 0.7:
        _reseal(copy, json.loads((copy / "manifest.json").read_text()))
    check_bundle(copy)


@functools.cache
def circuit_texts() -> tuple[str, ...]:
    folder = bundle("autocorrelation")
    return tuple(path.read_text() for path in sorted(folder.iterdir()) if path.suffix in (".qasm", ".qasm2"))


def try_qasm(rng: random.Random, folder: Path) -> None:
    from qthermo.circuits import load_qasm

    path = folder / "circuit.qasm"
    text = rng.choice(circuit_texts())
    path.write_bytes(mutate_bytes(rng, text.encode()) if rng.random() < 0.5 else mutate_text(rng, text).encode())
    load_qasm(path)


def try_qpy(rng: random.Random, folder: Path) -> None:
    from qthermo.circuits.comparison import load_qpy

    path = folder / "circuit.qpy"
    path.write_bytes(mutate_bytes(rng, (ROOT / "circuits/imbrie-w1-6/logical.qpy").read_bytes()))
    load_qpy(path)


def try_counts(rng: random.Random, _folder: Path) -> None:
    from qthermo.circuits import analyse_counts

    counts = mutate_value(rng, [{"000 0": 30, "100 0": 5, "0111": 2}])
    analyse_counts(bundle("autocorrelation"), counts)


STUDY = {
    "name": "s",
    "model": {"family": "imbrie_chain", "num_bath_sites": [2, 3], "disorder": [1.0, 2.0]},
    "problem": {"name": "Autocorrelation", "times": "0:1:3", "beta": 0.0},
    "methods": [{"name": "Dense"}, {"name": "HeisenbergTEBD", "label": "mps", "max_bond_dim": 8}],
    "ensemble": {"num_realizations": 3, "seed": 1},
}


def try_study_file(rng: random.Random, folder: Path) -> None:
    path = folder / "study.toml"
    path.write_bytes(_hostile_toml(rng, STUDY))
    overrides = ["model.disorder=3", "methods.mps.max_bond_dim=4", "ensemble.seed=2"]
    given = [mutate_text(rng, text) for text in overrides if rng.random() < 0.2]
    study = qt.load_study(path, overrides=given)
    if len(study.points) <= 50:
        study.build_problem(0, 0)


def _hostile_member(rng: random.Random, body: bytes) -> bytes:
    """Change one array of an npz file, its header among them, and write the archive anew."""
    with np.load(io.BytesIO(body)) as stored:
        arrays = {name: stored[name] for name in stored.files}
    name = rng.choice(sorted(arrays))
    if name in ("header", "qthermo_checkpoint"):
        content = mutate_value(rng, json.loads(arrays[name].tobytes()))
        arrays[name] = np.frombuffer(json.dumps(content).encode(), np.uint8)
    else:
        arrays[name] = rng.choice(
            (
                np.array(mutate_text(rng, "text")),
                np.zeros(rng.randrange(5)),
                np.zeros((2, 0, 3), complex),
                arrays[name] * np.nan,
            )
        )
    if rng.random() < 0.2:
        arrays.pop(rng.choice(sorted(arrays)))
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def try_shard(rng: random.Random, folder: Path) -> None:
    """A stored study with one hostile shard: found, told, never used; bytes, or contents sealed again."""
    from qthermo.files import open_sealed, seal
    from qthermo.studies.folder import open_store

    copy = Path(shutil.copytree(ROOT / "tests/data/study_v1", folder / "study"))
    path = rng.choice(sorted(copy.rglob("*.npz")))
    if rng.random() < 0.5:
        path.write_bytes(mutate_bytes(rng, path.read_bytes()))
    else:
        body = open_sealed(path, "A shard")
        path.write_bytes(seal(mutate_bytes(rng, body) if rng.random() < 0.4 else _hostile_member(rng, body)))
    store = open_store(copy)
    store.scan(verify=True)
    qt.collect_study(copy)


@functools.cache
def checkpoints() -> tuple[tuple[qt.Autocorrelation, Any, bytes], ...]:
    """Return runs that were interrupted half way, with the file that each left behind."""
    path = workshop() / "run.npz"
    options = {"max_bond_dim": 4, "time_step": 0.25, "tolerance": 10.0, "checkpoint": str(path)}
    problem = qt.Autocorrelation(chain(), times=[0.25, 0.5, 0.75, 1.0])
    found = []
    for method in (qt.HeisenbergTEBD(**options), qt.TDVP(**options), qt.HeisenbergTEBD(**options, record_entropy=True)):

        def interrupt(fraction: float, _words: str) -> None:
            if fraction >= 0.5:
                raise KeyboardInterrupt

        with contextlib.suppress(KeyboardInterrupt):
            qt.solve(problem, method, progress=interrupt)
        found.append((problem, method, path.read_bytes()))
        path.unlink()
    return tuple(found)


def try_checkpoint(rng: random.Random, folder: Path) -> None:
    """A run goes on from changed bytes, from contents changed and sealed again, or from a foreign file."""
    from qthermo.files import open_sealed, seal

    problem, method, content = rng.choice(checkpoints())
    path = folder / "run.npz"
    path.write_bytes(content)
    kind = rng.randrange(4)
    if kind == 0:
        path.write_bytes(mutate_bytes(rng, content))
    elif kind == 1:
        path.write_bytes(rng.choice((result_file(), b"", rng.choice(checkpoints())[2], foreign_array())))
    else:
        body = open_sealed(path, "A checkpoint")
        path.write_bytes(seal(mutate_bytes(rng, body) if kind == 2 else _hostile_member(rng, body)))
    qt.solve(problem, dataclasses.replace(method, checkpoint=str(path)))


@functools.cache
def foreign_array() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, values=np.eye(3))
    return buffer.getvalue()


def try_study_copy(rng: random.Random, folder: Path) -> None:
    """The study.json of a folder, changed; its checksum fitting or not."""
    from qthermo.studies.folder import _tables_digest, open_store

    content = json.loads((ROOT / "tests/data/study_v1/study.json").read_text())
    path = folder / "study.json"
    if rng.random() < 0.4:
        path.write_bytes(mutate_bytes(rng, json.dumps(content).encode()))
    else:
        tables = mutate_value(rng, content["study"])
        content |= {"study": tables, "sha256": _tables_digest(tables)}
        path.write_text(json.dumps(mutate_value(rng, content) if rng.random() < 0.3 else content))
    open_store(folder)


ENTRIES: dict[str, Entry] = {
    "pauli_text": Entry(attempt=try_pauli_text, weight=20),
    "model_file": Entry(attempt=try_model_file, weight=20),
    "option_text": Entry(attempt=try_option_text, weight=15),
    "problem_text": Entry(attempt=try_problem_text, weight=15),
    "result_file": Entry(attempt=try_result_file, weight=6),
    "manifest": Entry(attempt=try_manifest, weight=4),
    "bundle_file": Entry(attempt=try_bundle_file, weight=2),
    "qasm": Entry(attempt=try_qasm, weight=5),
    "qpy": Entry(attempt=try_qpy, weight=5),
    "counts": Entry(attempt=try_counts, weight=4),
    "study_file": Entry(attempt=try_study_file, weight=10),
    "shard": Entry(attempt=try_shard, weight=4),
    "checkpoint": Entry(attempt=try_checkpoint, weight=3),
    "study_copy": Entry(attempt=try_study_copy, weight=6),
}
