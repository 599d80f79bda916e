"""What a run does while the private stream is away, and before it takes new risk once it is back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from cambist.errors import VenueError
from cambist.live.holds import CLOCK, CONNECTION
from cambist.live.roll_call import call_roll
from cambist.model.trading_state import TradingState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cambist.live.dispatch import Dispatcher
    from cambist.live.engine import LiveEngine
    from cambist.live.holds import OwnHolds
    from cambist.live.truth import Truth
    from cambist.model.instrument import Instrument
    from cambist.ports.venue import StreamReport

__all__ = ["Reconnection"]

_SECOND: Final = 1_000_000_000
#: How far before the loss of the stream executions are looked for: clocks differ, and what was on its way is lost too.
_OVERLAP: Final = 120 * _SECOND
_AGAIN_AFTER: Final = 1.0


async def _nothing_more() -> None:
    pass


class Reconnection:
    """Holds new risk while the private stream is away, and until what it missed was fetched.

    Parameters
    ----------
    truth, engine, dispatcher, holds, instruments, clock
        Of the run.
    alarm
        Told of what a person should know.
    group
        In which the gap is fetched.

    Attributes
    ----------
    also
        What has to be in step again besides orders and executions.
    """

    def __init__(
        self,
        truth: Truth,
        engine: LiveEngine,
        dispatcher: Dispatcher,
        holds: OwnHolds,
        instruments: Sequence[Instrument],
        clock: Callable[[], int],
        alarm: Callable[[str, str], None],
        group: asyncio.TaskGroup,
    ) -> None:
        self._truth, self._engine, self._dispatcher, self._holds = truth, engine, dispatcher, holds
        self._instruments, self._clock, self._alarm, self._group = instruments, clock, alarm, group
        self._lost_at = 0
        self.also: Callable[[], Awaitable[None]] = _nothing_more
        self._filling: asyncio.Task[None] | None = None

    def reported(self, report: StreamReport) -> None:
        """Take how the private stream, or this machine's clock, does."""
        if report.stream == "clock":
            self._clock_reported(report)
        elif report.state == "up":
            self.close()
            self._filling = self._group.create_task(self._fill(report.text), name="gap of the private stream")
        else:
            self.close()
            self._lost_at = self._lost_at or self._clock()
            what = f"the private stream of {self._truth.name} is {report.state}: {report.text}"
            self._alarm("stream_down", what)
            self._holds.hold(CONNECTION, TradingState.REDUCING, report.text)

    def close(self) -> None:
        """Fetch no more."""
        if self._filling is not None:
            self._filling.cancel()
            self._filling = None

    def _clock_reported(self, report: StreamReport) -> None:
        if report.state == "up":
            self._holds.lift(CLOCK, report.text)
            self._alarm("clock_right", f"the clock is right again: {report.text}")
        else:
            what = f"{report.text} Nothing signed is sent to {self._truth.name} until it is right."
            self._alarm("clock_skew", what)
            self._holds.hold(CLOCK, TradingState.REDUCING, report.text)

    async def _fill(self, text: str) -> None:
        """Fetch what the stream missed; only then may new orders leave."""
        since = (self._lost_at or self._clock()) - _OVERLAP
        await call_roll(self._truth.session, self._engine, self._dispatcher)
        for instrument in self._instruments:
            await self._executions(instrument.symbol, since)
        while True:
            await self._dispatcher.idle()
            if not self._engine.waiting and not self._engine.orders.unsettled:
                break
            await asyncio.sleep(0.02)
        await self.also()
        lost, self._lost_at = self._lost_at, 0
        self._holds.lift(CONNECTION, text)
        if lost:
            self._alarm("stream_up", f"the private stream of {self._truth.name} is back, and nothing is missing")

    async def _executions(self, symbol: str, since: int) -> None:
        """Take the executions of an instrument, of whichever order; ask until there is an answer."""
        told = False
        while True:
            try:
                fills = await self._truth.fills(symbol, since)
            except VenueError as error:
                if not told:
                    told = True
                    self._alarm(
                        "gap_not_filled",
                        f"the executions of {symbol} since the private stream was lost cannot be fetched: {error}. "
                        "They are asked for again; until then nothing new is risked.",
                    )
                await asyncio.sleep(_AGAIN_AFTER)
                continue
            orders = self._engine.orders
            for fill in fills:
                # An order is done with once all its executions are here; not every venue says whose others are.
                if orders.concerns(fill):
                    orders.evidence.executed(fill, self._clock())
            return
