"""The emulator at venues of few order types against the simulated venue, price by price."""

from __future__ import annotations

from collections import defaultdict
from math import isnan, nan
from random import Random

import attrs
import numpy as np
import pytest

import cambist
from cambist import Bars, Instrument, Strategy, param
from cambist.model import Fill, Liquidity, Order, OrderStatus, OrderType, Side, TimeInForce, Trail
from cambist.model.events import OrderCanceled, OrderFilled, OrderTriggered
from cambist.model.orders import Instructions
from cambist.model.times import MINUTE_NS, to_ns
from cambist.orders import OrderBook
from cambist.orders.actions import Report, Resize, Send, Withdraw
from cambist.orders.emulator import Emulator

START = to_ns("2024-03-01")
TICK = 0.5
ACME = Instrument(symbol="ACME", tick_size=TICK, step_size=1)


#: What a venue may work that knows stops, but no trails and no ties.
STOPS = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.MARKET_IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED)


class PlainVenue:
    """Works market and limit orders, and `stops`, at one price after another; `chance` says how much of one trades."""

    def __init__(self, chance=None, stops=()):
        self.chance = chance
        self.book = OrderBook()
        self.emulator = Emulator((OrderType.MARKET, OrderType.LIMIT, *stops))
        self.price = nan
        self.ts = START
        self.resting = {}
        self.fills = defaultdict(list)
        self.sent = {}
        self.number = 0

    def submit(self, order):
        self.book.submit(order, self.ts)
        for tied in (order.oco, order.parent):
            if tied and tied != order.id and self.book.find(tied).is_open:
                self.emulator.watch(self.book.find(tied))
        if self.emulator.native.lacks(order):
            self.do(self.emulator.submit(order, self.ts))
        else:
            self.resting[order.id] = [order.size, order.limit_price, order.type in STOPS]

    def do(self, actions):
        for action in actions:
            if isinstance(action, Report):
                self.book.apply(action.event)
            elif isinstance(action, Send):
                assert action.order_id not in self.sent, "an order is sent once"
                self.sent[action.order_id] = action.size
                waits = action.as_it_is and self.book.get(action.order_id).type in STOPS
                self.resting[action.order_id] = [action.size, action.limit_price, waits]
            elif isinstance(action, Resize):
                self.sent[action.order_id] = action.size
                if action.order_id in self.resting:
                    order = self.book.get(action.order_id)
                    self.resting[action.order_id][0] = action.size - order.filled
            elif isinstance(action, Withdraw) and self.resting.pop(action.order_id, None):
                self.book.apply(OrderCanceled(self.ts, action.order_id, "oco"))
                self.do(self.emulator.on_end(action.order_id, self.ts))
        for action in actions:
            if isinstance(action, Send):
                self.match(action.order_id)

    def match(self, number):
        if number not in self.resting:
            return
        order, (left, limit, waits) = self.book.get(number), self.resting[number]
        if waits:
            rises = order.is_buy is (order.type in {OrderType.STOP, OrderType.STOP_LIMIT})
            if self.price < order.stop_price if rises else self.price > order.stop_price:
                return
            self.resting[number][2] = False
            self.book.apply(OrderTriggered(self.ts, number))
        if not isnan(limit) and (self.price > limit if order.is_buy else self.price < limit):
            return
        size = left if self.chance is None else min(left, self.chance.choice([0, 1, 1, 2, 3]))
        if size <= 0:
            return
        self.number += 1
        fill = Fill(self.number, number, ACME, order.side, float(size), self.price, 0.0, Liquidity.TAKER, self.ts)
        self.book.apply(OrderFilled(self.ts, number, fill))
        self.fills[number].append((self.price, float(size)))
        self.resting[number][0] -= size
        if self.resting[number][0] <= 0:
            del self.resting[number]
        self.do(self.emulator.on_fill(number, order.filled, self.ts))

    def quote(self, price):
        self.price = price
        self.ts += MINUTE_NS
        self.do(self.emulator.on_price("ACME", price, self.ts))
        for number in list(self.resting):
            self.match(number)
        self.do(self.emulator.on_close("ACME", price, self.ts))


@attrs.define
class Wish:
    """An entry, with closing orders or not, sent after bar `bar`; distances in ticks."""

    bar: int
    side: Side
    size: int
    entry: tuple[str, int]
    loss: tuple[str, int] | None = None
    profit: int | None = None


def draw(rng):
    return Wish(
        bar=rng.randint(0, 12),
        side=rng.choice([Side.BUY, Side.SELL]),
        size=rng.randint(1, 5),
        entry=(rng.choice(["market", "limit", "stop", "touch", "trail", "stop_limit"]), rng.randint(1, 5)),
        loss=rng.choice(
            [None, ("stop", rng.randint(1, 6)), ("trail", rng.randint(1, 6)), ("closes", rng.randint(1, 6))]
        ),
        profit=rng.choice([None, rng.randint(1, 6)]),
    )


def prices_of(wish, close):
    """Return the keywords of an entry, and of its closing orders, around the price at which it is sent."""
    sign = 1 if wish.side is Side.BUY else -1
    kind, far = wish.entry
    entry = {
        "market": {},
        "limit": {"limit": close - sign * far * TICK},
        "touch": {"touch": close - sign * far * TICK},
        "stop": {"stop": close + sign * far * TICK},
        "stop_limit": {"stop": close + sign * far * TICK, "limit": close + sign * (far + 1) * TICK},
        "trail": {"trail": far * TICK},
    }[kind]
    reference = entry.get("limit", entry.get("stop", entry.get("touch", close)))
    profit = None if wish.profit is None else reference + sign * wish.profit * TICK
    loss = None
    if wish.loss is not None:
        how, distance = wish.loss
        stop = reference - sign * distance * TICK
        trail = {"trail": distance * TICK, "trail_on": "closes" if how == "closes" else "extremes"}
        loss = {"stop": stop} if how == "stop" else trail
    return entry, loss, profit


class Scripted(Strategy):
    script = param()

    def on_start(self):
        self.bar = -1

    def on_bar(self, bar):
        self.bar += 1
        for number, wish in enumerate(self.script):
            if wish.bar == self.bar:
                entry, loss, profit = prices_of(wish, bar.close)
                send = self.buy_bracket if wish.side is Side.BUY else self.sell_bracket
                # Legs of many brackets close one position: let none be cut by what the others hold.
                legs = {"stop_loss": loss and {**loss, "reduce_only": False}}
                if profit is not None:
                    legs["take_profit"] = {"limit": profit, "reduce_only": False}
                send(wish.size, tag=str(number), **legs, **entry)


def copies(orders):
    """Return the orders of a run as they were when they were made."""
    fresh = []
    for order in orders:
        terms = {"status": OrderStatus.CREATED, "reason": "", "filled": 0.0, "average_price": nan, "fees": 0.0}
        fresh.append(attrs.evolve(order, **terms, accepted=False, triggered=False, updated_at=order.created_at))
    return fresh


class Recording(Scripted):
    """Keeps its orders as they were when they were sent: what follows the price moves on."""

    made = param()

    def buy(self, *args, **kwargs):
        order = super().buy(*args, **kwargs)
        self.made.extend(copies([order]))
        return order

    def sell(self, *args, **kwargs):
        order = super().sell(*args, **kwargs)
        self.made.extend(copies([order]))
        return order


@pytest.mark.parametrize("stops", [(), STOPS])
@pytest.mark.parametrize("seed", range(300))
def test_at_one_price_after_another_the_emulator_trades_what_the_simulated_venue_trades(seed, stops):
    rng = Random(seed)
    path = [60.0]
    for _ in range(25):
        path.append(max(10.0, path[-1] + rng.choice([-3, -2, -1, 0, 1, 2, 3]) * TICK))
    script = [draw(rng) for _ in range(rng.randint(1, 6))]
    flat = np.array(path)
    bars = Bars(ACME, "1m", START + np.arange(len(path)) * MINUTE_NS, flat, flat, flat, flat, np.ones(len(path)))
    made = []
    result = cambist.backtest(Recording(script=script, made=made), bars, cash=1e9, benchmark=False, leverage=100.0)
    expected = defaultdict(list)
    for fill in result.fill_records:
        expected[fill.order_id].append((fill.price, fill.size))

    venue, coming = PlainVenue(stops=stops), {order.id: order for order in made}
    rejected = {order.id for order in result.order_records if order.reason.partition(":")[0] in REFUSALS}
    for number, price in enumerate(path):
        venue.quote(price)
        for order in list(coming.values()):
            if order.created_at == START + (number + 1) * MINUTE_NS and order.id not in rejected:
                venue.book.add(coming.pop(order.id))
                venue.submit(order)
    assert dict(venue.fills) == dict(expected)
    assert len(made) == len(result.order_records)


REFUSALS = {"stop_already_reached", "price_not_positive", "insufficient_funds"}


def order_of(book, side, kind, size, *, limit=nan, stop=nan, reduce_only=False, **special):
    number = book.next_id()
    order = Order(number, ACME, side, kind, size, limit, stop, TimeInForce.GTC, 0, reduce_only, "s", "", START, START)
    order.instructions = Instructions(**special)
    return book.add(order)


@pytest.mark.parametrize("stops", [(), STOPS])
@pytest.mark.parametrize("seed", range(200))
def test_closing_orders_never_trade_more_than_their_entry_has(seed, stops):
    """With a venue that trades in pieces: at every price a bracket holds no more than nothing on the other side."""
    rng = Random(seed)
    venue = PlainVenue(rng, stops)
    venue.quote(60.0)
    book, size = venue.book, float(rng.randint(1, 9))
    entry = order_of(book, Side.BUY, rng.choice([OrderType.MARKET, OrderType.LIMIT]), size, limit=60.0)
    if entry.type is OrderType.MARKET:
        entry.limit_price = nan
    venue.submit(entry)
    common = {"reduce_only": True, "parent": entry.id}
    trail = rng.random() < 0.5
    stop = order_of(
        book,
        Side.SELL,
        OrderType.TRAILING_STOP if trail else OrderType.STOP,
        size,
        stop=nan if trail else 57.0,
        trail=Trail(amount=2.0) if trail else None,
        **common,
    )
    venue.submit(stop)
    target = order_of(book, Side.SELL, OrderType.LIMIT, size, limit=62.0, oco=stop.id, **common)
    venue.submit(target)
    price = 60.0
    for _ in range(60):
        price = max(20.0, price + rng.choice([-2, -1, 0, 1, 2]) * TICK)
        venue.quote(price)
        closed = sum(size for number in (stop.id, target.id) for _, size in venue.fills[number])
        opened = sum(size for _, size in venue.fills[entry.id])
        assert closed <= opened
        assert venue.sent.get(stop.id, 0.0) <= opened
        if not entry.is_open and stop.status is OrderStatus.FILLED:
            assert not target.is_open
    assert not book.anomalies
