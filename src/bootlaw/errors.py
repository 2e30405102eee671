"""Errors that are meant to be read by a person; each kind has its exit code.

The message is one line that names what was found, where, and what to do about it.
The command line prints it without a traceback.
"""

from __future__ import annotations


class BootlawError(Exception):
    """The work failed (exit code 1)."""

    exit_code = 1


class InputError(BootlawError):
    """The input or the usage is wrong (exit code 2): a file, a row, an option, a missing folder."""

    exit_code = 2


class UndeterminedError(BootlawError):
    """The question is well posed but these data cannot answer it (exit code 3)."""

    exit_code = 3


class Interrupted(BootlawError):
    """The user or the scheduler asked the work to stop; what was done is kept (exit code 130)."""

    exit_code = 130


def reason(error: BaseException) -> str:
    """Return the first line of `error`, of the system's own words where it has some."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).strip().partition("\n")[0] or type(error).__name__
