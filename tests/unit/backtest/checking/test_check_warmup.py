"""How much history values take to settle."""

from __future__ import annotations

from math import ceil, log

import checked_strategies as checked
import numpy as np
import pytest

from cambist import InputError, ParameterError, Strategy
from cambist.indicators import EMA, indicator
from cambist.strategies.examples.sma_cross import SmaCross
from cambist.testing import check_warmup

BARS = checked.frame()


def by_name(report):
    return {one.name: one for one in report.settlings}


def test_windows_recursions_and_sums_are_told_apart():
    report = check_warmup(checked.Lines, BARS)
    lines = by_name(report)
    assert {name: one.kind for name, one in lines.items()} == {
        "window": "window",
        "recursive": "recursive",
        "slow": "recursive",
        "endless": "endless",
    }
    assert (lines["window"].lookback, lines["window"].bars) == (9, 9)
    assert [one.name for one in report.endless] == ["endless"]
    assert not report.clean
    assert report.recommended == max(one.bars for one in report.settlings if one.bars is not None)
    assert "NOT SETTLED" in str(report)


def test_an_exponential_average_settles_when_its_start_has_faded():
    # Its error shrinks by 1 - 2 / (n + 1) a bar. At most the seeds differ by the range of the prices.
    for period in (5, 20):

        class Average(Strategy):
            def on_start(self, period=period):
                self.average = EMA(self.data.close, period)

        (line,) = check_warmup(Average, BARS, tolerance=1e-6).settlings
        spread = (BARS.high.max() - BARS.low.min()) / BARS.close.min()
        most = period - 1 + ceil(log(1e-6 / spread) / log(1 - 2 / (period + 1)))
        assert period - 1 < line.bars <= most
        assert line.bars > most / 2
        stricter = check_warmup(Average, BARS, tolerance=1e-9).settlings[0]
        assert stricter.bars > line.bars
        assert stricter.exact is None or stricter.exact >= stricter.bars


def test_the_bars_are_those_after_which_a_run_that_begins_later_is_right():
    # From that bar on, and no earlier, the average over the tail is that over everything: by NumPy alone.
    @indicator(lookback=0)
    def average(values):
        made = np.empty(len(values))
        made[0] = values[0]
        for at in range(1, len(values)):
            made[at] = made[at - 1] + (values[at] - made[at - 1]) * 0.3
        return made

    class Own(Strategy):
        def on_start(self):
            self.average = average(self.data.close)

    report = check_warmup(Own, BARS, starts=3, tolerance=1e-4)
    close = BARS.close.to_numpy()
    whole = average.computation().batch(close)[0]
    worst = 0
    for ts in report.starts:
        row = int((ts - BARS.index[0].value) // 3_600_000_000_000)
        later = average.computation().batch(close[row:])[0]
        scale = np.maximum(np.maximum(whole[row:], later), np.median(whole))
        differ = np.flatnonzero(np.abs(whole[row:] - later) > 1e-4 * scale)
        worst = max(worst, differ[-1] + 1)
    assert report.settlings[0].bars == worst > 0


def test_decisions_are_compared_too():
    decisions = by_name(check_warmup(checked.KeepsState, BARS))["decisions"]
    assert decisions.bars is None or decisions.bars > 20  # an average of its own, which no line is
    cross = check_warmup(SmaCross(fast=5, slow=15), BARS)
    assert by_name(cross)["decisions"].kind == "decisions"
    assert cross.recommended == max(one.bars for one in cross.settlings if one.name != "decisions")
    assert cross.clean


def test_what_holds_on_from_its_first_bar_never_settles():
    class Holds(Strategy):
        def on_bar(self, bar):
            if not self.position.size and not self.open_orders:
                self.buy()

    report = check_warmup(Holds, BARS)
    assert [one.kind for one in report.settlings] == ["endless"]
    assert not report.clean


def test_a_history_that_is_too_short_is_told():
    assert check_warmup(SmaCross, BARS, within=30).clean
    report = check_warmup(SmaCross, BARS, within=29)
    assert report.endless == ()
    assert not report.clean
    assert "TOO LITTLE: there will be 29 bars, and 30 are needed" in str(report)


def test_several_series_each_have_their_lines():
    bars = {"AAA": checked.frame(seed=1), "BBB": checked.frame(seed=2)}
    report = check_warmup(checked.Several, bars)
    assert {one.symbol for one in report.settlings if one.name.startswith("changes")} == {"AAA", "BBB"}
    assert {one.bars for one in report.settlings if one.name.startswith("changes")} == {20}


def test_starts_are_in_the_first_half_and_chosen_by_the_seed():
    reports = [check_warmup(SmaCross, BARS, seed=seed) for seed in (1, 1, 2)]
    assert reports[0].document() == reports[1].document()
    assert reports[0].starts != reports[2].starts
    assert all(ts <= BARS.index[300].value for report in reports for ts in report.starts)
    assert all(report.followed >= 299 for report in reports)


def test_bad_input_is_refused():
    for options, words in (
        ({"starts": 0}, "starts is 0"),
        ({"tolerance": -1.0}, r"tolerance is -1\.0"),
        ({"within": 2.5}, r"within is 2\.5"),
    ):
        with pytest.raises(ParameterError, match=words):
            check_warmup(SmaCross, BARS, **options)
    with pytest.raises(InputError, match="too few"):
        check_warmup(SmaCross, BARS.iloc[:3])

    class Rolls(Strategy):
        rolls = iter(range(10**9))

        def on_bar(self, bar):
            self.record_signal("roll", next(self.rolls))

    with pytest.raises(InputError, match=r"self\.chance"):
        check_warmup(Rolls, BARS)
