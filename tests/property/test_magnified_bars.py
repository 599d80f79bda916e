"""Trading on coarse bars, matched by fine ones, is trading on the fine ones and deciding at the coarse closes alone."""

from __future__ import annotations

from math import isnan

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cambist
from cambist import Bars, DataError, Instrument, ParameterError, Strategy, param
from cambist.model.times import HOUR_NS, MINUTE_NS, to_ns
from cambist.simulation import FixedFiller, SquareRootImpact, UniformLatency

START = to_ns("2024-03-01")
TICK = 0.5
LOW, HIGH = 10, 30
RATIO = 4
FINE = 15 * MINUTE_NS


@attrs.define
class Wish:
    """An order: sent after coarse bar `bar`, perhaps withdrawn or moved after a later one."""

    bar: int
    buys: bool
    size: int
    limit: int | None
    stop: int | None
    tif: str
    cancel_at: int | None
    move: tuple[int, int] | None


WISHES = st.lists(
    st.builds(
        Wish,
        bar=st.integers(0, 5),
        buys=st.booleans(),
        size=st.integers(1, 5),
        limit=st.none() | st.integers(LOW, HIGH),
        stop=st.none() | st.integers(LOW, HIGH),
        tif=st.sampled_from(["gtc", "gtc", "gtc", "day", "ioc", "fok"]),
        cancel_at=st.none() | st.integers(0, 6),
        move=st.none() | st.tuples(st.integers(0, 6), st.integers(-4, 4)),
    ),
    min_size=1,
    max_size=8,
)


class Slow(Strategy):
    """Follows the script, and looks at every so many bars only; answers each fill of an odd order at once."""

    script = param()
    every: int = param(1)

    def on_start(self):
        self.bars = 0
        self.sent = {}

    def on_bar(self, bar):
        self.bars += 1
        if self.bars % self.every:
            return
        now = self.bars // self.every - 1
        for number, wish in enumerate(self.script):
            order = self.sent.get(number)
            if order is not None and order.is_open and "pending" not in order.status:
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

    def on_fill(self, fill):
        if fill.order_id % 2 and fill.order_id < 12:
            self.sell(1, limit=fill.price + TICK) if fill.side == "buy" else self.buy(1, limit=fill.price - TICK)


def fine_bars(raw, timeframe=FINE):
    columns = np.array([(o, max(o, h, low, c), min(o, h, low, c), c) for o, h, low, c in raw], float).T * TICK
    ts = START + np.arange(len(raw)) * timeframe
    volume = 1.0 + np.arange(len(raw)) % 7
    return Bars(Instrument(symbol="X", tick_size=TICK, step_size=1), "15m", ts, *columns, volume)


def coarser(bars, ratio=RATIO):
    """Put bars together, `ratio` at a time."""
    pieces = [slice(start, start + ratio) for start in range(0, len(bars), ratio)]
    return Bars(
        bars.instrument,
        f"{15 * ratio}m",
        bars.ts[::ratio],
        bars.open[::ratio],
        [bars.high[piece].max() for piece in pieces],
        [bars.low[piece].min() for piece in pieces],
        bars.close[ratio - 1 :: ratio],
        [bars.volume[piece].sum() for piece in pieces],
    )


def fills(script, bars, every, **options):
    result = cambist.backtest(Slow(script=script, every=every), bars, cash=1e9, benchmark=False, fees=0.001, **options)
    return [(one.order_id, one.size, one.price, one.fee, one.liquidity, one.ts) for one in result.fill_records]


OPTIONS = st.sampled_from(
    [
        {},
        {"path": "pessimistic", "fill_on_touch": False},
        {"market_fill": "this_close"},
        {"market_fill": "this_close", "latency": "20m"},
        {"volume_limit": 0.3},
        {"volume_limit": FixedFiller(2), "slippage": SquareRootImpact()},
        {"latency": "1s"},
        {"latency": "15m"},
        {"latency": UniformLatency("1m", "50m"), "rejection": 0.2},
    ]
)


@settings(max_examples=150)
@given(
    raw=st.lists(st.tuples(*[st.integers(LOW, HIGH)] * 4), min_size=5 * RATIO, max_size=9 * RATIO),
    script=WISHES,
    options=OPTIONS,
    events=st.booleans(),
)
def test_matching_by_finer_bars_is_trading_on_them(raw, script, options, events):
    fine = fine_bars(raw[: len(raw) // RATIO * RATIO])
    coarse = coarser(fine)
    assert fills(script, coarse, 1, magnify=fine, events=events, **options) == fills(script, fine, RATIO, **options)


@settings(max_examples=50)
@given(
    raw=st.lists(st.tuples(*[st.integers(LOW, HIGH)] * 4), min_size=5, max_size=9),
    script=WISHES,
    options=OPTIONS,
    events=st.booleans(),
)
def test_finer_bars_that_are_the_bars_themselves_change_nothing(raw, script, options, events):
    bars = fine_bars(raw)
    assert fills(script, bars, 1, magnify=bars, events=events, **options) == fills(script, bars, 1, **options)


# What is refused.


@pytest.fixture
def pair():
    rng = np.random.default_rng(1)
    fine = fine_bars([tuple(row) for row in rng.integers(LOW, HIGH + 1, (8 * RATIO, 4))])
    return coarser(fine), fine


def refused(coarse, fine, error=DataError, **options):
    with pytest.raises(error) as caught:
        cambist.backtest(Slow(script=[]), coarse, magnify=fine, **options)
    return str(caught.value)


@pytest.mark.parametrize("name", ["open", "high", "low", "close"])
def test_a_price_that_is_not_that_of_the_finer_bars_is_named(pair, name):
    coarse, fine = pair
    changed = getattr(coarse, name).copy()
    changed[5] = {"high": 99.0, "low": 1.0}.get(name, (coarse.high[5] + coarse.low[5]) / 2 + 1e-3)
    message = refused(attrs.evolve(coarse, **{name: changed}), fine)
    assert f"magnify: the {name} of the bar of X that opens at 2024-03-01 05:00:00 UTC is" in message
    assert "in it" in message


def test_a_bar_without_finer_ones_is_named(pair):
    coarse, fine = pair
    message = refused(coarse, fine[: 7 * RATIO])
    assert "no finer bar lies in the bar of X that opens at 2024-03-01 07:00:00 UTC; they go from" in message
    assert "00:00:00 UTC to 2024-03-01 07:00:00 UTC. Give finer bars for all of it" in message


def test_missing_minutes_are_fine_where_nothing_was_traded_in_them(pair):
    """A bar whose finer ones hold the same prices is whole, however many of them there are."""
    _, fine = pair
    quiet = attrs.evolve(fine, **{name: np.full(len(fine), 10.0) for name in ("open", "high", "low", "close")})
    kept = np.arange(len(fine)) % RATIO != 2
    columns = [getattr(quiet, name)[kept] for name in ("open", "high", "low", "close", "volume")]
    thin = Bars(fine.instrument, fine.timeframe, fine.ts[kept], *columns)
    assert cambist.backtest(Slow(script=[]), coarser(quiet), magnify=thin).settings["magnify"] == {"X": "15m"}
    # Its volume is not whole, which counts where somebody asks for it.
    assert "magnify: the volume of the bar of X" in refused(coarser(quiet), thin, volume_limit=0.1)


def test_bars_that_do_not_fit_are_refused(pair):
    coarse, fine = pair
    assert "bars of 1h do not fit into bars of 15m" in refused(fine, coarse)
    odd = Bars(fine.instrument, "25m", START + np.arange(9) * 25 * MINUTE_NS, *[np.full(9, 10.0)] * 5)
    assert "bars of 25m do not fit into bars of 1h" in refused(coarse, odd)
    late = attrs.evolve(fine, ts=fine.ts + 5 * MINUTE_NS)
    assert "lies across the edge of the bar of X that opens at 2024-03-01 00:00:00 UTC" in refused(coarse, late)


def test_what_it_does_not_go_with(pair):
    coarse, fine = pair
    assert "magnify: backtrader's broker knows nothing like it" in refused(
        coarse, fine, ParameterError, rules="backtrader"
    )
    assert "magnify needs all bars in memory" in refused(coarse, fine, ParameterError, blocks=True)


def test_finer_bars_for_some_of_several_series(pair):
    coarse, fine = pair
    other = attrs.evolve(coarse, instrument=attrs.evolve(coarse.instrument, symbol="Y"))

    class Both(Strategy):
        def on_step(self):
            self.buy(1, limit=self.data["X"].close[0] - 1, data="X")
            self.buy(1, limit=self.data["Y"].close[0] - 1, data="Y")

    results = [
        cambist.backtest(Both, bars, magnify=magnify, cash=1e9, events=events)
        for bars, magnify in (([coarse, other], [fine, None]), ({"X": coarse, "Y": other}, {"X": fine}))
        for events in (False, True)
    ]
    told = [[(one.order_id, one.price, one.ts) for one in result.fill_records] for result in results]
    assert told[0] == told[1] == told[2] == told[3]
    times = {symbol: {one.ts for one in results[0].fill_records if one.instrument.symbol == symbol} for symbol in "XY"}
    assert any((ts - START) % HOUR_NS for ts in times["X"])
    assert not any((ts - START) % HOUR_NS for ts in times["Y"])


@pytest.mark.parametrize(
    ("bars", "magnify", "message"),
    [
        (lambda c: c, lambda f: {"X": f}, "magnify is a dict for 1 series"),
        (lambda c: [c], lambda f: [f, f], "magnify is a list for 1 series; give finer bars in the form that bars has"),
        (lambda c: {"X": c}, lambda f: {"Y": f}, "magnify has bars for 'Y', which is not traded. Known: X."),
    ],
)
def test_forms_that_do_not_go_together(pair, bars, magnify, message):
    coarse, fine = pair
    assert message in refused(bars(coarse), magnify(fine), cambist.InputError)


def test_frames_and_files(pair, tmp_path):
    coarse, fine = pair
    fine.to_frame().to_csv(tmp_path / "fine.csv")
    script = [Wish(0, True, 2, 15, None, "gtc", None, None)]
    expected = fills(script, coarse, 1, magnify=fine)
    for given_ in (fine.to_frame(), tmp_path / "fine.csv"):
        assert fills(script, coarse, 1, magnify=given_) == expected


@pytest.mark.parametrize("events", [False, True])
@pytest.mark.parametrize("latency", [None, "1s"])
def test_a_stop_that_follows_closes_follows_those_of_the_coarse_bars(latency, events):
    """Inside the second of them the price closes at 28, and comes back to where a stop that followed it would be."""
    flat = [(20, 20, 20, 20)] * 4
    spike = [(20, 20, 20, 20), (20, 28, 20, 28), (28, 28, 22, 22), (22, 22, 22, 22)]
    jump = [(22, 22, 21, 21), (18, 18, 18, 18), (18, 18, 18, 18), (18, 18, 18, 18)]
    fine = fine_bars([*flat, *spike, *jump])
    stops = []

    class Trailing(Strategy):
        def on_bar(self, bar):
            if not stops:
                self.buy(1)
                self.order = self.sell(1, trail=3 * TICK, trail_on="closes")
            stops.append(self.order.stop_price / TICK)

    options = {"latency": latency, "events": events, "benchmark": False}
    result = cambist.backtest(Trailing(), coarser(fine), magnify=fine, **options)
    assert stops == [17.0, 19.0, 19.0]
    assert [fill.price / TICK for fill in result.fill_records] == [20.0, 18.0]  # the finer bars jump over the stop
