"""Exit codes of ``cambist``. They are stable: scripts may build on them."""

from __future__ import annotations

from enum import IntEnum

from cambist.errors import InputError, JournalError, MissingDependencyError, PluginError

__all__ = ["Exit", "exit_of"]


class Exit(IntEnum):
    """How a command ended."""

    #: As it should.
    OK = 0
    #: The work itself failed: a strategy raised, a result could not be written, a check of ``doctor`` failed, a replay
    #: or a comparison found a difference.
    FAILED = 1
    #: The command, a run file, a strategy file, a parameter or the data cannot be used.
    BAD_INPUT = 2
    #: A plugin, or a package that a part needs, is missing, broken or in conflict with another.
    PLUGIN = 3
    #: Ctrl-C or SIGTERM; what was done until then is written.
    INTERRUPTED = 130


def exit_of(error: Exception) -> Exit:
    """Return the code for an error."""
    if isinstance(error, PluginError | MissingDependencyError):
        return Exit.PLUGIN
    if isinstance(error, JournalError) and error.code in ("no_journal", "no_recording"):
        return Exit.BAD_INPUT
    return Exit.BAD_INPUT if isinstance(error, InputError) else Exit.FAILED
