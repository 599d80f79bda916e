"""A latency is the same as a strategy that sends everything so many bars later."""

from __future__ import annotations

from math import isnan

import attrs
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import cambist
from cambist import Bars, Instrument, Strategy, param
from cambist.model.times import HOUR_NS, to_ns

START = to_ns("2024-03-01")
LENGTH = 8 * HOUR_NS
TICK = 0.5
LOW, HIGH = 10, 30


@attrs.define
class Wish:
    """An order: sent after `bar`, perhaps withdrawn or moved at a later one."""

    bar: int
    buys: bool
    size: int
    limit: int | None
    stop: int | None
    tif: str
    cancel_at: int | None
    move: tuple[int, int] | None


@st.composite
def wishes(draw):
    withdrawn = draw(st.booleans())
    return Wish(
        draw(st.integers(0, 6)),
        draw(st.booleans()),
        draw(st.integers(1, 5)),
        draw(st.none() | st.integers(LOW, HIGH)),
        draw(st.none() | st.integers(LOW, HIGH)),
        draw(st.sampled_from(["gtc", "gtc", "day", "ioc", "fok"])),
        draw(st.none() | st.integers(0, 8)) if withdrawn else None,
        None if withdrawn else draw(st.none() | st.tuples(st.integers(0, 8), st.integers(-4, 4))),
    )


class Late(Strategy):
    """Follows the script, everything `late` bars after its time."""

    script = param()
    late: int = param(0)

    def on_start(self):
        self.bar = -1
        self.sent = {}

    def on_bar(self, bar):
        self.bar += 1
        now = self.bar - self.late
        for number, wish in enumerate(self.script):
            order = self.sent.get(number)
            if order is not None and order.is_open:
                if wish.cancel_at == now:
                    self.cancel(order)
                elif wish.move is not None and wish.move[0] == now:
                    by = wish.move[1] * TICK
                    prices = {"limit": order.limit_price, "stop": order.stop_price}
                    self.modify(order, **{name: price + by for name, price in prices.items() if not isnan(price)})
        for number, wish in enumerate(self.script):
            if wish.bar == now:
                terms = {"limit": wish.limit, "stop": wish.stop}
                terms = {name: ticks * TICK for name, ticks in terms.items() if ticks is not None}
                send = self.buy if wish.buys else self.sell
                self.sent[number] = send(wish.size, time_in_force=wish.tif, tag=str(number), **terms)


def unrefused(wish, closes, late):
    """Leave out a stop that the gate refuses at one of the two times: it judges by the market when an order is sent."""
    if wish.stop is None:
        return wish
    seen = [closes[bar] for bar in (wish.bar, wish.bar + late) if bar < len(closes)]
    reached = any(close >= wish.stop if wish.buys else close <= wish.stop for close in seen)
    return attrs.evolve(wish, stop=None if reached else wish.stop, move=None)


def fills(script, bars, late, **options):
    result = cambist.backtest(Late(script=script, late=late), bars, cash=1e9, benchmark=False, **options)
    tags = {order.id: order.tag for order in result.order_records}
    return [(tags[one.order_id], one.size, one.price, one.liquidity, one.ts) for one in result.fill_records]


@settings(max_examples=120)
@given(
    raw=st.lists(st.tuples(*[st.integers(LOW, HIGH)] * 4), min_size=5, max_size=14),
    script=st.lists(wishes(), min_size=1, max_size=8),
    late=st.integers(0, 3),
    part=st.floats(0.0, 0.99),
    path=st.sampled_from(["nearer_first", "pessimistic"]),
    events=st.booleans(),
)
def test_latency_is_sending_later(raw, script, late, part, path, events):
    columns = np.array([(o, max(o, h, low, c), min(o, h, low, c), c) for o, h, low, c in raw], float).T * TICK
    ts = START + np.arange(len(raw)) * LENGTH
    bars = Bars(Instrument(symbol="X", tick_size=TICK, step_size=1), "8h", ts, *columns, np.ones(len(raw)))
    latency = late * LENGTH - int(part * LENGTH) if late else 0
    script = [unrefused(wish, [row[3] for row in raw], late) for wish in script]
    assert fills(script, bars, 0, latency=latency, path=path, events=events) == fills(script, bars, late, path=path)
