"""What every live venue has to hold: subclass `SessionTests` in a test module and pytest runs all of it."""

from __future__ import annotations

import asyncio
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from cambist.errors import VenueError
from cambist.model.books import BookUpdate
from cambist.model.instrument import Instrument  # noqa: TC001 - part of the public signatures that pytest reads
from cambist.model.market import Quote, Tick
from cambist.model.orders import Instructions, Order, OrderType, Side, TimeInForce
from cambist.model.reports import FillReport, OrderReport, ReportedStatus
from cambist.model.timeframe import Timeframe
from cambist.ports.venue import (
    Answered,
    BarReport,
    Declined,
    OrderKey,
    OrderRequest,
    StreamReport,
    Subscription,
    Unanswered,
)
from cambist.testing.listening import Listener

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cambist.ports.venue import VenueSession

__all__ = ["SPOILS", "SessionTests"]

_MINUTE = Timeframe.parse("1m")
_T = OrderType
#: Ways in which a request can end without a usable answer: `SessionTests.spoil` is asked for them.
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

    def request(self, client_id: str, side: Side, kind: OrderType = _T.LIMIT, **terms: Any) -> OrderRequest:
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

    async def rest(self, client_id: str, share: float = 0.97) -> OrderRequest:
        """Place a buy order that does not trade: at a share of the best bid."""
        request = self.request(client_id, Side.BUY, limit=(await self.quote()).bid * share)
        outcome = await self.session.submit(request)
        assert isinstance(outcome, Answered), outcome
        return request

    async def stands(self, client_id: str) -> OrderReport:
        """Return how an order stands that is there."""
        outcome = await self.session.find_order(self.key(client_id))
        assert isinstance(outcome, Answered), outcome
        assert outcome.report is not None, f"the venue does not find {client_id}"
        return outcome.report


class SessionTests:
    """Tests of a `VenueSession`, against a venue at which the account may trade and has money for all `size` asks.

    A subclass gives `make_session`. It says by `symbol` and `size` what is traded; the size must be large enough to be
    taken and small enough to be paid for many times. What a venue cannot be brought to do is skipped: `spoil` and
    `cut_private` are for venues that can be made to fail, such as a simulator.

    Examples
    --------
    ::

        class TestAcme(SessionTests):
            symbol = "BTC/USDT"
            size = 0.01

            def make_session(self):
                return open_acme(key=..., secret=..., url="https://testnet.acme.example")
    """

    symbol: ClassVar[str] = "BTC/USDT"
    size: ClassVar[float] = 0.01
    #: How long streams may take to tell of something, seconds.
    within: ClassVar[float] = 15.0
    #: A secret that must never show; ``""`` where there is none.
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
                    await desk.heard.wait(_is_up, self.within)
                    await asyncio.wait_for(test(desk), 6 * self.within)
                    await session.close()
                    await asyncio.wait_for(desk.heard.ended(), self.within)
            finally:
                await session.close()
            await asyncio.sleep(0.01)
            left = {task.get_name() for task in asyncio.all_tasks() - before - {asyncio.current_task()}}
            assert not left, f"left running after close: {left}"

        asyncio.run(run())

    # Opening.

    def test_it_opens_and_closes(self, caplog: pytest.LogCaptureFixture) -> None:
        """It says what it trades and on what terms; a second close does nothing; no secret shows."""

        async def test(desk: Desk) -> None:
            session = desk.session
            assert session.name
            assert session.terms.id_length >= 16
            assert {_T.MARKET, _T.LIMIT} <= session.terms.native
            assert min(session.terms.settling, session.terms.confirm_within, session.terms.fills_within) > 0
            symbols = [one.symbol for one in session.instruments()]
            assert len(symbols) == len(set(symbols))
            await session.close()
            await session.close()
            if self.secret:
                assert self.secret not in repr(session) + str(vars(session)) + caplog.text

        self.at_work(test)

    # Orders.

    def test_an_order_rests_and_is_canceled(self) -> None:
        """Answer, query, list and private stream say the same of it, in exact decimals."""

        async def test(desk: Desk) -> None:
            session = desk.session
            request = await desk.rest("rests1")
            report = await desk.stands("rests1")
            assert report.status is ReportedStatus.OPEN
            told = (report.symbol, report.client_id, report.side, report.type, report.size, report.limit_price)
            assert told == (self.symbol, "rests1", Side.BUY, _T.LIMIT, request.size, request.limit_price)
            assert report.filled == 0
            assert report.venue_id
            listed = [one for one in await session.open_orders() if one.client_id == "rests1"]
            assert [(one.venue_id, one.size, one.limit_price) for one in listed] == [
                (report.venue_id, request.size, request.limit_price)
            ]
            streamed = await desk.heard.wait(_is_order("rests1", ReportedStatus.OPEN), self.within)
            assert (streamed.size, streamed.limit_price) == (request.size, request.limit_price)
            outcome = await session.cancel(desk.key("rests1"))
            assert isinstance(outcome, Answered), outcome
            await desk.heard.wait(_is_order("rests1", ReportedStatus.CANCELED), self.within)
            assert (await desk.stands("rests1")).status is ReportedStatus.CANCELED
            assert not [one for one in await session.open_orders() if one.client_id == "rests1"]

        self.at_work(test)

    def test_a_market_order_is_filled(self) -> None:
        """Stream and query tell of the same executions, and the account has changed by just what they say."""

        async def test(desk: Desk) -> None:
            session, instrument = desk.session, desk.instrument
            before = await session.account()
            request = desk.request("buys1", Side.BUY, _T.MARKET)
            outcome = await session.submit(request)
            assert isinstance(outcome, Answered), outcome
            await desk.heard.wait(_is_order("buys1", ReportedStatus.FILLED), self.within)
            report = await desk.stands("buys1")
            assert (report.status, report.filled) == (ReportedStatus.FILLED, request.size)
            await desk.heard.until(
                lambda: sum(one.size for one in desk.heard.fills(report)) == request.size, self.within
            )
            streamed = desk.heard.fills(report)
            asked = await session.fills(self.symbol, 0, report.venue_id)
            assert {_facts(one) for one in asked} == {_facts(one) for one in streamed}
            assert len({one.trade_id for one in streamed}) == len(streamed)
            since = await session.fills(self.symbol, min(one.ts for one in streamed) - 1_000_000)
            assert {one.trade_id for one in streamed} <= {one.trade_id for one in since}
            after = await session.account()
            fees = sum((one.fee for one in streamed if one.fee_asset == instrument.base), Decimal(0))
            if instrument.is_cash:
                gained = _total(after, instrument.base) - _total(before, instrument.base)
                assert gained == request.size - fees
            else:
                held = sum(one.size for one in after.positions if one.symbol == self.symbol)
                had = sum(one.size for one in before.positions if one.symbol == self.symbol)
                assert held - had == request.size

        self.at_work(test)

    def test_a_client_id_is_good_for_one_order(self) -> None:
        """The same id again while the order is open is declined as a duplicate, and there is one order."""

        async def test(desk: Desk) -> None:
            request = await desk.rest("twice1")
            outcome = await desk.session.submit(request)
            assert isinstance(outcome, Declined), outcome
            assert outcome.reason == "duplicate_client_id", outcome
            assert [one.client_id for one in await desk.session.open_orders()].count("twice1") == 1
            await desk.session.cancel(desk.key("twice1"))

        self.at_work(test)

    def test_what_is_not_there(self) -> None:
        """An order that nobody sent is not found, and cannot be canceled."""

        async def test(desk: Desk) -> None:
            assert await desk.session.find_order(desk.key("nobody1")) == Answered(None)
            outcome = await desk.session.cancel(desk.key("nobody1"))
            assert isinstance(outcome, Declined), outcome
            assert outcome.reason == "unknown_order", outcome

        self.at_work(test)

    def test_refusals_have_stable_words(self) -> None:
        """No money, and no such instrument."""

        async def test(desk: Desk) -> None:
            instrument, price = desk.instrument, (await desk.quote()).bid * 0.99
            funds = float(_total(await desk.session.account(), instrument.settle))
            # Twice of what it has, and on margin more than any venue lends.
            size = funds * (2.0 if instrument.is_cash else 200.0) / instrument.notional(1.0, price)
            size = min(size, float(instrument.max_size or math.inf))
            costly = desk.request("costly1", Side.BUY, size=size, limit=price)
            outcome = await desk.session.submit(costly)
            assert isinstance(outcome, Declined), outcome
            assert outcome.reason in {"insufficient_funds", "max_position", "leverage"}, outcome
            assert outcome.text
            assert await desk.session.find_order(desk.key("costly1")) == Answered(None)
            outcome = await desk.session.cancel(OrderKey("NO-SUCH/THING", "any1"))
            assert isinstance(outcome, Declined), outcome
            assert outcome.reason == "unknown_symbol", outcome

        self.at_work(test)

    def test_post_only_never_takes(self) -> None:
        """An order that must be a maker and would take is refused, at once or by the stream."""

        async def test(desk: Desk) -> None:
            quote = await desk.quote()
            request = desk.request(
                "maker1", Side.BUY, limit=quote.ask * 1.01, instructions=Instructions(post_only=True)
            )
            outcome = await desk.session.submit(request)
            if isinstance(outcome, Declined):
                assert outcome.reason == "post_only", outcome
            else:
                report = await desk.heard.wait(_is_order("maker1", ReportedStatus.REJECTED), self.within)
                assert report.reason == "post_only"
            assert not [one for one in desk.heard.all if isinstance(one, FillReport) and one.client_id == "maker1"]

        self.at_work(test)

    def test_a_stop_waits(self) -> None:
        """A stop that the venue works itself is found by its id, with its price, and can be canceled."""

        async def test(desk: Desk) -> None:
            if _T.STOP not in desk.session.terms.native:
                pytest.skip("stops do not go to this venue")
            quote = await desk.quote()
            request = desk.request("stops1", Side.BUY, _T.STOP, stop=quote.ask * 1.2)
            outcome = await desk.session.submit(request)
            assert isinstance(outcome, Answered), outcome
            report = await desk.stands("stops1")
            assert (report.status, report.type) == (ReportedStatus.OPEN, _T.STOP)
            assert (report.stop_price, report.size) == (request.stop_price, request.size)
            assert "stops1" in {one.client_id for one in await desk.session.open_orders()}
            outcome = await desk.session.cancel(desk.key("stops1"))
            assert isinstance(outcome, Answered), outcome
            await desk.heard.wait(_is_order("stops1", ReportedStatus.CANCELED), self.within)

        self.at_work(test)

    def test_an_order_is_amended(self) -> None:
        """Price and size are the new ones, the ids the old ones."""

        async def test(desk: Desk) -> None:
            if not desk.session.terms.amends:
                pytest.skip("this venue does not amend")
            await desk.rest("amend1")
            quote = await desk.quote()
            request = desk.request("amend1", Side.BUY, limit=quote.bid * 0.96, size=2 * self.size)
            outcome = await desk.session.amend(desk.key("amend1"), request)
            assert isinstance(outcome, Answered), outcome
            report = await desk.stands("amend1")
            assert (report.size, report.limit_price) == (request.size, request.limit_price)
            await desk.session.cancel(desk.key("amend1"))

        self.at_work(test)

    def test_cancel_all_leaves_nothing(self) -> None:
        """Not even what another session of the account has sent; and there may be nothing to cancel."""

        async def test(desk: Desk) -> None:
            assert isinstance(await desk.session.cancel_all(self.symbol), Answered)
            await desk.rest("mine1")
            other = self.make_session()
            await other.open()
            try:
                outcome = await other.submit(desk.request("other1", Side.BUY, limit=(await desk.quote()).bid * 0.965))
                assert isinstance(outcome, Answered), outcome
            finally:
                await other.close()
            assert isinstance(await desk.session.cancel_all(self.symbol), Answered)
            for client_id in ("mine1", "other1"):
                assert (await desk.stands(client_id)).status is ReportedStatus.CANCELED

        self.at_work(test)

    # Without a usable answer.

    @pytest.mark.parametrize("arrived", [False, True])
    @pytest.mark.parametrize("how", SPOILS)
    def test_a_submit_without_an_answer(self, how: str, arrived: bool) -> None:
        """Whether the order arrived is unknown, never "declined"; a query tells, and nothing was sent twice."""

        async def test(desk: Desk) -> None:
            quote = await desk.quote()
            request = desk.request("spoilt1", Side.BUY, limit=quote.bid * 0.97)
            self.spoil(how, arrived=arrived)
            outcome = await desk.session.submit(request)
            assert isinstance(outcome, Unanswered), outcome
            assert outcome.text
            found = await self._asked_again(desk, "spoilt1")
            assert (found.report is not None) is arrived
            assert [one.client_id for one in await desk.session.open_orders()].count("spoilt1") == int(arrived)

        self.at_work(test)

    def test_too_many_requests(self) -> None:
        """The order was declined, with the time after which it may be sent again."""

        async def test(desk: Desk) -> None:
            quote = await desk.quote()
            self.spoil("rate_limit", arrived=False)
            outcome = await desk.session.submit(desk.request("many1", Side.BUY, limit=quote.bid * 0.97))
            assert isinstance(outcome, Declined), outcome
            assert outcome.reason == "rate_limit"
            assert outcome.retry_after > 0

        self.at_work(test)

    def test_the_private_stream_comes_back(self) -> None:
        """It says that it is down and up again, and goes on."""

        async def test(desk: Desk) -> None:
            self.cut_private()
            await desk.heard.wait(lambda one: isinstance(one, StreamReport) and one.state == "down", self.within)
            await desk.heard.wait(_is_up, self.within, after=desk.heard.last("down"))
            await desk.rest("again1")
            await desk.heard.wait(_is_order("again1", ReportedStatus.OPEN), self.within)

        self.at_work(test)

    async def _asked_again(self, desk: Desk, client_id: str) -> Answered:
        """Ask how an order stands until there is an answer."""
        for _ in range(20):
            outcome = await desk.session.find_order(desk.key(client_id))
            if isinstance(outcome, Answered):
                return outcome
            await asyncio.sleep(0.2)
        raise AssertionError(f"no answer about {client_id}: {outcome}")

    # The market.

    def test_history_is_final(self) -> None:
        """Bars of the time that was asked for, none twice, none that is not over."""

        async def test(desk: Desk) -> None:
            async for one in desk.session.market([Subscription(desk.instrument, "bars", _MINUTE)]):
                if isinstance(one, BarReport):
                    now = one.bar.ts
                    break
            start = now - 5 * _MINUTE.ns
            bars = await desk.session.history(desk.instrument, _MINUTE, start, now + 10 * _MINUTE.ns)
            opens = bars.ts.tolist()
            assert opens == sorted(set(opens))
            assert opens[0] >= start
            assert opens[-1] <= now
            assert all(ts % _MINUTE.ns == 0 for ts in opens)
            with pytest.raises(VenueError):
                await desk.session.history(desk.instrument, _MINUTE, now + 1000 * _MINUTE.ns, now + 1001 * _MINUTE.ns)

        self.at_work(test)

    def test_the_market_is_heard(self) -> None:
        """Quotes that are not crossed, trades, bars, and a book that begins with a snapshot and is never crossed."""

        async def test(desk: Desk) -> None:
            kinds = [Subscription(desk.instrument, kind) for kind in ("quotes", "ticks", "book")]
            subscriptions = [*kinds, Subscription(desk.instrument, "bars", _MINUTE)]
            missing = {Quote, Tick, BookUpdate, BarReport}
            up: set[str] = set()
            sides: dict[int, dict[float, float]] = {}
            async with asyncio.timeout(2 * self.within):
                async for one in desk.session.market(subscriptions):
                    missing.discard(type(one))
                    if isinstance(one, StreamReport):
                        up.add(one.stream)
                    elif isinstance(one, Quote):
                        assert one.bid < one.ask
                    elif isinstance(one, BookUpdate):
                        assert one.is_snapshot or sides, "a book begins with a snapshot"
                        _fold(sides, one)
                        assert max(sides[1]) < min(sides[-1])
                    if not missing:
                        break
            assert len(up) >= len(subscriptions)

        self.at_work(test)


def _fold(sides: dict[int, dict[float, float]], update: BookUpdate) -> None:
    if update.is_snapshot:
        sides.clear()
        sides.update({1: {}, -1: {}})
    for side, price, size in update.levels:
        if size:
            sides[side][price] = size
        else:
            sides[side].pop(price, None)


def _facts(one: FillReport) -> tuple[Any, ...]:
    return one.trade_id, one.side, one.size, one.price, one.fee, one.fee_asset, one.liquidity


def _total(account: Any, asset: str) -> Decimal:
    return sum((one.total for one in account.balances if one.asset == asset), Decimal(0))


def _is_up(one: object) -> bool:
    return isinstance(one, StreamReport) and one.stream == "private" and one.state == "up"


def _is_order(client_id: str, status: ReportedStatus) -> Callable[[object], bool]:
    return lambda one: isinstance(one, OrderReport) and (one.client_id, one.status) == (client_id, status)
