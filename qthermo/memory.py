"""Memory: how much there is, and the refusal of runs that would not fit."""

from __future__ import annotations

import os
from pathlib import Path

from qthermo.errors import MemoryRefusedError

__all__ = ["available_memory", "check_memory", "format_bytes"]

_FRACTION = 0.9


def format_bytes(size: float) -> str:
    """Return `size` in bytes as text with a binary unit, for example '1.5 GiB'."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} PiB"


def available_memory() -> int:
    """Return the bytes a run may use: `QTHERMO_MEMORY_LIMIT` (bytes) if set, else what system and cgroup leave free."""
    limit = os.environ.get("QTHERMO_MEMORY_LIMIT")
    if limit is not None and limit.strip().isdigit():
        return int(limit)
    candidates = [_system_available()]
    cgroup = _read_cgroup_limit()
    if cgroup is not None:
        candidates.append(cgroup)
    return min(candidates)


def check_memory(needed: float, *, what: str, remedy: str, available: int | None = None) -> None:
    """Refuse a run whose estimate exceeds 90 % of the available memory.

    Raises:
        MemoryRefusedError: the estimate does not fit; nothing was allocated.
    """
    free = available_memory() if available is None else available
    if needed > _FRACTION * free:
        raise MemoryRefusedError(
            f"{what} needs about {format_bytes(needed)} of memory, but {format_bytes(free)} are available; {remedy}"
        )


def _system_available() -> int:
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _read_cgroup_limit() -> int | None:
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        statistics = dict(line.split() for line in Path("/sys/fs/cgroup/memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    reclaimable = int(statistics.get("inactive_file", 0))
    return max(int(limit) - used + reclaimable, 0) if limit.isdigit() else None
