"""Answers kept in files: read again only where they answer the same question."""

from __future__ import annotations

import numpy as np
import pytest

import qthermo as qt
from qthermo.studies.solve_once import array_once, solve_once


def test_second_call_reads_the_file(tmp_path):
    path = tmp_path / "deep" / "spread.nc"
    model = qt.models.sample_ergodic_grain(kind="goe", num_grain_spins=3, num_lioms=1, seed=1)
    first = solve_once(qt.OperatorSpread(model), qt.Dense(), path)
    stamp = path.stat().st_mtime_ns
    assert solve_once(qt.OperatorSpread(model), qt.Dense(), path).identical(first)
    assert path.stat().st_mtime_ns == stamp
    other = solve_once(qt.OperatorSpread(model, operators=("liom:1",)), qt.Dense(), path)
    assert list(other["operator"].values) == ["liom:1"]
    path.write_bytes(path.read_bytes()[:100])
    assert solve_once(qt.OperatorSpread(model), qt.Dense(), path)["log_ipr"].equals(first["log_ipr"])


def test_arrays_are_kept_by_their_parameters(tmp_path):
    calls = []

    def compute() -> np.ndarray:
        calls.append(1)
        return np.arange(3.0)

    path = tmp_path / "curve.npz"
    for parameters, count in (({"g": 1.0}, 1), ({"g": 1.0}, 1), ({"g": 2.0}, 2)):
        assert np.array_equal(array_once(compute, path, parameters), np.arange(3.0))
        assert len(calls) == count
    path.write_bytes(b"PK broken")
    assert np.array_equal(array_once(compute, path, {"g": 2.0}), np.arange(3.0))
    assert len(calls) == 3
    (tmp_path / "file").write_text("")
    with pytest.raises(qt.FileError, match="folder"):
        array_once(compute, tmp_path / "file" / "x.npz", {})
