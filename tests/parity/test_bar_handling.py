"""Strategies of one run that want missing and suspect bars handled otherwise: each sees what it would see alone."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from paper_runs import PaperRun, walk
from recorded_market import RecordedMarket

import cambist
from cambist import Strategy
from cambist.errors import ConfigError
from cambist.indicators import SMA
from cambist.live import BarHandling, MissingBars
from cambist.model import Bars, TradingState

WANTED = {
    "plain": BarHandling(),
    "filled": BarHandling(missing_bars="fill"),
    "mended": BarHandling(bar_policy={"unit": "rescale"}),
    "held": BarHandling(missing_bars="hold", check_bars=True),
}


class Listener(Strategy):
    """Keeps what it is shown, when each instant is over, and what its lines say."""

    def on_start(self):
        self.average = SMA(self.data.close, 3)
        self.heard = []

    def on_bar(self, bar):
        self.heard.append((bar.ts, bar.close, bar.volume, self.average[0]))
        self.record_signal("close", bar.close)

    def on_step(self):
        self.heard.append("step")


def torn() -> Bars:
    """Return bars of which three are missing, and one is told in hundredths."""
    bars = walk(60, seed=5)
    names = ("open", "high", "low", "close")
    columns = {name: getattr(bars, name).copy() for name in names} | {"volume": bars.volume, "ts": bars.ts}
    for name in names:
        columns[name][50] *= 100.0
    kept = np.delete(np.arange(60), [30, 31, 32])
    return attrs.evolve(bars, **{name: column[kept] for name, column in columns.items()})


def strategies(names):
    made = []
    for name in names:
        one = Listener()
        one.name = name
        made.append(one)
    return made


def heard(folder, names, **live):
    paper = PaperRun(folder, strategies(names), RecordedMarket(torn()), live=live, record=True)
    kernel = paper.play()
    return paper, {seat.strategy.name: seat.strategy.heard for seat in kernel.seats}


def test_each_strategy_sees_the_bars_that_it_wants_to_see(tmp_path):
    paper, together = heard(tmp_path / "together", WANTED, strategy_bars=WANTED)
    for name, wanted in WANTED.items():
        own = {one: value for one, value in attrs.asdict(wanted).items() if value is not None}
        _, alone = heard(tmp_path / name, [name], **own)
        assert together[name] == alone[name], name
    closes = {name: [one[1] for one in told if one != "step"] for name, told in together.items()}
    assert len(closes["filled"]) == len(closes["plain"]) + 3
    assert max(closes["plain"]) > 50 * max(closes["mended"])
    held = {hold.scope: hold.state for hold in paper.kernel.trading.holds if "missing" in hold.reason}
    assert held == {"strategy:held": TradingState.REDUCING}
    assert [word for word, _ in paper.alarms].count("bars_missing") == 1
    report = cambist.replay(tmp_path / "together", strategies(WANTED))
    assert report.equal, str(report)
    assert report.complete


def test_what_a_strategy_leaves_open_is_as_the_run_says(tmp_path):
    _, told = heard(
        tmp_path, ["one", "other"], missing_bars="fill", strategy_bars={"other": BarHandling(missing_bars="skip")}
    )
    assert len([one for one in told["one"] if one != "step"]) == 58
    assert len([one for one in told["other"] if one != "step"]) == 55
    assert BarHandling(check_bars=True).over(BarHandling(missing_bars="hold")).missing_bars is MissingBars.HOLD


def test_a_name_that_no_strategy_has_is_told(tmp_path):
    with pytest.raises(ConfigError, match=r"strategy_bars names 'othr'\. Did you mean 'other'"):
        heard(tmp_path, ["one", "other"], strategy_bars={"othr": BarHandling(missing_bars="skip")})
