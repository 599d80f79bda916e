"""An execution that was lost long before the last one that is booked, of an order that the run has forgotten."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import msgspec
import pytest
from going import running, until
from test_live_run import MINUTE, bars, make_run, told, truth
from venue_in_process import Loopback, make_exchange

from cambist import Strategy
from cambist.model import OrderType, Side
from cambist.model.reports import FillReport
from cambist.ports.venue import Answered
from cambist_simulator.exchange.orders import OrderTerms

AGO = 300 * 1_000_000_000


class Forgetful(Loopback):
    """Neither tells of some executions nor lists them until it is told to, nor any of before it is asked for."""

    def __init__(self, *given) -> None:
        super().__init__(*given)
        self.hides, self.hidden, self.asked = False, set(), []
        self.terms = msgspec.structs.replace(self.terms, fills_within=20_000_000, confirm_within=10_000_000)

    async def private(self):
        async for one in super().private():
            if isinstance(one, FillReport) and (self.hides or one.trade_id in self.hidden):
                self.hidden.add(one.trade_id)
            else:
                yield one

    async def fills(self, symbol, since, venue_id=""):
        if not venue_id:
            self.asked.append(since)
        listed = [one for one in await super().fills(symbol, since, venue_id) if one.ts >= (0 if venue_id else since)]
        if self.hides:
            self.hidden |= {one.trade_id for one in listed} - self.known
        return [one for one in listed if one.trade_id not in self.hidden]

    async def find_order(self, key):
        if not key.venue_id:
            return await super().find_order(key)
        order = self.exchange.order(self.user, "BTCUSDT", order_id=int(key.venue_id))
        return Answered(self._report(order, self.exchange.clock.market.now()))

    @property
    def known(self):
        return {str(fill.id) for fill in self.run.kernel.fills}


@pytest.fixture
def venue(monkeypatch):
    for module in ("auditing", "reconciler"):
        monkeypatch.setattr(f"cambist.live.{module}.CONFIRM", 0.01)
    exchange = make_exchange()
    user = exchange.users.add("trader")
    exchange.deposit(user, "USDT", Decimal(1000))
    session = Forgetful(exchange, user)
    session.quote("99.99", "100.01", "1000")
    return session


class Buys(Strategy):
    """Buys some more with each bar."""

    def on_bar(self, bar):
        self.buy(0.1)


def test_it_is_found_and_what_was_booked_and_forgotten_is_not_booked_again(venue, tmp_path):
    run = make_run(tmp_path, venue, Buys(), keep_orders=1, audit_every=3_600.0, on_position="adopt")
    venue.run, stream, at_venue = run, iter(bars(20)), venue.exchange

    def words():
        return [word for word, _ in run.alarms]

    async def trade(task, count=1):
        for _ in range(count):
            newest = run.kernel.book.orders[-1:]
            venue.bar(next(stream), MINUTE)
            await until(lambda newest=newest: run.kernel.book.orders[-1:] != newest, task)
            await until(lambda: not run.kernel.book.open, task)

    def others(size):
        at_venue.place(
            venue.user, OrderTerms(symbol="BTCUSDT", side=Side.BUY, type=OrderType.MARKET, size=Decimal(size))
        )

    async def play():
        async with running(run) as task:
            book = run.kernel.book
            at_venue.clock.market.shift(-AGO)
            venue.hides = True
            await trade(task)
            assert words() == ["fills_missing"]
            venue.hides = False
            at_venue.clock.market.shift(AGO)
            await trade(task, 6)
            await until(lambda: book.find(1) is None and len(run.kernel.fills) < 6, task)
            lost = set(venue.hidden)
            venue.hidden.clear()
            await run.account.catch_up()
            assert words() == ["fills_missing", "late_execution"]
            assert [run.kernel.book.get(fill.order_id).tag for fill in run.kernel.fills if str(fill.id) in lost] == [
                "late"
            ]
            assert not await run.account.reconciler.comparison.differences()
            venue.asked.clear()
            others("0.05")
            await run.account.catch_up()
            assert words()[2:] == ["foreign_order", "position_adopted"]
            assert len(venue.asked) == 1  # those of the last minute explain it
            await trade(task, 3)
            venue.hides = True
            others("0.07")
            await run.account.catch_up()
            assert words()[4:] == ["foreign_order", "unexplained", "position_adopted"]
            venue.hides = False
            await run.account.catch_up()
            assert not await run.account.reconciler.comparison.differences()
        run.journal.close()

    asyncio.run(play())
    state = told(tmp_path)
    assert {asset: state.ledger.balance(asset) for asset in ("USDT", "BTC")} == truth(venue)
