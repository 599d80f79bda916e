"""Slower bars that are seen while they grow: against what could be made of the bars so far, in every way of running."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_slower_series import OPTIONS, Blocks, minutes

from cambist import Strategy, backtest
from cambist.data import resample
from cambist.errors import DataError, InputError, LookAheadError, StrategyError
from cambist.indicators import ATR, EMA, MACD, RSI, SMA, crossover, indicator, recursive
from cambist.indicators.talib_functions import described


@indicator(lookback=2)
def middle(high, low):
    """Middle of three bars."""
    out = np.full(len(high), np.nan)
    for row in range(2, len(high)):
        out[row] = (high[row - 2 : row + 1].max() + low[row - 2 : row + 1].min()) / 2
    return out


@recursive(state=1, lookback=0)
def running(state, row, price, /, weight=0.25):
    """A mean that remembers everything."""
    state[0] = price if row == 0 else state[0] + weight * (price - state[0])
    return (state[0],)


def lines_of(series):
    """Indicators of every kind over a series."""
    close = series.close
    return {
        "sma": SMA(close, 3),
        "ema": EMA(close, 2),
        "rsi": RSI(close, 3),
        "atr": ATR(series, 2),
        "macd": MACD(close, 2, 4, 2).histogram,
        "spread": series.high - series.low,
        "before": close(-1),
        "crossed": crossover(close, SMA(close, 2)),
        "middle": middle(series.high, series.low),
        "running": running(close),
    }


class Growing(Strategy):
    timeframe, options = "5m", {}
    noted: list

    def on_start(self):
        self.growing = self.data.replay(self.timeframe, **self.options)
        self.lines = lines_of(self.growing)
        type(self).noted = []

    def on_warmup_bar(self, bar, known=False):
        one = self.growing
        row = {"ts": one.ts, "over": one.is_finished, "known": known, "before": one.close[-1], "third": one.close[-3]}
        row |= {name: getattr(one, name)[0] for name in ("open", "high", "low", "close", "volume")}
        self.noted.append(row | {f"line {name}": (line[0], line[-1]) for name, line in self.lines.items()})

    def on_bar(self, bar):
        self.on_warmup_bar(bar, known=True)
        if self.lines["crossed"][0] > 0:
            self.buy(1)
        elif self.position.size:
            self.close()


def grown(bars, options, **how):
    options = dict(options)
    cls = type("Own", (Growing,), {"timeframe": options.pop("timeframe"), "options": options})
    result = backtest(cls(), bars, **how)
    return cls.noted, result


@settings(max_examples=8)
@given(st.integers(0, 10**6), st.sampled_from(OPTIONS), st.integers(1, 40), st.integers(30, 150))
def test_every_way_sees_the_same(seed, options, size, count):
    bars = minutes(seed, count)
    whole, result = grown(bars, options)
    for data, how in ((Blocks(bars, size), {}), (bars, {"events": True})):
        log, other = grown(data, options, **how)
        assert repr(log) == repr(whole)
        assert other.fills.equals(result.fills)


class Batch(Strategy):
    """Indicators over bars as they are, for their values at the last one."""

    def on_start(self):
        self.lines = lines_of(self.data)
        type(self).last = {}

    def on_warmup_bar(self, bar):
        type(self).last = {name: (line[0], line[-1]) for name, line in self.lines.items()}

    on_bar = on_warmup_bar


@settings(max_examples=8)
@given(st.integers(0, 10**6), st.sampled_from(OPTIONS), st.integers(20, 60))
def test_it_is_what_could_be_made_of_the_bars_so_far(seed, options, count):
    """Each value, of indicators too, against slower bars made of the bars up to that close, and computed anew."""
    bars = minutes(seed, count)
    log, _ = grown(bars, {**options, "keep_first": True})
    options = dict(options)
    timeframe = options.pop("timeframe")
    for row in range(count):
        seen = log[row]
        so_far = bars[: row + 1]
        try:
            made = resample(so_far, timeframe, **options)
        except DataError:  # no bar in a session yet
            assert seen["ts"] == 0
            continue
        assert seen["ts"] == made.ts[-1]
        assert [seen[name] for name in made.columns] == [column[-1] for column in made.columns.values()]
        assert seen["over"] == (bool(bars.close_times[row] >= made.close_times[-1]))
        if len(made) > 1:
            assert seen["before"] == made.close[-2]
        backtest(Batch(), made)
        for name, values in Batch.last.items():
            np.testing.assert_allclose(seen[f"line {name}"], values, rtol=1e-9, atol=1e-9, err_msg=name)


@settings(max_examples=6)
@given(st.integers(0, 10**6), st.sampled_from(OPTIONS), st.integers(1, 99))
def test_what_comes_later_changes_nothing(seed, options, cut):
    bars = minutes(seed, 100)
    whole, prefix = (grown(data, options)[0] for data in (bars, bars[:cut]))
    assert repr(whole[:cut]) == repr(prefix)


@pytest.mark.parametrize("name", ["SMA", "EMA", "RSI", "MACD", "HT_TRENDLINE", "MAXINDEX", "CDLDOJI", "SAR"])
def test_a_fork_leaves_its_stream_where_it_stands(name):
    computation = described()[name]()
    chance = np.random.default_rng(1)
    close = 100.0 + np.cumsum(chance.normal(size=150))
    columns = {"open": close, "high": close + 1.0, "low": close - 1.0, "close": close, "volume": close}
    inputs = [columns.get(one, close) for one in computation.function.inputs]
    stream, plain = computation.open(), computation.open()
    for row in zip(*(column.tolist() for column in inputs), strict=True):
        peeked = stream.fork().update(*row)
        stream.fork().update(*(value + 3.0 for value in row))
        values = stream.update(*row)
        assert repr(peeked) == repr(values) == repr(plain.update(*row))


def test_the_future_and_a_second_step_are_refused():
    class Ahead(Strategy):
        def on_start(self):
            self.growing = self.data.replay("5m")

        def on_bar(self, bar):
            self.growing.close[1]

    class Twice(Strategy):
        def on_start(self):
            self.data.replay("5m").replay("1h")

    bars = minutes(1, 30)
    with pytest.raises(StrategyError, match="has not begun") as ahead:
        backtest(Ahead(), bars)
    assert isinstance(ahead.value.__cause__, LookAheadError)
    with pytest.raises(StrategyError, match="made of faster bars itself") as twice:
        backtest(Twice(), bars)
    assert isinstance(twice.value.__cause__, InputError)


def test_lines_of_a_growing_series_are_recorded():
    class Recorded(Strategy):
        def on_start(self):
            self.growing = self.data.replay("5m")
            self.average = SMA(self.growing.close, 2)

        def on_bar(self, bar):
            seen.append(self.average[0])

    for how in ({}, {"events": True}):
        seen = []
        result = backtest(Recorded(), minutes(1, 90), record_lines=["average"], **how)
        assert result.signals["value"].tolist() == seen
