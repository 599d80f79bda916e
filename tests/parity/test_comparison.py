"""`cambist.compare` and `cambist compare`: a paper run against its backtest, and runs that differ."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from paper_runs import EverythingTrader, PaperRun, walk
from recorded_market import RecordedMarket

import cambist
from cambist import Strategy
from cambist.cli.main import root
from cambist.errors import ParameterError
from cambist.indicators import SMA


class Crossing(Strategy):
    """Notes what it sees, and trades it with a stop."""

    extra_at = -1

    def on_start(self):
        self.average = SMA(self.data.close, 5)
        self.bars = 0

    def on_bar(self, bar):
        self.bars += 1
        above = bar.close > self.average[0]
        self.record_signal("above", float(above))
        if above and not self.position.size and not self.open_orders:
            self.buy_bracket(1.0, take_profit=round(bar.close * 1.01, 2), stop_loss=round(bar.close * 0.99, 2))
        if self.bars >= self.extra_at > 0 and self.position.size:
            self.extra_at = -1
            self.buy(0.1, limit=1.0, time_in_force="ioc")


class Extra(Crossing):
    extra_at = 40


Extra.__name__ = "Crossing"


BARS = walk(150, seed=7)


def backtested(strategy=Crossing, **options):
    return cambist.backtest(strategy, [BARS], events=True, **{"cash": 10_000.0, "fees": None, **options})


def paper(folder, strategy, **settings):
    PaperRun(folder, [strategy], RecordedMarket(BARS), **settings).play()
    return folder


def test_paper_did_what_the_backtest_said(tmp_path):
    report = cambist.compare(backtested(), paper(tmp_path / "journal", Crossing()))
    assert report.equal, str(report)
    assert [(one.name, one.one == one.other > 0) for one in report.categories] == [
        (name, True) for name in ("signal", "intent", "order", "fill", "pnl")
    ]
    assert str(report).startswith("equal\n")


def test_orders_of_every_kind_compare_by_journal_and_by_saved_result(tmp_path):
    saved = backtested(EverythingTrader).save(tmp_path / "saved")
    journal = paper(tmp_path / "paper", EverythingTrader())
    backtested(EverythingTrader, journal=str(tmp_path / "rehearsal"))
    assert cambist.compare(saved, journal).equal
    assert cambist.compare(tmp_path / "rehearsal", journal).equal


def test_one_order_more_is_one_difference(tmp_path):
    report = cambist.compare(backtested(), paper(tmp_path / "journal", Extra()))
    assert not report.decided_alike
    intent = report["intent"]
    assert (intent.other - intent.one, len(intent.differences)) == (1, 1)
    assert intent.differences[0].one is None
    assert intent.differences[0].other["limit"] == 1.0
    assert report["signal"].equal
    assert report["fill"].equal
    assert "in the second run alone" in str(report)


def test_other_prices_are_told_apart_from_other_decisions(tmp_path):
    slipped = paper(tmp_path / "journal", Crossing(), slippage=0.0005)
    report = cambist.compare(backtested(), slipped)
    assert report.decided_alike
    assert not report.equal
    assert "bp worse on average" in str(report["fill"].notes)
    assert cambist.compare(backtested(), slipped, tolerance=0.01, only=["intent", "fill"]).equal


def test_the_command_tells_programs_and_people(tmp_path):
    saved, journal = backtested().save(tmp_path / "saved"), paper(tmp_path / "journal", Extra())
    done = CliRunner().invoke(root, ["compare", str(saved), str(journal)])
    assert done.exit_code == 1
    assert done.output.startswith("different\n")
    done = CliRunner().invoke(root, ["compare", str(saved), str(journal), "--only", "fill", "--json"])
    assert done.exit_code == 0
    told = json.loads(done.output)
    assert told["equal"]
    assert told["categories"][0]["name"] == "fill"


def test_bad_arguments_are_named(tmp_path):
    result = backtested()
    with pytest.raises(ParameterError, match="there is no category 'fills'"):
        cambist.compare(result, result, only=["fills"])
    with pytest.raises(ParameterError, match="tolerance is 2"):
        cambist.compare(result, result, tolerance=2)
    with pytest.raises(ParameterError, match="there is nothing between them"):
        cambist.compare(result, result, since="2024-01-02", until="2024-01-01")


def test_a_stretch_of_time_can_be_compared_alone():
    result = backtested()
    middle = result.order_records[len(result.order_records) // 2].created_at
    report = cambist.compare(result, result, since=middle)
    assert 0 < report["intent"].one < len(result.order_records)
    assert report.equal
