"""What a live venue has to do with orders."""

from __future__ import annotations

import asyncio
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from cambist.model.orders import Instructions, OrderType, Side
from cambist.model.reports import FillReport, ReportedStatus
from cambist.ports.venue import (
    Answered,
    CashHistory,
    Declined,
    OrderKey,
    PracticingSession,
    PreparingSession,
    PromptSession,
    StreamReport,
    Unanswered,
)
from cambist.testing.venue_desk import SPOILS, VenueTests, is_order, is_up, total_of

if TYPE_CHECKING:
    from cambist.testing.venue_desk import Desk

__all__ = ["BrokerTests"]

_T = OrderType


class BrokerTests(VenueTests):
    """Tests of the orders of a `VenueSession`: what is sent, what is found, and what nobody knows."""

    prefix = "BRK"

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
            listed = [one for one in await session.open_orders([self.symbol]) if one.client_id == "rests1"]
            assert [(one.venue_id, one.size, one.limit_price) for one in listed] == [
                (report.venue_id, request.size, request.limit_price)
            ]
            streamed = await desk.heard.wait(is_order("rests1", ReportedStatus.OPEN), self.within)
            assert (streamed.size, streamed.limit_price) == (request.size, request.limit_price)
            outcome = await session.cancel(desk.key("rests1"))
            assert isinstance(outcome, Answered), outcome
            await desk.heard.wait(is_order("rests1", ReportedStatus.CANCELED), self.within)
            assert (await desk.stands("rests1")).status is ReportedStatus.CANCELED
            assert "rests1" not in {one.client_id for one in await session.open_orders(urgent=True)}

        self.at_work(test)

    def test_a_market_order_is_filled(self) -> None:
        """Stream and query tell of the same executions, and the account has changed by just what they say."""

        async def test(desk: Desk) -> None:
            session, instrument = desk.session, desk.instrument
            before = await session.account()
            request = desk.request("buys1", Side.BUY, _T.MARKET)
            if isinstance(session, PracticingSession):  # nothing of it is ever heard of
                session.practice(desk.request("practice", Side.BUY, _T.MARKET))
            if isinstance(session, PreparingSession):  # what is made ready has not left
                session.prepare(request)
                assert await session.find_order(desk.key("buys1")) == Answered(None)
            answer = session.submit_now(request) if isinstance(session, PromptSession) else None
            outcome = await (session.submit(request) if answer is None else answer())
            assert isinstance(outcome, Answered), outcome
            await desk.heard.wait(is_order("buys1", ReportedStatus.FILLED), self.within)
            report = await desk.stands("buys1")
            assert (report.status, report.filled) == (ReportedStatus.FILLED, request.size)
            assert await session.find_order(desk.key("practice")) == Answered(None)
            await desk.heard.until(
                lambda: sum(one.size for one in desk.heard.fills(report)) == request.size, self.within
            )
            streamed = desk.heard.fills(report)
            asked = await session.fills(self.symbol, 0, report.venue_id)
            assert {facts_of(one) for one in asked} == {facts_of(one) for one in streamed}
            assert len({one.trade_id for one in streamed}) == len(streamed)
            since = await session.fills(self.symbol, min(one.ts for one in streamed) - 1_000_000)
            assert {one.trade_id for one in streamed} <= {one.trade_id for one in since}
            after = await session.account()
            fees = sum((one.fee for one in streamed if one.fee_asset == instrument.base), Decimal(0))
            if instrument.is_cash:
                gained = total_of(after, instrument.base) - total_of(before, instrument.base)
                assert gained == request.size - fees
            else:
                held = sum(one.size for one in after.positions if one.symbol == self.symbol)
                had = sum(one.size for one in before.positions if one.symbol == self.symbol)
                assert held - had == request.size
                told = [one.profit for one in streamed if one.profit is not None]
                moved = total_of(after, instrument.settle) - total_of(before, instrument.settle)
                paid = sum((one.fee for one in streamed if one.fee_asset == instrument.settle), Decimal(0))
                assert not told or moved == sum(told, Decimal(0)) - paid
            if isinstance(session, CashHistory):
                flows = await session.cash_flows(min(one.ts for one in streamed) - 1_000_000)
                assert len({one.reference for one in flows}) == len(flows)
                assert not {abs(one.amount) for one in flows} & {one.fee for one in streamed}, "fees are told twice"

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
            funds = float(total_of(await desk.session.account(), instrument.settle))
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
                report = await desk.heard.wait(is_order("maker1", ReportedStatus.REJECTED), self.within)
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
            await desk.heard.wait(is_order("stops1", ReportedStatus.CANCELED), self.within)

        self.at_work(test)

    def test_an_order_is_amended(self) -> None:
        """Price and size are the new ones, the ids the old ones."""

        async def test(desk: Desk) -> None:
            if desk.session.terms.amends not in {"all", "every"}:
                pytest.skip("this venue does not give orders any new terms")
            await desk.rest("amend1")
            quote = await desk.quote()
            request = desk.request("amend1", Side.BUY, limit=quote.bid * 0.96, size=2 * self.size)
            outcome = await desk.session.amend(desk.key("amend1"), request)
            assert isinstance(outcome, Answered), outcome
            report = await desk.stands("amend1")
            assert (report.size, report.limit_price) == (request.size, request.limit_price)
            await desk.session.cancel(desk.key("amend1"))

        self.at_work(test)

    def test_an_order_is_made_smaller(self) -> None:
        """It keeps its price and its ids."""

        async def test(desk: Desk) -> None:
            if not desk.session.terms.amends:
                pytest.skip("this venue does not amend")
            sent = await desk.rest("smaller1", size=2 * self.size)
            request = desk.request("smaller1", Side.BUY, limit=float(sent.limit_price or 0), size=self.size)
            outcome = await desk.session.amend(desk.key("smaller1"), request)
            assert isinstance(outcome, Answered), outcome
            report = await desk.stands("smaller1")
            assert (report.size, report.limit_price) == (request.size, sent.limit_price)
            await desk.session.cancel(desk.key("smaller1"))

        self.at_work(test)

    def test_cancel_all_leaves_nothing(self) -> None:
        """Orders of whatever kind, and there may be nothing to cancel."""

        async def test(desk: Desk) -> None:
            assert isinstance(await desk.session.cancel_all(self.symbol), Answered)
            await desk.rest("first1")
            await desk.rest("second1", share=0.96)
            assert isinstance(await desk.session.cancel_all(self.symbol), Answered)
            for client_id in ("first1", "second1"):
                assert (await desk.stands(client_id)).status is ReportedStatus.CANCELED
            assert not await desk.session.open_orders()

        self.at_work(test)

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
            await desk.heard.wait(is_up, self.within, after=desk.heard.last("down"))
            await desk.rest("again1")
            await desk.heard.wait(is_order("again1", ReportedStatus.OPEN), self.within)

        self.at_work(test)

    def test_cancel_all_takes_what_others_sent(self) -> None:
        """Also what another session of the account has sent is canceled."""

        async def test(desk: Desk) -> None:
            if not self.shares_account:
                pytest.skip("no two sessions are at one account of this venue")
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

    async def _asked_again(self, desk: Desk, client_id: str) -> Answered:
        """Ask how an order stands until there is an answer."""
        for _ in range(20):
            outcome = await desk.session.find_order(desk.key(client_id))
            if isinstance(outcome, Answered):
                return outcome
            await asyncio.sleep(0.2)
        raise AssertionError(f"no answer about {client_id}: {outcome}")


def facts_of(one: FillReport) -> tuple[Any, ...]:
    return one.trade_id, one.side, one.size, one.price, one.fee, one.fee_asset, one.liquidity
