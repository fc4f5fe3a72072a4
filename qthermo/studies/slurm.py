"""Slurm: an array script whose jobs share one folder, go on where they stopped, and requeue themselves safely."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from qthermo.checks import check_integer
from qthermo.errors import InputError

__all__ = ["write_sbatch"]

_SCRIPT = """#!/bin/bash
#SBATCH --job-name={name}
#SBATCH --array=0-{last}
#SBATCH --cpus-per-task={cpus}
#SBATCH --time={time}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@60
#SBATCH --output={log}
{extra}
# Every job takes one realization in {jobs}; shards of all jobs go to one folder. A job that is preempted, or that
# reaches its time limit, keeps what is done and goes back to the queue; it gives up after {restarts} restarts.
cd {folder}
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMBA_NUM_THREADS=1
{command} --shard "${{SLURM_ARRAY_TASK_ID}}/{jobs}" --workers "${{SLURM_CPUS_PER_TASK:-{cpus}}}" &
child=$!
asked=no
trap 'asked=yes; kill -TERM "$child" 2>/dev/null' TERM
wait "$child"; code=$?
if [ "$asked" = yes ]; then wait "$child"; code=$?; fi
trap - TERM
# 75: the time limit; 143: SIGTERM, which the script passes on. Everything else is final.
if [ "$code" -eq 75 ] || [ "$code" -eq 143 ]; then
  if [ "${{SLURM_RESTART_COUNT:-0}}" -lt {restarts} ]; then
    scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}"
    exit 0
  fi
fi
exit "$code"
"""


def write_sbatch(
    command: Sequence[str],
    *,
    name: str,
    num_jobs: int,
    cpus: int,
    time_limit: str,
    folder: Path,
    log_folder: Path,
    extra: Sequence[str] = (),
    max_restarts: int = 100,
) -> str:
    """Return the text of a script for `sbatch`.

    Args:
        command: words of `qthermo study run ...` after the interpreter.
        name: of the job.
        num_jobs: jobs of the array, each with every num_jobs-th realization.
        cpus: cores of each job, one worker each.
        time_limit: of each job, in Slurm's form; --signal sends SIGTERM a minute before.
        folder: where the command runs.
        log_folder: where the jobs' output goes.
        extra: further #SBATCH options, for example "--partition=long".
        max_restarts: restarts after which a job gives up.

    Raises:
        InputError: a number is out of range, or an extra option is none.
    """
    check_integer("num_jobs", num_jobs, minimum=1)
    check_integer("cpus", cpus, minimum=1)
    for option in extra:
        if not option.startswith("-") or "\n" in option:
            raise InputError(f"An option of Slurm must start with a hyphen and be one line, but is {option!r}.")
    return _SCRIPT.format(
        name=name,
        last=num_jobs - 1,
        jobs=num_jobs,
        cpus=cpus,
        time=time_limit,
        log=shlex.quote(str(log_folder / "slurm-%A_%a.log")),
        extra="".join(f"#SBATCH {option}\n" for option in extra),
        folder=shlex.quote(str(folder)),
        command=shlex.join([sys.executable, "-m", "qthermo", *command]),
        restarts=max_restarts,
    )
