"""Runs made of parts that are interrupted or killed, and go on to the same numbers."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from resumable_runs import runs

import qthermo as qt

NAMES = list(runs())
SCRIPT = """
import signal, time, qthermo as qt
from resumable_runs import runs
signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs the tests in the background ignores it
problem, method, _ = runs({path!r})[{name!r}]
qt.solve(problem, method, progress=lambda fraction, words: time.sleep(0.1))
"""


def assert_same(found, expected, variables):
    for variable in variables:
        if expected.attrs["method"] == "LightConeContraction":  # its paths are searched for a limited time
            np.testing.assert_allclose(found[variable].values, expected[variable].values, atol=1e-13)
        else:
            np.testing.assert_array_equal(found[variable].values, expected[variable].values)


def count_calls(problem, method, *, stop_at=None):
    calls = []

    def progress(_fraction, words):
        calls.append(words)
        if len(calls) == stop_at:
            raise KeyboardInterrupt

    return qt.solve(problem, method, progress=progress), len(calls)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_an_interrupted_run_goes_on_to_the_same_numbers(tmp_path, name, share):
    problem, method, variables = runs()[name]
    whole, total = count_calls(problem, method)
    again, _ = count_calls(problem, method)
    assert_same(again, whole, variables)
    path = tmp_path / "run.npz"
    problem, kept, _ = runs(str(path))[name]
    with pytest.raises(KeyboardInterrupt):
        count_calls(problem, kept, stop_at=max(2, int(share * total)))
    assert path.exists()
    before = path.stat().st_mtime_ns
    resumed, _ = count_calls(problem, kept)
    assert_same(resumed, whole, variables)
    assert path.stat().st_mtime_ns > before
    before = path.stat().st_mtime_ns
    finished, _ = count_calls(problem, kept)
    assert_same(finished, resumed, variables)
    assert path.stat().st_mtime_ns == before, "a finished run does nothing again"


@pytest.mark.parametrize(
    ("name", "sent"), [*[(name, signal.SIGKILL) for name in NAMES], ("DMRG", signal.SIGINT), ("DMRGX", signal.SIGINT)]
)
def test_a_killed_run_goes_on_to_the_same_numbers(tmp_path, name, sent):
    path = tmp_path / "run.npz"
    paths = os.pathsep.join([str(Path(qt.__file__).parent.parent), str(Path(__file__).parent)])
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(path=str(path), name=name)],
        env=os.environ | {"PYTHONPATH": paths},
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 120
    while not path.exists() and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(sent)
    _, errors = child.communicate(timeout=60)
    assert child.returncode != 0, "it was to be stopped before its end"
    assert (b"KeyboardInterrupt" in errors) == (sent is signal.SIGINT), errors.decode()[-500:]
    problem, kept, variables = runs(str(path))[name]
    written = path.stat().st_mtime_ns
    resumed = qt.solve(problem, kept)
    assert path.stat().st_mtime_ns > written
    problem, method, _ = runs()[name]
    assert_same(resumed, qt.solve(problem, method), variables)


@pytest.mark.parametrize("name", NAMES)
def test_the_file_of_another_run_is_refused(tmp_path, name):
    path = tmp_path / "run.npz"
    other = qt.Autocorrelation(qt.models.imbrie_chain(fields=[0.3], bonds=[]), times=[0.1])
    qt.solve(other, qt.HeisenbergTEBD(checkpoint=str(path)))
    problem, method, _ = runs(str(path))[name]
    with pytest.raises(qt.FileError, match="another"):
        qt.solve(problem, method)


def test_a_state_and_splittings_have_their_checkpoints_too(tmp_path):
    path = str(tmp_path / "run.npz")
    problem, method, _ = runs(path)["DMRG"]
    qt.solve(problem, method)
    state = method.find_state(problem.model)
    again = method.find_state(problem.model)
    assert (tmp_path / "run.npz.state").exists()
    np.testing.assert_array_equal(state.to_dense(), again.to_dense())
    path = str(tmp_path / "bath.npz")
    problem, method, _ = runs(path)["InfluenceFunctional"]
    values = method.scan_splittings(problem.model, times=problem.times, splittings=[1.0])
    np.testing.assert_array_equal(values[0], qt.solve(problem, method)["correlator"].values)
