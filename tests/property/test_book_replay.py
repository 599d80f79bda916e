"""Orders of ours in a recorded book, against a twin that lines up every lot; on made-up records and on a real one."""

from __future__ import annotations

import gzip
import json
from fractions import Fraction
from itertools import islice
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from queued_lots import LinedUp

from cambist.model import Instrument, Side, TimeInForce
from cambist.simulation import BookOrder, BookReplay, BookTrade, BookUnits, cancels_behind, cancels_spread

BUY, SELL = Side.BUY, Side.SELL
SIDES = st.sampled_from([BUY, SELL])
PRICES = st.integers(1, 8)


class Twins:
    """A replay and its slow twin, given the same and compared after each."""

    def __init__(self):
        self.replay, self.plain = BookReplay(), LinedUp()
        self.sent = 0

    def do(self, what, *given):
        events = getattr(self.replay, what)(*given)
        self.plain.fills = []
        getattr(self.plain, what)(*given)
        trades = [event for event in events if isinstance(event, BookTrade)]
        assert [(one.order_id or one.maker_id, one.price, one.size) for one in trades] == self.plain.fills
        if what == "trade":
            assert sum(one.size for one in trades) <= given[-1], "we got more than was traded"
        return events

    def send(self, **terms):
        self.sent += 1
        self.do("submit", BookOrder(id=self.sent, owner="us", **terms))

    def compare(self):
        resting = {own.order.id: (own.order.side, own.price) for own in self.replay.open_orders}
        assert resting == self.plain.terms
        for own in self.replay.open_orders:
            number = own.order.id
            assert (own.ahead, own.remaining) == (self.plain.ahead(number), self.plain.left(number)), number


class ReplayMachine(RuleBasedStateMachine):
    """Records as they come and orders between."""

    def __init__(self):
        super().__init__()
        self.twins = Twins()

    @rule(side=SIDES, price=PRICES, size=st.integers(0, 12))
    def level(self, side, price, size):
        self.twins.do("level", side, price, size)

    @rule(taker=SIDES, price=PRICES, size=st.integers(1, 12))
    def trade(self, taker, price, size):
        self.twins.do("trade", taker, price, size)

    @rule(side=SIDES, price=PRICES, size=st.integers(1, 9), post_only=st.booleans())
    def rest(self, **terms):
        self.twins.send(**terms)

    @rule(
        side=SIDES,
        price=st.none() | PRICES,
        size=st.integers(1, 9),
        time_in_force=st.sampled_from([TimeInForce.IOC, TimeInForce.FOK]),
    )
    def take(self, **terms):
        self.twins.send(**terms)

    @rule(pick=st.integers(1, 20))
    def cancel(self, pick):
        self.twins.do("cancel", pick)

    @invariant()
    def they_agree(self):
        self.twins.compare()


ReplayMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestReplay = ReplayMachine.TestCase


@given(st.integers(1, 10_000), st.data())
def test_the_proportional_model_keeps_the_share_ahead_rounded_against_us(size, data):
    ahead, canceled = data.draw(st.integers(0, size)), data.draw(st.integers(1, size))
    assert cancels_spread(ahead, canceled, size) == ceil(ahead * (1 - Fraction(canceled, size)))
    assert cancels_behind(ahead, canceled, size) == min(ahead, size - canceled) >= cancels_spread(ahead, canceled, size)


UNITS = BookUnits(Instrument(symbol="BTCUSDT", tick_size="0.01", step_size="1e-8"))


def recorded(path):
    """Yield ``(what, ...)`` of a recording: ("levels", [(side, ticks, lots)]) and ("trade", taker, ticks, lots)."""
    waiting, last = [], None
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line.partition(" ")[2])
            if "lastUpdateId" in message:
                last = message["lastUpdateId"]
                yield "snapshot", pairs(message["bids"]), pairs(message["asks"])
                yield from (levels(update) for update in waiting if update["u"] > last)
                continue
            data, kind = message["data"], message["stream"].partition("@")[2]
            if kind == "trade" and last is not None:
                yield "trade", SELL if data["m"] else BUY, UNITS.ticks(data["p"]), UNITS.lots(data["q"])
            elif kind.startswith("depth"):
                if last is None:
                    waiting.append(data)
                elif data["u"] > last:
                    yield levels(data)


def pairs(given):
    return [(UNITS.ticks(price), UNITS.lots(size)) for price, size in given]


def levels(update):
    sides = ((BUY, "b"), (SELL, "a"))
    return "levels", [(side, *pair) for side, key in sides for pair in pairs(update[key])]


def test_a_real_market_agrees_with_every_lot_lined_up(outside_data):
    """Some minutes of Binance's spot book: orders at the best prices, renewed now and then."""
    twins, since, volume, filled = Twins(), 0, 0, 0
    path = outside_data / "ticks" / "binance_spot_BTCUSDT_2024-08-08_raw_l2.jsonl.gz"
    for what, *given_ in islice(recorded(path), 5_000):
        if what == "trade":
            volume += given_[-1]
            filled += sum(one.size for one in twins.do("trade", *given_))
        else:
            updates = given_[0] if what == "levels" else []
            if what == "snapshot":
                updates = [(side, *pair) for side, pairs_ in zip((BUY, SELL), given_, strict=True) for pair in pairs_]
            for update in updates:
                twins.do("level", *update)
        since += 1
        if since % 40 == 0:
            for own in twins.replay.open_orders[:-4]:
                twins.do("cancel", own.order.id)
            for side in (BUY, SELL):
                twins.send(side=side, price=twins.replay.best(side), size=100 * (1 + since % 7), post_only=True)
        twins.compare()
    assert since == 5_000
    assert 0 < filled < volume
