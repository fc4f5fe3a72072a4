"""What the commands share: tables, progress bars, and interrupts that no library can swallow."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from qthermo.progress import Progress, silent

__all__ = ["checked", "print_table", "progress_bars", "remembered_interrupt"]


@contextmanager
def remembered_interrupt() -> Iterator[Callable[[], None]]:
    """Yield a check that raises KeyboardInterrupt again if a library swallowed it."""
    asked: list[bool] = []

    def remember(_number: int, _frame: object) -> None:
        asked.append(True)
        raise KeyboardInterrupt

    def check() -> None:
        if asked:
            raise KeyboardInterrupt

    previous = signal.signal(signal.SIGINT, remember)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, previous)


def checked(report: Progress, check: Callable[[], None]) -> Progress:
    """Return `report` with `check` called before it."""

    def progress(fraction: float, words: str) -> None:
        check()
        report(fraction, words)

    return progress


@contextmanager
def progress_bars() -> Iterator[Any]:
    """Yield a function that makes a `Progress` for a name: bars on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _name: silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:>16}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[words]}"),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:

        def start(name: str) -> Progress:
            task = bars.add_task(name, total=1.0, words="")
            return lambda fraction, words: bars.update(task, completed=fraction, words=words)

        yield start


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns, with lines around them on a terminal."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        table = Table(*header)
        for row in rows:
            table.add_row(*row)
        Console().print(table)
        return
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]
    for row in [header, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
