"""What all benchmarks share: rows of one shape, clocks, and the file in which `make bench` collects them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version

import numpy as np

__all__ = ["Comparison", "Scaling", "cpu", "interleave", "record"]

FILE = "QTHERMO_BENCH_FILE"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One piece of work done by us and by a peer in the same run.

    Args:
        work: what was done, with its size.
        peer: the peer's package, by its name on PyPI, and what of it was used.
        ours: our cost, the peer's is `theirs`.
        unit: of both costs, for example "CPU s".
        target: the ratio ours / theirs that we aim at, if any.
        difference: how far the two answers lie apart, if they were compared.
    """

    work: str
    peer: str
    ours: float
    theirs: float
    unit: str = "CPU s"
    target: float | None = None
    difference: float | None = None

    @property
    def ratio(self) -> float:
        """ours / theirs: below 1 we need less."""
        return self.ours / self.theirs


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """Our cost against size.

    Args:
        work: what was done.
        axis: what the size is.
        sizes: ascending.
        seconds: CPU seconds at each size.
        law: "power" for cost ~ size^k, "exponential" for cost ~ 2^(k size).
    """

    work: str
    axis: str
    sizes: Sequence[float]
    seconds: Sequence[float]
    law: str = "power"

    @property
    def exponent(self) -> float:
        """The fitted k, by least squares on the upper half of the sizes, at least three."""
        first = min(len(self.sizes) // 2, max(len(self.sizes) - 3, 0))
        sizes, costs = np.array(self.sizes[first:], float), np.log2(self.seconds[first:])
        return float(np.polyfit(np.log2(sizes) if self.law == "power" else sizes, costs, 1)[0])


def record(row: Comparison | Scaling) -> None:
    """Print a row, and append it to the file that `make bench` collects."""
    if isinstance(row, Comparison):
        aim = "" if row.target is None else f"   target {row.target:g} {'ok' if row.ratio <= row.target else 'MISS'}"
        note = "" if row.difference is None else f"   difference {row.difference:.1e}"
        print(
            f"{row.work:58s} qthermo {row.ours:9.4g} {row.unit}   {row.peer} {row.theirs:9.4g}   "
            f"ratio {row.ratio:7.3f}{aim}{note}",
            flush=True,
        )
    else:
        cells = ", ".join(f"{size:g}: {cost:.3g}" for size, cost in zip(row.sizes, row.seconds, strict=True))
        shape = "size^" if row.law == "power" else "2^(size x "
        print(f"{row.work}: CPU s at {row.axis} {cells}; grows as {shape}{row.exponent:.2f}", flush=True)
    path = os.environ.get(FILE)
    if path:
        content = {"kind": type(row).__name__, **asdict(row)}
        if isinstance(row, Comparison):
            package = row.peer.split(",")[0].split(" ")[0]
            content["versions"] = {name: version(name) for name in ("qthermo", package)}
        with open(path, "a") as file:
            file.write(json.dumps(content) + "\n")


def cpu(work: Callable[[], object]) -> tuple[float, object]:
    """Return CPU seconds of this process, and the value."""
    start = time.process_time()
    value = work()
    return time.process_time() - start, value


def interleave(
    ours: Callable[[], object], theirs: Callable[[], object], rounds: int
) -> tuple[float, float, object, object]:
    """Return the least CPU seconds of each over alternating rounds, and the first values."""
    pairs = [(cpu(ours), cpu(theirs)) for _ in range(rounds)]
    (_, mine), (_, other) = pairs[0]
    return min(a[0] for a, _ in pairs), min(b[0] for _, b in pairs), mine, other
