"""Feeds the lines of a run the bars of before it, from the very bar that they began with where history reaches it.

Recursive indicators depend on their first bar for ever: only lines that begin with the same bar have the same values
after a restart. So the first bar of each series is journalled, and a run that goes on feeds its lines from there.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import attrs

from cambist.engine.failures import strategy_error
from cambist.engine.resume import feed_history
from cambist.errors import StrategyError, VenueError
from cambist.model.times import format_ns, to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cambist.engine.journaled import Journaling
    from cambist.live.subscriptions import Listening
    from cambist.live.truth import Truth
    from cambist.model.bars import Bar
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe

__all__ = ["warm_up"]

#: How many series are asked for at the same time.
_AT_ONCE: Final = 4
#: How many bars ahead of this machine's clock are asked for: the market of a simulated exchange may be that far.
_AHEAD: Final = 500


@attrs.frozen
class _Wanted:
    """What a series begins with.

    Attributes
    ----------
    start
        Open time of the first bar to ask for, ns; None where nothing is needed.
    anchor
        With which bar it began, ns; None of one that begins now.
    """

    instrument: Instrument
    timeframe: Timeframe
    start: int | None
    anchor: int | None


async def warm_up(
    truth: Truth,
    kernel: Journaling,
    listening: Listening,
    anchors: Mapping[str, int],
    now: int,
    most: int,
    alarm: Callable[[str, str], None],
) -> list[Sequence[Bar]]:
    """Let the lines take the bars that they need; return, for each series, those that they took.

    Parameters
    ----------
    anchors
        The first bar of each series of the run that goes on, by symbol and timeframe.
    now
        The engine's time, ns.
    most
        How many bars may be asked for, in all, to get back to them.
    alarm
        Told where a series begins anew.

    Raises
    ------
    VenueError
        If the venue does not have what is needed.
    StrategyError
        If a strategy, or one of its indicators, raises.
    """
    share = most // max(1, len(listening.bars))
    wanted = [
        _wanted(instrument, timeframe, max(seat.cursors[number].needed for seat in kernel.seats), anchors, now, share)
        for number, (instrument, timeframe) in enumerate(listening.bars)
    ]
    limit = asyncio.Semaphore(_AT_ONCE)

    async def fetch(one: _Wanted) -> Sequence[Bar]:
        async with limit:
            return await _history(truth, one, now)

    fetched = await asyncio.gather(*(fetch(one) for one in wanted))
    for number, (one, bars) in enumerate(zip(wanted, fetched, strict=True)):
        if bars and bars[0].ts != one.anchor:
            kernel.recorder.anchored(now, number, bars[0].ts)
        if one.anchor is not None and (not bars or bars[0].ts != one.anchor):
            begins = f"the bar of {to_datetime(bars[0].ts):%Y-%m-%d %H:%M}" if bars else "the next bar"
            alarm(
                "reanchored",
                f"{one.instrument.symbol} {one.timeframe} began with the bar of "
                f"{to_datetime(one.anchor):%Y-%m-%d %H:%M}, which history does not reach, or only beyond anchor_bars. "
                f"It begins with {begins} now; indicators that remember all of the past differ a little.",
            )
        for bar in bars:
            _feed(kernel, number, bar)
    return list(fetched)


def _feed(kernel: Journaling, number: int, bar: Bar) -> None:
    try:
        feed_history(kernel, number, bar)
    except StrategyError:
        raise
    except Exception as error:
        instrument, _ = kernel.series[number]
        raise strategy_error(error, kernel) or StrategyError(
            f"an indicator raised {type(error).__name__} at the bar of {format_ns(bar.ts)} that {instrument.symbol} "
            f"was warmed up with: {error}"
        ) from error


def _wanted(
    instrument: Instrument, timeframe: Timeframe, needed: int, anchors: Mapping[str, int], now: int, most: int
) -> _Wanted:
    end, length = now // timeframe.ns * timeframe.ns, timeframe.ns
    anchor = anchors.get(f"{instrument.symbol} {timeframe}")
    if anchor is None:
        return _Wanted(instrument, timeframe, end - needed * length if needed else None, None)
    if (end - anchor) // length <= max(needed, most):
        return _Wanted(instrument, timeframe, anchor, anchor)
    # Half of what is allowed, so that the next starts reach the new one.
    return _Wanted(instrument, timeframe, end - max(needed, most // 2) * length, anchor)


async def _history(truth: Truth, one: _Wanted, now: int) -> Sequence[Bar]:
    """Fetch what a series begins with. A venue returns final bars alone: the end may be ahead of what is over."""
    length = one.timeframe.ns
    if one.start is None:
        return ()
    try:
        return list(await truth.history(one.instrument, one.timeframe, one.start, (now // length + _AHEAD) * length))
    except VenueError as error:
        if one.anchor is not None and error.code == "no_bars":
            return ()
        raise
