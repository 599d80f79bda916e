"""What no backtest writes: what live trading adds, records that do not fit, and holding effects back."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from cambist import Instrument, Margin, OrderStatus, StrategyError
from cambist.engine import records
from cambist.engine.account_opening import account_records
from cambist.engine.codec import CODEC
from cambist.engine.conversions import instrument_of, instrument_record
from cambist.engine.document import STATE_VERSION, decode_run, encode_run
from cambist.engine.fold import RunState
from cambist.engine.outbox import Outbox
from cambist.engine.rebuild import rebuild
from cambist.errors import InputError, ParameterError, RecordError
from cambist.model.effects import CancelOrder
from cambist.portfolio import MarginPortfolio
from cambist.ports import JournalEntry
from cambist.storage.journal import Journal, JournalFolder, JournalOptions

BTC = Instrument(
    symbol="BTC/USDT", venue="sim", base="BTC", quote="USDT", tick_size="0.01", step_size="0.00001", taker_fee=0.001
)


class Story:
    """Tells a state what happened."""

    def __init__(self, keep=100):
        self.state = RunState(keep=keep)
        self.tell("instrument_defined", instrument_record(BTC))
        self.tell("account_opened", records.AccountOpened("USDT", Decimal(1_000)))
        self.tell("run_started", records.RunBegan("token", 0))

    def tell(self, kind, fields, ts=5):
        draft = CODEC.encode(kind, ts, fields)
        self.state.apply(JournalEntry(self.state.sequence + 1, ts, kind, draft.version, draft.body, True))
        return self

    def order(self, number, side="buy", size="0.1", kind="order_submitted", **more):
        terms = records.OrderTerms(number, "BTC/USDT", side, "market", Decimal(size), "gtc", "S", 5, **more)
        return self.tell(kind, terms)

    def fill(self, order, number, size="0.1", price="60000", fee="0.0", **more):
        return self.tell(
            "order_filled",
            records.FillEntry(order, number, Decimal(size), Decimal(price), Decimal(fee), "taker", 5, **more),
        )

    def note(self, kind, order, reason=""):
        return self.tell(kind, records.OrderNote(order, reason))


def test_an_instrument_comes_back():
    assert instrument_of(instrument_record(BTC)) == BTC


def test_a_fee_in_the_base_is_kept_exactly_and_counts_in_the_settlement_asset():
    story = Story().order(1, size="0.00013")
    story.fill(1, 1, "0.00013", "60000", "0.00000013", fee_asset="BTC", fee_value=Decimal("0.0078"))
    state = story.state
    assert state.ledger.balance("BTC") == Decimal("0.00012987")
    assert state.ledger.dust(BTC) == Decimal("0.00000987")
    assert state.ledger.balance("USDT") == Decimal("992.2")
    assert state.portfolio.fees == 0.0078


def test_a_fill_that_comes_again_counts_once():
    story = Story().order(1).fill(1, 77, "0.05").fill(1, 77, "0.05").fill(1, 78, "0.05")
    assert len(story.state.fills) == 2
    assert story.state.book.get(1).status is OrderStatus.FILLED
    assert story.state.ledger.balance("BTC") == Decimal("0.1")


def test_an_order_of_unknown_outcome_ends_by_evidence():
    story = Story().order(1).note("outcome_unknown", 1, "timed out").order(2).note("outcome_unknown", 2, "cut off")
    assert list(story.state.book.open) == [1, 2]
    story.note("order_not_found", 1).fill(2, 5, "0.1")
    assert [order.status for order in story.state.book.orders] == [OrderStatus.REJECTED, OrderStatus.FILLED]


def test_what_does_not_fit_an_order_is_an_anomaly_and_nothing_more():
    story = Story().order(1).note("order_canceled", 1).fill(1, 4, "5").note("order_accepted", 9)
    assert [(one.order_id, one.status) for one in story.state.book.anomalies] == [(1, OrderStatus.CANCELED), (9, None)]
    assert story.state.sequence == 7
    assert encode_run(decode_run(encode_run(story.state))) == encode_run(story.state)


def test_halts_commands_anchors_and_refusals_are_kept():
    story = Story()
    story.tell("trading_state", records.TradingState("halted", "", "drawdown of 11 %", "max-drawdown"), ts=9)
    story.tell("trading_state", records.TradingState("reducing", "symbol:BTC/USDT", "", "desk"))
    story.tell("trading_state", records.TradingState("halted", "", "", "max-daily-loss", "max-daily-loss"))
    story.tell("trading_state", records.TradingState("active", "", "", "desk", "max-daily-loss"))
    story.tell("risk_state", records.RiskState("max-drawdown", b"peak"))
    story.tell("operator_command", records.OperatorCommand("flatten"))
    story.tell("series_anchored", records.SeriesAnchored("BTC/USDT", "1m", 60))
    story.order(1, kind="order_refused", reason="insufficient_funds: too much")
    state = decode_run(encode_run(story.state))
    assert [(hold.scope, hold.state, hold.ts, hold.reason, hold.by, hold.rule) for hold in state.trading] == [
        ("", "halted", 9, "drawdown of 11 %", "max-drawdown", ""),
        ("symbol:BTC/USDT", "reducing", 5, "", "desk", ""),
    ]
    assert state.rules == {"max-drawdown": b"peak"}
    assert state.anchors == {"BTC/USDT 1m": 60}
    assert state.refusals == {"insufficient_funds": 1}
    assert (state.counts["operator_command"], state.sequence) == (1, 11)


def test_a_run_that_goes_on_keeps_its_account_and_its_orders():
    story = Story().order(1).fill(1, 1).tell("run_stopped", records.RunEnded("")).order(2, "sell")
    assert story.state.stopped == ""
    story.tell("instrument_defined", instrument_record(BTC))
    story.tell("account_opened", records.AccountOpened("USDT", Decimal(7)))
    story.tell("run_started", records.RunBegan("token2", 1))
    assert (story.state.token, story.state.stopped) == ("token2", None)
    assert story.state.positions["BTC/USDT"].size == 0.1
    assert story.state.ledger.balance("USDT") == Decimal(-5000)
    assert list(story.state.book.open) == [2]


def test_an_instrument_may_get_other_terms():
    story = Story().order(1).fill(1, 1)
    finer = Instrument(symbol="BTC/USDT", venue="sim", base="BTC", quote="USDT", tick_size="0.1", step_size="0.000001")
    story.tell("instrument_defined", instrument_record(finer))
    story.order(2, "sell", "0.000001")
    assert story.state.book.get(2).instrument == finer
    assert story.state.positions["BTC/USDT"].instrument == finer


def test_what_is_forgotten_is_no_longer_known():
    story = Story(keep=2)
    for number in range(1, 8):
        story.order(number, "buy" if number % 2 else "sell").fill(number, number)
    assert [order.id for order in story.state.book.orders] == [4, 5, 6, 7]
    assert [fill.order_id for fill in story.state.fills] == [4, 5, 6, 7]
    story.fill(1, 1)  # a venue that says it again
    assert story.state.book.anomalies[-1].order_id == 1
    assert story.state.ledger.balance("BTC") == Decimal("0.1")
    assert encode_run(decode_run(encode_run(story.state))) == encode_run(story.state)


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        ("order_submitted", records.OrderTerms(1, "ETH/USDT", "buy", "market", Decimal(1), "gtc", "S", 5), "ETH/USDT"),
        ("order_submitted", records.OrderTerms(1, "BTC/USDT", "hold", "market", Decimal(1), "gtc", "S", 5), "hold"),
        ("order_submitted", records.OrderTerms(0, "BTC/USDT", "buy", "limbo", Decimal(1), "gtc", "S", 5), "limbo"),
        ("instrument_defined", instrument_record(Instrument(symbol="ETH/USDT", quote="USDT")), "after the account"),
        ("dividend_paid", records.Dividend("ACME", Decimal(1)), "ACME"),
    ],
)
def test_what_cannot_be_is_named_with_its_number(kind, fields, message):
    with pytest.raises(RecordError, match=message) as caught:
        Story().tell(kind, fields)
    assert (caught.value.code, caught.value.sequence) == ("does_not_fit", 4)


def test_an_order_is_made_once():
    with pytest.raises(RecordError, match="made before"):
        Story().order(1).order(1)


def test_records_are_taken_in_their_order():
    story = Story()
    with pytest.raises(RecordError, match="record 9 does not follow record 3"):
        story.state.apply(JournalEntry(9, 0, "timer_fired", 1, b"", True))


def test_bytes_that_are_no_state():
    for data in (b"", b"\xc1", b"\x80", encode_run(Story().state)[:-3]):
        with pytest.raises(RecordError, match="no state of a run"):
            decode_run(data)


def test_where_the_beginning_was_removed_a_snapshot_has_to_be_there(tmp_path):
    with Journal(tmp_path, JournalOptions(segment_bytes=300, compress=None)) as journal:
        for number in range(20):
            journal.append([CODEC.encode("timer_set", 0, records.TimerSet(f"t{number}", number))])
            journal.wait()
        journal.snapshots.save(20, encode_run(rebuild(journal)), STATE_VERSION)
        assert journal.prune() > 1
        assert len(rebuild(journal, use_snapshot=False).timers) == 20
    for path in (tmp_path / "snapshots").iterdir():
        path.unlink()
    with pytest.raises(RecordError, match="no snapshot holds them"):
        rebuild(JournalFolder(tmp_path))


def test_effects_leave_in_order_when_their_records_are_safe():
    outbox = Outbox()
    outbox.put(3, [CancelOrder(1)])
    outbox.put(4, [])
    outbox.put(7, [CancelOrder(2), CancelOrder(3)])
    outbox.put(9, [CancelOrder(4)])
    assert outbox.release(2) == []
    assert [effect.order_id for effect in outbox.release(8)] == [1, 2, 3]
    assert len(outbox) == 1
    assert [effect.order_id for effect in outbox.release(100)] == [4]


def test_a_backtest_journals_into_a_folder_of_its_own(run, bars, tmp_path):
    made = bars([100, 101, 102, 103])
    run(made, events=True, journal=tmp_path, on_bar=lambda s, _bar: s.buy() if s.bar == 0 else None)
    state = rebuild(JournalFolder(tmp_path))
    assert (state.positions["ACME"].size, state.stopped) == (1.0, "")
    with pytest.raises(ParameterError, match="another run"):
        run(made, events=True, journal=tmp_path)
    with pytest.raises(ParameterError, match="events=True"):
        run(made, journal=tmp_path / "other")


def test_what_a_failing_step_wanted_is_not_in_the_journal(run, bars, tmp_path):
    def trade(strategy, _bar):
        strategy.buy()
        if strategy.bar == 2:
            raise ZeroDivisionError

    with pytest.raises(StrategyError):
        run(bars([100, 101, 102, 103]), events=True, journal=tmp_path, on_bar=trade)
    state = rebuild(JournalFolder(tmp_path))
    assert [order.id for order in state.book.orders] == [1, 2]
    assert state.stopped is None, "a run that failed has not ended as it should"


def test_a_run_on_trades_is_journalled_too(tmp_path, told):
    import numpy as np

    import cambist
    from cambist import Ticks
    from cambist.engine.document import trading_of
    from cambist.model.times import SECOND_NS, to_ns

    start = to_ns("2024-03-01")
    ticks = Ticks(
        Instrument(symbol="ACME", step_size=1),
        start + np.arange(50) * SECOND_NS,
        100.0 + np.arange(50) % 7,
        np.full(50, 10.0),
    )

    class Trader(told):
        def on_tick(self, tick):
            self.count = getattr(self, "count", 0) + 1
            if self.count % 9 == 1:
                self.buy(2)
            elif self.count % 9 == 5:
                self.close()

    result = cambist.backtest(Trader(told={}), ticks, events=True, journal=tmp_path, benchmark=False)
    state = rebuild(JournalFolder(tmp_path))
    assert len(state.fills) == len(result.fill_records) > 5
    assert repr(state.portfolio.cash) == repr(result.account.cash)
    assert trading_of(state.book, [], None, {})["orders"] == [
        *trading_of(type(state.book).restore("", result.order_records, []), [], None, {})["orders"]
    ]


def test_a_state_cannot_be_kept_that_no_journal_can_hold(run, bars, tmp_path, told):
    import cambist

    class Bad(told):
        persistent = ("thing",)

        def on_start(self):
            super().on_start()
            self.thing = object()

    with pytest.raises((ParameterError, StrategyError, InputError), match="a journal cannot keep"):
        cambist.backtest(Bad(told={}), bars([10, 20, 30]), events=True, journal=tmp_path)


# Several accounts, and several assets in one.


class Assets(Story):
    """Tells a state of an account in USDT and BNB."""

    def __init__(self, keep=100):
        self.state = RunState(keep=keep)
        self.tell("instrument_defined", instrument_record(BTC))
        money = [("USDT", Decimal(1_000)), ("BTC", Decimal(0)), ("BNB", Decimal("0.5"))]
        rates = {"BNB": Decimal(300), "BTC": Decimal(60_000)}
        self.tell("account_opened", records.AccountOpened("USDT", Decimal(1_150), assets=money, rates=rates))
        self.tell("run_started", records.RunBegan("token", 0))


def test_every_asset_is_kept_to_the_last_digit():
    story = Assets().order(1, size="0.00013")
    story.fill(1, 1, "0.00013", "60000", "0.000026", fee_asset="BNB", fee_value=Decimal("0.0078"))
    for asset, amount in (("USDT", "-100.1"), ("BTC", "0.0016683333")):
        story.tell("cash_moved", records.CashEntry("conversion", asset, Decimal(amount), 5))
    ledger = story.state.ledger
    assert ledger.balances == {
        "USDT": Decimal("892.1"),
        "BTC": Decimal("0.0017983333"),
        "BNB": Decimal("0.499974"),
    }
    assert (ledger.sellable(BTC), ledger.dust(BTC)) == (Decimal("0.00179"), Decimal("0.0000083333"))
    books = story.state.portfolio
    assert books.balances == pytest.approx({"USDT": 892.1, "BTC": 0.0016683333, "BNB": 0.499974}, abs=1e-12)
    assert (story.state.fills[0].fee_asset, story.state.fills[0].fee_paid) == ("BNB", 0.000026)
    assert books.positions["BTC/USDT"].fees == 0.0078
    again = decode_run(encode_run(story.state))
    assert encode_run(again) == encode_run(story.state)
    assert (again.fills[0].fee_asset, list(again.portfolio.pockets)) == ("BNB", ["USDT", "BTC", "BNB"])


def test_what_assets_are_worth_is_what_was_noted_last():
    story = Assets()
    assert story.state.portfolio.cash == 1_150.0
    story.tell("rates_noted", records.RatesNoted({"BNB": Decimal(400)}))
    assert story.state.portfolio.cash == decode_run(encode_run(story.state)).portfolio.cash == 1_200.0


def test_each_account_has_a_ledger_of_its_own():
    story = Story.__new__(Story)
    story.state = RunState()
    story.tell("instrument_defined", instrument_record(BTC))
    for name, cash in (("main", 70), ("S", 1_000)):
        opened = records.AccountOpened("USDT", Decimal(cash), name=name, strategies=["T" if name == "main" else "S"])
        story.tell("account_opened", opened)
    story.tell("run_started", records.RunBegan("token", 0)).order(1, size="0.001").fill(1, 1, "0.001", fee="0.06")
    story.tell("cash_requested", records.CashRequest(Decimal("-0.1"), account="main"))
    assert story.state.leaving == {("main", "USDT"): 0.1}
    for name, amount in (("main", "-0.1"), ("S", "0.1")):
        entry = records.CashEntry("transfer", "USDT", Decimal(amount), 5, asked=True, account=name)
        story.tell("cash_moved", entry)
    state = decode_run(encode_run(story.state))
    assert {name: ledger.balances for name, ledger in state.ledgers.items()} == {
        "main": {"USDT": Decimal("69.9")},
        "S": {"USDT": Decimal("940.04"), "BTC": Decimal("0.001")},
    }
    assert state.ledger.balances == {"USDT": Decimal("1009.94"), "BTC": Decimal("0.001")}
    assert {name: books.positions["BTC/USDT"].size for name, books in state.accounts.items()} == {"main": 0, "S": 0.001}
    assert [flow.account for flow in state.portfolio.cash_flows] == ["main", "S"]
    assert not any(state.leaving.values())
    assert encode_run(state) == encode_run(story.state)


def test_what_the_insurance_fund_pays_is_in_the_ledger():
    perpetual = Instrument(symbol="P", kind="linear_perpetual", base="BTC", quote="USDT", margin_rate=0.1)
    story = Story.__new__(Story)
    story.state = RunState()
    story.tell("instrument_defined", instrument_record(perpetual))
    [opened] = account_records(MarginPortfolio([perpetual], 10.0, margin=Margin()), ["S"])
    story.tell("account_opened", opened).tell("run_started", records.RunBegan("token", 0))
    for number, side, price in ((1, "buy", 100), (2, "sell", 70)):
        terms = records.OrderTerms(number, "P", side, "market", Decimal(1), "gtc", "S", 5)
        story.tell("order_submitted", terms)
        closed = {"closed_by": "liquidation", "mark": Decimal(85)} if number == 2 else {}
        story.fill(number, number, "1", str(price), **closed)
    assert [flow.kind for flow in story.state.portfolio.cash_flows] == ["insurance"]
    assert (story.state.portfolio.cash, story.state.ledger.balance("USDT")) == (0.0, Decimal(0))


def test_a_snapshot_of_before_there_were_several_accounts_is_read():
    story = Story().order(1).fill(1, 1)
    document = msgspec.msgpack.decode(encode_run(story.state))
    assert {"account", "ledger"} <= set(document)
    document["leaving"] = 12.5
    state = decode_run(msgspec.msgpack.encode(document))
    assert state.leaving == {("", "USDT"): 12.5}
    assert (state.positions["BTC/USDT"].size, state.ledger.balance("BTC")) == (0.1, Decimal("0.1"))


def test_records_of_before_there_were_several_accounts_are_read():
    """The fields that came later are not in the bytes, and mean the sole account and its currency."""
    older = {
        "cash_requested": {"amount": "-20"},
        "cash_moved": {"kind": "withdrawal", "asset": "USDT", "amount": "-20", "due": 5, "asked": True},
    }
    state, left = Story().state, [20.0, 0.0]
    for kind, fields in older.items():
        entry = JournalEntry(state.sequence + 1, 5, kind, 1, msgspec.msgpack.encode(fields), True)
        assert CODEC.encode(kind, 5, CODEC.decode(entry)).body == entry.body
        state.apply(entry)
        assert state.leaving["", "USDT"] == left.pop(0)
    assert state.ledger.balance("USDT") == Decimal(980)
