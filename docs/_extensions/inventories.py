"""Inventories of other projects' documentation: from a folder if they lie there, from the network if there is one."""

from __future__ import annotations

from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

__all__ = ["reachable"]

_TIMEOUT = 3.0


def reachable(projects: dict[str, str], *, folder: Path) -> dict[str, tuple[str, str | None]]:
    """Return the `intersphinx_mapping` of the projects whose inventory can be read now.

    Args:
        projects: addresses by name, each ending in a slash.
        folder: where `<name>.inv` is looked for first.
    """
    found: dict[str, tuple[str, str | None]] = {}
    online = True
    for name, address in projects.items():
        local = folder / f"{name}.inv"
        if local.exists():
            found[name] = (address, str(local))
        elif online := online and _answers(f"{address}objects.inv"):
            found[name] = (address, None)
    missing = [name for name in projects if name not in found]
    if missing:
        print(f"No inventory of {', '.join(missing)} (no network?): their names are not linked.")
    return found


def _answers(address: str) -> bool:
    try:
        with urlopen(Request(address, method="HEAD"), timeout=_TIMEOUT) as reply:
            return bool(reply.status == 200)
    except (URLError, OSError):
        return False
