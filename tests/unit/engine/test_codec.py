"""Records as bytes: exact decimals, versions that are brought up to date, and what cannot be read is named."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from cambist.engine import records
from cambist.engine.codec import CODEC, NOTES, Codec, readable
from cambist.errors import InputError, JournalVersionError, RecordError
from cambist.ports import JournalEntry


def entry_of(draft, sequence=7):
    return JournalEntry(sequence, draft.ts, draft.kind, draft.version, draft.body, True)


def written(kind, fields, version=1):
    return JournalEntry(7, 0, kind, version, msgspec.msgpack.encode(fields), True)


SAMPLES = {
    "run_started": records.RunBegan("7f3kq9", 4, [records.StrategyRun("Cross", "Cross", {"fast": "10"})]),
    "order_submitted": records.OrderTerms(
        1, "BTC/USDT", "buy", "limit", Decimal("0.00012987"), "gtc", "Cross", 5, limit_price=Decimal("64000.10")
    ),
    "order_filled": records.FillEntry(1, 9, Decimal("0.1"), Decimal("0.3"), Decimal("1E-18"), "maker", 3, 2, "BNB"),
    "cash_moved": records.CashEntry("funding", "USDT", Decimal("-0.000000000000000000000000001"), 3),
    "timer_set": records.TimerSet("Cross/exit", None),
    "strategy_state": records.StrategyState("Cross", b"\x00\xff"),
    "trading_state": records.TradingState("halted", "", "drawdown", "max-drawdown"),
    "operator_command": records.OperatorCommand("flatten", {"symbol": "BTC/USDT"}, "desk", "done"),
    "signal_noted": records.SignalNoted("Cross", "fast", "BTC/USDT", 0.1 + 0.2),
    "account_valued": records.AccountValued(
        *map(Decimal, ("0.3", "0.1", "0", "0.3")),
        -0.1,
        Decimal(0),
        5,
        100.0,
        records.CurveState(7, 5e-324, 0.1, -0.2, 3, 1, -0.3, 6, 7),
        [records.HoldingValued("BTC/USDT", Decimal("1E-18"), price=Decimal("0.30000000000000004"), side="long")],
        account="two",
        assets=[records.AssetValued("BTC", *map(Decimal, ("1E-8", "0.1", "0", "0.3")))],
    ),
    "alert_raised": records.AlertRaised("critical", "order_anomaly", "not in this state", "order 7"),
    "notification_sent": records.NotificationSent("pager", "failed", 3, "not in this state", 8, "timed out"),
    "series_anchored": records.SeriesAnchored("BTC/USDT", "1m", 3),
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_record_comes_back_to_the_last_digit(kind):
    entry = entry_of(CODEC.encode(kind, 12, SAMPLES[kind]))
    assert CODEC.decode(entry) == SAMPLES[kind]
    assert (entry.ts, entry.kind, entry.version) == (12, kind, 1)


def test_decimals_are_text():
    fields = readable(entry_of(CODEC.encode("order_filled", 0, SAMPLES["order_filled"])))
    assert fields["size"] == "0.1"
    assert fields["fee"] == "1E-18"


def test_every_kind_has_a_type_and_none_is_there_twice():
    assert set(NOTES) < set(CODEC.kinds)
    with pytest.raises(InputError, match="FillEntry already"):
        CODEC.register("order_filled", records.FillEntry)


class Level(msgspec.Struct):
    price: Decimal
    side: str


def level_codec():
    codec = Codec()
    codec.register("level", Level, version=3)
    codec.upgrade("level", 1, lambda fields: {"price": str(fields["px"])})
    codec.upgrade("level", 2, lambda fields: {**fields, "side": "buy"})
    return codec


def test_an_older_record_is_brought_up_to_date_step_by_step():
    codec = level_codec()
    assert codec.decode(written("level", {"px": 0.1})) == Level(Decimal("0.1"), "buy")
    assert codec.decode(written("level", {"price": "0.1"}, 2)) == Level(Decimal("0.1"), "buy")
    assert codec.decode(written("level", {"price": "0.1", "side": "sell"}, 3)) == Level(Decimal("0.1"), "sell")


def test_a_newer_record_and_one_without_a_way_up_are_refused():
    with pytest.raises(JournalVersionError, match="version 4, this version of Cambist reads 3") as caught:
        level_codec().decode(written("level", {}, 4))
    assert (caught.value.code, caught.value.sequence) == ("foreign_version", 7)
    codec = Codec()
    codec.register("level", Level, version=2)
    with pytest.raises(JournalVersionError, match="no way up to 2"):
        codec.decode(written("level", {"px": 1}))


def test_a_field_that_a_newer_version_has_is_no_obstacle():
    assert CODEC.decode(written("timer_fired", {"name": "x", "due": 3, "more": 1})) == records.TimerDue("x", 3)


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (written("order_fill", {}), "unknown_kind"),
        (written("timer_fired", {"name": "x"}), "bad_body"),
        (written("timer_fired", {"name": 3, "due": 3}), "bad_body"),
        (JournalEntry(7, 0, "timer_fired", 1, b"\xc1", True), "bad_body"),
    ],
)
def test_what_cannot_be_read_is_named(entry, code):
    with pytest.raises(RecordError) as caught:
        CODEC.decode(entry)
    assert (caught.value.code, caught.value.sequence) == (code, 7)
    assert caught.value.remedy


def test_bytes_of_nobody_can_be_shown():
    assert readable(JournalEntry(1, 0, "x", 1, b"\xc1", True)) == "c1"
