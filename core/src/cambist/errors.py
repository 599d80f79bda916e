"""Every error Cambist raises on purpose.

One base class per cause, so that a caller can catch what it can answer::

    CambistError
    ├── InputError                  what the caller handed in cannot be used (also a ValueError)
    │   ├── DataError               bars, ticks or a data file: names the row, the time and the value
    │   ├── InstrumentError         an instrument's definition, or a number off its grid
    │   ├── ParameterError          a strategy's or a model's parameter
    │   ├── OrderError              an order request that could never be sent
    │   ├── ConfigError             a run file or a command-line option
    │   └── StrategyFileError       a file that holds no usable strategy
    ├── LookAheadError              a strategy asked for a bar that has not closed yet
    ├── LineError                   an indicator line used in the wrong phase of a run
    ├── StrategyError               the user's strategy raised: names strategy, bar time and line
    ├── OrderStateError             the order machine met a (state, event) pair that is not in its table
    ├── PluginError                 a plugin cannot do its part
    │   ├── PluginLoadError         its module raised, or offers something that is not usable
    │   ├── PluginClashError        two plugins offer one name: names both providers
    │   └── UnknownComponentError   nobody offers that name: suggests the nearest, or what to install
    ├── MissingDependencyError      an optional package is needed: names it and how to install it
    ├── ResultError                 a result cannot be written or read
    ├── StorageError                a store, its file or its database cannot be used: names the place
    │   └── StateUnusableError      what is kept under a name is damaged, or of a newer version
    ├── VenueError                  a venue cannot be reached, or answers what makes no sense
    ├── DeliveryError               a notice did not reach people: says whether trying again can help
    ├── ControlError                a live run cannot be reached, or does not do what it was told
    │   ├── NotRunningError         no live run answers there: says what to do instead
    │   └── AccountInUseError       another live run trades the account: names process and journal
    └── JournalError                the journal of a run: names the file, the byte and the record
        ├── JournalLockedError      another process has it: names process, host and since when
        ├── JournalDamagedError     what is on the disk is not what was written
        ├── JournalVersionError     a newer version wrote it
        ├── JournalWriteError       a record could not be made durable; nothing more is taken
        ├── JournalSlowError        records wait too long for the disk; nothing is taken until they are safe
        └── RecordError             a record that cannot be read as what it says it is, or does not fit the others

A message says what happened, with which values, and what to do about it. No message ever carries a secret.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AccountInUseError",
    "CambistError",
    "ConfigError",
    "ControlError",
    "DataError",
    "DeliveryError",
    "InputError",
    "InstrumentError",
    "JournalDamagedError",
    "JournalError",
    "JournalLockedError",
    "JournalSlowError",
    "JournalVersionError",
    "JournalWriteError",
    "LineError",
    "LookAheadError",
    "MissingDependencyError",
    "NotRunningError",
    "OrderError",
    "OrderStateError",
    "ParameterError",
    "PluginClashError",
    "PluginError",
    "PluginLoadError",
    "RecordError",
    "ResultError",
    "StateUnusableError",
    "StorageError",
    "StrategyError",
    "StrategyFileError",
    "UnknownComponentError",
    "VenueError",
    "did_you_mean",
]


class CambistError(Exception):
    """Base of every error Cambist raises on purpose."""


class InputError(CambistError, ValueError):
    """Something the caller handed in cannot be used."""


class DataError(InputError):
    """Market data that must not reach a strategy."""


class InstrumentError(InputError):
    """An instrument's definition, or a price or size off its grid."""


class ParameterError(InputError):
    """A parameter that is unknown, of the wrong type or out of range."""


class OrderError(InputError):
    """An order request that could never be sent, such as one of negative size."""


class ConfigError(InputError):
    """A run file or a command-line option that cannot be used.

    Parameters
    ----------
    what
        What cannot be used, where it stands, and what to do.
    code
        A stable word for programs, where there is one: ``"unknown_symbol"``, ``"undecided"``; or ``""``.
    """

    def __init__(self, what: str = "", *, code: str = "") -> None:
        super().__init__(what)
        self.code = code


class StrategyFileError(InputError):
    """A file that does not import, or does not hold exactly the strategy asked for."""


class LookAheadError(CambistError, IndexError):
    """A strategy asked for a bar that has not closed yet."""


class LineError(CambistError, TypeError):
    """An indicator line used in the wrong phase of a run."""


class StrategyError(CambistError):
    """A strategy raised; the original exception is the ``__cause__``.

    Attributes
    ----------
    result
        What the run had done until then (a `cambist.Result`), or None before a run had begun.
    """

    result: Any = None


class OrderStateError(CambistError):
    """The order machine met a (state, event) pair that is not in its table."""


class PluginError(CambistError):
    """A plugin cannot do its part."""


class PluginLoadError(PluginError):
    """A plugin's module raised at import, or offers something that is not usable."""


class PluginClashError(PluginError):
    """Two plugins offer the same name."""


class UnknownComponentError(PluginError, InputError):
    """No plugin offers the name that was asked for."""


class MissingDependencyError(CambistError, ImportError):
    """An optional package is needed and not installed."""


class ResultError(CambistError):
    """A result cannot be written or read."""


class StorageError(CambistError):
    """A store cannot be opened, written or read, or what it holds is damaged."""


class StateUnusableError(StorageError):
    """What a store has under a name is not what was kept there, or was kept by a newer version.

    It is never returned. Whatever it was a copy of has to be made anew, and may be kept under the same name.
    """


class VenueError(CambistError):
    """A venue cannot be reached, refuses a question, or answers what makes no sense; see ``code`` for the venue's own.

    Parameters
    ----------
    what
        What happened, where, and what to do.
    code
        The venue's code, such as ``"-2015"``; ``""`` for none.
    retry_after
        ns after which the same may be asked again, where the venue is only busy; 0 where it is not.
    """

    def __init__(self, what: str, *, code: str = "", retry_after: int = 0) -> None:
        super().__init__(what)
        self.code, self.retry_after = code, retry_after


class DeliveryError(CambistError):
    """A channel did not take a notice.

    Parameters
    ----------
    what
        What happened, at which channel, and what to do; never an address or a header that holds a key.
    again
        Whether the same notice may be taken later.
    after
        Seconds to wait before that, where the channel says so.
    """

    def __init__(self, what: str, *, again: bool = True, after: float | None = None) -> None:
        super().__init__(what)
        self.again = again
        self.after = after


class ControlError(CambistError):
    """A live run cannot be reached, or does not do what it was told.

    Parameters
    ----------
    what
        What happened, and what to do.
    code
        Stable, for programs; see the reference of the control protocol.
    """

    def __init__(self, what: str, *, code: str = "failed") -> None:
        super().__init__(what)
        self.code = code


class NotRunningError(ControlError):
    """No live run answers there."""

    def __init__(self, what: str, *, code: str = "not_running") -> None:
        super().__init__(what, code=code)


class AccountInUseError(ControlError):
    """Another live run on this machine trades the account."""

    def __init__(self, what: str, *, code: str = "account_in_use") -> None:
        super().__init__(what, code=code)


class JournalError(CambistError):
    """The journal of a run cannot be used, or not for that.

    Parameters
    ----------
    what
        What happened; the place and the remedy are added to it.

    Attributes
    ----------
    code
        Stable, lower case with underscores, for programs: ``"torn_record"``.
    path
        File or folder, or ``""``.
    offset
        Of the first byte that is concerned, in the file as it was before compression; None where there is none.
    sequence
        Number of the record that is concerned, or of the first that is missing; None where there is none.
    remedy
        What to do about it.
    """

    def __init__(
        self,
        what: str,
        *,
        code: str,
        path: object = "",
        offset: int | None = None,
        sequence: int | None = None,
        remedy: str = "",
    ) -> None:
        self.code, self.path, self.offset, self.sequence, self.remedy = code, str(path), offset, sequence, remedy
        place = [f"byte {offset}"] if offset is not None else []
        place += [f"record {sequence}"] if sequence is not None else []
        where = f"{path}: " if path else ""
        at = f" ({', '.join(place)})" if place else ""
        super().__init__(f"{where}{what}{at}.{' ' if remedy else ''}{remedy}")


class JournalLockedError(JournalError):
    """Another process has the journal open for writing."""


class JournalDamagedError(JournalError):
    """What is on the disk is not what was written: a torn or altered record, a missing or foreign file."""


class JournalVersionError(JournalError):
    """A newer version wrote the journal, a record of it or a snapshot."""


class JournalWriteError(JournalError):
    """A record could not be made durable. The journal takes nothing more until it is opened again."""


class JournalSlowError(JournalError):
    """Records wait longer for the disk than is allowed. Nothing is taken until they are safe."""


class RecordError(JournalError):
    """A record that cannot be read as what it says it is, or that does not fit those before it."""


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'fast'?"`` when a known word is near, else the list of known words.

    The answer starts with a space, so that it can follow a sentence. What should have been a word may be anything.
    """
    names = sorted(map(str, known))
    near = get_close_matches(str(word), names, n=1, cutoff=0.6)
    if near:
        return f" Did you mean {near[0]!r}?"
    if names:
        return f" Known: {', '.join(names)}."
    return ""
