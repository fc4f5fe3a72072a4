"""The table of benchmarks: rows arrive, losses are called losses, failures are listed, exponents are right."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent.parent / "benchmarks"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.delitem(sys.modules, "common", raising=False)
    spec = importlib.util.spec_from_file_location("qthermo_bench_run", ROOT / "run.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("common", None)


@pytest.mark.parametrize("law", ["power", "exponential"])
def test_exponents_are_fitted(bench, law):
    sizes = [4, 5, 6, 8, 10]
    seconds = [1e-3 * (s**2.5 if law == "power" else 2 ** (1.5 * s)) for s in sizes]
    seconds[0] *= 30  # a cost that does not grow at small sizes is left out
    row = bench.Scaling(work="w", axis="spins", sizes=sizes, seconds=seconds, law=law)
    assert row.exponent == pytest.approx(2.5 if law == "power" else 1.5)


def test_rows_of_a_script_reach_the_table(bench, tmp_path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "good.py").write_text(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from common import Comparison, Scaling, record\n"
        "record(Comparison(work='sums', peer='numpy, sum', ours=1.0, theirs=4.0, target=0.5, difference=1e-9))\n"
        "record(Comparison(work='products', peer='scipy', ours=3.0, theirs=1.0, target=2.0))\n"
        "record(Scaling(work='sums', axis='terms', sizes=[1, 2, 4], seconds=[1, 2, 4]))\n"
    )
    (tmp_path / "bad.py").write_text("raise SystemExit('no such peer')\n")
    monkeypatch.setattr(bench, "HERE", tmp_path)
    outcomes = [bench.run_job(bench.Job(name), quick=True, limit=60) for name in ("good.py", "bad.py")]
    text = bench.write_report(outcomes, quick=False, folder=tmp_path).read_text()
    assert f"| sums | numpy {np.__version__}, sum | 1 CPU s | 4 CPU s | 0.25 | less; target 0.5 met | 1e-09 |" in text
    assert "**we lose**; target 2 **missed**" in text
    assert "we need less in 1, as much in 0, more in 1" in text
    assert "size^1.00" in text
    assert "`bad.py`: exit code 1: no such peer" in text
    assert (tmp_path / "scaling.png").stat().st_size > 1000


def test_a_script_that_takes_too_long_is_listed(bench, tmp_path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "slow.py").write_text("import time; time.sleep(60)\n")
    monkeypatch.setattr(bench, "HERE", tmp_path)
    assert bench.run_job(bench.Job("slow.py"), quick=True, limit=0.5).problem.startswith("stopped after")


def test_every_benchmark_has_its_row(bench):
    listed = {job.script for job in bench.JOBS}
    assert {path.name for path in ROOT.glob("*_perf.py")} <= listed
