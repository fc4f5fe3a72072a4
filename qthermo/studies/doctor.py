"""What an installation is made of: versions, BLAS and its threads, memory, disk, optional extras."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from qthermo.memory import available_memory, format_bytes

__all__ = ["Extra", "Package", "describe_machine", "list_extras", "list_packages"]

_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)\s*(?:>=\s*(?P<least>[0-9.]+))?[^;]*(?:;(?P<marker>.*))?$")
_EXTRA = re.compile(r"extra\s*==\s*['\"](?P<extra>[^'\"]+)['\"]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package that qthermo needs: the version found ("" if none) and the least one allowed."""

    name: str
    found: str
    least: str

    @property
    def usable(self) -> bool:
        """Whether the package is there and new enough."""
        return bool(self.found) and _numbers(self.found) >= _numbers(self.least)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """An optional part: its packages and how to install them."""

    name: str
    packages: tuple[Package, ...]

    @property
    def present(self) -> bool:
        """Whether all of its packages are there."""
        return all(package.usable for package in self.packages)

    @property
    def command(self) -> str:
        """The command that installs it."""
        return f"pip install 'qthermo[{self.name}]'"


def list_packages() -> list[Package]:
    """Return the packages that qthermo cannot do without."""
    return [_package(name, least) for name, least, extra in _requirements() if extra is None]


def list_extras() -> list[Extra]:
    """Return the optional parts in the order of their names."""
    grouped: dict[str, list[Package]] = {}
    for name, least, extra in _requirements():
        if extra is not None:
            grouped.setdefault(extra, []).append(_package(name, least))
    return [Extra(name=extra, packages=tuple(packages)) for extra, packages in sorted(grouped.items())]


def describe_machine() -> list[tuple[str, str]]:
    """Return names and values: python, platform, processors, BLAS and its threads, numba, memory, disk."""
    rows = [
        ("python", f"{platform.python_version()} ({sys.executable})"),
        ("platform", platform.platform()),
        ("processors", f"{_usable_processors()} usable of {os.cpu_count()}"),
        *(("BLAS or OpenMP", line) for line in _thread_pools()),
        ("numba threads", _numba_threads()),
    ]
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "QTHERMO_MEMORY_LIMIT"):
        if name in os.environ:
            rows.append((name, os.environ[name]))
    rows.append(("memory", f"{format_bytes(available_memory())} available to a run"))
    for what, folder in (("disk here", Path.cwd()), ("disk for temporary files", Path(tempfile.gettempdir()))):
        rows.append((what, f"{format_bytes(shutil.disk_usage(folder).free)} free in {folder}"))
    return rows


def _requirements() -> Iterator[tuple[str, str, str | None]]:
    """Yield name, least version and extra of everything that the installed package requires."""
    for text in requires("qthermo") or ():
        match = _REQUIREMENT.match(text)
        if match is not None:
            extra = _EXTRA.search(match["marker"] or "")
            yield match["name"], match["least"] or "0", extra["extra"] if extra else None


def _package(name: str, least: str) -> Package:
    try:
        found = version(name)
    except PackageNotFoundError:
        found = ""
    return Package(name=name, found=found, least=least)


def _numbers(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a version, without trailing zeros."""
    found = re.match(r"[0-9]+(?:\.[0-9]+)*", text)
    numbers = [int(word) for word in found[0].split(".")] if found else [0]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _usable_processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _thread_pools() -> Iterator[str]:
    import scipy.linalg  # noqa: F401, its BLAS is to be listed whether or not it has been loaded
    from threadpoolctl import threadpool_info

    lines = [
        f"{pool['internal_api']} {pool.get('version') or ''} {pool.get('architecture', '')}: "
        f"{pool['num_threads']} threads ({Path(pool['filepath']).name})"
        for pool in threadpool_info()
    ]
    yield from dict.fromkeys(" ".join(line.split()) for line in lines)


def _numba_threads() -> str:
    try:
        import numba
    except Exception as problem:  # a broken LLVM raises OSError and others; the doctor must go on
        return f"cannot be imported: {problem}"
    return str(numba.get_num_threads())
