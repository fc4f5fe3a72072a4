"""Files: written whole or not at all, and sealed by a checksum at their end."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from qthermo.errors import FileError, QThermoError

__all__ = ["make_folder", "open_sealed", "refuse_malformed", "seal", "write_atomically"]

_SEAL = b"\nqthermo sha256 "
_MALFORMED = (
    *(
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        MemoryError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
    ),
    zlib.error,
)


def seal(content: bytes) -> bytes:
    """Return `content` followed by its SHA-256; readers of netCDF and zip files do not mind what follows the end."""
    return content + _SEAL + hashlib.sha256(content).hexdigest().encode()


def open_sealed(path: Path, what: str) -> bytes:
    """Return the content of a sealed file; `what` names its kind in errors.

    Damaged content never reaches a parser: readers of HDF5 can hang or crash on it.

    Raises:
        FileError: the file cannot be read, has no seal, or does not match it.
    """
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise FileError(f"{what} must be readable, but {path} is not ({problem.strerror}).") from None
    body, found, digest = content.rpartition(_SEAL)
    if not found:
        raise FileError(
            f"{path} must be {what[0].lower()}{what[1:]}, but has no seal at its end: "
            "it was cut short, changed by another program, or is foreign."
        )
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise FileError(
            f"{path} is damaged: its content does not match its checksum; take it from a backup or run again."
        )
    return body


@contextlib.contextmanager
def refuse_malformed(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a reader trips over in a file's content into one sentence; `what` names the kind of file.

    For content that is whole (its seal fits) but not of the form that qthermo writes.

    Raises:
        FileError: the content is not of that form; the cause is chained.
    """
    try:
        yield
    except QThermoError:
        raise
    except _MALFORMED as problem:
        words = " ".join(str(problem).split())[:200]
        raise FileError(
            f"{path} must be {what}, but is not of its form ({type(problem).__name__}: {words})."
        ) from problem


def make_folder(folder: Path, what: str) -> Path:
    """Make a folder and those above it, if they are not there; `what` needs it, in errors.

    Raises:
        FileError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise FileError(
            f"{what} needs a folder to write to, but {folder} cannot be made ({problem.strerror}); name another."
        ) from None
    return folder


def write_atomically(path: Path, content: bytes) -> Path:
    """Write `content` beside `path`, sync, and rename.

    Raises:
        FileError: the place cannot be written; nothing there was changed.
    """
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        temporary = None
    except OSError as problem:
        raise FileError(
            f"The file must go to a writable place, but {path} cannot be written: {problem}; nothing was changed."
        ) from None
    finally:
        if temporary is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
    return path
