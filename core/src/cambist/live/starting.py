"""What a run needs before it can begin: its instruments, and the bars that its lines need."""

from __future__ import annotations

import asyncio
import contextlib
from difflib import get_close_matches
from typing import TYPE_CHECKING

from cambist.engine.failures import strategy_error
from cambist.engine.resume import feed_history
from cambist.errors import ConfigError, VenueError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from cambist.engine.journaled import Journaling
    from cambist.live.setup import Prepared
    from cambist.model.effects import Effect
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe
    from cambist.ports.venue import VenueSession

__all__ = ["in_time", "resolve", "start", "warm_up"]


@contextlib.asynccontextmanager
async def in_time(venue: str, what: str, seconds: float) -> AsyncIterator[asyncio.Timeout]:
    """Give up on a venue with which a run does not get ready in time.

    Raises
    ------
    VenueError
        It took longer, unless the limit was rescheduled.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield limit
    except TimeoutError:
        if not limit.expired():
            raise
        raise VenueError(
            f"{venue} has not {what} within {seconds:g} s (ready_within). Look at the connection, or give it more "
            "time.",
            code="not_ready",
        ) from None


def resolve(session: VenueSession, named: Sequence[tuple[str, Timeframe]]) -> list[tuple[Instrument, Timeframe]]:
    """Return the instruments of series as the venue has them today.

    Raises
    ------
    ConfigError
        If it does not trade one of them.
    """
    known = {one.symbol: one for one in session.instruments()}
    for symbol, _ in named:
        if symbol not in known:
            raise ConfigError(
                f"{session.name} does not trade {symbol!r}: it never did, or not at the moment.{_near(symbol, known)}",
                code="unknown_symbol",
            )
    return [(known[symbol], timeframe) for symbol, timeframe in named]


def _near(symbol: str, known: Iterable[str]) -> str:
    """Return what was probably meant: the same symbol in other words, else what has the same first letters."""
    plain = {"".join(filter(str.isalnum, one)).upper(): one for one in known}
    same = plain.get("".join(filter(str.isalnum, symbol)).upper())
    if same is not None:
        return f" Did you mean {same!r}?"
    near = get_close_matches(symbol, plain.values(), n=3) or sorted(
        one for one in plain.values() if one[:3] == symbol[:3]
    )
    return f" There are {', '.join(near[:5])}." if near else ""


def start(prepared: Prepared, ts: int) -> list[Effect]:
    """Start the kernel, or let it go on; return what it wants done.

    Raises
    ------
    StrategyError
        If a strategy raises.
    """
    try:
        return prepared.start(ts)
    except Exception as error:
        explained = strategy_error(error, prepared.kernel)
        if explained is None:
            raise
        raise explained from error


async def warm_up(
    session: VenueSession, kernel: Journaling, series: Sequence[tuple[Instrument, Timeframe]], now: int
) -> dict[int, int]:
    """Let the lines take the bars that they need; return the open time of the last one, by the number of its series.

    Raises
    ------
    VenueError
        If the venue does not have them.
    """
    last: dict[int, int] = {}
    for number, (instrument, timeframe) in enumerate(series):
        needed = max(seat.warm_after[number] for seat in kernel.seats)
        if needed:
            end = now // timeframe.ns * timeframe.ns
            for bar in await session.history(instrument, timeframe, end - needed * timeframe.ns, end):
                feed_history(kernel, number, bar)
                last[number] = bar.ts
    return last
