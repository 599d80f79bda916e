"""What tests of live venues share: an open session at work, and what a subclass says of its venue."""

from __future__ import annotations

import asyncio
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from cambist.model.market import Quote
from cambist.model.orders import Order, OrderType, Side, TimeInForce
from cambist.model.reports import OrderReport, ReportedStatus
from cambist.ports.venue import Answered, OrderKey, OrderRequest, StreamReport, Subscription
from cambist.testing.conformance import Suite
from cambist.testing.listening import Listener

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cambist.model.instrument import Instrument
    from cambist.model.reports import AccountReport
    from cambist.ports.venue import VenueSession

__all__ = ["SPOILS", "Desk", "VenueTests", "is_order", "is_up", "total_of"]

#: Ways in which a request can end without a usable answer: `VenueTests.spoil` is asked for them.
SPOILS = ("timeout", "cut", "server_error", "garbled")


class Desk:
    """A session at work in a test: what it trades, and what its private stream has said."""

    def __init__(self, session: VenueSession, instrument: Instrument, size: float) -> None:
        self.session, self.instrument, self.size = session, instrument, size
        self.heard = Listener(session.private())
        self._number = 0

    async def quote(self) -> Quote:
        """Return best bid and ask."""
        async for one in self.session.market([Subscription(self.instrument, "quotes")]):
            if isinstance(one, Quote):
                return one
        raise AssertionError("the quotes ended before the first")

    def request(self, client_id: str, side: Side, kind: OrderType = OrderType.LIMIT, **terms: Any) -> OrderRequest:
        """Make an order."""
        self._number += 1
        instrument = self.instrument
        limit = instrument.round_price(terms.pop("limit", math.nan)) if "limit" in terms else math.nan
        stop = instrument.round_price(terms.pop("stop", math.nan)) if "stop" in terms else math.nan
        size = instrument.round_size(terms.pop("size", self.size))
        order = Order(
            self._number, instrument, side, kind, size, limit, stop, TimeInForce.GTC, 0, False, "test", "", 0, **terms
        )
        return OrderRequest(
            order=order,
            client_id=client_id,
            type=kind,
            size=instrument.size_to_decimal(size),
            limit_price=None if math.isnan(limit) else instrument.price_to_decimal(limit),
            stop_price=None if math.isnan(stop) else instrument.price_to_decimal(stop),
        )

    def key(self, client_id: str) -> OrderKey:
        """Name an order by our id alone."""
        return OrderKey(self.instrument.symbol, client_id)

    async def rest(self, client_id: str, share: float = 0.97, size: float | None = None) -> OrderRequest:
        """Place a buy order that does not trade: at a share of the best bid."""
        request = self.request(client_id, Side.BUY, limit=(await self.quote()).bid * share, size=size or self.size)
        outcome = await self.session.submit(request)
        assert isinstance(outcome, Answered), outcome
        return request

    async def stands(self, client_id: str) -> OrderReport:
        """Return how an order stands that is there."""
        outcome = await self.session.find_order(self.key(client_id))
        assert isinstance(outcome, Answered), outcome
        assert outcome.report is not None, f"the venue does not find {client_id}"
        return outcome.report


class VenueTests(Suite):
    """What a subclass says of its venue.

    Attributes
    ----------
    symbol, size
        What is traded, and how much: enough to be taken, and little enough to be paid for many times.
    within
        How long streams may take to tell of something, seconds.
    trades
        Whether the session has an account; one without has market data alone.
    secret
        That must never show; ``""`` where there is none.
    """

    symbol: ClassVar[str] = "BTC/USDT"
    size: ClassVar[float] = 0.01
    within: ClassVar[float] = 15.0
    trades: ClassVar[bool] = True
    secret: str = ""

    # What a subclass gives.

    def make_session(self) -> VenueSession:
        """Make a session of one account, not yet open; called more than once in some tests."""
        raise NotImplementedError("give make_session: it returns a session that is not yet open")

    def spoil(self, how: str, *, arrived: bool) -> None:
        """Let the next order that is sent end without a usable answer, or with "too many" (``"rate_limit"``).

        Parameters
        ----------
        how
            One of `SPOILS`, or ``"rate_limit"``.
        arrived
            Whether the venue takes the order all the same.
        """
        pytest.skip(f"nothing here makes this venue fail by {how}, arrived: {arrived}")

    def cut_private(self) -> None:
        """Cut the connection that the account's events come by."""
        pytest.skip("nothing here cuts this venue's private stream")

    # How the tests run.

    def at_work(self, test: Callable[[Desk], Awaitable[None]]) -> None:
        """Run a test with an open session; see that nothing is left of it."""

        async def run() -> None:
            before = asyncio.all_tasks()
            session = self.make_session()
            await session.open()
            try:
                found = {one.symbol: one for one in session.instruments()}
                assert self.symbol in found, f"{session.name} trades no {self.symbol}"
                desk = Desk(session, found[self.symbol], self.size)
                async with desk.heard:
                    if self.trades:
                        await desk.heard.wait(is_up, self.within)
                    await asyncio.wait_for(test(desk), 6 * self.within)
                    await session.close()
                    await asyncio.wait_for(desk.heard.ended(), self.within)
            finally:
                await session.close()
            await asyncio.sleep(0.01)
            left = {task.get_name() for task in asyncio.all_tasks() - before - {asyncio.current_task()}}
            assert not left, f"left running after close: {left}"

        asyncio.run(run())


def total_of(account: AccountReport, asset: str) -> Decimal:
    """Return what an account has of an asset."""
    return sum((one.total for one in account.balances if one.asset == asset), Decimal(0))


def is_up(one: object) -> bool:
    """Whether somebody said that the private stream is up."""
    return isinstance(one, StreamReport) and one.stream == "private" and one.state == "up"


def is_order(client_id: str, status: ReportedStatus) -> Callable[[object], bool]:
    """Return what tells word of an order in a state from all else."""
    return lambda one: isinstance(one, OrderReport) and (one.client_id, one.status) == (client_id, status)
