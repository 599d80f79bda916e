"""The compiled loop against the event engine: the same trades, equity and measures, to the last bit."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cambist
from cambist import (
    AllIn,
    BacktestSettings,
    Bars,
    FixedSize,
    Instrument,
    PercentOfEquity,
    SignalStrategy,
    Timeframe,
    param,
)
from cambist.analysis import MEASURES
from cambist.api import PercentOfCash, Target, signal_columns
from cambist.indicators import crossover
from cambist.model.times import to_ns
from cambist.simulation import FixedSlippage, MakerTakerFee
from cambist_optimize.kernel.batch_measures import BATCH_MEASURES
from cambist_optimize.kernel.compiling import IS_COMPILED
from cambist_optimize.kernel.player import Player, SignalsNotPlayed
from cambist_optimize.kernel.rules import why_not
from cambist_optimize.kernel.sums import DEPTH, summed

pytestmark = pytest.mark.skipif(not IS_COMPILED, reason="the loop is compiled by numba")

#: Measures that need what a sweep does not keep; the event engine serves them.
ELSEWHERE = {
    *("alpha", "beta", "correlation", "tracking_error", "information_ratio", "average_leverage", "max_leverage"),
    *("max_drawdown_peak", "max_drawdown_trough", "max_drawdown_recovery"),
}
#: What is held when and by which rules money counts: paid in full, on a grid, with bounds, on margin.
INSTRUMENTS = {
    "free": Instrument(symbol="A"),
    "ticks": Instrument(symbol="A", tick_size="0.05", step_size="0.001", maker_fee=0.0002, taker_fee=0.0007),
    "bounds": Instrument(symbol="A", tick_size="0.01", step_size="1", min_size="2", max_size="4", min_notional="250"),
    "future": Instrument(symbol="A", kind="future", margin_rate=0.1, multiplier=5.0, tick_size="0.25", step_size="1"),
}


SIZERS = [
    None,
    FixedSize(7.0, tranches=3),
    PercentOfCash(0.3),
    PercentOfCash(1.0, whole=True, buffer=0.0),
    PercentOfEquity(0.5),
    PercentOfEquity(2.5, buffer=0.05),
    AllIn(),
    AllIn(whole=True, buffer=0.003),
    Target(value=700.0),
    Target(units=5.0, buffer=0.0),
    Target(percent=0.9),
]


class Coded(SignalStrategy):
    """Trades what the volumes of the bars say: one bit or two for each signal."""

    has_size: bool = param(True)
    has_exits: bool = param(True)
    warms: int = param(0)

    def on_start(self):
        close, code = self.data.close, self.data.volume

        def bits(at, count):
            return (code // 2.0**at) % 2.0**count

        side = bits(2, 1) * 2.0 - 1.0
        stop, take, trail = (bits(at, 2) for at in (3, 5, 7))
        later = close(-self.warms) if self.warms else close
        self.trade_on(
            (bits(0, 1) > 0.0) & (later > 0.0),
            bits(1, 1) > 0.5 if self.has_exits else None,
            side=side,
            size=bits(9, 2) * 1.3 if self.has_size else None,
            # Nothing over nothing is NaN: no such order.
            stop=close * (1.0 - side * (stop * stop * 0.004)) * (stop / stop),
            take=close * (1.0 + side * (take * take * 0.004)) * (take / take),
            trail=close * (trail * trail * 0.003),
        )


class Crossing(SignalStrategy):
    """Trades crossings of two lines, or of a line and a level, which tie often and are not known here and there."""

    level: float = param(0.0)
    is_short: bool = param(False)
    starts_below: bool = param(False)

    def on_start(self):
        close, code = self.data.close, self.data.volume
        some = (code // 4.0) % 16.0
        line = close * (some / some)  # nothing over nothing is NaN
        cross = crossover(line, self.level or close(-2))
        above, below = cross > 0.0, cross < 0.0
        entries, exits = (below, above) if self.starts_below else (above, below)
        self.trade_on(entries, exits, side=-1.0 if self.is_short else 1.0)


def bars_of(seed, instrument, count, calls, wild):
    """Bars that jump, stand still and touch what rests: on a coarse grid, ties are common."""
    chance = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(chance.normal(0.0, wild, count)))
    open_ = np.concatenate(([100.0], close[:-1])) * np.exp(chance.normal(0.0, wild / 3, count))
    high = np.maximum(open_, close) * (1.0 + abs(chance.normal(0.0, wild / 2, count)))
    low = np.minimum(open_, close) * (1.0 - abs(chance.normal(0.0, wild / 2, count)))
    columns = [np.maximum(np.round(one / 0.25) * 0.25, 0.25) for one in (open_, high, low, close)]
    codes = chance.integers(0, 2**11, count)
    codes[chance.random(count) > calls] &= ~3  # neither enters nor leaves
    ts = to_ns("2024-03-01") + np.arange(count) * 15 * 60_000_000_000
    if seed % 2:  # a session that is over, and gaps
        ts += np.cumsum(chance.random(count) < 0.1) * 7 * 3_600_000_000_000
    return Bars(instrument, Timeframe.parse("15m"), ts, *columns, codes.astype(np.float64))


def exactly(trade):
    values = attrs.asdict(trade, recurse=False)
    return {name: value.hex() if isinstance(value, float) else value for name, value in values.items()}


def in_batches(player, signals, facts):
    """Play them among others, and compare the measures that are made of many runs at once."""
    batch = player.batch()
    others = [attrs.evolve(signals, side=-signals.side, stop=np.empty(0), take=np.empty(0)), signals]
    for one in (signals, *others):
        batch.add(one)
    first, _, last = batch.played().measured(BATCH_MEASURES)
    for key in BATCH_MEASURES:
        value = MEASURES[key].compute(facts)
        np.testing.assert_array_equal([first[key], last[key]], [value, value], err_msg=key)


def hold_equal(strategy, bars, **options):
    """Play both ways and compare; return the facts, or None where the loop leaves it to the engine."""
    run = BacktestSettings.of(**options)
    assert why_not(run, bars) == ""
    signals = signal_columns(strategy, bars)
    player = Player(bars, run, type(strategy).__name__)
    try:
        facts = player.facts(signals, every=True)
    except SignalsNotPlayed:
        return None
    in_batches(player, signals, facts)
    result = cambist.backtest(strategy, bars, **options)
    assert [exactly(one) for one in facts.trades] == [exactly(one) for one in result.trade_records]
    np.testing.assert_array_equal(facts.curve.all_equity, result.curve.all_equity)
    np.testing.assert_array_equal(facts.curve.equity, result.curve.equity)
    np.testing.assert_array_equal(facts.curve.peaks, result.curve.peaks)
    for key, spec in MEASURES.items():
        if key not in ELSEWHERE:
            ours, theirs = spec.compute(facts), spec.compute(result.facts)
            np.testing.assert_array_equal(ours, theirs, err_msg=key)
    return facts


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(sorted(INSTRUMENTS)),
    count=st.integers(2, 260),
    calls=st.sampled_from([0.05, 0.3, 1.0]),
    wild=st.sampled_from([0.002, 0.01, 0.05]),
    parameters=st.fixed_dictionaries(
        {"has_size": st.booleans(), "has_exits": st.booleans(), "warms": st.integers(0, 4)}
    ),
    options=st.fixed_dictionaries(
        {
            "cash": st.sampled_from([300.0, 100_000.0]),
            "fees": st.sampled_from([0.0, 0.001, None, MakerTakerFee(-0.0001, 0.0005)]),
            "slippage": st.sampled_from([None, 0.0005, FixedSlippage(0.03)]),
            "market_fill": st.sampled_from(["next_open", "this_close"]),
            "path": st.sampled_from(["nearer_first", "pessimistic"]),
            "leverage": st.sampled_from([1.0, 3.0]),
            "sizer": st.sampled_from(SIZERS),
        }
    ),
)
def test_trades_equity_and_measures_are_those_of_the_engine(seed, kind, count, calls, wild, parameters, options):
    hold_equal(Coded(**parameters), bars_of(seed, INSTRUMENTS[kind], count, calls, wild), **options)


@pytest.mark.parametrize("level", [0.0, 100.0])
@pytest.mark.parametrize("count", [2, 64, 65, 4_200])
def test_crossings_of_a_batch_are_those_of_the_engine(count, level):
    bars = bars_of(count, INSTRUMENTS["free"], count, 0.02, 0.002)
    for is_short in (False, True):
        parameters = {"level": level, "is_short": is_short, "starts_below": count % 2 == 0}
        facts = hold_equal(Crossing(**parameters), bars, fees=0.001)
    assert facts.curve.n_bars == count
    assert count < 4_200 or len(facts.trades) > 3


@pytest.mark.parametrize("count", [0, 1, 7, 8, 127, 128, 129, 1000, 4097, 100_003])
def test_sums_are_those_of_numpy(count):
    values = np.random.default_rng(count).normal(0.0, 1e3, count + 5)
    assert summed(values, 3, count, np.empty((DEPTH, 4))).hex() == float(values[3 : 3 + count].sum()).hex()
