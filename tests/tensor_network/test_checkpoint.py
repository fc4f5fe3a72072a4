import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from reference_chain import reference_chain

import qthermo as qt
from qthermo.files import seal
from qthermo.tensor_network.checkpoint import load_checkpoint, save_checkpoint

SCRIPT = """
import numpy as np, qthermo as qt
from reference_chain import reference_chain
problem = qt.Autocorrelation(reference_chain(10, 1.0), times=np.linspace(0.25, 7.5, 30))
method = qt.HeisenbergTEBD(max_bond_dim=48, stop_at_tolerance=False, tolerance=10.0, checkpoint={path!r})
qt.solve(problem, method)
"""


def problem():
    return qt.Autocorrelation(reference_chain(10, 1.0), times=np.linspace(0.25, 7.5, 30))


def method(path=None):
    return qt.HeisenbergTEBD(max_bond_dim=48, stop_at_tolerance=False, tolerance=10.0, checkpoint=path)


def test_a_killed_run_resumes_to_the_same_numbers(tmp_path):
    path = tmp_path / "run.npz"
    here = Path(__file__).parent
    paths = os.pathsep.join([str(Path(qt.__file__).parent.parent), str(here)])
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(path=str(path))], env=os.environ | {"PYTHONPATH": paths}
    )
    deadline = time.monotonic() + 60
    while not path.exists() and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert path.exists()
    resumed = qt.solve(problem(), method(str(path)))
    whole = qt.solve(problem(), method())
    np.testing.assert_array_equal(resumed["correlator"].values, whole["correlator"].values)
    np.testing.assert_array_equal(resumed["truncation_error"].values, whole["truncation_error"].values)


def test_an_interrupt_keeps_what_is_done_and_resumes_exactly(tmp_path):
    path = str(tmp_path / "run.npz")

    def interrupt(fraction, _words):
        if fraction > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        qt.solve(problem(), method(path), progress=interrupt)
    fractions = []
    resumed = qt.solve(problem(), method(path), progress=lambda fraction, words: fractions.append(fraction))
    assert fractions[0] > 0.3
    np.testing.assert_array_equal(resumed["correlator"].values, qt.solve(problem(), method())["correlator"].values)


def test_a_checkpoint_of_another_run_or_a_damaged_one_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    short = qt.Autocorrelation(reference_chain(5, 1.0), times=[0.5])
    qt.solve(short, qt.HeisenbergTEBD(checkpoint=str(path)))
    other = qt.Autocorrelation(reference_chain(5, 2.0), times=[0.5])
    with pytest.raises(qt.FileError, match="another"):
        qt.solve(other, qt.HeisenbergTEBD(checkpoint=str(path)))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(qt.FileError, match="damaged"):
        qt.solve(short, qt.HeisenbergTEBD(checkpoint=str(path)))
    with pytest.raises(qt.FileError, match="writable"):
        qt.solve(short, qt.HeisenbergTEBD(checkpoint=str(tmp_path / "no" / "folder")))


@pytest.mark.parametrize("version", [1, 3])
def test_a_checkpoint_of_another_format_says_so(tmp_path, version):
    path = tmp_path / "run.npz"
    header = json.dumps({"version": version, "key": "key", "state": {}})
    buffer = io.BytesIO()
    np.savez(buffer, qthermo_checkpoint=np.frombuffer(header.encode(), np.uint8))
    path.write_bytes(seal(buffer.getvalue()) if version > 1 else buffer.getvalue())
    with pytest.raises(qt.FileError, match=f"format 2, but has format {version}.*remove the file"):
        load_checkpoint(path, "key")


def test_no_damage_to_a_checkpoint_goes_unseen(tmp_path):
    path, rng = tmp_path / "run.npz", random.Random(1)
    save_checkpoint(path, "key", {"values": np.arange(40.0)}, {"done": 3})
    content = path.read_bytes()
    arrays, state = load_checkpoint(path, "key")
    np.testing.assert_array_equal(arrays["values"], np.arange(40.0))
    assert state == {"done": 3}
    for k in range(300):
        place = rng.randrange(len(content))
        flipped = bytes([content[place] ^ 1 << rng.randrange(8)])
        path.write_bytes(content[:place] + (flipped + content[place + 1 :] if k % 3 else b""))
        with pytest.raises(qt.FileError, match=r"run\.npz"):
            load_checkpoint(path, "key")
    path.write_bytes(rng.randbytes(1000))
    with pytest.raises(qt.FileError, match="foreign"):
        load_checkpoint(path, "key")
