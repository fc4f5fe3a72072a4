"""A small part of `make fuzz`: 1500 hostile inputs; and a fuzzer that would notice."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def load(name: str):
    """Import a module of this folder, whose names are too plain for the path."""
    spec = importlib.util.spec_from_file_location(f"qthermo_fuzz_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def own_path(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(HERE))


def test_only_our_own_errors_come_out():
    report = load("run").run(1500, workers=1, first=1_000_000)
    assert report.total == pytest.approx(1500, abs=10)
    assert report.failures == []
    for name, counts in report.counts.items():
        assert counts["refused"], f"{name}: no input was hostile"


def test_a_crash_a_hang_and_a_foreign_error_are_seen(tmp_path, monkeypatch: pytest.MonkeyPatch):
    run = load("run")
    (tmp_path / "entries.py").write_text(
        "import os, signal, tempfile, pathlib, time\n"
        "from dataclasses import dataclass\n"
        "def workshop(): return pathlib.Path(tempfile.gettempdir())\n"
        "@dataclass\n"
        "class Entry:\n    attempt: object\n    weight: int = 1\n"
        "def crash(rng, folder): os.kill(os.getpid(), signal.SIGSEGV)\n"
        "def raise_it(rng, folder): {}['x']\n"
        "def hang(rng, folder): time.sleep(60)\n"
        "def leave(rng, folder): (folder / '.result.nc.ab12.tmp').write_text('half')\n"
        "ENTRIES = {f.__name__: Entry(f) for f in (crash, raise_it, hang, leave)}\n"
    )
    worker = (HERE / "worker.py").read_text()
    (tmp_path / "worker.py").write_text(worker.replace("shutil.rmtree(workshop(), ignore_errors=True)", "pass"))
    monkeypatch.setenv("QTHERMO_FUZZ_SECONDS", "0.3")
    monkeypatch.setattr(run, "HERE", tmp_path)
    monkeypatch.setattr(run, "list_orders", lambda *_: [(n, 0, 1) for n in ("crash", "raise_it", "hang", "leave")])
    verdicts = {str(row["entry"]): row["verdict"] for row in run.run(4, workers=1).failures}
    assert verdicts == {
        "crash": "crash",
        "raise_it": "wrong error",
        "hang": "too slow",
        "leave": "partial file",
    }


def test_inputs_repeat():
    mutations = load("mutations")
    for mutate, value in ((mutations.mutate_text, "0.5 Z0"), (mutations.mutate_value, {"a": [1, {"b": 2}]})):
        first, again = (repr([mutate(random.Random(k), value) for k in range(50)]) for _ in range(2))
        assert first == again
    assert mutations.mutate_bytes(random.Random(1), b"abc" * 50) == mutations.mutate_bytes(
        random.Random(1), b"abc" * 50
    )
