"""How much of a bar our fills may take."""

from __future__ import annotations

from collections import defaultdict
from random import Random

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cambist
from cambist import Instrument, ParameterError, Strategy, param
from cambist.model.times import MINUTE_NS, to_ns
from cambist.simulation import (
    BudgetFiller,
    FixedFiller,
    FunctionFiller,
    MarketFill,
    MatchedBar,
    PercentFiller,
    RangeFiller,
    volume_filler,
)

ACME = Instrument(symbol="ACME", tick_size="0.5", step_size="0.1")
START = to_ns("2024-03-01")
WIDE = (100.0, 102.0, 99.0, 101.0)


def test_a_size_for_each_bar_that_all_orders_share(exchange):
    ex = exchange(ACME, volume_limit=FixedFiller(5.0))
    ex.buy(4.0)
    ex.buy(4.0)
    for volume in (100.0, 2.0, 100.0):
        ex.bar(*WIDE, volume=volume)
    assert [(order, size) for order, _, size in ex.fills] == [(1, 4.0), (2, 1.0), (2, 2.0), (2, 1.0)]


def test_each_price_has_its_part_of_the_volume(exchange):
    """From 99 to 102 by ticks of 0.5 are seven prices: 70 traded are 10 at each, and half of that is 5."""
    ex = exchange(ACME, volume_limit=RangeFiller(0.5))
    ex.buy(8.0)
    ex.buy(2.0)  # nothing is left at the open
    ex.buy(4.0, limit=99.5)
    ex.sell(9.0, limit=102.0)
    ex.bar(*WIDE, volume=70.0)
    assert ex.fills == [(1, 100.0, 5.0), (3, 99.5, 4.0), (4, 102.0, 5.0)]
    ex.bar(*WIDE, volume=70.0)
    assert ex.fills[3:] == [(1, 100.0, 3.0), (2, 100.0, 2.0), (4, 102.0, 4.0)]


def test_steps_coarser_than_the_bar_make_it_one_price(exchange):
    ex = exchange(ACME, volume_limit=RangeFiller(0.1, step=50.0))
    ex.buy(8.0)
    ex.bar(*WIDE, volume=70.0)
    assert ex.fills == [(1, 100.0, 7.0)]


def test_a_function_sees_order_price_and_bar(exchange):
    seen = []

    def half_of_the_first(order, price, bar):
        seen.append((order.id, price, bar.volume, bar.high, bar.taken_in_all))
        return order.size / 2

    ex = exchange(ACME, volume_limit=half_of_the_first)
    ex.buy(8.0)
    ex.sell(6.0, limit=101.0)
    ex.bar(*WIDE, volume=70.0)
    assert ex.fills == [(1, 100.0, 4.0), (2, 101.0, 3.0)]
    assert seen == [(1, 100.0, 70.0, 102.0, 0.0), (2, 101.0, 70.0, 102.0, 4.0)]
    ex.bar(*WIDE, volume=70.0)
    assert ex.fills[2:] == [(1, 100.0, 4.0), (2, 101.0, 3.0)]


def test_all_or_nothing_looks_at_the_room_too(exchange):
    for size, filled in ((3.0, [3.0]), (3.1, [])):
        ex = exchange(ACME, volume_limit=lambda order, price, bar: 3.05)
        order = ex.buy(size, tif="fok")
        ex.bar(*WIDE)
        assert [fill.size for fill in ex.records] == filled
        assert str(order.status) == ("filled" if filled else "canceled")


def test_less_than_nothing_is_nothing(exchange):
    ex = exchange(ACME, volume_limit=lambda order, price, bar: -5.0)
    order = ex.buy(1.0)
    ex.bar(*WIDE)
    assert not ex.fills
    assert order.is_open


def test_trades_at_the_close_take_of_their_bar(exchange):
    ex = exchange(ACME, volume_limit=RangeFiller(0.5), market_fill=MarketFill.THIS_CLOSE)
    ex.bar(*WIDE, volume=70.0)
    ex.buy(8.0)
    assert ex.fills == [(1, 101.0, 5.0)]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (None, None),
        (0.1, PercentFiller(0.1)),
        ({"use": "fixed", "size": 5}, FixedFiller(5)),
        ({"use": "range-filler", "share": 0.5, "step": 0.1}, RangeFiller(0.5, 0.1)),
        ("range", RangeFiller()),
        (print, FunctionFiller(print)),
    ],
)
def test_what_an_option_means(said, meant):
    assert volume_filler(said) == meant


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: volume_filler(0), "volume_limit is 0; it is a fraction of each bar's volume"),
        (lambda: volume_filler(True), "volume_limit is True; give a fraction of each bar's volume"),
        (
            lambda: volume_filler("most"),
            "volume_limit is 'most'; there is no such filler model. Known: fixed, percent, range",
        ),
        (lambda: volume_filler(PercentFiller), "volume_limit is <class"),
        (lambda: FixedFiller(0), "FixedFiller: size is 0; nothing would ever trade"),
        (lambda: FixedFiller(-1), "FixedFiller: size is -1"),
        (lambda: RangeFiller(1.5), "RangeFiller: share is 1.5"),
        (lambda: RangeFiller(0.5, 0), "RangeFiller: step is 0"),
    ],
)
def test_settings_that_make_no_filler(make, message):
    with pytest.raises(ParameterError) as caught:
        make()
    assert message in str(caught.value)


def test_a_function_that_gives_no_size_is_named(exchange):
    def forgets(order, price, bar):
        return None

    ex = exchange(ACME, volume_limit=forgets)
    ex.buy(1.0)
    with pytest.raises(
        ParameterError, match=r"forgets\(\) gave None for order 1 in the bar of ACME that opened at 2024"
    ):
        ex.bar(*WIDE)


# Whatever the orders, no bar gives more than its filler allows, and no money is made of it.


class Restless(Strategy):
    """Sends what it is told to, order by order."""

    script = param()

    def on_start(self):
        self.bar = -1

    def on_bar(self, bar):
        self.bar += 1
        for at, buys, size, kind, ticks in self.script:
            if at == self.bar:
                terms = {} if kind == "market" else {kind: 100.0 + ticks / 2}
                (self.buy if buys else self.sell)(size, **terms)


ORDERS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.booleans(),
        st.integers(1, 60).map(lambda tenths: tenths / 10),
        st.sampled_from(["market", "limit", "stop"]),
        st.integers(-4, 4),
    ),
    min_size=1,
    max_size=8,
)
FILLERS = st.one_of(
    st.builds(PercentFiller, st.sampled_from([0.05, 0.3, 1.0])),
    st.builds(FixedFiller, st.sampled_from([0.1, 1.0, 4.0])),
    st.builds(RangeFiller, st.sampled_from([0.2, 1.0]), st.sampled_from([None, 0.25, 10.0])),
)


@given(
    script=ORDERS, filler=FILLERS, volumes=st.lists(st.integers(0, 40), min_size=8, max_size=8), seed=st.integers(0, 99)
)
def test_no_bar_gives_more_than_it_has(script, filler, volumes, seed):
    rng = Random(seed)
    rows = []
    for volume in volumes:
        four = sorted(100.0 + rng.randint(-4, 4) / 2 for _ in range(4))
        open_, close = rng.sample(four[1:3], 2)
        rows.append((open_, four[3], four[0], close, float(volume)))
    columns = [list(column) for column in zip(*rows, strict=True)]
    # A minute between them, so that the time of a fill tells its bar.
    ts = [START + row * 2 * MINUTE_NS for row in range(len(rows))]
    bars = cambist.Bars(ACME, "1m", ts, *columns)
    both = [
        cambist.backtest(Restless(script=script), bars, volume_limit=filler, events=events, benchmark=False, cash=1e6)
        for events in (False, True)
    ]
    told = [[attrs.astuple(fill, recurse=False)[3:] for fill in result.fill_records] for result in both]
    assert told[0] == told[1]
    taken, at_price = defaultdict(float), defaultdict(float)
    for fill in both[0].fill_records:
        row = (fill.ts - START) // (2 * MINUTE_NS)
        assert rows[row][2] <= fill.price <= rows[row][1]
        taken[row] += fill.size
        at_price[row, fill.price] += fill.size
    for row, size in taken.items():
        assert size <= rows[row][4] + 1e-9
        if isinstance(filler, BudgetFiller):
            assert size <= filler.budget(MatchedBar(0, 1, *rows[row])) + 1e-9
    for (row, _), size in at_price.items():
        if isinstance(filler, RangeFiller):
            _, high, low, _, volume = rows[row]
            assert size <= volume * filler.share / (1 + (high - low) // (filler.step or 0.5)) + 1e-9
    account = both[0].account
    assert account.equity - 1e6 == pytest.approx(account.realized + account.unrealized - account.fees, abs=1e-6)
