"""Nothing is made and nothing is lost on trades and quotes either, whatever orders come and whatever is asked for.

Each run's account is reckoned anew, in exact fractions, from its fills and cash flows alone.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import attrs
import numpy as np
import pytest
from exact_account import CASH, KINDS, Reference
from hypothesis import given, settings
from hypothesis import strategies as st

import cambist
from cambist import BookUpdates, Interest, Margin, OrderStatus, Quotes, Strategy, Ticks, param
from cambist.model.times import HOUR_NS, MINUTE_NS, SECOND_NS, to_ns

START = to_ns("2024-03-01 23:50")
TERMS = st.fixed_dictionaries(
    {},
    optional={
        "limit": st.integers(90, 110),
        "stop": st.integers(90, 110),
        "time_in_force": st.sampled_from(["gtc", "ioc", "fok", "day"]),
        "reduce_only": st.booleans(),
        "on_close": st.just(True),
        "trail": st.integers(1, 9),
    },
)
WISHES = st.lists(
    st.tuples(st.integers(0, 40), st.booleans(), st.integers(1, 30_000), TERMS, st.none() | st.integers(0, 60)),
    min_size=8,
    max_size=20,
)
EVENTS = st.lists(
    st.tuples(st.integers(0, 90), st.integers(-6, 6), st.integers(0, 3), st.integers(0, 40)), min_size=40, max_size=60
)
RUNS = st.fixed_dictionaries(
    {},
    optional={
        "fees": st.sampled_from([0.001, {"use": "per-order", "minimum": 1.0}]),
        "slippage": st.just(0.002),
        "volume_limit": st.just(0.5),
        "latency": st.sampled_from(["10s", "90s"]),
        "rejection": st.just(0.2),
        "leverage": st.just(3.0),
        "margin": st.sampled_from([Margin(leverage=5, maintenance=0.1), Margin(mode="isolated", leverage=5)]),
        "interest": st.just(Interest(short=3.0, long=1.0, cash=0.5, debit=2.0)),
        "cash_flows": st.lists(
            st.tuples(st.integers(START, START + HOUR_NS), st.sampled_from([9e3, -3e4])), max_size=3
        ),
        "timeframe": st.just("1m"),
        "blocks": st.booleans(),
    },
)


class Scripted(Strategy):
    """Sends and cancels what the script says, at the events it says; what cannot be sent is left out."""

    script = param()

    def on_start(self):
        self.seen = -1
        self.sent = {}

    def on_tick(self, tick):
        self.seen += 1
        for number, (at, buys, thousandths, terms, cancel_at) in enumerate(self.script):
            if cancel_at == self.seen and number in self.sent:
                self.cancel(self.sent[number])
            if at == self.seen:
                try:
                    send = self.buy if buys else self.sell
                    self.sent[number] = send(thousandths / 1_000, **terms)
                except cambist.OrderError:
                    continue  # terms that contradict each other

    on_quote = on_book = on_tick


def history(instrument, events, kind):
    gaps, moves, spreads, sizes = map(np.array, zip(*events, strict=True))
    ts = START + np.cumsum(gaps) * SECOND_NS
    price = np.clip(100.0 + np.cumsum(moves), 70.0, 140.0)
    if kind == "book":
        rows = {}  # the last of a time counts
        for now, bid, spread, size in zip(ts, price, spreads, sizes, strict=True):
            for deep in range(3):
                rows[now, 1, bid - deep] = rows[now, -1, bid + spread + deep + 1] = size % (deep + 3)
        columns = zip(*[(*key, size) for key, size in rows.items()], strict=True)
        return BookUpdates(instrument, *columns, np.ones(len(rows), bool))
    if kind == "quotes":
        return Quotes(instrument, ts, price, price + spreads, sizes, sizes)
    return Ticks(instrument, ts, price, sizes)


def near(value):
    return pytest.approx(float(value), rel=1e-9, abs=1e-6)


@settings(max_examples=300)
@given(
    st.sampled_from(sorted(KINDS)), EVENTS, st.sampled_from(["ticks", "quotes", "book"]), WISHES, RUNS, st.booleans()
)
def test_the_account_is_what_its_fills_and_flows_make_it(kind, events, shown, script, options, funded):
    instrument = attrs.evolve(KINDS[kind]("A"), tick_size="1" if shown == "book" else None)
    data = history(instrument, events, shown)
    if shown == "book":
        options = {name: value for name, value in options.items() if name not in ("slippage", "volume_limit")}
    options["cash_flows"] = [flow for flow in options.get("cash_flows", ()) if flow[0] >= data.ts[0]]
    if funded and kind in ("linear", "inverse"):
        times = START + np.arange(-5, 60) * 3 * MINUTE_NS
        options["funding"] = {"A": (times, np.linspace(-0.01, 0.02, len(times)))}
    beside = [history(instrument, events, "ticks")] if shown == "book" else []
    result = cambist.backtest(Scripted(script=script), [*beside, data], cash=CASH, benchmark=False, **options)
    exact = Reference([instrument])
    for fill in result.fill_records:
        exact.fill("A", Fraction(fill.size) * fill.side.sign, Fraction(fill.price), Fraction(fill.fee))
    flows = sum(Fraction(flow.amount) for flow in result.flow_records)
    last = result.series.closes["A"].iloc[-1]
    if data.kind != "book":
        assert last == (data.price[-1] if data.kind == "ticks" else (data.bid[-1] + data.ask[-1]) / 2.0)
    elif np.isnan(last):  # one side has been empty all the time, and so nothing was ever worth anything
        return
    assert result.account.cash == near(exact.cash + flows)
    assert result.account.fees == near(exact.fees)
    assert result.account.equity == near(exact.worth({"A": Fraction(last)}) + flows)
    assert result.curve.final == near(result.account.equity)
    assert result.series.positions["A"].iloc[-1] == near(exact.held["A"].size)
    assert [fill.ts for fill in result.fill_records] == sorted(fill.ts for fill in result.fill_records)
    hold_orders(result)


def hold_orders(result):
    """Every order is what its fills make it, and no fill is without an order."""
    fills = defaultdict(list)
    for fill in result.fill_records:
        fills[fill.order_id].append(fill)
    assert set(fills) <= {order.id for order in result.order_records}
    for order in result.order_records:
        own = fills[order.id]
        assert all(fill.side is order.side and fill.size > 0.0 for fill in own)
        assert order.filled == near(sum(Fraction(fill.size) for fill in own))
        assert (order.status is OrderStatus.FILLED) is (order.filled == order.size)


@settings(max_examples=100)
@given(EVENTS, WISHES, st.sampled_from(["10s", "90s"]))
def test_no_fill_comes_before_its_order_has_arrived(events, script, latency):
    instrument = attrs.evolve(KINDS["spot"]("A"), tick_size="1")
    data = history(instrument, events, "ticks")
    result = cambist.backtest(Scripted(script=script), data, cash=CASH, leverage=3.0, latency=latency, benchmark=False)
    sent = {order.id: order.created_at for order in result.order_records}
    delay = int(latency[:-1]) * SECOND_NS
    for fill in result.fill_records:
        assert fill.ts >= sent[fill.order_id] + delay
