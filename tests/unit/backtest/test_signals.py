"""What a strategy wants remembered: how it says so, what is refused, and where it is found again."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import talib

import cambist
from cambist import ParameterError, SignalStrategy, Strategy, StrategyError
from cambist.indicators import BBANDS, SMA, crossover


class Lines(Strategy):
    """Keeps lines in every way in which a strategy can keep some."""

    def on_start(self):
        close = self.data.close
        self.fast, self._hidden = SMA(close, 3), SMA(close, 4)
        self.bands = BBANDS(close, 5)
        self.levels = [close, SMA(close, 2)]
        self.by_name = {"slow": SMA(close, 9), "none": 3.0}


def closes(count=80):
    return 100.0 + np.cumsum(np.random.default_rng(3).normal(0.0, 1.0, count)).round(2)


def one(result, name):
    rows = result.signals[result.signals["name"] == name]
    return rows["value"]


def test_a_signal_has_its_time_its_instrument_and_its_value(run, bars):
    def note(self, bar):
        if self.bar == 4:
            self.record_signal("entry", 0.1 + 0.2)
            self.record_signal("why", "trend 因")
            self.record_signal("flag", True)
            self.record_signal("exact", Decimal("0.1"))
            self.record_signal("of numpy", np.int64(7))

    result = run(bars(closes()), on_bar=note)
    signals = result.signals
    assert list(signals.columns) == ["strategy", "name", "instrument", "value", "text"]
    assert set(signals.index) == {result.series.index[4]}
    assert set(signals["instrument"]) == {"ACME"}
    assert dict(zip(signals["name"], signals["value"].fillna(-1.0), strict=True)) == {
        "entry": 0.1 + 0.2,
        "why": -1.0,
        "flag": 1.0,
        "exact": 0.1,
        "of numpy": 7.0,
    }
    assert dict(zip(signals["name"], signals["text"], strict=True))["why"] == "trend 因"


def test_the_last_value_of_a_name_and_time_stands(run, bars):
    def note(self, _bar):
        self.record_signal("n", self.bar)
        self.record_signal("n", -self.bar)
        self.record_signal("n", 0.5, data="ACME")

    assert set(one(run(bars(closes(10)), on_bar=note), "n")) == {0.5}


def test_a_run_that_notes_nothing_has_an_empty_table(run, bars):
    signals = run(bars(closes()), on_bar=lambda _self, _bar: None).signals
    assert signals.empty
    assert list(signals.columns) == ["strategy", "name", "instrument", "value", "text"]
    assert str(signals.index.tz) == "UTC"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, [1.0], object()])
def test_what_is_no_value_is_refused(run, bars, value):
    with pytest.raises(StrategyError, match=r"the signal 'x' is .*give a"):
        run(bars(closes()), on_bar=lambda self, _bar: self.record_signal("x", value))


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_signal_needs_a_name(run, bars, name):
    with pytest.raises(StrategyError, match="give it a name"):
        run(bars(closes()), on_bar=lambda self, _bar: self.record_signal(name, 1.0))


def test_lines_are_kept_at_every_close_from_which_they_are_known(bars):
    names = ["fast", "bands.upper", "levels.1", "by_name.slow"]
    prices = closes()
    result = cambist.backtest(Lines, bars(prices), record_lines=names)
    upper, _, _ = talib.BBANDS(prices, 5)
    wanted = {
        "fast": talib.SMA(prices, 3),
        "bands.upper": upper,
        "levels.1": talib.SMA(prices, 2),
        "by_name.slow": talib.SMA(prices, 9),
    }
    assert set(result.signals["name"]) == set(names)
    for name, values in wanted.items():
        expected = pd.Series(values, index=result.series.index).dropna()
        assert (one(result, name) == expected).all(), name
        assert one(result, name).index.equals(expected.index)


def test_a_line_may_be_of_any_instrument(bars):
    class Two(Strategy):
        def on_start(self):
            self.mean = SMA(self.data[1].close, 4)

    first, second = bars(closes(), "A"), bars(closes()[::-1].copy(), "B")
    result = cambist.backtest(Two, [first, second], record_lines=["mean"])
    assert set(result.signals["instrument"]) == {"B"}
    assert one(result, "mean").tolist() == talib.SMA(second.close, 4)[3:].tolist()


def test_the_lines_of_signals_are_named_by_their_kind(bars):
    cross = SignalStrategy.of(
        longshort=lambda data: [crossover(SMA(data.close, 2), SMA(data.close, 5)), data.close - 100.0]
    )
    prices = closes()
    result = cambist.backtest(cross, bars(prices), record_lines=["longshort", "longshort-2"])
    assert set(one(result, "longshort")) <= {-1.0, 0.0, 1.0}
    assert one(result, "longshort").any()
    assert one(result, "longshort-2").tolist() == (prices - 100.0).tolist()


def test_a_line_that_nobody_has_is_named(bars):
    with pytest.raises(ParameterError, match=r"names 'fats', and no strategy has such a line\. Did you mean 'fast'"):
        cambist.backtest(Lines, bars(closes()), record_lines=["fats"])
    with pytest.raises(ParameterError, match="'_hidden'"):
        cambist.backtest(Lines, bars(closes()), record_lines=["_hidden"])
    with pytest.raises(ParameterError, match="no strategy keeps a line as an attribute"):
        cambist.backtest(Strategy, bars(closes()), record_lines=["fast"])


@pytest.mark.parametrize("lines", ["fast", [""], [3], {"fast": 1}])
def test_record_lines_is_a_list_of_names(bars, lines):
    with pytest.raises(ParameterError, match=r"give a list of names: \['fast', 'slow'\]"):
        cambist.backtest(Lines, bars(closes()), record_lines=lines)


@pytest.mark.parametrize("length", ["1s", 0, "-1h"])
def test_a_period_of_snapshots_is_a_minute_at_least(bars, length):
    with pytest.raises(ParameterError, match="give a minute at least"):
        cambist.backtest(Lines, bars(closes()), snapshots=length)


def test_snapshots_are_taken_of_each_account(bars):
    class Buyer(Strategy):
        def on_bar(self, _bar):
            if not self.position:
                self.buy(2)

    first, second = Buyer(), Buyer()
    first.name, second.name = "one", "two"
    result = cambist.backtest([first, second], bars(closes()), accounts={"one": 1_000.0, "two": 500.0}, snapshots="10m")
    whole, one_, two = (result.snapshots[result.snapshots["account"] == name] for name in ("", "one", "two"))
    assert len(whole) == len(one_) == len(two) > 5
    assert (whole["equity"] == one_["equity"] + two["equity"]).all()
    own = result.accounts["two"].snapshots
    assert set(own["account"]) == {""}
    assert own["equity"].tolist() == two["equity"].tolist()
    held = result.accounts["two"].position_snapshots
    assert set(held["size"]) == {2.0}
    assert (held["unrealized"] == 2.0 * (held["price"] - held["average_price"])).all()


def test_signals_and_snapshots_are_saved_with_the_result(bars, tmp_path):
    def play():
        return cambist.backtest(Lines, bars(closes()), record_lines=["fast"], snapshots="10m")

    saved = play()
    for name in ("csv", "json", "parquet"):
        loaded = cambist.load_result(saved.save(tmp_path / name, name))
        for frame in ("signals", "snapshots", "position_snapshots"):
            pd.testing.assert_frame_equal(getattr(loaded, frame), getattr(saved, frame), check_exact=True)
    cambist.backtest(Lines, bars(closes())).save(tmp_path / "csv")
    assert not list((tmp_path / "csv").glob("s*.csv")), "what an earlier result had is not left over"
