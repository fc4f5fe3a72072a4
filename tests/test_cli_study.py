"""`qthermo study`: from file to figure, one sentence for bad input, and signals that keep everything."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import qthermo as qt
from qthermo.cli import main
from qthermo.cli.study_run import describe_status, format_seconds
from qthermo.studies.folder import open_store

STUDY = """
[model]
family = "imbrie_chain"
num_bath_sites = 2
disorder = [1, 4]
[problem]
name = "autocorrelation"
times = [0, 1, 3]
[[methods]]
name = "Dense"
[[methods]]
name = "HeisenbergTEBD"
[ensemble]
num_realizations = 3
seed = 7
"""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run `qthermo study` in this process; return exit code, output and error output."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["qthermo", "study", *map(str, words)])
        with pytest.raises(SystemExit) as exit_info:
            main()
        captured = capsys.readouterr()
        return int(exit_info.value.code or 0), captured.out, captured.err

    return call


@pytest.fixture
def study_file(tmp_path) -> Path:
    path = tmp_path / "sweep.toml"
    path.write_text(STUDY)
    return path


def test_from_file_to_figure(run, study_file: Path, tmp_path):
    folder = tmp_path / "sweep-study"
    code, out, err = run("check", study_file)
    assert (code, err) == (0, "")
    assert "2 grid points x 2 methods x 3 realizations = 12 tasks, seed 7" in out
    assert not folder.exists()
    code, out, err = run("run", study_file, "--workers", 1)
    assert (code, err) == (0, "")
    assert "done 12, failed 0; computed 12" in out
    assert "computed 0" in run("resume", study_file, "--workers", 1)[1]
    assert "computed 0" in run("resume", folder, "--workers", 1)[1]
    code, out, _ = run("extend", study_file, "--to", 4, "--workers", 1)
    assert "done 16, failed 0; computed 4" in out
    code, out, _ = run("status", study_file)
    assert code == 0
    assert re.search(r"disorder=1 +Dense +4 +0 +enough at 4 +\d", out)
    assert run("collect", study_file) == (0, f"wrote {folder / 'result.nc'}\n", "")
    data = qt.load_result(folder / "result.nc")
    assert (data["num_realizations"] == 4).all()
    code, out, _ = run("compare", folder)
    assert out.count("judge") == 2
    assert out.count("agrees") == 2
    assert run("plot", study_file, "--against", "disorder", "--at", "time=1")[0] == 0
    assert (folder / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert run("report", study_file)[0] == 0
    assert "<!doctype html>" in (folder / "report.html").read_text()


def test_dry_run_estimates_and_writes_nothing(run, study_file: Path, tmp_path):
    code, out, err = run("run", study_file, "--dry-run", "--workers", 2)
    assert (code, err) == (0, "")
    assert re.search(r"Dense +\S+ s +\S+ s +\d", out)
    assert re.search(r"about \S+ s on 2 workers, up to \S+ .iB", out)
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.toml"]


def test_dry_run_tells_what_will_fail(run, study_file: Path):
    words = ["--set", "problem={name='propagator', laplace=[1.0]}", "--set", "methods.1.name=CavityDiffuson"]
    code, out, err = run("run", study_file, "--dry-run", *words, "--set", "methods.CavityDiffuson.max_iterations=1")
    assert code == 0
    assert "unknown" in out
    assert "NotConvergedError" in err


BAD = {
    "key": (["check"], STUDY.replace("disorder =", "disordr ="), "did you mean `disorder`"),
    "combination": (["run"], STUDY.replace('"HeisenbergTEBD"', '"Davies"'), "Davies does not answer Autocorrelation"),
    "share": (["run", "--shard", "3/3"], STUDY, "i/n"),
    "limit": (["run", "--time-limit", "soon"], STUDY, "--time-limit"),
    "override": (["run", "--set", "model.disorder"], STUDY, "key=value"),
    "not begun": (["resume"], STUDY, "qthermo study run"),
    "nothing": (["collect"], STUDY, "qthermo study run"),
}


@pytest.mark.parametrize(("words", "text", "expected"), BAD.values(), ids=BAD)
def test_bad_input_is_exit_code_2(run, study_file: Path, words, text: str, expected: str):
    study_file.write_text(text)
    code, _, err = run(words[0], study_file, *words[1:])
    assert code == 2
    assert expected in err
    assert "Traceback" not in err


def test_options_that_make_no_sense_together(run, study_file: Path, tmp_path):
    run("run", study_file, "--workers", 1)
    folder = tmp_path / "sweep-study"
    code, _, err = run("resume", folder, "--set", "model.disorder=3")
    assert code == 2
    assert "need a study file" in err
    code, _, err = run("collect", study_file, "--set", "model.disorder=3")
    assert code == 2
    assert "`model.disorder` is 3.0 instead of [1.0, 4.0]" in err
    code, _, err = run("plot", study_file, "--against", "colour")
    assert code == 2
    assert "`against` must be one of disorder, time" in err
    assert run("plot", study_file, "--at", "colour=1")[0] == 2
    assert run("plot", study_file, "-o", tmp_path / "x.doc")[0] == 2


def test_time_limit_ends_with_75_and_the_command_to_go_on(run, study_file: Path):
    code, _, err = run("run", study_file, "--workers", 1, "--time-limit", "0.001s")
    assert code == 75
    assert f"To go on: qthermo study resume {study_file} --workers 1 --time-limit 0.001s" in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_keep_what_is_done_and_print_the_command(study_file: Path, tmp_path, number, code: int):
    words = ["--set", "ensemble.num_realizations=2000", "--set", "methods=[{name='Dense'}]", "--workers", "2"]
    command = [sys.executable, "-m", "qthermo", "study", "run", str(study_file), *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    folder = tmp_path / "sweep-study"
    deadline = time.monotonic() + 60
    while len(list(folder.glob("shards/*/*/*.npz"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert f"{number.name} arrived; what is done is kept. To go on: qthermo study resume" in err
    assert "Traceback" not in err
    assert err.count("\n") == 1, "quiet when not on a terminal"
    scan = open_store(folder).scan(verify=True)
    assert 5 <= len(scan.done) < 4000
    assert scan.sentences == []


def test_progress_in_words():
    status = qt.studies.RunStatus(
        total=10, done=4, failed=1, running=2, computed=5, seconds=10, stderr=0.02, target=0.01
    )
    words = describe_status(status)
    assert words == "done 4, failed 1, running 2, left 5, ETA 10 s, stderr 2.00e-02 (target 1.00e-02)"
    assert [format_seconds(s) for s in (1.5, 600, 7500, 4e5)] == ["1.5 s", "10 min", "2 h 05 min", "4.6 days"]


def test_slurm_script_names_everything(run, study_file: Path, tmp_path):
    code, out, _ = run("slurm", study_file, "--num-jobs", 4, "--option=--partition=long", "--cpus", 2)
    script = tmp_path / "sweep-study" / "study.sbatch"
    assert code == 0
    assert f"sbatch {script}" in out
    text = script.read_text()
    for line in ("--array=0-3", "--requeue", "--partition=long", "--cpus-per-task=2", "--signal=B:TERM@60"):
        assert f"#SBATCH {line}\n" in text
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    assert run("slurm", study_file, "--num-jobs", 4, "--option", "x")[0] == 2


def test_progress_is_drawn_on_a_terminal(study_file: Path, tmp_path):
    import pty

    driver, terminal = pty.openpty()
    command = [sys.executable, "-m", "qthermo", "study", "run", str(study_file), "--workers", "1"]
    words = ["--set", "ensemble.num_realizations=40", "--set", "ensemble.target_stderr=1e-9"]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"}
    process = subprocess.Popen([*command, *words], stdout=subprocess.PIPE, stderr=terminal, text=True, env=environment)
    os.close(terminal)
    seen = b""
    while True:
        try:
            piece = os.read(driver, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        seen += piece
    out, _ = process.communicate(timeout=60)
    os.close(driver)
    assert process.returncode == 0
    assert "done 160" in out
    text = seen.decode(errors="replace")
    for part in ("done", "failed 0", "running", "left", "ETA", "stderr", "(target 1.00e-09)"):
        assert part in text, part
