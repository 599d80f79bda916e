"""By which calendar each instrument of a run trades: the one given for the run, else the one that it names itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cambist.data.calendars import load_calendar
from cambist.errors import ParameterError, did_you_mean
from cambist.model.calendar import Calendar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cambist.model.instrument import Instrument

    Given = str | Calendar | Mapping[str, str | Calendar] | None

__all__ = ["GivenCalendars", "check_calendar"]


class GivenCalendars:
    """Answers the calendar of an instrument.

    What an instrument names is loaded when it is asked for; a run without timers need not have it.

    Parameters
    ----------
    given
        For all instruments, or by symbol; None leaves it to the instruments.
    symbols
        Of the run.

    Raises
    ------
    ParameterError
        If `given` names a symbol that the run does not have.
    InputError
        If a calendar that is given is not known.
    """

    def __init__(self, given: Given, symbols: Iterable[str]) -> None:
        names = list(dict.fromkeys(symbols))
        chosen = dict(given) if isinstance(given, Mapping) else dict.fromkeys(names, given)
        for symbol in chosen:
            if symbol not in names:
                raise ParameterError(f"calendar is given for {symbol!r}.{did_you_mean(str(symbol), names)}")
        self._known = {symbol: _loaded(one) for symbol, one in chosen.items() if one is not None}

    def __call__(self, instrument: Instrument) -> Calendar | None:
        """Return the calendar of an instrument of the run; None where neither it nor the run names one.

        Raises
        ------
        InputError
            If the calendar that the instrument names is not known.
        """
        symbol = instrument.symbol
        if symbol not in self._known and instrument.calendar:
            self._known[symbol] = load_calendar(instrument.calendar)
        return self._known.get(symbol)


def check_calendar(given: Any) -> None:
    """See that something can be a calendar, or calendars by symbol.

    Raises
    ------
    ParameterError
        If not.
    """
    for one in given.values() if isinstance(given, Mapping) else [given]:
        if one is not None and not isinstance(one, str | Calendar):
            raise ParameterError(f"calendar is {one!r}; give a name such as 'XNYS', a Calendar, or a dict by symbol.")


def _loaded(calendar: str | Calendar) -> Calendar:
    return calendar if isinstance(calendar, Calendar) else load_calendar(calendar)
