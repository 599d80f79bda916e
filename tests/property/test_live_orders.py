"""The order manager against a venue that loses, delays, doubles and reorders whatever can be."""

from __future__ import annotations

import random
from decimal import Decimal

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.errors import OrderStateError
from cambist.live.orders import LiveOrders
from cambist.live.requests import Amend, Cancel, FetchFills, Find, Submit
from cambist.live.watched import Outlets
from cambist.model import Instrument, Liquidity, Order, OrderStatus, OrderType, Side, TimeInForce
from cambist.model.effects import AmendOrder
from cambist.model.reports import FillReport, OrderReport, ReportedStatus
from cambist.orders.book import OrderBook
from cambist.orders.ids import order_number
from cambist.ports.venue import Answered, Declined, Unanswered, VenueTerms

INSTRUMENT = Instrument(symbol="BTC/USDT", base="BTC", quote="USDT", tick_size="0.01", step_size="0.001")
SECOND = 1_000_000_000
TERMS = VenueTerms(amends="all", settling=3 * SECOND, confirm_within=2 * SECOND, fills_within=60 * SECOND)
#: A venue whose orders have to be canceled and sent anew.
RIGID = msgspec.structs.replace(TERMS, amends="")
S = ReportedStatus


@attrs.define(eq=False)
class Held:
    """An order at the venue."""

    client_id: str
    venue_id: str
    side: Side
    size: Decimal
    price: Decimal | None
    visible_at: int
    updated_at: int = 0
    filled: Decimal = Decimal(0)
    status: ReportedStatus = S.OPEN


class Venue:
    """Truth, and a wire that cannot be trusted."""

    def __init__(self, chance: random.Random, faults: float) -> None:
        self.chance, self.faults = chance, faults
        self.now = 0
        self.orders: dict[str, Held] = {}
        self.trades: list[FillReport] = []
        self.wire: list[tuple[int, int, object]] = []  # due, number, what comes
        self.number = 0
        self.submits: list[str] = []
        self.ended: set[str] = set()  # by the venue itself
        self.changes = 0

    def hit(self) -> bool:
        return self.chance.random() < self.faults

    def later(self, what: object) -> None:
        self.number += 1
        delay = self.chance.choice((0, 1, 1, 2, 3)) * SECOND // 2 if self.faults else 0
        self.wire.append((self.now + delay, self.number, what))

    def stream(self, what: object) -> None:
        if self.hit():
            return
        self.later(what)
        if self.hit():
            self.later(what)

    def change(self, held: Held) -> None:
        """Note that an order has changed: the times of a venue tell which of two states is the newer one."""
        self.changes += 1
        held.updated_at = self.now + self.changes

    def report(self, held: Held) -> OrderReport:
        kind = OrderType.MARKET if held.price is None else OrderType.LIMIT
        return OrderReport(
            ts=held.updated_at,
            symbol="BTC/USDT",
            client_id=held.client_id,
            venue_id=held.venue_id,
            status=held.status,
            side=held.side,
            type=kind,
            size=held.size,
            filled=held.filled,
            limit_price=held.price,
        )

    def ask(self, request) -> None:
        """Take a request, which may get lost on its way, as its answer may."""
        if self.hit():
            self.later((request, Unanswered("lost on the way there")))
            return
        answer = self.do(request)
        self.later((request, Unanswered("lost on the way back") if self.hit() else answer))

    def do(self, request):
        held = self.orders.get(request.key.client_id)
        if isinstance(request, Submit):
            self.submits.append(request.key.client_id)
            if held is not None:
                return Declined("duplicate_client_id")
            if self.hit():
                return Declined("insufficient_funds", "-2010")
            terms = request.terms
            lag = self.chance.choice((0, 0, 1, 2)) * SECOND if self.faults else 0
            held = self.orders[terms.client_id] = Held(
                terms.client_id,
                str(1000 + len(self.orders)),
                terms.order.side,
                terms.size,
                terms.limit_price,
                self.now + lag,
            )
            self.change(held)
            self.stream(self.report(held))
            if terms.type is OrderType.MARKET:
                self.trade(held, held.size)
            return Answered(None)
        if isinstance(request, FetchFills):
            return [one for one in self.trades if held is not None and one.venue_id == held.venue_id]
        if held is None or held.visible_at > self.now:
            return Answered(None) if isinstance(request, Find) else Declined("unknown_order")
        if isinstance(request, Find):
            return Answered(self.report(held))
        if held.status.ended:
            return Declined("unknown_order")
        if isinstance(request, Cancel):
            held.status = S.CANCELED
        else:
            if request.terms.size <= held.filled:
                return Declined("size_filled")
            held.size, held.price = request.terms.size, request.terms.limit_price
        self.change(held)
        self.stream(self.report(held))
        return Answered(None if self.hit() else self.report(held))

    def trade(self, held: Held, size: Decimal) -> None:
        held.filled += size
        self.change(held)
        if held.filled == held.size:
            held.status = S.FILLED
        fill = FillReport(
            ts=self.now,
            symbol="BTC/USDT",
            client_id=held.client_id if not self.hit() else "",
            venue_id=held.venue_id,
            trade_id=str(len(self.trades) + 1),
            side=held.side,
            size=size,
            price=held.price or Decimal(100),
            fee=Decimal(0),
            fee_asset="USDT",
            liquidity=Liquidity.MAKER,
        )
        self.trades.append(fill)
        what = [fill, self.report(held)]
        if self.hit():
            what.reverse()
        for one in what:
            self.stream(one)

    def wander(self) -> None:
        """Let something happen at the venue by itself."""
        living = [one for one in self.orders.values() if not one.status.ended]
        if not living:
            return
        held = self.chance.choice(living)
        what = self.chance.random()
        if what < 0.6:
            left = held.size - held.filled
            step = Decimal("0.001")
            lots = int(left / step)
            self.trade(held, step * self.chance.randint(1, lots))
        elif what < 0.65:
            held.status = S.EXPIRED
            self.ended.add(held.client_id)
            self.change(held)
            self.stream(self.report(held))


class Run:
    """A run with its book, in which whatever cannot be is an error."""

    def __init__(self, seed: int, faults: float, terms: VenueTerms = TERMS) -> None:
        self.chance, self.terms = random.Random(seed), terms
        self.venue = Venue(self.chance, faults)
        self.book = OrderBook("run7")
        self.alarms: list[str] = []
        self.anomalies: list[str] = []
        self.withdrawn: set[int] = set()
        self.manager = self.make()

    def make(self) -> LiveOrders:
        out = Outlets(
            self.deliver,
            self.venue.ask,
            lambda word, _text: self.alarms.append(word),
            self.foreign,
        )
        return LiveOrders(self.book, self.terms, out)

    def deliver(self, event) -> None:
        try:
            self.book.apply(event)
        except OrderStateError as error:
            self.anomalies.append(str(error))

    def foreign(self, report) -> None:
        # An execution told by an id of the venue that is not known yet; the order is asked for it by its own.
        assert isinstance(report, FillReport)
        assert report.client_id == ""

    def send(self) -> None:
        chance = self.chance
        kind = chance.choice((OrderType.LIMIT, OrderType.LIMIT, OrderType.MARKET))
        limit = 100.0 + chance.randint(-50, 50) / 100 if kind is OrderType.LIMIT else float("nan")
        order = Order(
            self.book.next_id(),
            INSTRUMENT,
            chance.choice((Side.BUY, Side.SELL)),
            kind,
            INSTRUMENT.round_size(chance.randint(1, 20) / 1000),
            limit,
            float("nan"),
            TimeInForce.GTC,
            0,
            False,
            "test",
            "",
            self.venue.now,
        )
        self.book.add(order)
        self.book.submit(order, self.venue.now)
        self.manager.submit(order, self.venue.now)

    def cancel(self) -> None:
        able = [one for one in self.book.open.values() if one.status is not OrderStatus.PENDING_CANCEL]
        if able:
            order = self.chance.choice(able)
            self.book.request_cancel(order, self.venue.now)
            self.withdrawn.add(order.id)
            self.manager.cancel(order.id, self.venue.now)

    def amend(self) -> None:
        states = (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)
        able = [one for one in self.book.open.values() if one.status in states and one.type is OrderType.LIMIT]
        if able:
            order = self.chance.choice(able)
            self.book.request_amend(order, self.venue.now)
            size = INSTRUMENT.round_size(order.filled + self.chance.randint(1, 20) / 1000)
            limit = INSTRUMENT.round_price(order.limit_price + 0.01)
            self.manager.amend(AmendOrder(order.id, size, limit, float("nan")), self.venue.now)

    def resize(self) -> None:
        """Let the manager itself want another size, as it does for children of an order that trades."""
        able = [one for one in self.book.open.values() if one.type is OrderType.LIMIT and one.accepted]
        if able:
            order = self.chance.choice(able)
            watched = self.manager.register.get(order.id)
            if watched is not None and watched.wanted is None and order.status is not OrderStatus.PENDING_CANCEL:
                size = INSTRUMENT.round_size(order.filled + self.chance.randint(1, 20) / 1000)
                self.manager._change(watched, (size, order.limit_price, order.stop_price), self.venue.now)

    def tell(self) -> None:
        """Let arrive what is due."""
        venue = self.venue
        while due := sorted(one for one in venue.wire if one[0] <= venue.now)[:1]:
            venue.wire.remove(due[0])
            what, now = due[0][2], venue.now
            if isinstance(what, OrderReport):
                self.manager.evidence.reported(what, now)
            elif isinstance(what, FillReport):
                self.manager.evidence.executed(what, now)
            else:
                self.answer(*what)

    def answer(self, request, outcome) -> None:
        answers, now = self.manager.answers, self.venue.now
        if isinstance(request, Submit):
            answers.submitted(request, outcome, now)
        elif isinstance(request, Cancel):
            answers.canceled(request, outcome, now)
        elif isinstance(request, Amend):
            answers.amended(request, outcome, now)
        elif isinstance(request, Find):
            answers.found(request, outcome, now)
        else:
            answers.fetched(request, outcome if isinstance(outcome, list) else None, now)

    def restart(self) -> None:
        """Lose the manager and all that is on the wire; orders and fills are in the journal."""
        self.venue.wire.clear()
        known = list(self.book._applied.values())
        resent, entrusted = self.book.resent, self.book.entrusted
        self.book = OrderBook.restore("run7", self.book.orders, known)
        self.book.resent.update(resent)
        self.book.entrusted.update(entrusted)
        self.manager = self.make()
        self.manager.resume(list(self.book.open.values()), self.venue.now)

    def play(self, steps: int, restarts: float = 0.0) -> None:
        for _ in range(steps):
            self.chance.choice(
                (self.send, self.cancel, self.amend, self.resize, self.venue.wander, self.venue.wander)
            )()
            if self.chance.random() < restarts:
                self.restart()
            self.venue.now += self.chance.choice((0, 0, 1, 2)) * SECOND // 2
            self.tell()
            self.manager.on_time(self.venue.now)
        self.venue.faults = 0.0
        for _ in range(4):  # an audit finds what nothing would ever tell of
            self.manager.ask_all()
            for _ in range(40):
                self.venue.now += SECOND
                self.tell()
                self.manager.on_time(self.venue.now)

    def compare(self) -> None:
        venue = self.venue
        assert len(venue.submits) == len(set(venue.submits)), "an order was sent twice"
        ended = {order_number(one, "run7")[0] for one in venue.ended}
        for order in self.book.orders:
            if order.id not in self.withdrawn | ended and not order.reason.startswith("not_replaced"):
                assert order.status is not OrderStatus.CANCELED, f"nobody wanted the end of order {order.id}"
            mine = [one for one in venue.orders.values() if order_number(one.client_id, "run7")[0] == order.id]
            held = venue.orders.get(self.book.client_id(order))
            assert sum(not one.status.ended for one in mine) <= 1, "two orders work where one was wanted"
            total = sum((one.filled for one in mine), Decimal(0))
            if len(mine) > 1 or (mine and held is None):
                assert Decimal(repr(order.filled)) == total, (order.id, order.status, mine)
                assert order.is_open == any(not one.status.ended for one in mine), (order.id, order.status, mine)
                continue
            if held is None:
                assert order.status is OrderStatus.REJECTED, (order.id, order.status)
                assert order.filled == 0.0
                continue
            assert Decimal(repr(order.filled)) == held.filled, (order.id, order.status, held)
            assert order.is_open == (not held.status.ended), (order.id, order.status, held)
            if held.status is S.FILLED:
                assert order.status is OrderStatus.FILLED
            elif not held.status.ended:
                assert Decimal(repr(order.size)) == held.size
        numbers = {order.id for order in self.book.orders}
        assert {order_number(one, "run7")[0] for one in venue.orders} <= numbers


@given(seed=st.integers(0, 2**32), faults=st.sampled_from((0.0, 0.05, 0.2, 0.4)))
@settings(max_examples=150, deadline=None)
def test_what_we_know_ends_equal_to_what_the_venue_has(seed, faults):
    run = Run(seed, faults)
    run.play(60)
    run.compare()
    assert not run.anomalies


@given(seed=st.integers(0, 2**32), faults=st.sampled_from((0.0, 0.2, 0.4)))
@settings(max_examples=150, deadline=None)
def test_so_it_does_when_the_process_dies_again_and_again(seed, faults):
    run = Run(seed, faults)
    run.play(60, restarts=0.1)
    run.compare()
    assert not run.anomalies


@given(seed=st.integers(0, 2**32), faults=st.sampled_from((0.0, 0.05, 0.2, 0.4)), restarts=st.sampled_from((0.0, 0.1)))
@settings(max_examples=200, deadline=None)
def test_so_it_does_where_new_terms_mean_a_new_order(seed, faults, restarts):
    run = Run(seed, faults, RIGID)
    run.play(60, restarts=restarts)
    run.compare()
    assert not run.anomalies


@pytest.mark.parametrize("terms", [TERMS, RIGID], ids=["amends", "replaces"])
@pytest.mark.parametrize("seed", range(3))
def test_without_faults_nobody_is_alarmed(seed, terms):
    run = Run(seed, 0.0, terms)
    run.play(200)
    run.compare()
    assert run.alarms == []
