"""The venue against a plain matcher that moves the price by half ticks and asks every order at every stand."""

from __future__ import annotations

from math import isnan
from random import Random

import attrs
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import cambist
from cambist import Bars, Instrument, Strategy, param
from cambist.model.times import HOUR_NS, to_ns

START = to_ns("2024-03-01")
LENGTH = 8 * HOUR_NS  # three bars a day, so that day orders end
TICK = 0.5
LOW, HIGH = 10, 30  # in ticks


@attrs.define
class Wish:
    """An order as it is asked for: prices in ticks, `bar` after whose close it is sent."""

    bar: int
    buys: bool
    size: int
    limit: int | None
    stop: int | None
    tif: str
    lives: int  # bars, for GTD
    cancel_at: int | None
    move: tuple[int, int] | None  # after which bar, and by how many ticks, to move its prices


WISHES = st.lists(
    st.builds(
        Wish,
        bar=st.integers(0, 6),
        buys=st.booleans(),
        size=st.integers(1, 5),
        limit=st.none() | st.integers(LOW, HIGH),
        stop=st.none() | st.integers(LOW, HIGH),
        tif=st.sampled_from(["gtc", "gtc", "gtc", "day", "gtd", "ioc", "fok"]),
        lives=st.integers(0, 4),
        cancel_at=st.none() | st.integers(0, 7),
        move=st.none() | st.tuples(st.integers(0, 7), st.integers(-4, 4)),
    ),
    min_size=1,
    max_size=8,
)
BARS = st.lists(st.tuples(*[st.integers(LOW, HIGH)] * 4), min_size=3, max_size=9)


class Scripted(Strategy):
    """Sends what the script says, at the closes it says."""

    script = param()

    def on_start(self):
        self.bar = -1
        self.sent = {}

    def on_bar(self, bar):
        self.bar += 1
        for number, wish in enumerate(self.script):
            order = self.sent.get(number)
            if order is not None and order.is_open:
                if wish.cancel_at == self.bar:
                    self.cancel(order)
                elif wish.move is not None and wish.move[0] == self.bar:
                    by = wish.move[1] * TICK
                    prices = {"limit": order.limit_price, "stop": order.stop_price}
                    self.modify(order, **{name: at + by for name, at in prices.items() if not isnan(at)})
        for number, wish in enumerate(self.script):
            if wish.bar == self.bar:
                terms = {"limit": wish.limit, "stop": wish.stop}
                terms = {name: ticks * TICK for name, ticks in terms.items() if ticks is not None}
                if wish.tif == "gtd":
                    terms["expires_at"] = self.now + wish.lives * LENGTH
                send = self.buy if wish.buys else self.sell
                self.sent[number] = send(wish.size, time_in_force=wish.tif, tag=str(number), **terms)


class PlainOrder:
    """One order in the plain matcher; prices in half ticks."""

    def __init__(self, number, wish):
        self.number, self.wish = number, wish
        self.sign = 1 if wish.buys else -1
        self.limit = None if wish.limit is None else 2 * wish.limit
        self.stop = None if wish.stop is None else 2 * wish.stop
        self.triggered = wish.stop is None
        self.day = None

    def price_at(self, market, *, opening, passes):
        """Return the price it gets where the market stands at `market`, or None; it may trigger there."""
        triggers = not self.triggered and self.sign * (market - self.stop) >= 0
        self.triggered |= triggers
        if not self.triggered or (self.limit is not None and self.sign * (self.limit - market) < passes):
            return None
        rested = self.limit is not None and not opening and not triggers
        return self.limit if rested else market

    def is_over(self, bar):
        """Tell whether its time has passed when a bar opens."""
        self.day = bar // 3 if self.day is None else self.day
        late = self.wish.tif == "gtd" and bar > self.wish.bar + 1 + self.wish.lives
        return late or (self.wish.tif == "day" and bar // 3 > self.day)

    def is_reached(self, market):
        """Tell whether the market has reached its stop already, so that such terms are refused."""
        return not self.triggered and self.sign * (market - self.stop) >= 0

    def move(self, ticks, market):
        before = self.limit, self.stop
        self.limit = None if self.limit is None else self.limit + 2 * ticks
        self.stop = None if self.stop is None else self.stop + 2 * ticks
        if self.is_reached(market):
            self.limit, self.stop = before


def plain_fills(bars, script, path, passes):
    """Return (order, price in half ticks) of every fill, in the order in which they happen."""
    live, fills = [], []

    def stand(market, opening=False):
        """Ask every order, oldest first, what it does where the market stands."""
        for order in [*live]:
            price = order.price_at(market, opening=opening, passes=passes)
            if price is not None:
                fills.append((order.number, price))
                live.remove(order)

    for number, (open_, high, low, close) in enumerate(bars):
        live[:] = [order for order in live if not order.is_over(number)]
        stand(2 * open_, opening=True)
        live[:] = [order for order in live if order.wish.tif not in ("ioc", "fok")]
        held = sum(script[one].size * (1 if script[one].buys else -1) for one, _ in fills)
        up_first = high - open_ < open_ - low
        if path == "pessimistic" and held:
            up_first = held < 0
        at = 2 * open_
        for turn in (high, low, close) if up_first else (low, high, close):
            while at != 2 * turn:
                at += 1 if 2 * turn > at else -1
                stand(at)
        for order in [*live]:
            if order.wish.cancel_at == number:
                live.remove(order)
            elif order.wish.move is not None and order.wish.move[0] == number:
                order.move(order.wish.move[1], 2 * close)
        sent = [PlainOrder(other, wish) for other, wish in enumerate(script) if wish.bar == number]
        live.extend(order for order in sent if not order.is_reached(2 * close))
    return fills


def make_bars(raw):
    shaped = [(open_, max(row), min(row), close) for row in raw for open_, _, _, close in [row]]
    columns = np.array(shaped, float).T * TICK
    instrument = Instrument(symbol="X", tick_size=TICK, step_size=1)
    ts = START + np.arange(len(raw)) * LENGTH
    return shaped, Bars(instrument, "8h", ts, *columns, np.ones(len(raw)))


def hold_equal(raw, script, path, touch):
    shaped, bars = make_bars(raw)
    result = cambist.backtest(Scripted(script=script), bars, cash=1e9, path=path, fill_on_touch=touch, benchmark=False)
    tags = {order.id: int(order.tag) for order in result.order_records}
    got = [(tags[fill.order_id], fill.price / TICK * 2) for fill in result.fill_records]
    assert got == plain_fills(shaped, script, path, 0 if touch else 1)
    assert [fill.size for fill in result.fill_records] == [script[number].size for number, _ in got]
    return len(got)


@settings(max_examples=150)
@given(raw=BARS, script=WISHES, path=st.sampled_from(["nearer_first", "pessimistic"]), touch=st.booleans())
def test_fills_are_those_of_the_plain_matcher(raw, script, path, touch):
    hold_equal(raw, script, path, touch)


def test_fills_are_those_of_the_plain_matcher_in_crowded_bars():
    """What hypothesis seldom draws: many orders that all have a good chance to trade."""
    rng = Random(7)

    def maybe(make):
        return make() if rng.random() < 0.5 else None

    def ticks():
        return rng.randint(LOW, HIGH)

    fills = 0
    for _ in range(600):
        raw = [tuple(ticks() for _ in range(4)) for _ in range(rng.randint(3, 9))]
        script = [
            Wish(
                bar=rng.randint(0, 6),
                buys=rng.random() < 0.5,
                size=rng.randint(1, 5),
                limit=maybe(ticks),
                stop=maybe(ticks),
                tif=rng.choice(["gtc", "gtc", "day", "gtd", "ioc", "fok"]),
                lives=rng.randint(0, 4),
                cancel_at=maybe(lambda: rng.randint(0, 7)),
                move=maybe(lambda: (rng.randint(0, 7), rng.randint(-4, 4))),
            )
            for _ in range(rng.randint(1, 12))
        ]
        fills += hold_equal(raw, script, rng.choice(["nearer_first", "pessimistic"]), rng.random() < 0.5)
    assert fills > 1_500
