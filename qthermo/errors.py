"""Everything that qthermo raises or warns with; each message says what must hold, what was found and what to do."""


class QThermoError(Exception):
    """Base class of all errors raised on purpose by qthermo."""


class InputError(QThermoError, ValueError):
    """An argument, file or option is not usable."""


class UnsupportedError(InputError):
    """The method does not answer this problem for this model; the message names those that do."""


class MemoryRefusedError(InputError):
    """The run would not fit in memory; it was refused before anything was allocated."""


class FileError(InputError):
    """A file is foreign, damaged or of another version."""


class NotConvergedError(QThermoError, RuntimeError):
    """A computation stopped short of its tolerance; the message names the knob to turn."""


class ExecutionError(QThermoError, RuntimeError):
    """A simulator or a device did not finish what it was given."""


class NotConvergedWarning(UserWarning):
    """The returned numbers miss the asked tolerance; the message names the knob to turn."""


class ValidityWarning(UserWarning):
    """The inputs lie outside the range where the approximation is known to hold."""


def first_line(problem: BaseException, words: str | None = None) -> str:
    """Return the first line of what a foreign error says, or of `words`, its cleaned text; its type's name if none."""
    lines = (str(problem) if words is None else words).strip().splitlines()
    return lines[0] if lines else type(problem).__name__
