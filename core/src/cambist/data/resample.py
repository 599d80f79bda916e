"""Bars made of faster bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cambist.data.blocks import BLOCK_ROWS, check_size
from cambist.errors import DataError, InputError, ParameterError, did_you_mean
from cambist.model.bars import COLUMNS, Bars
from cambist.model.periods import describe_straddling, read_periods
from cambist.model.slower_bars import SlowerBars

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta, tzinfo

    from cambist.model.calendar import Calendar
    from cambist.model.instrument import Instrument
    from cambist.model.periods import Periods
    from cambist.model.slower_bars import Complete
    from cambist.model.timeframe import Timeframe
    from cambist.ports.history import HistorySource

__all__ = ["ResampledBars", "resample"]

_EDGES = ("keep", "drop")


def resample(
    bars: Bars | Any,
    timeframe: str | Timeframe,
    *,
    tz: str | tzinfo | None = None,
    calendar: Calendar | None = None,
    offset: int | str | timedelta = 0,
    incomplete: str = "keep",
) -> Bars:
    """Return slower bars, made of faster ones, as ``DataFrame.resample`` does with left edges and labels.

    Parameters
    ----------
    bars
        `Bars`, or what `load` takes: a DataFrame, a file.
    timeframe
        A whole multiple of that of the bars: ``"15m"``, ``"4h"``, ``"1d"``, ``"1w"`` (from Monday), calendar months and
        years (``"1M"``, ``"3M"``, ``"1y"``), and, with a calendar, ``"session"``.
    tz
        Time zone by whose midnight days, weeks, months, and shorter periods within a day, begin; the last period of a
        day may be shorter where clocks change. Default: UTC, in which periods count on from 1970-01-01.
    calendar
        By whose sessions bars are made instead: shorter periods begin at the open and after the break and end where the
        market stops, a day is a session, a week or month is all sessions with a date in it. Bars outside the sessions
        are in no slower bar.
    offset
        By how much later periods begin: ``"30m"``, or ``"-7h"`` with ``tz="America/New_York"`` for days from 17:00.
    incomplete
        What becomes of the first bar where its period had begun before the bars did, and of the last where the bars
        stop before its period does: ``"keep"`` or ``"drop"``.

    Returns
    -------
    Bars
        With the open times of their periods, ``[open, close)``. A period without bars has none.

    Raises
    ------
    InputError
        For a timeframe that is none, or no multiple.
    DataError
        If a bar goes beyond the end of its period, or nothing is left.
    ParameterError
        For options that do not go together.
    """
    if not isinstance(bars, Bars):
        from cambist.data.load import load

        bars = load(bars)
    _require_choice(incomplete)
    periods = periods_for(bars.timeframe, timeframe, tz=tz, calendar=calendar, offset=offset)
    maker = SlowerBars(periods, bars.timeframe.ns, keep_first=incomplete == "keep")
    if calendar is None:
        _refuse_straddling(bars, periods)
    made = maker.take(bars)
    if incomplete == "keep":
        made = _with_last(made, maker)
    return _as_bars(made, bars.instrument, periods)


def _require_choice(incomplete: str) -> None:
    if incomplete not in _EDGES:
        raise ParameterError(f"incomplete is {incomplete!r}.{did_you_mean(str(incomplete), _EDGES)}")


def periods_for(fast: Timeframe, timeframe: str | Timeframe, **options: Any) -> Periods:
    """Return the periods of a timeframe; see `cambist.model.periods.read_periods`.

    Raises
    ------
    InputError
        If the timeframe is no multiple of the faster one.
    """
    periods = read_periods(timeframe, **options)
    fast.require_multiple(periods.timeframe)
    return periods


def _refuse_straddling(bars: Bars, periods: Periods) -> None:
    """Refuse a bar that goes beyond its period, whose slower bar would be known too early."""
    if periods.is_even:
        # Every bar lies like the first, as long as none is off its own grid; a remainder tells.
        late = (bars.ts - periods.starts(bars.ts[:1], 1)) % periods.timeframe.ns + bars.timeframe.ns
        over = late > periods.timeframe.ns
    else:
        over = bars.close_times > periods.ends(periods.starts(bars.ts, 1))
    if over.any():
        row = int(over.argmax())
        end = int(periods.ends(periods.starts(bars.ts[row : row + 1], 1))[0])
        raise DataError(describe_straddling(bars.name, int(bars.ts[row]), end))


def _with_last(made: Complete, maker: SlowerBars) -> Complete:
    """Return the bars, and that which is not complete."""
    if maker.growing is None or not maker.counts:
        return made
    columns = [np.append(column, value) for column, value in zip(made.columns, maker.growing, strict=True)]
    return made._replace(ts=np.append(made.ts, maker.start), columns=columns)


def _as_bars(made: Complete, instrument: Instrument, periods: Periods) -> Bars:
    if not len(made.ts):
        raise DataError(
            f"{instrument.symbol}: no bar of {periods.timeframe} is complete. Give more bars, or incomplete='keep'."
        )
    return Bars(instrument, periods.timeframe, made.ts, **dict(zip(COLUMNS, made.columns, strict=True)))


@attrs.frozen(eq=False)
class ResampledBars:
    """A `HistorySource` of slower bars, made block by block: for a source that is longer than memory.

    Attributes
    ----------
    source
        Of the faster bars, such as what `open_source` returns.
    timeframe
        Of the slower ones.
    options
        `tz`, `calendar`, `offset` and `incomplete` of `resample`.
    """

    source: HistorySource
    timeframe: str | Timeframe
    options: dict[str, Any] = attrs.field(factory=dict)

    @property
    def name(self) -> str:
        """What they are made of, and the timeframe."""
        return f"{self.source.name} in bars of {self.timeframe}"

    def load(self) -> Bars:
        """Return every bar.

        Raises
        ------
        DataError
            As `resample`, and if the source cannot be read.
        """
        return Bars.joined(list(self.blocks()))

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[Bars]:
        """Yield the bars in pieces of at most `size`; memory does not grow with the source.

        Raises
        ------
        DataError
            As `load`.
        """
        check_size(size)
        options = dict(self.options)
        incomplete = options.pop("incomplete", "keep")
        _require_choice(incomplete)
        maker: SlowerBars | None = None
        some = False
        for block in self.source.blocks():
            if maker is None:
                periods, instrument = periods_for(block.timeframe, self.timeframe, **options), block.instrument
                maker = SlowerBars(periods, block.timeframe.ns, keep_first=incomplete == "keep")
            if options.get("calendar") is None:
                _refuse_straddling(block, periods)
            made = maker.take(block)
            if len(made.ts):
                some = True
                yield from _as_bars(made, instrument, periods).blocks(size)
        if maker is None:
            raise InputError(f"{self.name}: the source has no bars.")
        if (incomplete == "keep" and maker.counts) or not some:
            nothing = maker.take_nothing()
            yield _as_bars(_with_last(nothing, maker) if incomplete == "keep" else nothing, instrument, periods)
