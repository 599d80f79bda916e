"""The venue on trades and quotes against a plain matcher, written from the rules in the documentation."""

from __future__ import annotations

import attrs
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import cambist
from cambist import Instrument, Quotes, Strategy, Ticks, param
from cambist.model.times import SECOND_NS, to_ns

START = to_ns("2024-03-01")
ACME = Instrument(symbol="ACME", tick_size="0.5", step_size="1")
LOW, HIGH = 20, 34  # in half units


@attrs.define
class Wish:
    """An order as it is asked for: prices in half units, `at` the event that it is sent at."""

    at: int
    buys: bool
    size: int
    limit: int | None
    stop: int | None
    tif: str
    cancel_at: int | None


WISHES = st.lists(
    st.builds(
        Wish,
        at=st.integers(0, 8),
        buys=st.booleans(),
        size=st.integers(1, 6),
        limit=st.none() | st.integers(LOW, HIGH),
        stop=st.none() | st.integers(LOW, HIGH),
        tif=st.sampled_from(["gtc", "gtc", "gtc", "ioc", "fok"]),
        cancel_at=st.none() | st.integers(0, 10),
    ),
    min_size=1,
    max_size=7,
)
PRICES = st.integers(LOW, HIGH)
EVENTS = st.lists(
    st.tuples(st.just("tick"), PRICES, st.integers(0, 8))
    | st.tuples(st.just("quote"), PRICES, st.integers(0, 3), st.integers(0, 8), st.integers(0, 8)),
    min_size=2,
    max_size=14,
)


class Scripted(Strategy):
    """Sends and cancels what the script says, at the events it says."""

    script = param()

    def on_start(self):
        self.seen = -1
        self.sent = {}

    def on_tick(self, tick):
        self.seen += 1
        for number, wish in enumerate(self.script):
            if wish.cancel_at == self.seen and number in self.sent:
                self.cancel(self.sent[number])
        for number, wish in enumerate(self.script):
            if wish.at == self.seen:
                terms = {"limit": wish.limit, "stop": wish.stop}
                prices = {name: half / 2 for name, half in terms.items() if half is not None}
                send = self.buy if wish.buys else self.sell
                self.sent[number] = send(wish.size, time_in_force=wish.tif, tag=str(number), **prices)

    on_quote = on_tick


@attrs.define
class Plain:
    """An order at the plain venue."""

    wish: Wish
    left: int
    triggered: bool
    fresh: bool = True


def plain_fills(events, script, *, touch, share, trigger):
    """Return (wish, size, price in half units, maker or taker) of every fill, as the rules in words have it."""
    kinds = {event[0] for event in events}
    quoted = "quote" in kinds
    on_last = trigger == "last" or (trigger == "auto" and "tick" in kinds)
    working, fills, mark = {}, [], None
    for seen, event in enumerate(events):
        is_quote = event[0] == "quote"
        if is_quote or not quoted:
            mark = event[1] + event[2] / 2 if is_quote else event[1]
        if is_quote:
            _, bid, spread, bid_size, ask_size = event
            room = {True: ask_size, False: bid_size}
        else:
            room = dict.fromkeys((True, False), event[2])
        room = {side: size if share else 10**9 for side, size in room.items()}
        takes = is_quote or not quoted
        met = [one for one in working.values() if one.fresh] if takes else []
        for number, one in list(working.items()):
            wish = one.wish
            price = (bid + spread if wish.buys else bid) if is_quote else event[1]
            came = one.fresh
            side = wish.buys if is_quote else True
            if not one.triggered and is_quote is not on_last:
                if price >= wish.stop if wish.buys else price <= wish.stop:
                    one.triggered = True
                    one.fresh = came = True
                    if not takes:
                        continue  # it takes from the next quote
            elif not takes and (came or wish.limit is None):
                continue
            at = who = None
            if one.triggered:
                beyond = wish.limit is not None and (price > wish.limit if wish.buys else price < wish.limit)
                at_limit = wish.limit is not None and price == wish.limit
                hit = not beyond and not (at_limit and not touch and not is_quote)
                if hit and (came or wish.limit is None):
                    at, who = price, "taker"
                elif hit:
                    at, who = wish.limit, "maker"
            if at is not None:
                got = min(one.left, room[side])
                if wish.tif == "fok" and got < one.left:
                    got = 0
                if got:
                    room[side] -= got
                    one.left -= got
                    fills.append((number, got, at, who))
            if not one.left or (takes and wish.tif in ("ioc", "fok")):
                del working[number]
        for one in met:
            one.fresh = False
        for number, wish in enumerate(script):
            if wish.cancel_at == seen:
                working.pop(number, None)
        for number, wish in enumerate(script):
            if wish.at == seen and not is_refused(wish, mark):
                working[number] = Plain(wish, wish.size, wish.stop is None)
    return fills


def is_refused(wish, mark):
    """Tell whether the market has reached an order's stop when it is sent."""
    if wish.stop is None or mark is None:
        return False
    return mark >= wish.stop if wish.buys else mark <= wish.stop


def histories(events):
    """Return trades and quotes one second apart, in declared order of their kinds."""
    rows = {"tick": [], "quote": []}
    for number, event in enumerate(events):
        rows[event[0]].append((START + number * SECOND_NS, *event[1:]))
    made = []
    if rows["tick"]:
        ts, price, size = map(np.array, zip(*rows["tick"], strict=True))
        made.append(Ticks(ACME, ts, price / 2, size))
    if rows["quote"]:
        ts, bid, spread, bid_size, ask_size = map(np.array, zip(*rows["quote"], strict=True))
        made.append(Quotes(ACME, ts, bid / 2, (bid + spread) / 2, bid_size, ask_size))
    return made


@settings(max_examples=600)
@given(EVENTS, WISHES, st.booleans(), st.booleans(), st.sampled_from(["auto", "last", "quote"]))
def test_the_venue_fills_what_the_rules_in_words_say(events, script, touch, share, trigger):
    kinds = {event[0] for event in events}
    if trigger != "auto" and {"last": "tick", "quote": "quote"}[trigger] not in kinds:
        trigger = "auto"
    result = cambist.backtest(
        Scripted(script=script),
        histories(events),
        cash=1e9,
        leverage=10.0,
        benchmark=False,
        fill_on_touch=touch,
        stop_trigger=trigger,
        **({"volume_limit": 1.0} if share else {}),
    )
    tags = {order.id: int(order.tag) for order in result.order_records}
    fills = [(tags[one.order_id], one.size, one.price * 2, str(one.liquidity)) for one in result.fill_records]
    assert fills == plain_fills(events, script, touch=touch, share=share, trigger=trigger)
