"""Bars by a rule in a strategy: every way of running sees the same at the same time, and no order meets them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_slower_series import ACME, Blocks, minutes

import cambist
from cambist import Quotes, Strategy, Ticks, backtest, param
from cambist.data import event_bars, heikin_ashi, range_bars, renko
from cambist.errors import InputError, LineError, ParameterError, StrategyError
from cambist.indicators import SMA
from cambist.strategies.examples.sma_cross import SmaCross
from cambist.testing import check_lookahead

OF_BARS = [
    {"rule": "renko 0.5"},
    {"rule": "count 7"},
    {"rule": "volume 300"},
    {"rule": "value 3e4 each 4h", "tz": "America/New_York"},
    {"rule": "volume 300 each 1d"},
    {"rule": "renko 0.5 each 2h", "keep_first": True},
    {"rule": "heikin-ashi"},
]
OF_TRADES = ["count 7", "volume 60", "value 3000 each 1m", "imbalance 25", "range 0.3", "renko 0.125"]


def trades(seed, count):
    chance = np.random.default_rng(seed)
    ts = 1_709_285_400_000_000_000 + np.cumsum(chance.choice([0, 0, 1, 250, 9_000], count)) * 1_000_000
    price = np.round(100.0 + np.cumsum(chance.normal(0.0, 0.05, count)), 2)
    sizes, sides = chance.integers(1, 20, count).astype(float), chance.integers(-1, 2, count)
    return Ticks(ACME, ts, price, sizes, sides.astype(np.int8))


class Watcher(Strategy):
    """Trades on bars by a rule, and writes down all it sees."""

    rule: str = param("renko 0.5")

    def make(self):
        rest = {name: value for name, value in self.options.items() if name != "rule"}
        return self.data.resample(self.rule, on_bar=True, **rest)

    def on_start(self):
        self.made = self.make()
        self.average = SMA(self.made.close, 3)
        self.seen = type(self).log_of = []

    def see(self, what, bar):
        values = (bar.ts, bar.open, bar.high, bar.low, bar.close, bar.volume)
        shown = (self.made.close[0], self.made.close[-1], self.average[0], self.average[-1])
        self.seen.append((what, self.now, str(bar.timeframe), *values, *shown))

    def on_warmup_bar(self, bar):
        self.see("warming", bar)

    def on_bar(self, bar):
        self.see("bar", bar)
        if bar.timeframe == self.made.timeframe:
            past = bar.history(2)
            assert past.close[-1] == bar.close
            assert not np.isnan(self.average[0])
            if bar.close > self.average[0]:
                self.buy(1, stop=bar.high + 0.05)
            else:
                self.close()


class TradeWatcher(Watcher):
    """The same, on bars of trades."""

    def make(self):
        return self.data.event_bars(self.rule, on_bar=True, **self.options)


def watched(data, options, base=Watcher, **settings_):
    cls = type("Own", (base,), {"options": options})
    result = backtest(
        cls(rule=options["rule"]) if base is Watcher else cls(**settings_.pop("given")), data, **settings_
    )
    return cls.log_of, result


@settings(max_examples=14)
@given(st.integers(0, 10**6), st.sampled_from(OF_BARS), st.integers(1, 40), st.integers(30, 200))
def test_every_way_sees_the_same_of_bars(seed, options, size, count):
    bars = minutes(seed, count)
    whole, result = watched(bars, options)
    for given_, settings_ in (
        (Blocks(bars, size), {}),
        (bars, {"events": True}),
        (Blocks(bars, size), {"events": True}),
    ):
        seen, other = watched(given_, options, **settings_)
        assert repr(seen) == repr(whole)  # NaN equals no NaN
        pd.testing.assert_frame_equal(other.fills, result.fills, check_exact=True)
    # What comes later changes nothing: not what was seen of bars, and not when.
    prefix, _ = watched(bars[: count // 2], options)
    assert repr(whole[: len(prefix)]) == repr(prefix)


@settings(max_examples=14)
@given(st.integers(0, 10**6), st.sampled_from(OF_TRADES), st.integers(1, 90), st.booleans())
def test_every_way_sees_the_same_of_trades(seed, rule, size, beside):
    ticks = trades(seed, 400)
    more = {"timeframe": "1m"} if beside else {}

    def run(data, **settings_):
        return watched(data, {}, TradeWatcher, given={"rule": rule}, **more, **settings_)

    whole, result = run(ticks)
    for given_, settings_ in ((MarketBlocks(ticks, size), {"blocks": True}), (ticks, {"events": True})):
        seen, other = run(given_, **settings_)
        assert repr(seen) == repr(whole)
        pd.testing.assert_frame_equal(other.fills, result.fills, check_exact=True)


class MarketBlocks:
    """Trades in pieces of a size."""

    kind = "ticks"

    def __init__(self, ticks, size):
        self.ticks, self.size, self.name = ticks, size, "trades"

    def load(self):
        return self.ticks

    def blocks(self, _size=65_536):
        return self.ticks.blocks(self.size)


@pytest.mark.parametrize("rule", ["count 7", "volume 60", "value 3000", "imbalance 25", "range 0.3", "renko 0.125"])
def test_they_are_the_bars_that_are_made_of_all_trades_at_once_and_known_at_their_end(rule):
    ticks = trades(4, 3_000)
    seen, _ = watched(ticks, {}, TradeWatcher, given={"rule": rule})
    kind, size = rule.split()
    if kind == "renko":
        made = renko(ticks, float(size), start=float(np.floor(ticks.price[0] / 0.125) * 0.125))
    else:
        made = range_bars(ticks, float(size)) if kind == "range" else event_bars(ticks, kind, float(size))
    columns = (made.end, made.start, made.open, made.high, made.low, made.close, made.volume)
    assert [(one[1], *one[3:9]) for one in seen] == list(zip(*(column.tolist() for column in columns), strict=True))
    assert sum(one[0] == "warming" for one in seen) == 2  # the average of three


def test_bricks_and_candles_of_bars_are_those_that_are_made_at_once():
    bars = minutes(3, 2_000)
    seen, _ = watched(bars, {"rule": "renko 0.5"})
    made = renko(bars, 0.5, start=float(np.floor(bars.close[0] / 0.5) * 0.5))
    bricks = [one for one in seen if one[2] == "renko 0.5"]
    assert len({one[1] for one in bricks}) < len(bricks)  # one bar lays several at once
    assert [one[1] for one in bricks] == made.end.tolist()
    assert [one[7] for one in bricks] == made.close.tolist()
    candles = [one for one in watched(bars, {"rule": "heikin-ashi"})[0] if one[2] == "heikin-ashi"]
    assert [one[4:8] for one in candles] == list(
        zip(*(getattr(heikin_ashi(bars), name).tolist() for name in ("open", "high", "low", "close")), strict=True)
    )


def test_a_decimal_is_reached_by_what_rounds_to_it():
    """As it stands in doubles, 100.3 - 100 < 0.3, 1003 * 0.1 > 100.3, and ten times 0.1 are less than 1."""
    price = np.array([100.0, 100.3, 100.0, 100.3, 99.9, 100.2] * 4)
    ticks = Ticks(ACME, np.arange(24) * 10**9, price, np.full(24, 0.1))
    for rule, rows, made in (
        ("range 0.3", 2, range_bars(ticks, 0.3)),
        ("volume 1", 10, event_bars(ticks, "volume", 1.0)),
        ("renko 0.1", 2, renko(ticks, 0.1)),
    ):
        seen, _ = watched(ticks, {}, TradeWatcher, given={"rule": rule})
        assert made.rows[0] == rows
        assert [(one[1], one[7]) for one in seen] == list(zip(made.end.tolist(), made.close.tolist(), strict=True))
    assert set(made.close.tolist()) == {99.9, 100.0, 100.1, 100.2, 100.3}


@pytest.mark.parametrize("rule", ["renko 0.5", "heikin-ashi", "volume 300"])
def test_no_order_meets_such_a_bar(rule):
    bars = minutes(5, 3_000, gaps=False)
    result = backtest(SmaCross(fast=2, slow=4, bar_rule=rule), bars)
    assert len(result.fills) > 20
    opens = dict(zip(bars.ts.tolist(), bars.open.tolist(), strict=True))
    for fill in result.fills.itertuples():  # at the open of the bar that follows the one with which it was known
        assert fill.price == opens[fill.ts.value]
    assert result.timeframes == ("1m",)  # by which the curve goes, and a year is counted
    assert len(result.equity) == len(bars)


def test_a_strategy_with_a_rule_of_its_own_is_shown_nothing_else():
    class Looker(Strategy):
        def on_start(self):
            self.average = SMA(self.data.close, 2)
            self.hours = self.data.resample("1h")  # of what the bricks are made of
            seen.append(type(self.data.timeframe).__name__)

        def on_bar(self, bar):
            seen.append((str(bar.timeframe), bar.close % 0.5, self.average[0] == self.average[0]))

    seen = []
    backtest(Looker(bar_rule="renko 0.5"), minutes(5, 500))
    assert seen[0] == "RuleTimeframe"
    assert set(seen[1:]) == {("renko 0.5", 0.0, True)}
    seen.clear()
    backtest(Looker(bar_rule="5m"), minutes(5, 500, gaps=False))
    assert {one[0] for one in seen[1:]} == {"5m"}
    # Beside trades, a rule takes the place of the bars there are.
    seen.clear()
    other = type("Trades", (Looker,), {"on_start": lambda self: setattr(self, "average", SMA(self.data.close, 2))})
    backtest(other(bar_rule="renko 0.5"), trades(1, 4_000), timeframe="1m")
    assert {one[0] for one in seen} == {"renko 0.5"}


def test_a_class_may_make_its_rule_of_its_parameters():
    class OwnBricks(SmaCross):
        brick: float = param(0.5)

        @property
        def bar_rule(self):
            return f"renko {self.brick}"

    bars = minutes(5, 1_000)
    own = backtest(OwnBricks(fast=2, slow=4, brick=0.25), bars, record_lines=["cross"])
    given_ = backtest(SmaCross(fast=2, slow=4, bar_rule="renko 0.25"), bars, record_lines=["cross"])
    assert len(own.fills) > 5
    assert own.fills.equals(given_.fills)
    assert own.signals["value"].equals(given_.signals["value"])
    with pytest.raises(ParameterError, match="says its bar_rule itself"):
        OwnBricks(bar_rule="renko 2")


def test_quotes_make_bars_of_their_middle():
    ticks = trades(2, 1_000)
    quotes = Quotes(ACME, ticks.ts, ticks.price - 0.01, ticks.price + 0.01)
    seen, result = watched(quotes, {}, TradeWatcher, given={"rule": "count 20"})
    assert len(seen) == 50
    assert seen[0][7] == pytest.approx(ticks.price[19], rel=1e-12)
    assert len(result.fills) > 2


class Bricks(Strategy):
    def on_start(self):
        self.bricks = self.data.resample("renko 0.5", on_bar=True)
        self.trend = SMA(self.bricks.close, 3)

    def on_bar(self, bar):
        if bar.close > self.trend[0]:
            self.buy(1)
        else:
            self.close()


def test_the_check_for_look_ahead_passes_them_and_catches_bricks_that_are_looked_up():
    bars = minutes(8, 600, gaps=False)
    report = check_lookahead(Bricks, bars, cuts=12)
    report.raise_if_found()
    assert "Bricks.trend" in report.coverage.lines

    def beforehand(given):
        whole = renko(given, 0.5)

        class LooksUp(Strategy):
            """Knows the brick to which a bar belongs, which ends later."""

            def on_bar(self, bar):
                at = int(np.searchsorted(whole.start, bar.ts, side="right")) - 1
                if at >= 0 and whole.close[at] > bar.close:
                    self.buy(1)
                else:
                    self.close()

        return LooksUp

    leaking = beforehand(bars)
    assert not check_lookahead(leaking, bars, cuts=12).clean


@pytest.mark.parametrize(
    ("rule", "options", "error", "told"),
    [
        ("renko", {}, InputError, "no size above zero"),
        ("volum 3", {}, InputError, "Did you mean 'volume'"),
        ("count 2.5", {}, InputError, "whole numbers"),
        ("range 3", {}, InputError, "nobody knows the way of the price"),
        ("imbalance 3", {}, InputError, "nobody knows who took"),
        ("heikin-ashi 3", {}, InputError, "one candle is made of each bar"),
        ("volume 3 each 90s", {}, InputError, "whole multiple"),
        ("volume 3", {"tz": "Europe/London"}, ParameterError, "volume 3 each 1d"),
        ("5m", {"history": 7}, ParameterError, "history is for bars by a rule"),
    ],
)
def test_a_rule_that_makes_no_sense_is_named(rule, options, error, told):
    with pytest.raises(StrategyError, match=told) as caught:
        watched(minutes(1, 50), {"rule": rule, **options})
    assert isinstance(caught.value.__cause__, error)


def test_what_they_cannot_do_is_said():
    with pytest.raises(InputError, match="bar_rule='volume 50'"):
        backtest(SmaCross, trades(1, 50), timeframe="volume 50")

    class Late(Bricks):
        def on_bar(self, bar):
            self.data.resample("renko 0.5")

    bars = minutes(8, 600, gaps=False)
    with pytest.raises(StrategyError, match="in on_start only") as caught:
        backtest(Late, bars)
    assert isinstance(caught.value.__cause__, LineError)

    class Closes(Bricks):
        def on_bar(self, bar):
            bar.history(3).close_times  # noqa: B018

    with pytest.raises(StrategyError, match="cannot be told from when it opens"):
        backtest(Closes(bar_rule="count 5"), bars)
    ticks = trades(1, 50)
    quotes = Quotes(ACME, ticks.ts, ticks.price, ticks.price)
    with pytest.raises(InputError, match="bars by volume 3 need trades"):
        backtest(SmaCross(bar_rule="volume 3"), quotes)
    with pytest.raises(InputError, match="candles are made of bars"):
        backtest(SmaCross(bar_rule="heikin-ashi"), ticks)
    with pytest.raises(InputError, match="For on_bar have bars made"):
        backtest(type("Deaf", (Strategy,), {"on_bar": lambda self, bar: None}), ticks)


def test_a_replay_makes_them_again(tmp_path):
    bars = minutes(9, 400, gaps=False)
    backtest(Bricks, bars, events=True, journal=tmp_path / "bars", record=True)
    report = cambist.replay(tmp_path / "bars", Bricks)
    assert report.equal, str(report)
    ticks = trades(9, 2_000)
    backtest(SmaCross(fast=2, slow=4, bar_rule="volume 60"), ticks, events=True, journal=tmp_path / "t", record=True)
    assert cambist.replay(tmp_path / "t", SmaCross(fast=2, slow=4, bar_rule="volume 60")).equal
    assert not cambist.replay(tmp_path / "t", SmaCross(fast=2, slow=4, bar_rule="volume 61")).equal
