"""The venue against a plain matcher that moves the price by half ticks and asks every order at every stand."""

from __future__ import annotations

from math import isnan
from random import Random

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cambist
from cambist import Bars, Instrument, Strategy, param
from cambist.model.times import HOUR_NS, to_ns

START = to_ns("2024-03-01")
LENGTH = 8 * HOUR_NS  # three bars a day, so that day orders end
TICK = 0.5
LOW, HIGH = 10, 30  # in ticks
FLEETING = ("ioc", "fok")


@attrs.define
class Wish:
    """An order as it is asked for: prices in ticks, `bar` after whose close it is sent.

    `kind` says what stop means: ``"stop"``, ``"touch"``, ``"trail"`` or ``"close"`` (at the close of the day).
    `oco` and `parent` count back to an earlier wish.
    """

    bar: int
    buys: bool
    size: int
    limit: int | None
    stop: int | None
    tif: str
    lives: int = 1  # bars, for GTD
    cancel_at: int | None = None
    move: tuple[int, int] | None = None  # after which bar, and by how many ticks, to move its prices
    kind: str = "stop"
    trail: int = 2
    on_closes: bool = False
    post_only: bool = False
    oco: int | None = None
    parent: int | None = None

    @property
    def sign(self):
        return 1 if self.buys else -1


def wishes(**special):
    return st.lists(
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
            **special,
        ),
        min_size=1,
        max_size=8,
    )


BARS = st.lists(st.tuples(*[st.integers(LOW, HIGH)] * 4), min_size=3, max_size=9)
SPECIAL = {
    "kind": st.sampled_from(["stop", "touch", "trail", "close"]),
    "trail": st.integers(1, 6),
    "on_closes": st.booleans(),
    "post_only": st.booleans(),
    "oco": st.none() | st.integers(1, 3),
    "parent": st.none() | st.integers(1, 3),
}


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
                    prices = {name: at + by for name, at in prices.items() if not isnan(at)}
                    if prices:
                        self.modify(order, **prices)
        for number, wish in enumerate(self.script):
            if wish.bar == self.bar:
                self.sent[number] = self.ask(number, wish)

    def ask(self, number, wish):
        terms = {"limit": wish.limit, "stop": wish.stop}
        if wish.kind == "touch" and wish.stop is not None:
            terms = {"limit": wish.limit, "touch": wish.stop}
        elif wish.kind == "trail":
            limited = {} if wish.limit is None else {"trail_limit": 2}
            terms = {"stop": wish.stop, "trail": wish.trail, **limited}
        elif wish.kind == "close":
            terms = {}
        terms = {name: ticks * TICK for name, ticks in terms.items() if ticks is not None}
        if wish.kind == "close":
            terms["on_close"] = True
        if wish.kind == "trail" and wish.on_closes:
            terms["trail_on"] = "closes"
        if wish.post_only:
            terms["post_only"] = True
        for name in ("oco", "parent"):
            back = getattr(wish, name)
            if back is not None and self.sent.get(number - back) is not None:
                terms[name] = self.sent[number - back]
        if wish.tif == "gtd":
            terms["expires_at"] = self.now + wish.lives * LENGTH
        send = self.buy if wish.buys else self.sell
        return send(wish.size, time_in_force=wish.tif, tag=str(number), **terms)


class PlainOrder:
    """One order in the plain matcher; prices in half ticks."""

    def __init__(self, number, wish):
        self.number, self.wish = number, wish
        self.sign = 1 if wish.buys else -1
        self.size = wish.size
        self.closes = wish.kind == "close"
        self.trails = wish.kind == "trail"
        self.limit = None if wish.limit is None or self.closes or self.trails else 2 * wish.limit
        self.stop = None if wish.stop is None or self.closes else 2 * wish.stop
        self.limited = not self.closes and wish.limit is not None
        if self.trails and self.stop is not None and self.limited:
            self.limit = self.stop + self.sign * 4
        self.triggered = not self.trails and self.stop is None
        # A stop acts as the price moves against the order, a touch as it moves in its favor.
        self.turn = -self.sign if wish.kind == "touch" else self.sign
        self.day = None
        self.fresh = True
        self.waits = False
        self.filled = False
        self.group = {self}

    def anchor(self, market):
        """Begin to follow the price here, where it was told no stop."""
        if self.trails and self.stop is None:
            self.place(market)

    def place(self, market):
        self.stop = market + self.sign * 2 * self.wish.trail
        if self.limited:
            self.limit = self.stop + self.sign * 4

    def follow(self, market):
        """Let the stop of a trailing order follow the price."""
        if self.trails and not self.triggered and not self.waits:
            ahead = market + self.sign * 2 * self.wish.trail
            if self.sign * (self.stop - ahead) > 0:
                self.place(market)

    def price_at(self, market, *, opening, passes):
        """Return the price it gets where the market stands at `market`, or None; it may trigger there."""
        if self.waits or self.closes:
            return None
        triggers = not self.triggered and self.turn * (market - self.stop) >= 0
        self.triggered |= triggers
        if not self.triggered or (self.limit is not None and self.sign * (self.limit - market) < passes):
            return None
        takes = self.limit is None or triggers or (opening and self.fresh)
        if takes and self.wish.post_only:
            return "refused"
        rested = self.limit is not None and not opening and not triggers
        return self.limit if rested else market

    def is_over(self, bar):
        """Tell whether its time has passed when a bar opens."""
        if self.waits:
            return False
        self.day = bar // 3 if self.day is None else self.day
        late = self.wish.tif == "gtd" and bar > self.wish.bar + 1 + self.wish.lives
        return late or (self.wish.tif == "day" and bar // 3 > self.day)

    def is_refused(self, market):
        """Tell whether its terms contradict themselves or the market."""
        wish = self.wish
        if wish.post_only and (not self.limited or wish.tif in FLEETING):
            return True
        if self.closes and wish.tif in FLEETING:
            return True
        return not self.waits and self.is_reached(market)

    def is_reached(self, market):
        return not self.closes and not self.triggered and self.turn * (market - self.stop) >= 0

    def move(self, ticks, market):
        before = self.limit, self.stop
        self.limit = None if self.limit is None else self.limit + 2 * ticks
        self.stop = None if self.stop is None else self.stop + 2 * ticks
        if not self.waits and self.is_reached(market):
            self.limit, self.stop = before
        elif before != (None, None):
            self.fresh = True


class PlainMatcher:
    """Plays a script; `fills` has (order, price in half ticks, size) in the order in which they happened."""

    def __init__(self, script, path, passes):
        self.script, self.path, self.passes = script, path, passes
        self.orders, self.live, self.fills = {}, [], []

    def end(self, order):
        """Take an order off the market, and with it what hangs on it."""
        if order not in self.live:
            return
        self.live.remove(order)
        for other in sorted(order.group - {order}, key=lambda one: one.number):
            other.group = {other}
            self.end(other)
        order.group = {order}
        if not order.filled:
            for child in [one for one in self.live if one.waits is order]:
                self.end(child)

    def fill(self, order, price):
        """Trade an order; its children come to the market where it stands, which is the price of the fill."""
        order.filled = True
        self.fills.append((order.number, price, order.size))
        woken = [one for one in self.live if one.waits is order]
        self.end(order)
        woken = [one for one in woken if one in self.live]
        for child in woken:
            self.live.remove(child)  # its place among those of one price counts from now
            self.live.append(child)
            child.waits, child.fresh = False, True
            child.size = min(child.size, order.size)
        for child in woken:
            child.anchor(price)
            child.day = self.bar // 3 if child.day is None else child.day
        for child in woken:
            if child in self.live and child.is_over(self.bar):
                self.end(child)
            elif child in self.live:
                self.ask(child, price, opening=True)
                child.fresh = False
                if child in self.live and not child.wish.on_closes:
                    child.follow(price)
                if child.wish.tif in FLEETING:
                    self.end(child)

    def ask(self, order, market, *, opening=False):
        price = order.price_at(market, opening=opening, passes=self.passes)
        if price == "refused":
            self.end(order)
        elif price is not None:
            self.fill(order, price)

    def stand(self, market, *, opening=False):
        """Ask every order, oldest first, what it does where the market stands."""
        for order in [*self.live]:
            if order in self.live:
                self.ask(order, market, opening=opening)
                if opening and order.wish.tif in FLEETING and not order.waits:
                    self.end(order)
        for order in self.live:
            if not order.wish.on_closes:
                order.follow(market)

    def play(self, number, bar):
        open_, high, low, close = bar
        self.bar = number
        for order in [*self.live]:
            if order in self.live and order.is_over(number):
                self.end(order)
        self.stand(2 * open_, opening=True)
        for order in self.live:
            order.fresh = False
        held = sum(self.script[one].sign * size for one, _, size in self.fills)
        up_first = high - open_ < open_ - low
        if self.path == "pessimistic" and held:
            up_first = held < 0
        at = 2 * open_
        for turn in (high, low, close) if up_first else (low, high, close):
            while at != 2 * turn:
                at += 1 if 2 * turn > at else -1
                self.stand(at)
        for order in self.live:
            if order.wish.on_closes:
                order.follow(2 * close)
        if number % 3 == 2:
            for order in [one for one in self.live if one.closes and not one.waits]:
                if order in self.live:
                    self.fill(order, 2 * close)

    def after(self, number, close):
        """Do what the script says after the close of a bar."""
        for order in [*self.live]:
            if order not in self.live:
                continue
            if order.wish.cancel_at == number:
                self.end(order)
            elif order.wish.move is not None and order.wish.move[0] == number:
                order.move(order.wish.move[1], 2 * close)
        for other, wish in enumerate(self.script):
            if wish.bar == number:
                self.send(PlainOrder(other, wish), 2 * close)

    def send(self, order, market):
        partner = self.orders.get(order.number - (order.wish.oco or 0)) if order.wish.oco else None
        parent = self.orders.get(order.number - (order.wish.parent or 0)) if order.wish.parent else None
        self.orders[order.number] = order
        order.waits = False if parent is None or parent.filled else parent
        if not order.waits:
            order.anchor(market)
        late = (partner is not None and partner not in self.live) or (
            parent is not None and not parent.filled and parent not in self.live
        )
        if late or order.is_refused(market):
            return
        self.live.append(order)
        if partner is not None:
            partner.group.add(order)
            for member in partner.group:
                member.group = partner.group


def plain_fills(bars, script, path, passes):
    """Return (order, price in half ticks, size) of every fill, in the order in which they happen."""
    matcher = PlainMatcher(script, path, passes)
    for number, bar in enumerate(bars):
        matcher.play(number, bar)
        matcher.after(number, bar[3])
    return matcher.fills


def make_bars(raw):
    shaped = [(open_, max(row), min(row), close) for row in raw for open_, _, _, close in [row]]
    columns = np.array(shaped, float).T * TICK
    instrument = Instrument(symbol="X", tick_size=TICK, step_size=1)
    ts = START + np.arange(len(raw)) * LENGTH
    return shaped, Bars(instrument, "8h", ts, *columns, np.ones(len(raw)))


def hold_equal(raw, script, path, touch):
    shaped, bars = make_bars(raw)
    options = {"cash": 1e9, "path": path, "fill_on_touch": touch, "benchmark": False}
    result = cambist.backtest(Scripted(script=script), bars, **options)
    tags = {order.id: int(order.tag) for order in result.order_records}
    got = [(tags[fill.order_id], fill.price / TICK * 2, fill.size) for fill in result.fill_records]
    assert got == plain_fills(shaped, script, path, 0 if touch else 1)
    slow = cambist.backtest(Scripted(script=script), bars, events=True, **options)
    assert repr(slow.fill_records) == repr(result.fill_records)
    assert repr(slow.order_records) == repr(result.order_records)
    return len(got)


@settings(max_examples=150)
@given(raw=BARS, script=wishes(), path=st.sampled_from(["nearer_first", "pessimistic"]), touch=st.booleans())
def test_fills_are_those_of_the_plain_matcher(raw, script, path, touch):
    hold_equal(raw, script, path, touch)


@settings(max_examples=300)
@given(raw=BARS, script=wishes(**SPECIAL), path=st.sampled_from(["nearer_first", "pessimistic"]), touch=st.booleans())
def test_fills_of_special_and_tied_orders_are_those_of_the_plain_matcher(raw, script, path, touch):
    hold_equal(raw, script, path, touch)


@pytest.mark.parametrize(("special", "least"), [(False, 1_500), (True, 900)], ids=["plain", "special"])
def test_fills_are_those_of_the_plain_matcher_in_crowded_bars(special, least):
    """What hypothesis seldom draws: many orders that all have a good chance to trade."""
    rng = Random(7)

    def maybe(make, share=0.5):
        return make() if rng.random() < share else None

    def ticks():
        return rng.randint(LOW, HIGH)

    def unusual():
        return {
            "kind": rng.choice(["stop", "touch", "trail", "close"]),
            "trail": rng.randint(1, 6),
            "on_closes": rng.random() < 0.3,
            "post_only": rng.random() < 0.2,
            "oco": maybe(lambda: rng.randint(1, 3), 0.3),
            "parent": maybe(lambda: rng.randint(1, 3), 0.3),
        }

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
                tif=rng.choice(["gtc", "gtc", "day", "gtd", *FLEETING]),
                lives=rng.randint(0, 4),
                cancel_at=maybe(lambda: rng.randint(0, 7)),
                move=maybe(lambda: (rng.randint(0, 7), rng.randint(-4, 4))),
                **(unusual() if special else {}),
            )
            for _ in range(rng.randint(1, 12))
        ]
        fills += hold_equal(raw, script, rng.choice(["nearer_first", "pessimistic"]), rng.random() < 0.5)
    assert fills > least
