"""Orders that hang together, after a restart: what was held is held again, and each knows of the others."""

from __future__ import annotations

from decimal import Decimal
from math import nan

import pytest

from cambist.live.orders import LiveOrders
from cambist.live.requests import Amend, Cancel, Find, Submit
from cambist.live.watched import Outlets
from cambist.model import Instructions, Instrument, Liquidity, Order, OrderStatus, OrderType, Side, TimeInForce, Trail
from cambist.model.events import OrderCanceled
from cambist.model.reports import FillReport, OrderReport, ReportedStatus
from cambist.orders.book import OrderBook
from cambist.ports.venue import Answered, Declined, VenueTerms

COIN = Instrument(symbol="BTC/USDT", base="BTC", quote="USDT", tick_size="0.01", step_size="0.001")
SECOND = 1_000_000_000
TERMS = VenueTerms(
    native=frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP}),
    amends="all",
    settling=SECOND,
    confirm_within=SECOND,
)


class Play:
    """A book that survives, and managers that do not."""

    def __init__(self):
        self.book = OrderBook("run7")
        self.now = SECOND
        self.begin()

    def begin(self):
        self.sent, self.alarms = [], []
        out = Outlets(self.book.apply, self.sent.append, lambda word, _text: self.alarms.append(word), lambda _: None)
        self.manager = LiveOrders(self.book, TERMS, out)

    def restart(self):
        self.book = OrderBook.restore("run7", self.book.orders, list(self.book._applied.values()))
        self.begin()
        self.manager.resume(list(self.book.open.values()), self.now)

    def order(self, kind, side=Side.SELL, limit=nan, stop=nan, **ties):
        order = Order(
            self.book.next_id(), COIN, side, kind, 0.1, limit, stop, TimeInForce.GTC, 0, False, "s", "", self.now
        )
        order.instructions = Instructions(**ties)
        self.book.add(order)
        self.book.submit(order, self.now)
        self.manager.submit(order, self.now)
        return order

    def bracket(self, **stop):
        entry = self.order(OrderType.LIMIT, Side.BUY, limit=100.0)
        loss = self.order(**({"kind": OrderType.STOP, "stop": 90.0} | stop), parent=entry.id)
        profit = self.order(OrderType.LIMIT, limit=110.0, parent=entry.id, oco=loss.id)
        return entry, loss, profit

    def report(self, order, status=ReportedStatus.OPEN, filled="0", size="0.1"):
        return OrderReport(
            ts=self.now,
            symbol=COIN.symbol,
            client_id=self.book.client_id(order),
            venue_id=str(1000 + order.id),
            status=status,
            side=order.side,
            type=order.type,
            size=Decimal(size),
            filled=Decimal(str(filled)),
            limit_price=None if order.limit_price != order.limit_price else Decimal(repr(order.limit_price)),
            stop_price=None if order.stop_price != order.stop_price else Decimal(repr(order.stop_price)),
        )

    def accepted(self, *orders):
        for order in orders:
            self.manager.evidence.reported(self.report(order), self.now)

    def filled(self, order, size="0.1", trade="first"):
        fill = FillReport(
            ts=self.now,
            symbol=COIN.symbol,
            client_id=self.book.client_id(order),
            venue_id=str(1000 + order.id),
            trade_id=f"{order.id} {trade}",
            side=order.side,
            size=Decimal(size),
            price=Decimal(100),
            fee=Decimal(0),
            fee_asset="USDT",
            liquidity=Liquidity.MAKER,
        )
        self.manager.evidence.executed(fill, self.now)

    def answer(self, there=()):
        """Answer what was asked about orders: those of `there` work, the others the venue has not."""
        known = {order.id for order in there}
        for request in [one for one in self.sent if isinstance(one, Find)]:
            self.sent.remove(request)
            order = self.book.get(request.order_id)
            report = self.report(order) if order.id in known else None
            self.manager.answers.found(request, Answered(report), self.now)

    def pass_time(self):
        self.now += 2 * SECOND
        self.manager.on_time(self.now)

    def asked(self, kind):
        return [one.order_id for one in self.sent if isinstance(one, kind)]


@pytest.fixture
def play():
    return Play()


def test_legs_of_an_entry_that_has_not_traded_are_held_again_and_leave_when_it_trades(play):
    entry, loss, profit = play.bracket()
    play.accepted(entry)
    play.restart()
    assert play.asked(Find) == [entry.id]
    play.answer(there=[entry])
    for _ in range(4):
        play.pass_time()
        play.answer(there=[entry])
    assert [loss.status, profit.status] == [OrderStatus.ACCEPTED] * 2
    play.sent.clear()
    play.filled(entry)
    assert play.asked(Submit) == [loss.id, profit.id]
    assert play.alarms == []


def test_legs_that_rest_at_the_venue_still_end_each_other(play):
    entry, loss, profit = play.bracket()
    play.accepted(entry)
    play.filled(entry)
    play.accepted(loss, profit)
    play.restart()
    play.answer(there=[loss, profit])
    play.sent.clear()
    play.filled(profit)
    assert play.asked(Cancel) == [loss.id]


def test_a_leg_whose_partner_has_traded_before_the_cancel_left_is_canceled(play):
    entry, loss, profit = play.bracket()
    play.accepted(entry)
    play.filled(entry)
    play.accepted(loss, profit)
    play.filled(profit)
    assert loss.is_open
    play.restart()
    assert play.asked(Cancel) == [loss.id]


def test_a_leg_that_the_venue_lacks_is_held_on_although_its_entry_is_over(play):
    trail = Trail(amount=5.0)
    entry, loss, profit = play.bracket(kind=OrderType.TRAILING_STOP, stop=nan, trail=trail)
    play.accepted(entry)
    play.manager.on_price(COIN.symbol, 100.0, play.now)
    play.filled(entry)
    play.accepted(profit)
    assert loss.stop_price == 95.0
    play.restart()
    play.answer(there=[profit])
    play.sent.clear()
    play.manager.on_price(COIN.symbol, 94.0, play.now)
    assert play.asked(Submit) == [loss.id]
    assert play.asked(Cancel) == [profit.id]


def test_a_stop_that_was_reached_and_never_left_leaves_once_the_venue_says_so_twice(play):
    order = play.order(OrderType.TRAILING_STOP, trail=Trail(amount=5.0))
    play.manager.on_price(COIN.symbol, 100.0, play.now)
    play.manager.on_price(COIN.symbol, 94.0, play.now)
    assert play.asked(Submit) == [order.id]
    play.now += 5 * SECOND
    play.restart()
    play.answer()
    assert play.asked(Submit) == []
    assert play.manager.unsettled
    play.pass_time()
    play.answer()
    assert play.asked(Submit) == [order.id]
    assert (order.status, play.alarms) == (OrderStatus.TRIGGERED, [])


def test_legs_whose_entry_ended_untraded_end_too(play):
    entry, loss, profit = play.bracket()
    play.accepted(entry)
    play.book.apply(OrderCanceled(play.now, entry.id))  # the process died before the legs heard of it
    play.restart()
    assert [one.status for one in (loss, profit)] == [OrderStatus.CANCELED] * 2
    assert play.asked(Find) == []


def test_a_limit_that_closes_grows_at_the_venue_with_its_entry_and_stays_what_it_is(play):
    entry, _, profit = play.bracket()
    play.accepted(entry)
    play.filled(entry, "0.03")
    (sent,) = [one for one in play.sent if isinstance(one, Submit) and one.order_id == profit.id]
    assert str(sent.terms.size) == "0.030"
    play.manager.evidence.reported(play.report(profit, size="0.03"), play.now)
    assert (profit.size, play.alarms) == (0.1, [])
    play.filled(entry, "0.04", trade="more")
    (asked,) = [one for one in play.sent if isinstance(one, Amend)]
    assert str(asked.terms.size) == "0.070"
    play.manager.evidence.reported(play.report(profit, size="0.07"), play.now)
    assert (profit.size, play.alarms) == (0.1, [])


def test_a_limit_that_did_not_grow_before_the_process_died_does_afterwards(play):
    entry, _, profit = play.bracket()
    play.accepted(entry)
    play.filled(entry, "0.03")
    play.manager.evidence.reported(play.report(profit, size="0.03"), play.now)
    play.filled(entry, "0.04", trade="more")
    play.restart()
    for request in [one for one in play.sent if isinstance(one, Find)]:
        order = play.book.get(request.order_id)
        size = "0.1" if order is entry else "0.03"
        play.manager.answers.found(request, Answered(play.report(order, size=size, filled=order.filled)), play.now)
    assert [str(one.terms.size) for one in play.sent if isinstance(one, Amend)] == ["0.070"]
    assert (profit.size, play.alarms) == (0.1, [])


def test_a_held_order_that_the_venue_refuses_when_it_is_due_is_rejected_with_its_words(play):
    order = play.order(OrderType.TRAILING_STOP, trail=Trail(amount=5.0))
    play.manager.on_price(COIN.symbol, 100.0, play.now)
    play.manager.on_price(COIN.symbol, 94.0, play.now)
    (sent,) = [one for one in play.sent if isinstance(one, Submit)]
    play.manager.answers.submitted(sent, Declined("min_notional", "too little"), play.now)
    assert (order.status, order.reason) == (OrderStatus.REJECTED, "min_notional: too little")
