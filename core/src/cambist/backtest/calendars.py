"""By which calendar each instrument of a run trades."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.data.given_calendars import GivenCalendars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.backtest.feeds import Feed
    from cambist.data.given_calendars import Given
    from cambist.model.calendar import Calendar
    from cambist.model.instrument import Instrument

__all__ = ["Calendars"]


class Calendars(GivenCalendars):
    """`GivenCalendars` that know all of a run's bars.

    Parameters
    ----------
    given
        See there.
    feeds
        The bars that the calendars must cover.

    Raises
    ------
    ParameterError
        See there.
    InputError
        If a calendar that is given is not known, or does not cover the bars; names both ranges.
    """

    def __init__(self, given: Given, feeds: Sequence[Feed]) -> None:
        super().__init__(given, (feed.instrument.symbol for feed in feeds))
        self._feeds = feeds
        self.require_coverage()

    def __call__(self, instrument: Instrument) -> Calendar | None:
        """Return the calendar of an instrument of the run; None where neither it nor the run names one."""
        is_new = instrument.symbol not in self._known
        calendar = super().__call__(instrument)
        if is_new and calendar is not None:
            self.require_coverage()
        return calendar

    def require_coverage(self) -> None:
        """Refuse a calendar in use that does not know all of the bars that were read so far.

        A bar that only begins before the calendar does, or ends after it, is no fault: daily bars are those of UTC.
        """
        for feed in self._feeds if self._known else ():
            calendar = self._known.get(feed.instrument.symbol)
            if calendar is not None:
                first, last = int(feed.closes[0]), int(feed.block.ts[-1])
                calendar.require(
                    min(first, last),
                    max(first, last),
                    f"the {getattr(feed, 'kind', 'bars')} of {feed.instrument.symbol}",
                )
