"""Bars made of bars of the same length: Heikin-Ashi candles, those of sessions alone, and what lacks in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cambist.errors import DataError
from cambist.model.bars import COLUMNS, Bars

if TYPE_CHECKING:
    from cambist.model.calendar import Calendar

__all__ = ["fill_sessions", "filter_sessions", "heikin_ashi"]


def heikin_ashi(bars: Bars) -> Bars:
    """Return Heikin-Ashi candles: for looking and for indicators, since nobody can trade at their prices.

    Close ``(open + high + low + close) / 4``; open, the middle of open and close of the candle before, of the first
    that of its bar; high and low, those of the bar, open and close of the candle included. Volume stays.

    Notes
    -----
    Valcu, *Using the Heikin-Ashi Technique*, Technical Analysis of Stocks & Commodities 22:2, 2004.
    """
    close = (bars.open + bars.high + bars.low + bars.close) / 4.0
    opens = [(float(bars.open[0]) + float(bars.close[0])) / 2.0]
    for before in close[:-1].tolist():
        opens.append((opens[-1] + before) / 2.0)
    open_ = np.array(opens)
    high, low = np.maximum(bars.high, np.maximum(open_, close)), np.minimum(bars.low, np.minimum(open_, close))
    return Bars(bars.instrument, bars.timeframe, bars.ts, open_, high, low, close, bars.volume)


def filter_sessions(bars: Bars, calendar: Calendar) -> Bars:
    """Return the bars that open while the market trades: not before or after its sessions, and not in a break.

    Raises
    ------
    InputError
        If the calendar does not know the time of the bars.
    DataError
        If no bar is left.
    """
    inside = calendar.open_at(bars.ts)
    if not inside.any():
        raise DataError(f"{bars.name}: no bar opens while {calendar.name} trades. Is that its calendar, and its zone?")
    columns = (column[inside] for column in bars.columns.values())
    return Bars(bars.instrument, bars.timeframe, bars.ts[inside], *columns)


def fill_sessions(bars: Bars, calendar: Calendar, *, volume: float = 0.0) -> Bars:
    """Return the bars, and one for each that lacks in a session, flat at the close before it.

    They are those that would open while the market trades, each a timeframe after the open, or the end of the break,
    from the first bar to the last. What is there stays, also outside the sessions.

    Parameters
    ----------
    volume
        Of the bars that are added.

    Raises
    ------
    InputError
        If the calendar does not know the time of the bars.
    DataError
        If bars of the sessions begin at other times, so that those that are added would overlap them.
    """
    calendar.require(int(bars.ts[0]), int(bars.ts[-1]), f"the bars of {bars.name}")
    begins = np.column_stack([calendar.opens, calendar.break_ends]).ravel()
    finishes = np.column_stack([calendar.break_starts, calendar.closes]).ravel()
    near = (finishes > bars.ts[0]) & (begins <= bars.ts[-1]) & (finishes > begins)
    length = bars.timeframe.ns
    parts = [np.arange(begin, finish, length) for begin, finish in zip(begins[near], finishes[near], strict=True)]
    wanted = np.concatenate([*parts, np.empty(0, np.int64)]).astype(np.int64)
    wanted = wanted[(wanted > bars.ts[0]) & (wanted < bars.ts[-1])]
    missing = np.setdiff1d(wanted, bars.ts, assume_unique=True)
    if not len(missing):
        return bars
    ts = np.concatenate([bars.ts, missing])
    held = bars.close[np.searchsorted(bars.ts, missing) - 1]
    added = dict.fromkeys(COLUMNS[:4], held) | {"volume": np.full(len(missing), volume)}
    order = np.argsort(ts, kind="stable")
    columns = (np.concatenate([getattr(bars, name), added[name]])[order] for name in COLUMNS)
    try:
        return Bars(bars.instrument, bars.timeframe, ts[order], *columns)
    except DataError as error:
        raise DataError(f"{error} Bars that lack were added to the sessions of {calendar.name}.") from error
