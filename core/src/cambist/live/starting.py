"""What a run needs before it can begin: its instruments, and the bars that its lines need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.engine.failures import strategy_error
from cambist.engine.resume import feed_history
from cambist.errors import ConfigError, StrategyError
from cambist.model.times import format_ns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.engine.journaled import Journaling
    from cambist.live.setup import Prepared
    from cambist.model.effects import Effect
    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe
    from cambist.ports.venue import VenueSession

__all__ = ["resolve", "start", "warm_up"]


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
            near = ", ".join(sorted(one for one in known if one[:3] == symbol[:3])[:5])
            raise ConfigError(f"{session.name} does not trade {symbol!r}.{f' There are {near}.' if near else ''}")
    return [(known[symbol], timeframe) for symbol, timeframe in named]


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
        if explained is None or isinstance(error, StrategyError):
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
    StrategyError
        If a strategy, or one of its indicators, raises.
    """
    last: dict[int, int] = {}
    for number, (instrument, timeframe) in enumerate(series):
        needed = max(seat.warm_after[number] for seat in kernel.seats)
        if needed:
            end = now // timeframe.ns * timeframe.ns
            for bar in await session.history(instrument, timeframe, end - needed * timeframe.ns, end):
                try:
                    feed_history(kernel, number, bar)
                except StrategyError:
                    raise
                except Exception as error:
                    raise strategy_error(error, kernel) or StrategyError(
                        f"an indicator raised {type(error).__name__} at the bar of {format_ns(bar.ts)} that "
                        f"{instrument.symbol} was warmed up with: {error}"
                    ) from error
                last[number] = bar.ts
    return last
