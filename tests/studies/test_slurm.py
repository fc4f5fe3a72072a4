"""The array script, run by bash with a `scontrol` that writes down what it is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qthermo.studies.slurm import write_sbatch


def prepare(tmp_path: Path, python: str) -> list[str]:
    """Write the script with a stand-in for the interpreter's command, and a `scontrol`."""
    program = tmp_path / "program.py"
    program.write_text(python)
    text = write_sbatch(
        ["study", "resume", "x"],
        name="n",
        num_jobs=3,
        cpus=1,
        time_limit="1:00:00",
        folder=tmp_path,
        log_folder=tmp_path,
        max_restarts=5,
    )
    script = tmp_path / "study.sbatch"
    script.write_text(text.replace("-m qthermo study resume x", str(program)))
    control = tmp_path / "scontrol"
    control.write_text(f'#!/bin/bash\necho "$@" >> {tmp_path}/told\n')
    control.chmod(0o755)
    return ["bash", str(script)]


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    slurm = {"SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_JOB_ID": "77", "SLURM_CPUS_PER_TASK": "1"}
    return {**os.environ, **slurm, "PATH": f"{tmp_path}:{os.environ['PATH']}", **more}


@pytest.mark.parametrize(
    ("code", "restarts", "final", "told"),
    [(0, "0", 0, ""), (75, "0", 0, "requeue 77_1\n"), (75, "5", 75, ""), (2, "0", 2, ""), (1, "0", 1, "")],
)
def test_only_unfinished_work_goes_back_to_the_queue(tmp_path, code: int, restarts: str, final: int, told: str):
    program = f"import sys\nopen('words', 'w').write(' '.join(sys.argv[1:]))\nraise SystemExit({code})\n"
    command = prepare(tmp_path, program)
    found = subprocess.run(command, env=environment(tmp_path, SLURM_RESTART_COUNT=restarts), check=False, timeout=60)
    assert found.returncode == final
    assert (tmp_path / "words").read_text() == "--shard 1/3 --workers 1"
    path = tmp_path / "told"
    assert (path.read_text() if path.exists() else "") == told


def test_the_signal_before_the_end_reaches_the_program(tmp_path):
    program = (
        "import signal, sys, time\n"
        "def stop(number, frame):\n    time.sleep(0.3)\n"
        "    open('saved', 'w').write('all')\n    raise SystemExit(143)\n"
        "signal.signal(signal.SIGTERM, stop)\nopen('ready', 'w')\ntime.sleep(60)\n"
    )
    process = subprocess.Popen(prepare(tmp_path, program), env=environment(tmp_path))
    deadline = time.monotonic() + 30
    while not (tmp_path / "ready").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert (tmp_path / "saved").read_text() == "all"
    assert (tmp_path / "told").read_text() == "requeue 77_1\n"


def test_the_command_is_this_interpreter_s(tmp_path):
    text = write_sbatch(
        ["study", "resume", "a b"], name="n", num_jobs=2, cpus=1, time_limit="1", folder=tmp_path, log_folder=tmp_path
    )
    assert f"{sys.executable} -m qthermo study resume 'a b' --shard" in text
    assert "#SBATCH --array=0-1\n" in text
