"""Exit codes of ``cambist``. They are stable: scripts may build on them."""

from __future__ import annotations

from enum import IntEnum

from cambist.errors import (
    AccountInUseError,
    InputError,
    JournalError,
    MissingDependencyError,
    NotRunningError,
    PluginError,
)

__all__ = ["Exit", "exit_of"]


class Exit(IntEnum):
    """How a command ended."""

    #: As it should.
    OK = 0
    #: The work itself failed: a strategy raised, a result could not be written, a check of ``doctor`` failed, a replay
    #: was different.
    FAILED = 1
    #: The command, a run file, a strategy file, a parameter or the data cannot be used.
    BAD_INPUT = 2
    #: A plugin, or a package that a part needs, is missing, broken or in conflict with another.
    PLUGIN = 3
    #: No live run answers there, or it has ended.
    NOT_RUNNING = 4
    #: A live run that did not get on was ended by its watchdog; start it again.
    FROZEN = 5
    #: Another live run trades the account.
    IN_USE = 6
    #: Ctrl-C or SIGTERM; what was done until then is written.
    INTERRUPTED = 130


def exit_of(error: Exception) -> Exit:
    """Return the code for an error."""
    if isinstance(error, PluginError | MissingDependencyError):
        return Exit.PLUGIN
    if isinstance(error, NotRunningError):
        return Exit.NOT_RUNNING
    if isinstance(error, AccountInUseError):
        return Exit.IN_USE
    if isinstance(error, JournalError) and error.code in ("no_journal", "no_recording"):
        return Exit.BAD_INPUT
    return Exit.BAD_INPUT if isinstance(error, InputError) else Exit.FAILED
