"""Hostile inputs by the hundred thousand, in worker processes, so that a crash of the interpreter is seen and counted.

Usage: python tests/fuzz/run.py [--count 100000] [--workers 2] [--entry NAME ...] [--first N]

Input k of an entry is a pure function of the entry's name and k: `--entry NAME --first k --count 1` repeats one. Exits
with 1 if anything but our own errors came out, if a try took more than 10 s, left a
partial file, or killed its process.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ORDER = 250
PATIENCE = 60.0  # seconds in one try, by the driver's clock, until a worker that hangs outside Python is ended


@dataclass(slots=True)
class Report:
    """What a run found, by entry."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    slowest: dict[str, float] = field(default_factory=dict)
    failures: list[dict[str, object]] = field(default_factory=list)

    def note(self, row: dict[str, object]) -> None:
        name = str(row["entry"])
        if "counts" in row:
            self.counts.setdefault(name, Counter()).update(row["counts"])
            self.slowest[name] = max(self.slowest.get(name, 0.0), float(str(row["slowest"])))
        else:
            self.failures.append(row)

    @property
    def total(self) -> int:
        return sum(sum(counter.values()) for counter in self.counts.values())


def list_orders(count: int, first: int, chosen: list[str] | None) -> list[tuple[str, int, int]]:
    """Share `count` inputs among the entries by their weights."""
    sys.path.insert(0, str(HERE))
    from entries import ENTRIES

    unknown = sorted(set(chosen or ()) - ENTRIES.keys())
    if unknown:
        raise SystemExit(f"There is no entry {unknown[0]}; take one of {', '.join(ENTRIES)}.")
    weights = {name: entry.weight for name, entry in ENTRIES.items() if not chosen or name in chosen}
    total = sum(weights.values())
    orders = []
    for name, weight in weights.items():
        share = max(1, round(count * weight / total))
        orders += [(name, k, min(k + ORDER, first + share)) for k in range(first, first + share, ORDER)]
    return sorted(orders, key=lambda order: order[1])


def start_worker(progress: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(HERE / "worker.py"), str(progress)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
    )


def serve(orders: queue.Queue[tuple[str, int, int]], report: Report, lock: threading.Lock) -> None:
    """Feed one worker after another until the orders are done; the death of a worker is a failure of its input."""
    with tempfile.TemporaryDirectory() as folder:
        progress = Path(folder) / "progress"
        worker: subprocess.Popen[str] | None = None
        while True:
            try:
                name, start, stop = orders.get_nowait()
            except queue.Empty:
                break
            while start < stop:
                if worker is None:
                    progress.write_text("")
                    worker = start_worker(progress)
                died = follow(worker, (name, start, stop), progress, report, lock)
                if died is None:
                    break
                worker, start = None, died + 1
        if worker is not None:
            close_pipes(worker)
            worker.wait()


def follow(
    worker: subprocess.Popen[str], order: tuple[str, int, int], progress: Path, report: Report, lock: threading.Lock
) -> int | None:
    """Give the order and listen until it is done; return the number of the input that killed the worker, if one did."""
    name, start, stop = order
    assert worker.stdin is not None
    assert worker.stdout is not None
    ended = threading.Event()
    watcher = threading.Thread(target=watch, args=(worker, progress, ended), daemon=True)
    watcher.start()
    try:
        worker.stdin.write(f"{name} {start} {stop}\n")
        worker.stdin.flush()
        for line in worker.stdout:
            row = json.loads(line)
            with lock:
                report.note(row)
            if "counts" in row:
                return None
    except BrokenPipeError:
        pass
    finally:
        ended.set()
    code = worker.wait()
    close_pipes(worker)
    words = progress.read_text().split()
    number = int(words[1]) if len(words) == 2 and words[0] == name else start
    with lock:
        report.note({"entry": name, "number": number, "verdict": "crash", "words": f"the process ended with {code}"})
        report.note({"entry": name, "counts": {"accepted or refused": number - start, "crash": 1}, "slowest": 0.0})
    return number


def close_pipes(worker: subprocess.Popen[str]) -> None:
    """Close both ends; a worker that lives leaves when its input ends."""
    for pipe in (worker.stdin, worker.stdout):
        with contextlib.suppress(OSError):
            if pipe is not None:
                pipe.close()


def watch(worker: subprocess.Popen[str], progress: Path, ended: threading.Event) -> None:
    """End a worker whose progress stands still."""
    seen, since = "", time.monotonic()
    while not ended.wait(1.0):
        now = progress.read_text()
        if now != seen:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > PATIENCE:
            worker.kill()
            return


def run(count: int, *, workers: int = 2, first: int = 0, chosen: list[str] | None = None) -> Report:
    """Try `count` inputs, the same ones at every call."""
    orders: queue.Queue[tuple[str, int, int]] = queue.Queue()
    for order in list_orders(count, first, chosen):
        orders.put(order)
    report, lock = Report(), threading.Lock()
    threads = [threading.Thread(target=serve, args=(orders, report, lock)) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return report


def group_failures(failures: list[dict[str, object]]) -> list[list[dict[str, object]]]:
    """Return failures of one kind, raised at one place, together."""
    groups: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for row in failures:
        lines = str(row["words"]).splitlines()
        places = [line.strip() for line in lines if line.strip().startswith("File ")]
        error = lines[-1].partition(":")[0] if lines else ""
        groups.setdefault((str(row["entry"]), str(row["verdict"]), error, *places[-1:]), []).append(row)
    return list(groups.values())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--entry", action="append")
    options = parser.parse_args()
    start = time.perf_counter()
    report = run(options.count, workers=options.workers, first=options.first, chosen=options.entry)
    for name, counter in sorted(report.counts.items()):
        words = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counter.items()))
        print(f"{name:14s} slowest {report.slowest[name]:6.2f} s   {words}")
    for rows in group_failures(report.failures):
        row = rows[0]
        print(f"\n{row['entry']} {row['number']} and {len(rows) - 1} more: {row['verdict']}\n{row['words']}")
    seconds = time.perf_counter() - start
    print(f"\n{report.total} inputs in {seconds:.0f} s; {len(report.failures)} failures")
    raise SystemExit(1 if report.failures else 0)


if __name__ == "__main__":
    main()
