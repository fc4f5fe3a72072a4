"""Tries hostile inputs in a process of its own; the driver sees where it died.

Reads lines "entry start stop" on standard input; for each input writes its number into the progress file before the
try, and one JSON line per failure and per finished order to standard output.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

from entries import ENTRIES, workshop

from qthermo.errors import QThermoError

LIMIT = float(os.environ.get("QTHERMO_FUZZ_SECONDS", "10"))
MEMORY = 6 << 30


class Expired(BaseException):
    """The try took too long; no `except Exception` of the library may swallow it."""


def expire(_number: int, _frame: object) -> None:
    raise Expired


def digest(folder: Path) -> dict[str, bytes]:
    """Return the content of every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def try_one(name: str, number: int, folder: Path) -> tuple[str, str]:
    """Return a verdict ("accepted", "refused", or what is wrong) and words."""
    rng = random.Random(f"{name}:{number}")
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    verdict, words = "accepted", ""
    try:
        ENTRIES[name].attempt(rng, folder)
    except QThermoError as problem:
        verdict, words = ("refused", "") if str(problem).strip() else ("no words", type(problem).__name__)
    except Expired:
        verdict, words = "too slow", "".join(traceback.format_exc().splitlines(keepends=True)[-16:])
    except BaseException as problem:
        verdict, words = "wrong error", f"{type(problem).__name__}: {traceback.format_exc()[-3000:]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    left = [str(path) for path in folder.rglob(".*.tmp")]
    return ("partial file", " ".join(left)) if left else (verdict, words)


def run_order(name: str, start: int, stop: int, progress: int) -> None:
    counts: Counter[str] = Counter()
    slowest = 0.0
    for number in range(start, stop):
        os.pwrite(progress, f"{name} {number:012d}".ljust(64).encode(), 0)
        with tempfile.TemporaryDirectory(dir=workshop()) as folder:
            before = time.perf_counter()
            verdict, words = try_one(name, number, Path(folder))
            slowest = max(slowest, time.perf_counter() - before)
        counts[verdict] += 1
        if verdict not in ("accepted", "refused"):
            print(json.dumps({"entry": name, "number": number, "verdict": verdict, "words": words}), flush=True)
    done = {"entry": name, "start": start, "stop": stop, "counts": counts, "slowest": slowest}
    print(json.dumps(done), flush=True)


def main() -> None:
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, expire)
    progress = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR)
    try:
        for line in sys.stdin:
            name, start, stop = line.split()
            run_order(name, int(start), int(stop), progress)
    finally:
        shutil.rmtree(workshop(), ignore_errors=True)


if __name__ == "__main__":
    main()
