"""Runs every benchmark in its reduced form and writes benchmarks/README.md and benchmarks/scaling.png.

Usage: python benchmarks/run.py [--quick] [--only NAME ...] [--output DIR]; `make bench` calls it. On a quiet machine
the whole takes less than 30 minutes; `--quick` takes a few and says in the table that it is not to be quoted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from common import FILE, Comparison, Scaling

HERE = Path(__file__).parent
INTRODUCTION = (
    "# Benchmarks",
    "",
    "Made by `make bench`; do not edit. Both sides of each row did the same work in one run, in turns; the ratio is",
    "our cost over the peer's, so below 1 we need less.",
    "",
)
WARNING = "> Made by `--quick` at small sizes on a machine that may have been busy: not to be quoted."
LIMIT = 1700.0  # seconds for all jobs together
PACKAGES = (
    "qthermo", "numpy", "scipy", "numba", "physics-tenpy", "quimb", "qutip", "quspin", "qiskit", "qiskit-aer",
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """A script with the arguments of its reduced and of its quick form. A new benchmark is one row of `JOBS`."""

    script: str
    reduced: tuple[str, ...] = ()
    quick: tuple[str, ...] = ("--quick",)


JOBS = (
    Job("peers_perf.py"),
    Job("tensor_network_perf.py", (), ("correlator",)),
    Job("circuits_perf.py"),
    Job("kms_perf.py", ("--sites", "4", "5"), ("--sites", "3")),
    Job("cavity_perf.py"),
    Job("study_perf.py"),
    Job("avalanche_perf.py"),
    Job("wave_packet_perf.py"),
)


@dataclass(frozen=True)
class Outcome:
    """What a job left: rows, wall seconds, its output, and why it failed if it did."""

    script: str
    rows: list[dict[str, Any]]
    seconds: float
    output: str
    problem: str = ""


def run_job(job: Job, *, quick: bool, limit: float) -> Outcome:
    """Run one script in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.touch()
        environment = os.environ | {FILE: str(path), "PYTHONPATH": str(HERE.parent)}
        command = [sys.executable, str(HERE / job.script), *(job.quick if quick else job.reduced)]
        start, problem, output = time.perf_counter(), "", ""
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit, check=False)
            output = done.stdout
            if done.returncode:
                lines = done.stderr.strip().splitlines() or ["no words"]
                problem = f"exit code {done.returncode}: {lines[-1]}"
        except subprocess.TimeoutExpired as stopped:
            output = (stopped.stdout or b"").decode(errors="replace") if isinstance(stopped.stdout, bytes) else ""
            problem = f"stopped after {limit:.0f} s"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    return Outcome(job.script, rows, time.perf_counter() - start, output, problem)


def comparisons(outcomes: list[Outcome]) -> list[tuple[Comparison, dict[str, str]]]:
    """Return all comparisons with the versions that took part."""
    found = []
    for outcome in outcomes:
        for row in outcome.rows:
            if row["kind"] == "Comparison":
                fields = {key: value for key, value in row.items() if key not in ("kind", "versions")}
                found.append((Comparison(**fields), row["versions"]))
    return found


def scalings(outcomes: list[Outcome]) -> list[Scaling]:
    """Return all measurements of cost against size."""
    rows = [row for outcome in outcomes for row in outcome.rows if row["kind"] == "Scaling"]
    return [Scaling(**{key: value for key, value in row.items() if key != "kind"}) for row in rows]


def verdict(row: Comparison) -> str:
    """Return what a reader should take from a ratio; noise is 5 %."""
    word = "even" if abs(row.ratio - 1) < 0.05 else "less" if row.ratio < 1 else "**we lose**"
    if row.target is None:
        return word
    return f"{word}; target {row.target:g} {'met' if row.ratio <= row.target else '**missed**'}"


def write_report(outcomes: list[Outcome], *, quick: bool, folder: Path) -> Path:
    """Write the table, and the plot if there is anything to plot; return the table's path."""
    measured = scalings(outcomes)
    lines = [*INTRODUCTION, *([WARNING, ""] if quick else []), *comparison_lines(comparisons(outcomes))]
    if measured:
        lines += scaling_lines(measured)
        plot_scalings(measured, folder / "scaling.png")
    failed = [outcome for outcome in outcomes if outcome.problem]
    if failed:
        lines += ["", "## Did not finish", ""]
        lines += [f"- `{outcome.script}`: {outcome.problem}" for outcome in failed]
    lines += ["", "## Machine and versions", "", *describe_machine(outcomes), ""]
    path = folder / "README.md"
    path.write_text("\n".join(lines))
    return path


def comparison_lines(rows: list[tuple[Comparison, dict[str, str]]]) -> list[str]:
    """Return the table of comparisons under a count of what was won and lost."""
    ratios = [row.ratio for row, _ in rows]
    lines = [
        f"{len(rows)} comparisons: we need less in {sum(r < 0.95 for r in ratios)}, as much in "
        f"{sum(0.95 <= r < 1.05 for r in ratios)}, more in {sum(r >= 1.05 for r in ratios)}.",
        "",
        "| work | peer | ours | peer's | ratio | verdict | answers differ by |",
        "|---|---|---|---|---|---|---|",
    ]
    for row, versions in rows:
        package = row.peer.split(",")[0]
        name = f"{package} {versions.get(package.split(' ')[0], '')}{row.peer[len(package) :]}"
        differ = "" if row.difference is None else f"{row.difference:.0e}"
        cells = (row.work, name, f"{row.ours:.3g} {row.unit}", f"{row.theirs:.3g} {row.unit}", f"{row.ratio:.3g}")
        lines.append(f"| {' | '.join((*cells, verdict(row), differ))} |")
    return lines


def scaling_lines(measured: list[Scaling]) -> list[str]:
    """Return the section on cost against size."""
    lines = ["", "## Cost against size", "", "CPU seconds; the exponent is fitted to the larger sizes.", ""]
    lines += ["![Cost against size](scaling.png)", ""]
    lines += ["| work | size | CPU s at each size | grows as |", "|---|---|---|---|"]
    for row in measured:
        cells = ", ".join(f"{size:g}: {cost:.3g}" for size, cost in zip(row.sizes, row.seconds, strict=True))
        law = f"size^{row.exponent:.2f}" if row.law == "power" else f"2^({row.exponent:.2f} size)"
        lines.append(f"| {row.work} | {row.axis} | {cells} | {law} |")
    return lines


def describe_machine(outcomes: list[Outcome]) -> list[str]:
    """Return a list of what the numbers depend on."""
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    load = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end"
    return [
        f"- {datetime.now(UTC):%Y-%m-%d}, python {platform.python_version()}, {platform.system()} {platform.machine()}",
        f"- {processor_name()}, {load}",
        f"- {', '.join(found)}",
        "- wall time: " + ", ".join(f"`{outcome.script}` {outcome.seconds:.0f} s" for outcome in outcomes),
    ]


def processor_name() -> str:
    """Return the processor's own name where the system tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def plot_scalings(measured: list[Scaling], path: Path) -> None:
    """Draw each measurement in a panel of its own, with the fitted law."""
    import matplotlib as mpl
    import numpy as np

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    columns = min(3, len(measured))
    rows = -(-len(measured) // columns)
    figure, axes = plt.subplots(rows, columns, squeeze=False, figsize=(4 * columns, 3.2 * rows))
    for ax in axes.flat[len(measured) :]:
        ax.axis("off")
    for ax, row in zip(axes.flat, measured, strict=False):
        sizes, costs = np.array(row.sizes, float), np.array(row.seconds)
        ax.plot(sizes, costs, "o", color="C0")
        shape = sizes**row.exponent if row.law == "power" else 2 ** (row.exponent * sizes)
        law = (
            f"size$^{{{row.exponent:.2f}}}$" if row.law == "power" else f"2$^{{{row.exponent:.2f}\\,\\mathrm{{size}}}}$"
        )
        ax.plot(sizes, costs[-1] * shape / shape[-1], "-", color="0.6", label=law)
        ax.set(yscale="log", xlabel=row.axis, ylabel="CPU s", xscale="log" if row.law == "power" else "linear")
        ax.set_title(row.work, fontsize=9)
        ax.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="small sizes, a few minutes; not to be quoted")
    parser.add_argument("--only", action="append", metavar="SCRIPT", help="run this script only; repeatable")
    parser.add_argument("--output", type=Path, default=HERE, help="folder for README.md and scaling.png")
    options = parser.parse_args()
    outcomes: list[Outcome] = []
    start = time.perf_counter()
    for job in JOBS:
        if not (HERE / job.script).exists() or (options.only and job.script not in options.only):
            continue
        left = LIMIT - (time.perf_counter() - start)
        print(f"== {job.script}", flush=True)
        outcome = run_job(job, quick=options.quick, limit=max(left, 1.0))
        outcomes.append(outcome)
        print(outcome.output, end="")
        print(f"-- {outcome.seconds:.0f} s, {len(outcome.rows)} rows {outcome.problem}", flush=True)
    print(f"wrote {write_report(outcomes, quick=options.quick, folder=options.output)}")


if __name__ == "__main__":
    main()
