"""What a replay says, and what it does where journal or recording are not whole."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import cambist
from cambist import AllIn, Bars, Instrument, PercentFee, Strategy, param
from cambist.errors import JournalError, ParameterError
from cambist.model.times import MINUTE_NS, to_ns
from cambist.risk.rules.position import MaxPositionRule
from cambist.storage.journal import JournalFolder
from cambist.storage.recording import FOLDER, RecordingFolder, RecordingWriter

START = to_ns("2024-03-01")


class Swing(Strategy):
    """Buys below a line and sells above it."""

    persistent = ("trades",)
    low: float = param(95.0)
    size: float = param(1.0)

    def on_start(self):
        self.trades = 0

    def on_bar(self, bar):
        if bar.close < self.low and not self.position.size:
            self.buy(self.size)
            self.trades += 1
        elif bar.close > 105.0 and self.position.size:
            self.close()


def swings(count=300, symbol="A"):
    close = 100.0 + 10.0 * np.sin(np.arange(count) / 7.0)
    opened = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(opened, close) + 1.0, np.minimum(opened, close) - 1.0
    ts = START + np.arange(count) * MINUTE_NS
    return Bars(Instrument(symbol=symbol), "1m", ts, opened, high, low, close, np.full(count, 1_000.0))


def recorded(folder, strategy=Swing, **options):
    return cambist.backtest(strategy, swings(), events=True, journal=folder, record=True, **options)


def rewrite(folder, keep=None):
    """Write a recording anew, in small blocks and files, with the first `keep` rows."""
    old = RecordingFolder(folder)
    rows, head = list(old.rows()), old.head
    shutil.rmtree(folder / FOLDER)
    writer = RecordingWriter(folder, head.journal, head.about, block_rows=10, file_bytes=1_000)
    for row in rows[:keep]:
        writer.add(row)
    writer.close()
    return sorted((folder / FOLDER).glob("*.cbr"))


def entries(folder):
    return list(JournalFolder(folder).read())


def test_an_unchanged_strategy_is_equal_to_the_end(tmp_path):
    result = recorded(tmp_path / "j", fees=0.001, leverage=2.0)
    assert len(result.fill_records) > 8
    report = cambist.replay(tmp_path / "j", Swing)
    assert report.equal
    assert report.complete
    assert report.divergence is None
    assert report.records == len(entries(tmp_path / "j"))
    assert report.events >= 2 * len(swings())
    assert str(report) == f"equal: {report.events:,} events, {report.records:,} records"


def test_the_first_other_decision_is_told_with_all_that_led_to_it(tmp_path):
    recorded(tmp_path / "j")
    bars = swings()
    first = int(np.flatnonzero(bars.close < 95.0)[0])
    report = cambist.replay(tmp_path / "j", Swing(size=2.0))
    found = report.divergence
    assert not report.equal
    assert not report.complete
    assert (found.event, found.ts) == ("BarClosed", int(bars.close_times[first]))
    assert found.details["close"] == float(bars.close[first])
    assert (found.expected.kind, found.found.kind) == ("order_submitted", "order_submitted")
    assert (found.expected.fields["size"], found.found.fields["size"]) == ("1.0", "2.0")
    assert entries(tmp_path / "j")[found.record - 1].kind == "order_submitted"
    assert found.strategies["Swing"]["trades"] == 1
    assert found.positions == {}
    assert found.cash == 100_000.0
    assert report.notes == ("Swing is replayed with size 2.0 (was 1.0).",)
    text = str(report)
    assert "the run   order_submitted id 1, symbol A, side buy, type market, size 1.0" in text
    assert "replayed  order_submitted id 1, symbol A, side buy, type market, size 2.0" in text


def test_a_decision_that_is_missing_and_one_that_is_new(tmp_path):
    recorded(tmp_path / "j")
    sooner = cambist.replay(tmp_path / "j", Swing(low=97.0)).divergence
    assert (sooner.expected, sooner.found.kind) == (None, "order_submitted")
    later = cambist.replay(tmp_path / "j", Swing(low=93.0)).divergence
    assert (later.expected.kind, later.found) == ("order_submitted", None)
    assert sooner.ts < later.ts


def test_a_class_of_another_name_takes_the_place_of_the_one_it_mends(tmp_path):
    class Mended(Swing):
        """Decides alike."""

    recorded(tmp_path / "j")
    report = cambist.replay(tmp_path / "j", Mended)
    assert report.complete
    assert report.notes == ("Swing is replayed with class Mended (was Swing).",)


def test_what_a_strategy_raises_in_the_replay_is_told(tmp_path):
    class Broken(Swing):
        def on_fill(self, fill):
            raise ValueError("no such luck")

    recorded(tmp_path / "j")
    found = cambist.replay(tmp_path / "j", Broken).divergence
    assert "no such luck" in found.error
    assert found.event == "OrderFilled"
    assert "no such luck" in "\n".join(found.lines())


def test_settings_that_are_objects_are_asked_for(tmp_path):
    options = {"fees": PercentFee(0.002), "sizer": AllIn(), "risk": [MaxPositionRule(1e9)]}
    recorded(tmp_path / "j", Swing(size=3.0), **options)
    with pytest.raises(ParameterError, match=r"the run had fees=PercentFee.*replay\(\.\.\., fees=\.\.\.\)"):
        cambist.replay(tmp_path / "j", Swing(size=3.0))
    with pytest.raises(ParameterError, match="sizer"):
        cambist.replay(tmp_path / "j", Swing(size=3.0), fees=PercentFee(0.002))
    assert cambist.replay(tmp_path / "j", Swing(size=3.0), **options).complete
    tight = options | {"risk": [MaxPositionRule(2.0)]}
    found = cambist.replay(tmp_path / "j", Swing(size=3.0), **tight).divergence
    assert (found.expected.kind, found.found.kind) == ("order_submitted", "order_refused")


def test_what_cannot_be_given_is_refused(tmp_path):
    recorded(tmp_path / "j")
    with pytest.raises(ParameterError, match=r"a replay has no option 'fee'. Did you mean 'fees'"):
        cambist.replay(tmp_path / "j", Swing, fee=0.1)
    with pytest.raises(ParameterError, match=r"the run had 1 strategies \(Swing\), and 2 are given"):
        cambist.replay(tmp_path / "j", [Swing, Swing])
    with pytest.raises(ParameterError, match="record is True in a run without a journal"):
        cambist.backtest(Swing, swings(), record=True)


def test_recorded_orders_cannot_be_recorded_again(tmp_path):
    result = cambist.backtest(Swing, swings())
    with pytest.raises(ParameterError, match="recorded orders, which a replay cannot send"):
        recorded(tmp_path / "j", cambist.OrderHistory(result))
    assert not (tmp_path / "j").exists()


def test_the_recording_changes_neither_the_run_nor_its_journal(tmp_path, monkeypatch):
    monkeypatch.setattr("secrets.token_hex", lambda size=16: "ab" * size)
    with_one = recorded(tmp_path / "one")
    without = cambist.backtest(Swing, swings(), events=True, journal=tmp_path / "other")
    assert with_one.account == without.account
    told = [[(one.sequence, one.kind, one.ts, one.body) for one in entries(tmp_path / x)] for x in ("one", "other")]
    assert told[0] == told[1]
    assert not (tmp_path / "other" / FOLDER).exists()


def test_without_a_recording_there_is_no_replay(tmp_path):
    cambist.backtest(Swing, swings(), events=True, journal=tmp_path / "j")
    with pytest.raises(JournalError) as raised:
        cambist.replay(tmp_path / "j", Swing)
    assert raised.value.code == "no_recording"
    assert "record=True" in raised.value.remedy


def test_a_recording_of_another_run_is_refused(tmp_path):
    for name in ("one", "other"):
        recorded(tmp_path / name)
    shutil.rmtree(tmp_path / "one" / FOLDER)
    shutil.copytree(tmp_path / "other" / FOLDER, tmp_path / "one" / FOLDER)
    with pytest.raises(JournalError) as raised:
        cambist.replay(tmp_path / "one", Swing)
    assert raised.value.code == "foreign_recording"


def test_a_journal_that_is_longer_than_its_recording_is_replayed_as_far_as_that_goes(tmp_path):
    recorded(tmp_path / "j")
    rows = len(list(RecordingFolder(tmp_path / "j").rows()))
    whole = len(entries(tmp_path / "j"))
    shutil.copytree(tmp_path / "j", tmp_path / "whole")
    last = -1
    for keep in range(0, rows, 23):
        shutil.rmtree(tmp_path / "j")
        shutil.copytree(tmp_path / "whole", tmp_path / "j")
        rewrite(tmp_path / "j", keep)
        report = cambist.replay(tmp_path / "j", Swing)
        assert report.equal, report
        assert not report.complete
        assert last <= report.records < whole
        assert any(f"record {report.records}," in note for note in report.notes)
        assert "the recording ends early" in str(report)
        last = report.records
    assert last > whole / 2


def test_a_torn_recording_is_replayed_up_to_the_tear_and_says_where(tmp_path):
    recorded(tmp_path / "j")
    files = rewrite(tmp_path / "j")
    assert len(files) > 3
    files[-1].write_bytes(files[-1].read_bytes()[:-5])
    report = cambist.replay(tmp_path / "j", Swing)
    assert report.equal
    assert not report.complete
    assert "the last block was not written to its end" in str(report)
    assert str(files[-1]) in str(report)
    # A difference before the tear is still one.
    assert not cambist.replay(tmp_path / "j", Swing(size=2.0)).equal


def test_damage_in_the_midst_ends_the_replay_there(tmp_path):
    recorded(tmp_path / "j")
    files = rewrite(tmp_path / "j")
    data = bytearray(files[1].read_bytes())
    data[60] ^= 1
    files[1].write_bytes(data)
    report = cambist.replay(tmp_path / "j", Swing)
    assert report.equal
    assert not report.complete
    assert "checksum" in str(report)
    assert 0 < report.records < len(entries(tmp_path / "j"))


def test_a_recording_that_is_longer_than_its_journal_is_replayed_as_far_as_that_goes(tmp_path):
    recorded(tmp_path / "j")
    (segment,) = (tmp_path / "j").glob("*.cbj")
    data, whole = segment.read_bytes(), len(entries(tmp_path / "j"))
    last = -1
    for length in range(len(data) // 2, len(data), 97):
        segment.write_bytes(data[:length])
        report = cambist.replay(tmp_path / "j", Swing)
        assert report.equal, report
        assert not report.complete
        assert report.records == len(entries(tmp_path / "j")) < whole
        assert f"the journal ends with record {report.records}" in str(report)
        assert last <= report.records
        last = report.records
