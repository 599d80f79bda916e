"""Exit codes of ``cambist``. They are stable: scripts may build on them."""

from __future__ import annotations

from enum import IntEnum

from cambist.errors import (
    AccountInUseError,
    ConfigError,
    InputError,
    JournalError,
    MissingDependencyError,
    NotRunningError,
    PluginError,
    VenueError,
)

__all__ = ["Exit", "code_of", "exit_of"]


class Exit(IntEnum):
    """How a command ended."""

    #: As it should.
    OK = 0
    #: The work itself failed: a strategy raised, a result could not be written, a check of ``doctor`` failed, a replay
    #: or a comparison found a difference, a check of a strategy found something.
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
    #: A venue cannot be reached, or refuses the account, its key or this machine's clock.
    VENUE = 7
    #: Venue and run tell different things, and nobody said what becomes of that.
    UNDECIDED = 8
    #: Ctrl-C or SIGTERM; what was done until then is written. A live run that ends by its policy is `OK`.
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
    if isinstance(error, VenueError):
        return Exit.VENUE
    if isinstance(error, ConfigError) and error.code == "undecided":
        return Exit.UNDECIDED
    return Exit.BAD_INPUT if isinstance(error, InputError) else Exit.FAILED


def code_of(error: Exception) -> str:
    """Return the stable word of an error of a venue or of a start; ``""`` for one that has none."""
    if not isinstance(error, VenueError | ConfigError):
        return ""
    return str(getattr(error, "reason", "") or error.code)
