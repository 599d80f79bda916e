"""What is noted beside the steps of a run: alerts, notifications, commands, and how they are told."""

from __future__ import annotations

import numpy as np
import pytest

import cambist
from cambist import Bars, Instrument, Margin, StopRequest, Strategy
from cambist.api import EventRow
from cambist.engine import records
from cambist.engine.codec import CODEC
from cambist.engine.journaled import JournaledKernel, Recorder
from cambist.engine.projection import Projection
from cambist.engine.rebuild import rebuild
from cambist.errors import OrderStateError
from cambist.model.bars import Bar
from cambist.model.events import BarClosed, OrderAccepted, OrderRejected, RunStarted
from cambist.model.times import MINUTE_NS, to_ns
from cambist.portfolio import Portfolio
from cambist.ports import JournalEntry
from cambist.risk import RiskGate
from cambist.storage.journal import JournalFolder
from cambist.storage.recording import RecordingWriter

START = to_ns("2024-03-01")


def series(closes, **instrument):
    closes = np.asarray(closes, float)
    opened = np.concatenate((closes[:1], closes[:-1]))
    ts = START + np.arange(len(closes)) * MINUTE_NS
    made = Instrument(symbol="ACME", **instrument)
    high, low = np.maximum(opened, closes), np.minimum(opened, closes)
    return Bars(made, "1m", ts, opened, high, low, closes, np.full(len(closes), 1e6))


class Buyer(Strategy):
    def on_bar(self, _bar):
        if self.position.is_flat and not self.open_orders:
            self.buy(10.0)


def events_of(entries):
    return [row for row in Projection("backtest").rows(list(entries)) if isinstance(row, EventRow)]


class Kept:
    """A journal in memory."""

    def __init__(self):
        self.entries = []

    def append(self, drafts):
        for number, one in enumerate(drafts, 1):
            last = number == len(drafts)
            entry = JournalEntry(len(self.entries) + 1, one.ts, one.kind, one.version, one.body, last)
            self.entries.append(entry)
        return len(self.entries)


@pytest.fixture
def kept():
    """A kernel that journals into memory, started."""
    bars = series([100.0, 101.0])
    account = Portfolio([bars.instrument], 10_000.0)
    kernel = JournaledKernel([Buyer()], [(bars.instrument, bars.timeframe)], account, RiskGate([]), lambda *_: 0.0)
    journal = Kept()
    kernel.recorder = Recorder(kernel, journal.append)
    kernel.step(RunStarted(START, "run1", 0))
    return kernel, journal


def test_what_a_driver_notes_is_told_in_rows(kept):
    kernel, journal = kept
    number = kernel.recorder.alert(5, records.AlertRaised("warning", "slow_disk", "fsync took 2 s", "run", "journal"))
    kernel.recorder.notified(6, records.NotificationSent("pager", "delivered", 2, "fsync took 2 s", number))
    kernel.recorder.commanded(7, records.OperatorCommand("flatten", {"symbol": "ACME"}, "ada", "done"))
    alert, notification, audit = events_of(journal.entries)
    assert (alert.number, alert.ts, alert.kind, alert.level, alert.source) == (number, 5, "alert", "warning", "journal")
    assert (alert.message, alert.detail) == ("fsync took 2 s", {"code": "slow_disk", "scope": "run"})
    assert (notification.kind, notification.source, notification.level) == ("notification", "pager", "info")
    assert notification.detail == {"outcome": "delivered", "attempts": 2, "alert": number, "error": ""}
    assert (audit.kind, audit.source, audit.message) == ("audit", "ada", "flatten")
    assert audit.detail == {"arguments": {"symbol": "ACME"}, "outcome": "done"}
    assert all(entry.ends_commit for entry in journal.entries[-3:])


def test_an_order_event_that_does_not_fit_raises_an_alert_in_the_commit_of_its_step(kept):
    kernel, journal = kept
    kernel.step(BarClosed(START + MINUTE_NS, 0, Bar(START, 100.0, 100.0, 100.0, 100.0, 1.0)))
    kernel.step(OrderRejected(START + MINUTE_NS, 1, "no"))
    known = len(journal.entries)
    with pytest.raises(OrderStateError):
        kernel.step(OrderAccepted(START + MINUTE_NS, 1))
    fact, alert = journal.entries[known:]
    assert (fact.kind, alert.kind, fact.ends_commit) == ("order_accepted", "alert_raised", False)
    said = CODEC.decode(alert)
    assert (said.severity, said.code, said.scope) == ("critical", "order_anomaly", "order 1")
    assert said.text == kernel.book.anomalies[-1].message
    (row,) = events_of(journal.entries)
    assert row.detail["code"] == "order_anomaly"


def test_a_position_that_the_venue_closes_is_a_risk_event(tmp_path):
    future = {"kind": "linear_perpetual", "quote": "USD", "margin_rate": 0.1}
    result = cambist.backtest(
        Buyer,
        series([100.0, 100.0, 60.0, 60.0], **future),
        cash=150.0,
        margin=Margin(maintenance=0.05),
        events=True,
        journal=tmp_path / "journal",
    )
    assert result.trade_records[0].reason == "liquidation"
    rows = [row for row in events_of(JournalFolder(tmp_path / "journal").read()) if row.kind == "risk"]
    assert [row.detail["reason"] for row in rows] == ["liquidation"]
    assert rows[0].level == "critical"
    assert rows[0].detail["scope"] == "ACME"


def test_who_stops_a_run_from_outside_is_in_its_audit(tmp_path):
    stop = StopRequest()

    class Stopped(Buyer):
        def on_bar(self, bar):
            super().on_bar(bar)
            if bar.ts == START + 3 * MINUTE_NS:
                stop("enough")

    folder = tmp_path / "journal"
    bars = series(range(100, 120))
    cambist.backtest(Stopped, bars, events=True, journal=folder, record=True, stop=stop)
    (row,) = [row for row in events_of(JournalFolder(folder).read()) if row.kind == "audit"]
    assert (row.message, row.detail) == ("stop", {"arguments": {"reason": "enough"}, "outcome": "done"})
    report = cambist.replay(folder, Buyer)
    assert report.equal
    assert report.complete
    assert any("told the run: stop" in note for note in report.notes)
    rebuild(JournalFolder(folder))


def test_a_strategy_that_ends_its_run_is_no_operator(tmp_path):
    class Ending(Buyer):
        def on_bar(self, _bar):
            self.stop("done")

    cambist.backtest(Ending, series(range(100, 110)), events=True, journal=tmp_path / "journal")
    assert events_of(JournalFolder(tmp_path / "journal").read()) == []


def test_a_recording_that_is_lost_raises_an_alert(tmp_path, monkeypatch):
    def full(_self, _block, _first):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RecordingWriter, "_write", full)
    result = cambist.backtest(Buyer, series(range(100, 110)), events=True, journal=tmp_path / "journal", record=True)
    (row,) = events_of(JournalFolder(tmp_path / "journal").read())
    assert (row.kind, row.detail["code"]) == ("alert", "recording_lost")
    assert any(row.message in warning for warning in result.warnings)


def test_signals_that_were_noted_before_a_strategy_raised_are_journalled(tmp_path):
    class Failing(Strategy):
        def on_bar(self, _bar):
            self.record_signal("last", 1.0)
            raise RuntimeError("out of luck")

    with pytest.raises(cambist.StrategyError) as caught:
        cambist.backtest(Failing, series(range(100, 110)), events=True, journal=tmp_path / "journal")
    entries = [one for one in JournalFolder(tmp_path / "journal").read() if one.kind == "signal_noted"]
    assert len(entries) == len(caught.value.result.signals) == 1


def test_a_replay_finds_a_signal_that_differs(tmp_path):
    class Noting(Buyer):
        level = cambist.param(1.0)

        def on_bar(self, bar):
            super().on_bar(bar)
            if bar.ts == START + 5 * MINUTE_NS:
                self.record_signal("score", self.level)

    folder = tmp_path / "journal"
    cambist.backtest(Noting, series(range(100, 120)), events=True, journal=folder, record=True)
    assert cambist.replay(folder, Noting).equal
    found = cambist.replay(folder, Noting(level=2.0)).divergence
    assert (found.expected.kind, found.found.kind) == ("signal_noted", "signal_noted")
    assert (found.expected.fields["value"], found.found.fields["value"]) == (1.0, 2.0)
    assert found.ts == START + 6 * MINUTE_NS
    assert not cambist.replay(folder, Buyer).equal, "one that notes nothing has a difference too"


def test_a_fill_after_an_anomaly_is_told_once(kept):
    """An alert is raised once for each anomaly, and not again with each later step."""
    kernel, journal = kept
    for _ in range(2):
        with pytest.raises(OrderStateError):
            kernel.step(OrderAccepted(START, 99))
    alerts = [one for one in journal.entries if one.kind == "alert_raised"]
    assert len(alerts) == len(kernel.book.anomalies) == 2
