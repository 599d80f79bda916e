"""What a venue says of an order, in every order, twice, and otherwise the second time."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from itertools import permutations

import msgspec
import pytest
from going import running, until
from test_live_run import MINUTE, bars, make_run, told
from venue_in_process import Loopback, make_exchange

from cambist import Strategy
from cambist.live.settings import OnStop
from cambist.model import OrderStatus
from cambist.model.reports import OrderReport, ReportedStatus


class One(Strategy):
    """Sends a single order that rests."""

    persistent = ("sent",)

    def on_start(self):
        self.sent = False

    def on_bar(self, bar):
        if not self.sent:
            self.sent = True
            self.buy(0.3, limit=99.0)


class Silent(Loopback):
    """A venue whose private stream says nothing by itself: the test says it."""

    def _heard(self, event) -> None:
        pass

    def say(self, *reports) -> None:
        for one in reports:
            self.private_events.put_nowait(one)


@pytest.fixture
def venue():
    exchange = make_exchange()
    user = exchange.users.add("trader")
    exchange.deposit(user, "USDT", Decimal(1000))
    session = Silent(exchange, user)
    session.quote("99.99", "100.01")
    return session


def report(client_id, status, filled, ts) -> OrderReport:
    return OrderReport(
        ts=ts,
        symbol="BTC/USDT",
        client_id=client_id,
        venue_id="1",
        status=status,
        side="buy",
        type="limit",
        size=Decimal("0.3"),
        filled=Decimal(filled),
        limit_price=Decimal(99),
    )


def play(tmp_path, venue, act, **settings):
    """Let an order rest, then `act(run, its order)`, then end."""

    async def all_of_it():
        run = make_run(tmp_path, venue, One(), **settings)
        async with running(run):
            if not run.kernel.book.orders:
                venue.bar(bars(1)[0], MINUTE)
            await until(lambda: run.kernel.book.orders and run.kernel.book.orders[0].accepted)
            await act(run, run.kernel.book.orders[0])
        run.journal.close()
        return run

    return asyncio.run(all_of_it())


def executions(venue):
    """Trade 0.1 at the venue; return all executions with what they are known by, as the stream would tell them."""
    order = venue.exchange.open_orders(venue.user)[0]
    venue.exchange.interference.fill(order.id, Decimal("0.1"))
    return [venue._fill(one, order.client_id) for one in order.executions]


@pytest.mark.parametrize("turn", list(permutations(range(4))))
def test_acknowledgement_fills_and_end_in_any_order_come_to_the_same(venue, tmp_path, turn):
    """Ack after fill, fill before ack, fill after cancel, cancel ack after fill."""

    async def act(run, order):
        client_id = run.kernel.book.client_id(order)
        executions(venue)
        first, second = executions(venue)
        venue.exchange.cancel(venue.user, "BTCUSDT", client_id=client_id)
        said = [
            report(client_id, ReportedStatus.OPEN, 0, first.ts),
            first,
            second,
            report(client_id, ReportedStatus.CANCELED, "0.2", second.ts),
        ]
        venue.say(*(said[number] for number in turn))
        await until(lambda: not order.is_open and order.filled == 0.2)
        assert order.status is OrderStatus.CANCELED

    run = play(tmp_path, venue, act)
    assert run.alarms == []
    assert [fill.size for fill in run.kernel.fills] == [0.1, 0.1]
    assert told(tmp_path).ledger.balance("BTC") == Decimal("0.1998")


def test_a_partial_fill_keeps_what_it_cost_when_the_rest_is_canceled_and_the_rest_is_free_again(venue, tmp_path):
    async def act(run, order):
        (first,) = executions(venue)
        venue.say(first)
        await until(lambda: order.filled == 0.1)
        desk = run.kernel.seats[0].desk
        assert desk.missing_funds(order.instrument, 9.9, 99.0) > 0.0  # what rests is not spent twice
        venue.exchange.cancel(venue.user, "BTCUSDT", client_id=run.kernel.book.client_id(order))
        venue.say(report(run.kernel.book.client_id(order), ReportedStatus.CANCELED, "0.1", first.ts))
        await until(lambda: not order.is_open)
        assert desk.missing_funds(order.instrument, 9.9, 99.0) == 0.0
        assert (order.filled, order.average_price) == (0.1, 99.0)
        assert order.fees == pytest.approx(float(first.fee) * 99.0)

    run = play(tmp_path, venue, act)
    assert run.alarms == []


def test_an_execution_is_applied_once_by_whatever_way_and_however_often_it_comes(venue, tmp_path):
    kept = []

    async def first_life(run, order):
        kept[:] = executions(venue)
        bare = msgspec.structs.replace(kept[0], client_id="")  # as a request lists it
        venue.say(kept[0], kept[0], bare)
        await until(lambda: order.filled == 0.1)
        run.engine.orders.ask_all()
        await run.dispatcher.idle()

    async def second_life(run, order):
        assert order.filled == 0.1
        venue.say(*kept)
        run.engine.orders.ask_all()
        await run.dispatcher.idle()
        await asyncio.sleep(0.05)
        assert order.filled == 0.1

    play(tmp_path, venue, first_life, on_stop=OnStop.KEEP)
    run = play(tmp_path, venue, second_life)
    assert len(run.kernel.fills) == 1
    assert told(tmp_path).ledger.balance("BTC") == Decimal("0.0999")


@pytest.mark.parametrize("change", [{"price": Decimal(98)}, {"size": Decimal("0.05")}])
def test_the_same_trade_with_other_numbers_is_an_anomaly_and_alarmed(venue, tmp_path, change):
    async def act(run, order):
        (first,) = executions(venue)
        venue.say(first, msgspec.structs.replace(first, **change))
        await until(lambda: "anomaly" in [word for word, _ in run.alarms])
        assert order.filled == 0.1

    run = play(tmp_path, venue, act)
    (text,) = [text for word, text in run.alarms if word == "anomaly"]
    assert "was applied to order 1 before" in text
    state = told(tmp_path)
    assert len(state.book.anomalies) == 1
    assert state.ledger.balance("BTC") == Decimal("0.0999")
