"""The command line: results, one sentence and exit code 2 for bad input, and a demo that survives an interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

import qthermo as qt
from qthermo.cli import main

MODEL = '[model]\nfamily = "imbrie_chain"\nnum_bath_sites = 3\ndisorder = 2.0\nseed = 3\n'


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the command line in this process; return exit code, output and error output."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["qthermo", *map(str, words)])
        with pytest.raises(SystemExit) as exit_info:
            main()
        captured = capsys.readouterr()
        return int(exit_info.value.code or 0), captured.out, captured.err

    return call


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "model.toml"
    path.write_text(MODEL)
    return path


def test_version(run):
    assert run("--version") == (0, f"qthermo {qt.__version__}\n", "")


def test_solve_writes_what_python_computes(run, model_file, tmp_path):
    target = tmp_path / "result.nc"
    code, out, _ = run("solve", model_file, "--times", "0:2:3", "--beta", "0.5", "-o", target)
    assert code == 0
    assert f"wrote {target}" in out
    model = qt.models.sample_imbrie_chain(num_bath_sites=3, disorder=2.0, seed=3)
    expected = qt.solve(qt.Autocorrelation(model, times=[0.0, 1.0, 2.0], beta=0.5), qt.Dense())
    assert qt.load_result(target)["correlator"].equals(expected["correlator"])
    code, out, _ = run("info", target)
    assert code == 0
    assert "method: Dense" in out


def test_other_problems_and_methods(run, model_file):
    assert "energy = " in run("solve", model_file, "-p", "ground-state")[1]
    code, out, _ = run(
        "solve",
        model_file,
        "-p",
        "propagator",
        "-m",
        "cavity-diffuson",
        "--laplace",
        "1",
        "--option",
        "closure=averaged",
    )
    assert code == 0
    assert "typical_broadening" in out


BAD = {
    "unknown key": (MODEL.replace("disorder", "disordr"), [], "disordr"),
    "NaN": (MODEL.replace("2.0", "nan"), [], "finite"),
    "beta": (MODEL, ["--beta", "-1"], "`beta` must be at least 0"),
    "unsorted times": (MODEL, ["--times", "0,2,1"], "times[2]=1 follows 2"),
    "too large": (MODEL.replace("= 3", "= 19", 1), [], "HeisenbergTEBD"),
    "method": (MODEL, ["-m", "magic"], "magic"),
    "option": (MODEL, ["--option", "speed=1"], "speed"),
    "problem": (MODEL, ["-p", "magic"], "magic"),
    "place": (MODEL, ["--times", "0,1", "-o", "/nonexistent/result.nc"], "cannot be written"),
}


@pytest.mark.parametrize(("text", "words", "expected"), BAD.values(), ids=BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(run, tmp_path, text: str, words: list[str], expected: str):
    path = tmp_path / "model.toml"
    path.write_text(text)
    code, _, err = run("solve", path, *words)
    assert code == 2
    assert expected in err
    assert err.count("\n") == 1


def test_truncated_result_is_refused(run, model_file, tmp_path):
    target = tmp_path / "result.nc"
    run("solve", model_file, "--times", "0,1", "-o", target)
    target.write_bytes(target.read_bytes()[:3000])
    code, _, err = run("info", target)
    assert code == 2
    assert err.count("\n") == 1


def test_interrupted_demo_keeps_what_is_done_and_resumes(tmp_path):
    folder = tmp_path / "out"
    command = [sys.executable, "-m", "qthermo", "demo", "-o", str(folder), "--num-bath-sites", "4"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (folder / "exact.nc").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    # 130, or death by SIGINT, which a shell shows as 130: CPython's choice where the interrupt passed through an exec.
    assert process.returncode in (130, -signal.SIGINT)
    assert "qthermo demo -o" in err
    stamp = os.stat(folder / "exact.nc").st_mtime_ns
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert os.stat(folder / "exact.nc").st_mtime_ns == stamp
    assert "DISAGREES" not in done.stdout
    for name in ("figure.png", "result.nc", "circuit.qasm"):
        assert (folder / name).stat().st_size > 0
        assert str(folder / name) in done.stdout


CHAIN = 'family = "band_chain"\nnum_subunits = 3\nnum_levels = [12]\nband_width = 0.05\ncoupling = 0.003\nseed = 1\n'
DIFFUSION = {
    "BandDynamics": (CHAIN, "RateEquation"),
    "WavePacket": ('family = "anderson_lattice"\nshape = [21, 21]\ndisorder = 4.0\nseed = 1\n', "Chebyshev"),
    "wave-packet": ('family = "band_matrix"\nsize = 301\nhalf_width = 16\nseed = 1\n', "band-ladder"),
}


@pytest.mark.parametrize("problem", DIFFUSION)
def test_diffusion_is_solved_from_files_and_its_details_stay_in_the_result(run, tmp_path, problem):
    text, method = DIFFUSION[problem]
    path = tmp_path / "model.toml"
    path.write_text(f"[model]\n{text}")
    code, out, _ = run(
        "solve", path, "--problem", problem, "--method", method, "--times", "0:2:3", "-o", tmp_path / "r.nc"
    )
    assert code == 0
    assert len(out.splitlines()) < 20
    data = qt.load_result(tmp_path / "r.nc")
    assert data.sizes["time"] == 3
    assert {"displacement", "configuration"} & set(data.dims)
