"""The timers by rule of a run: which rule stands behind a timer, and when it is due next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from cambist.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.model.calendar import Calendar
    from cambist.model.instrument import Instrument
    from cambist.strategies.schedules import Schedule

__all__ = ["Agenda"]


@attrs.frozen(eq=False)
class _Entry:
    rule: Schedule
    calendar: Calendar | None


class Agenda:
    """Keeps the rules; a driver holds one due time for each, like that of any other timer.

    Parameters
    ----------
    instruments
        Of the run.
    calendars
        Answers the calendar of an instrument, or None; asked when a rule goes by it, and not before.

    Attributes
    ----------
    started
        When the run began, ns, UTC.
    due
        When the timer that fired last was due, ns, UTC; 0 before the first.
    """

    def __init__(self, instruments: Sequence[Instrument], calendars: Callable[[Instrument], Calendar | None]) -> None:
        self._instruments = instruments
        self._calendars = calendars
        self._entries: dict[str, _Entry] = {}
        self.started = 0
        self.due = 0

    def add(self, timer: str, rule: Schedule, instrument: Instrument | None, now: int) -> int | None:
        """Put a rule behind a timer and return its first due time.

        That may be the very start of the run; of any later instant only what comes after it counts, or a timer that
        is set anew when it fires would fire again.

        Parameters
        ----------
        timer
            Its full name, which begins with the strategy's.
        instrument
            By whose calendar it goes; None for the one that all have.

        Raises
        ------
        InputError
            If the rule needs a calendar and there is none, or nobody knows which.
        """
        entry = _Entry(rule, self._calendar(timer, rule, instrument))
        self._entries[timer] = entry
        return self._next(entry, now - 1 if now == self.started else now)

    def forget(self, timer: str) -> None:
        """Take the rule from behind a timer, if there is one."""
        self._entries.pop(timer, None)

    def fired(self, timer: str, due: int, now: int) -> int | None:
        """Note that a timer fired, and return when it is due next: None for one that no rule stands behind."""
        self.due = due
        entry = self._entries.get(timer)
        return None if entry is None else self._next(entry, now)

    def _next(self, entry: _Entry, after: int) -> int | None:
        return entry.rule.next_due(after, entry.calendar, self.started)

    def _calendar(self, timer: str, rule: Schedule, instrument: Instrument | None) -> Calendar | None:
        if not rule.takes_calendar:
            return None
        asked = self._instruments if instrument is None else [instrument]
        found = {id(calendar): calendar for calendar in map(self._calendars, asked)}
        name = timer.partition("/")[2]
        if len(found) > 1:
            known = ", ".join(f"{one.symbol} {getattr(self._calendars(one), 'name', 'none')}" for one in asked)
            raise InputError(
                f"timer {name!r}: the instruments have several calendars ({known}). "
                "Say whose is meant: self.schedule(..., data='AAPL')."
            )
        calendar = next(iter(found.values()))
        if calendar is None and rule.needs_calendar:
            raise InputError(
                f"timer {name!r} goes by the sessions of a calendar, and {', '.join(one.symbol for one in asked)} has "
                "none. Give one: backtest(..., calendar='XNYS'), or Instrument(..., calendar='XNYS')."
            )
        return calendar
