"""By which calendar each instrument of a run trades."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cambist.data.calendars import load_calendar
from cambist.errors import ParameterError, did_you_mean
from cambist.model.calendar import Calendar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.backtest.feeds import Feed
    from cambist.model.instrument import Instrument

    Given = str | Calendar | Mapping[str, str | Calendar] | None

__all__ = ["Calendars"]


class Calendars:
    """Answers the calendar of an instrument: the one given for the run, else the one that the instrument names.

    What an instrument names is loaded when it is asked for; a run without timers need not have it.

    Parameters
    ----------
    given
        For all instruments, or by symbol; None leaves it to the instruments.
    feeds
        The bars that the calendars must cover.

    Raises
    ------
    ParameterError
        If `given` names a symbol that the run does not have.
    InputError
        If a calendar that is given is not known, or does not cover the bars; names both ranges.
    """

    def __init__(self, given: Given, feeds: Sequence[Feed]) -> None:
        symbols = list(dict.fromkeys(feed.instrument.symbol for feed in feeds))
        chosen = dict(given) if isinstance(given, Mapping) else dict.fromkeys(symbols, given)
        for symbol in chosen:
            if symbol not in symbols:
                raise ParameterError(f"calendar is given for {symbol!r}.{did_you_mean(str(symbol), symbols)}")
        self._feeds = feeds
        self._known = {symbol: _loaded(one) for symbol, one in chosen.items() if one is not None}
        self.require_coverage()

    def __call__(self, instrument: Instrument) -> Calendar | None:
        """Return the calendar of an instrument of the run; None where neither it nor the run names one."""
        if instrument.symbol not in self._known and instrument.calendar:
            self._known[instrument.symbol] = load_calendar(instrument.calendar)
            self.require_coverage()
        return self._known.get(instrument.symbol)

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


def _loaded(calendar: str | Calendar) -> Calendar:
    return calendar if isinstance(calendar, Calendar) else load_calendar(calendar)
