"""The result of a backtest: its frames, its text, and its files."""

from __future__ import annotations

import csv
import json
import stat
from decimal import Decimal
from enum import StrEnum
from io import StringIO
from math import isnan
from pathlib import Path

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.analysis import EquityRecorder
from cambist.backtest import document as documents
from cambist.backtest import formats
from cambist.backtest.result import Result, StrategyRecord
from cambist.backtest.tables import Kind, Table
from cambist.errors import ResultError
from cambist.model import (
    Account,
    Fill,
    Instrument,
    Liquidity,
    Order,
    OrderStatus,
    OrderType,
    Side,
    Timeframe,
    TimeInForce,
    Trade,
)
from cambist.model.times import DAY_NS, HOUR_NS, to_ns

NAN = float("nan")
START = to_ns("2024-01-01")
BTC = Instrument(symbol="BTC/USDT", base="BTC", quote="USDT", tick_size="0.01", step_size="0.00001", taker_fee=0.001)
FILES = ["benchmark.csv", "equity.csv", "fills.csv", "open_trades.csv", "orders.csv", "result.json", "trades.csv"]


def make_order(number, *, side=Side.BUY, tag="", **more):
    values = {
        "id": number,
        "instrument": BTC,
        "side": side,
        "type": OrderType.MARKET,
        "size": 0.1 * number,
        "limit_price": NAN,
        "stop_price": NAN,
        "time_in_force": TimeInForce.GTC,
        "expires_at": 0,
        "reduce_only": False,
        "strategy": "cross",
        "tag": tag,
        "created_at": START + number * HOUR_NS,
        "updated_at": START + number * HOUR_NS + 1,
        "status": OrderStatus.FILLED,
        "filled": 0.1 * number,
        "average_price": 100.0 + 1 / 3,
    }
    return Order(**(values | more))


def make_fill(number, *, side=Side.BUY, price=100.0 + 1 / 3):
    return Fill(number, number, BTC, side, 0.1 * number, price, 0.01, Liquidity.TAKER, START + number * HOUR_NS)


def make_trade(number, *, is_open=False, is_long=True):
    return Trade(
        id=number,
        instrument=BTC,
        is_long=is_long,
        size=0.5,
        entry_price=100.0,
        exit_price=NAN if is_open else 110.0,
        opened_at=START + HOUR_NS,
        closed_at=0 if is_open else START + 3 * HOUR_NS,
        opened_bar=1,
        closed_bar=-1 if is_open else 3,
        gross=0.0 if is_open else 5.0,
        fees=0.105,
        entered=0.5,
        exited=0.0 if is_open else 0.5,
        strategy="cross",
        tag="breakout",
    )


def make_curve(equity, *, keep_all=True):
    recorder = EquityRecorder(1_000.0, START, keep_all=keep_all)
    times = START + HOUR_NS * np.arange(1, len(equity) + 1)
    recorder.add(times, np.array(equity), np.ones(len(equity), bool))
    return recorder.finish()


def make_result(**more):
    equity = [1_000.0, 1_010.0, 1_000.0 + 1 / 3, 1_020.0] * 10
    values = {
        "settings": {"cash": 1_000.0, "fees": {"taker": 0.001}, "rules": "cambist"},
        "strategies": (StrategyRecord("cross", "SmaCross", {"fast": 5, "slow": 30}),),
        "instruments": (BTC,),
        "timeframes": ("1h",),
        "run_id": "r1",
        "currency": "USDT",
        "initial_cash": 1_000.0,
        "started": START,
        "ended": START + 40 * HOUR_NS,
        "n_bars": 40,
        "wall_seconds": 0.25,
        "stopped": "",
        "curve": make_curve(equity),
        "benchmark": make_curve([1_000.0] * 40),
        "order_records": [
            make_order(1),
            make_order(
                2,
                side=Side.SELL,
                type=OrderType.STOP_LIMIT,
                limit_price=99.99,
                stop_price=100.1,
                time_in_force=TimeInForce.GTD,
                expires_at=START + DAY_NS,
                reduce_only=True,
                status=OrderStatus.REJECTED,
                filled=0.0,
                average_price=NAN,
                reason='too "large", by far',
                tag="two\nlines",
            ),
        ],
        "fill_records": [make_fill(1), make_fill(2, side=Side.SELL)],
        "trade_records": [make_trade(1), make_trade(2, is_long=False), make_trade(3, is_open=True)],
        "warnings": ("3 bars were dropped",),
        "account": Account("USDT", 900.0, 1_020.0, 0.0, 0.315, 10.0, 10.315),
    }
    return Result(**(values | more))


@pytest.fixture
def result():
    return make_result()


def test_orders_frame(result):
    orders = result.orders
    assert orders.index.name == "id"
    assert orders.index.tolist() == [1, 2]
    row = orders.loc[2]
    assert (row.side, row.type, row.status, row.time_in_force) == ("sell", "stop_limit", "rejected", "gtd")
    assert (row.limit_price, row.stop_price, row.reduce_only) == (99.99, 100.1, True)
    assert row.expires_at == pd.Timestamp("2024-01-02", tz="UTC")
    assert row.reason == 'too "large", by far'
    assert pd.isna(orders.loc[1].expires_at)
    assert isnan(orders.loc[1].limit_price)
    assert orders.loc[1].updated_at.value == START + HOUR_NS + 1


def test_text_columns_hold_plain_text(result):
    assert {type(text) for text in result.orders.side} == {str}
    assert (
        result.orders.dtypes["side"]
        == result.orders.dtypes["tag"]
        == make_result(order_records=[]).orders.dtypes["tag"]
    )


def test_fills_frame(result):
    assert result.fills.columns.tolist() == [
        "order_id", "ts", "instrument", "side", "size", "price", "fee", "liquidity", "fee_asset", "fee_paid",
    ]  # fmt: skip
    settle = result.fill_records[1].instrument.settle
    assert result.fills.loc[2].tolist()[3:] == ["sell", 0.2, 100.0 + 1 / 3, 0.01, "taker", settle, 0.01]
    assert str(result.fills.ts.dtype) == "datetime64[ns, UTC]"


def test_trades_frame_holds_the_closed_ones(result):
    trades = result.trades
    assert trades.index.tolist() == [1, 2]
    assert trades.side.tolist() == ["long", "short"]
    first = trades.loc[1]
    assert (first.gross, first.fees, first.net) == (5.0, 0.105, 5.0 - 0.105)
    assert first["return"] == pytest.approx((5.0 - 0.105) / 50.0)
    assert (first.bars, first.tag, first.strategy) == (2, "breakout", "cross")
    assert first.exit_time == pd.Timestamp("2024-01-01 03:00", tz="UTC")


def test_open_trades_have_the_same_columns(result):
    assert result.open_trades.columns.tolist() == result.trades.columns.tolist()
    assert result.open_trades.index.tolist() == [3]
    assert pd.isna(result.open_trades.loc[3].exit_time)
    assert isnan(result.open_trades.loc[3].exit_price)


def test_the_return_of_an_inverse_contract_is_on_its_value_in_base():
    perpetual = Instrument(symbol="BTC-PERP", kind="inverse_perpetual", base="BTC", quote="USD", multiplier=100)
    trade = attrs.evolve(make_trade(1), instrument=perpetual, entered=2.0, entry_price=50.0, gross=1.0, fees=0.0)
    assert make_result(trade_records=[trade]).trades["return"].tolist() == [1.0 / (2.0 * 100 / 50.0)]


def test_equity_frame_has_every_bar(result):
    equity = result.equity
    assert len(equity) == 40
    assert equity.index.name == "ts"
    assert str(equity.index.dtype) == "datetime64[ns, UTC]"
    assert equity.index[0] == pd.Timestamp("2024-01-01 01:00", tz="UTC")
    pd.testing.assert_series_equal(equity.drawdown, equity.equity / equity.equity.cummax() - 1, check_names=False)


def test_equity_of_a_block_run_is_that_of_the_memory_run_at_the_end_of_each_day():
    equity = (1_000.0 + 50 * np.random.default_rng(3).normal(size=100)).tolist()
    every = make_result(curve=make_curve(equity)).equity
    daily = make_result(curve=make_curve(equity, keep_all=False)).equity
    assert len(daily) == 5
    pd.testing.assert_frame_equal(daily, every.loc[daily.index])


def test_a_first_bar_that_loses_is_under_water():
    assert make_result(curve=make_curve([900.0])).equity.drawdown.tolist() == pytest.approx([-0.1])


def test_a_run_without_orders_has_empty_frames_with_the_same_columns(result):
    empty = make_result(order_records=[], fill_records=[], trade_records=[])
    for name in ("orders", "fills", "trades", "open_trades"):
        frame, full = getattr(empty, name), getattr(result, name)
        assert len(frame) == 0
        assert frame.dtypes.to_dict() == full.dtypes.to_dict(), name
    assert isnan(empty.summary.win_rate)


def test_frames_are_made_once(result):
    assert result.orders is result.orders
    assert result.summary is result.summary


def test_summary_counts_the_fees_of_the_account_and_both_ways_of_the_money(result):
    assert result.summary.fees_paid == 0.315
    assert result.facts.notional_traded == pytest.approx((0.1 + 0.2) * (100.0 + 1 / 3))
    assert (result.summary.trades, result.summary.open_trades) == (2, 1)
    assert result.summary.benchmark["total_return"] == 0.0
    assert make_result(benchmark=None).summary.benchmark == {}


def test_repr_is_one_line(result):
    assert repr(result) == "<Result cross on BTC/USDT 1h: 40 bars, +2.00 %, 2 trades>"
    assert repr(make_result(stopped="by the user")).endswith(", stopped: by the user>")


def test_notebook_view_shows_warnings_escaped(result):
    html = make_result(warnings=("a < b",), stopped="by <user>")._repr_html_()
    assert "<p>a &lt; b</p>" in html
    assert "<p>Stopped: by &lt;user&gt;</p>" in html
    assert "Max drawdown" in html


def read(folder, name):
    return pd.read_csv(folder / name, index_col=0, keep_default_na=False, na_values=[""])


@pytest.mark.parametrize("name", ["orders", "fills", "trades", "equity"])
def test_csv_reads_back_exactly(result, tmp_path, name):
    frame = getattr(result, name).reset_index()
    raw = pd.read_csv(result.save(tmp_path) / f"{name}.csv", keep_default_na=False, dtype=str)
    # Behind the columns of the frame stands what else it takes to make the records again.
    assert raw.columns.tolist()[: len(frame.columns)] == frame.columns.tolist()
    for column in frame:
        texts, values = raw[column], frame[column]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            back = pd.Series(pd.to_datetime(texts.where(texts != "", None), format="ISO8601", utc=True)).astype(
                values.dtype
            )
            assert back.equals(values), column
        elif values.dtype == bool:
            assert texts.tolist() == ["true" if value else "false" for value in values]
        elif values.dtype == np.float64:
            back = np.array([float(text) if text else NAN for text in texts])
            assert back.tobytes() == np.where(values.isna(), NAN, values).tobytes(), column
        else:
            assert texts.tolist() == [str(value) for value in values], column


def test_csv_times_have_a_fraction_only_where_there_is_one(result, tmp_path):
    orders = read(result.save(tmp_path), "orders.csv")
    assert orders.loc[1, "created_at"] == "2024-01-01T01:00:00Z"
    assert orders.loc[1, "updated_at"] == "2024-01-01T01:00:00.000000001Z"
    assert "nan" not in (tmp_path / "orders.csv").read_text().lower()


def test_csv_of_more_rows_than_are_written_at_once(monkeypatch, tmp_path):
    monkeypatch.setattr(formats, "_ROWS_AT_ONCE", 7)
    cut = (make_result().save(tmp_path / "cut") / "equity.csv").read_bytes()
    monkeypatch.undo()
    assert cut == (make_result().save(tmp_path / "whole") / "equity.csv").read_bytes()
    assert cut.count(b"\n") == 41


def test_json_document(result, tmp_path):
    document = json.loads((result.save(tmp_path) / "result.json").read_text())
    assert document["schema_version"] == documents.SCHEMA_VERSION == 3
    assert document["strategies"] == [{"name": "cross", "class": "SmaCross", "parameters": {"fast": 5, "slow": 30}}]
    assert document["data"] == {
        "started": "2024-01-01T00:00:00Z",
        "ended": "2024-01-02T16:00:00Z",
        "bars": 40,
        "unit": "bars",
        "timeframes": ["1h"],
    }
    assert document["settings"] == result.settings
    assert document["summary"] == result.summary.to_dict()
    assert document["buy_and_hold"]["total_return"] == 0.0
    assert document["account"]["equity"] == 1_020.0
    assert document["warnings"] == ["3 bars were dropped"]
    assert {name: (table["file"], table["rows"]) for name, table in document["tables"].items()} == {
        "orders": ("orders.csv", 2),
        "fills": ("fills.csv", 2),
        "trades": ("trades.csv", 2),
        "open_trades": ("open_trades.csv", 1),
        "equity": ("equity.csv", 40),
        "benchmark": ("benchmark.csv", 40),
    }
    assert [trade["id"] for trade in document["open_trades"]] == [3]
    assert document["cambist_version"]


def test_an_instrument_can_be_made_again_from_the_json(result, tmp_path):
    document = json.loads((result.save(tmp_path) / "result.json").read_text())
    assert document["instruments"][0]["step_size"] == str(Decimal("0.00001"))
    assert document["instruments"][0]["tick_size"] == "0.01"
    assert Instrument(**document["instruments"][0]) == BTC


class Mode(StrEnum):
    FAST = "fast"


def test_json_takes_whatever_a_parameter_may_be(tmp_path):
    parameters = {
        "nan": NAN,
        "infinite": float("inf"),
        "mode": Mode.FAST,
        "frame": Timeframe.parse("4h"),
        "exact": Decimal("1.10"),
        "since": pd.Timestamp("2024-01-01 12:00", tz="UTC").to_pydatetime(),
        "count": np.int64(3),
        "level": np.float64(0.5),
        "pair": (1, None),
        "names": frozenset({"b", "a"}),
        "folder": Path("data"),
        "rule": max,
        "half a letter": "\udc80",
    }
    folder = make_result(strategies=(StrategyRecord("cross", "SmaCross", parameters),)).save(tmp_path)
    assert json.loads((folder / "result.json").read_text(encoding="utf-8"))["strategies"][0]["parameters"] == {
        "nan": None,
        "infinite": None,
        "mode": "fast",
        "frame": "4h",
        "exact": "1.10",
        "since": "2024-01-01T12:00:00Z",
        "count": 3,
        "level": 0.5,
        "pair": [1, None],
        "names": ["a", "b"],
        "folder": "data",
        "rule": "max",
        "half a letter": "\udc80",
    }


def test_a_run_that_never_traded_is_saved_with_nulls(tmp_path):
    folder = make_result(
        order_records=[], fill_records=[], trade_records=[], curve=make_curve([1_000.0] * 5), benchmark=None
    ).save(tmp_path)
    document = json.loads((folder / "result.json").read_text())
    assert document["summary"]["sharpe"] is None
    assert document["buy_and_hold"] is None
    assert len((folder / "orders.csv").read_text().splitlines()) == 1


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_equal_results_make_equal_bytes(tmp_path):
    assert contents(make_result().save(tmp_path / "a")) == contents(make_result().save(tmp_path / "b"))
    other = contents(make_result(run_id="r2", wall_seconds=9.0).save(tmp_path / "c"))
    first = contents(tmp_path / "a")
    different = {name for name in FILES if first[name] != other[name]}
    assert different == {"result.json"}
    left, right = (json.loads(each["result.json"]) for each in (first, other))
    assert {key for key in left if left[key] != right[key]} == {"run_id", "wall_seconds"}


def test_the_folder_is_made_and_ours_alone_is_replaced(tmp_path):
    folder = tmp_path / "deep" / "down"
    assert make_result().save(str(folder)) == folder
    (folder / "notes.txt").write_text("mine")
    make_result(order_records=[]).save(folder)
    assert sorted(contents(folder)) == sorted([*FILES, "notes.txt"])
    assert (folder / "notes.txt").read_text() == "mine"
    assert len((folder / "orders.csv").read_text().splitlines()) == 1


def test_files_have_the_permissions_that_the_user_gives_new_files(result, tmp_path):
    (tmp_path / "plain").touch()
    result.save(tmp_path)
    assert stat.S_IMODE((tmp_path / "result.json").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_midway_keeps_the_old_files_and_leaves_no_others(tmp_path, monkeypatch, fault):
    before = contents(make_result().save(tmp_path))
    cells, calls = formats._float_cells, []

    def failing(values):
        calls.append(values)
        if len(calls) > 9:  # in the middle of the third file or so
            raise fault
        return cells(values)

    monkeypatch.setattr(formats, "_float_cells", failing)
    wanted = ResultError if isinstance(fault, OSError) else KeyboardInterrupt
    with pytest.raises(wanted, match="No space left" if wanted is ResultError else None):
        make_result(order_records=[]).save(tmp_path)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("place", ["taken", "taken/deeper"])
def test_a_place_that_cannot_be_written_to_is_named(result, tmp_path, place):
    (tmp_path / "taken").write_text("")
    with pytest.raises(ResultError, match=rf"cannot be written to .*{place}: .*\. Choose a folder"):
        result.save(tmp_path / place)


def test_a_folder_in_the_way_of_a_file_changes_nothing(result, tmp_path):
    (tmp_path / "result.json").mkdir()
    with pytest.raises(ResultError, match=r"result\.json is a folder"):
        result.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


@given(st.lists(st.floats(allow_infinity=True, allow_nan=False)))
def test_every_float_reads_back_bit_for_bit(values):
    assert np.array(list(map(float, formats._float_cells(values)))).tobytes() == np.array(values).tobytes()


@given(st.text())
def test_every_text_reads_back(text):
    table = Table({"id": Kind.INTEGER, "tag": Kind.TEXT}, {"id": np.array([1]), "tag": [text]})
    assert list(csv.reader(StringIO("".join(formats._csv(table)), newline="")))[1] == ["1", text]
