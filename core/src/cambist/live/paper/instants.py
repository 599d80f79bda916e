"""Bars that close together: orders meet all of them before a run is shown the first, as in a backtest."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cambist.ports.venue import BarReport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

__all__ = ["together"]


async def together(
    stream: AsyncIterator[Any], series: Collection[tuple[str, int]], patience: float
) -> AsyncIterator[list[Any]]:
    """Iterate over what a stream says, final bars of one instant in one list, everything else by itself.

    Parameters
    ----------
    series
        Symbol and length (ns) of those whose bars are waited for, where others have closed at the same time; with one
        of them nothing is.
    patience
        How long, seconds, after the last of an instant that has come.
    """
    held: list[BarReport] = []
    coming: asyncio.Future[Any] | None = None
    try:
        while True:
            # Never before what came last was taken: what comes next may hang on it.
            coming = coming or asyncio.ensure_future(anext(stream))
            await asyncio.wait({coming}, timeout=patience if held else None)
            if not coming.done():
                yield held
                held = []
                continue
            try:
                one = coming.result()
            except StopAsyncIteration:
                if held:
                    yield held
                return
            coming = None
            if held and isinstance(one, BarReport) and one.bar.ts >= _close(held[0]):
                yield held  # a bar behind them has begun
                held = []
            if not (isinstance(one, BarReport) and one.final) or not (
                _close(one) == _close(held[0]) if held else (one.instrument.symbol, one.timeframe.ns) in series
            ):
                yield [one]
                continue
            held.append(one)
            if {symbol for symbol, length in series if _close(one) % length == 0} <= {
                bar.instrument.symbol for bar in held if (bar.instrument.symbol, bar.timeframe.ns) in series
            }:
                yield held
                held = []
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


def _close(report: BarReport) -> int:
    return report.bar.ts + report.timeframe.ns
