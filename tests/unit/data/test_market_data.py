"""Trades and quotes: what may be some, and how they are read."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest

from cambist import DataError, Instrument, Quotes, Side, Ticks, open_quotes, open_ticks
from cambist.data import checked_history
from cambist.ports import MarketSource

ACME = Instrument(symbol="ACME")
TS = np.array([10, 20, 20, 30])
FIRST = 1_700_000_000_000_000_000
FRAME = pd.DataFrame(
    {
        "Timestamp": pd.to_datetime(
            [1_700_000_000_000_000_000 + 250_000_000 * step for step in (0, 1, 1, 2)], utc=True
        ),
        "price": [10.0, 10.5, 10.25, 11.0],
        "qty": [1, 2, 0, 4],
        "side": ["buy", "Sell", None, "s"],
        "noise": list("abcd"),
    }
)
BOOK = FRAME[["Timestamp"]].assign(
    bid=[9.0, 9.5, 9.0, 9.0], ask=[9.5, 9.5, 10.0, 10.0], bid_qty=[1.0, np.nan, 3.0, 4.0]
)


def same(one, other):
    assert type(one) is type(other)
    assert one.instrument == other.instrument
    np.testing.assert_array_equal(one.ts, other.ts)
    for name, values in one.columns.items():
        assert values.dtype == other.columns[name].dtype, name
        np.testing.assert_array_equal(values, other.columns[name], err_msg=name)


def test_rows_are_values_in_order():
    ticks = Ticks(ACME, TS, [1.0, 2.0, 3.0, 4.0], [5, 6, 7, 8], [1, -1, 0, 1])
    assert [tick.side for tick in ticks] == [Side.BUY, Side.SELL, None, Side.BUY]
    assert [(tick.ts, tick.price, tick.size) for tick in ticks[1:3]] == [(20, 2.0, 6.0), (20, 3.0, 7.0)]
    assert [len(block) for block in ticks.blocks(3)] == [3, 1]
    assert isinstance(ticks, MarketSource)
    quotes = Quotes(ACME, TS, [1.0] * 4, [2.0] * 4, [3.0] * 4, [4.0] * 4)
    quote = next(iter(quotes))
    assert (quote.bid, quote.ask, quote.bid_size, quote.ask_size) == (1.0, 2.0, 3.0, 4.0)
    assert list(quotes.to_frame().columns) == ["bid", "ask", "bid_size", "ask_size"]
    assert str(quotes.to_frame().index.tz) == "UTC"
    assert "ACME: 4 rows" in repr(quotes)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (([10, 5], [1, 1], [1, 1]), r"row 1 \(1970-.*its time comes before that of row 0"),
        (([1, 2], [1, np.nan], [1, 1]), r"ACME ticks: row 1 .*price is nan\. A price is a finite number above zero"),
        (([1, 2], [1, 0], [1, 1]), r"row 1 .*price is 0\.0"),
        (([1, 2], [1, 1], [-1, 1]), r"row 0 .*size is -1\.0"),
        (([1, 2], [1, 1], [1]), r"columns differ in length \(times 2, price 2, size 1"),
        (([], [], []), "there are no rows"),
        (([1, 2], [1, 1], [1, 1], [1, 2]), "row 1: side is 2. Write 1 where the taker bought"),
        (([1.5, 2], [1, 1], [1, 1]), "column 'ts' holds floats"),
    ],
)
def test_what_is_no_trade_is_refused(columns, words):
    ts, *values = columns
    with pytest.raises(DataError, match=words):
        Ticks(ACME, np.array(ts, None if ts else int), *values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (([2, 3], [2, 2.5]), r"row 1 .*bid 3\.0 is above ask 2\.5\. Drop or repair crossed quotes"),
        (([2, np.inf], [2, 3]), "row 1 .*bid is inf"),
        (([2, 2], [2, 3], [1, -2]), r"row 1 .*bid_size is -2\.0"),
        (([2, 2], [2, 3], [1, 1], [np.inf, 1]), "row 0 .*ask_size is inf"),
    ],
)
def test_what_is_no_quote_is_refused(values, words):
    with pytest.raises(DataError, match=words):
        Quotes(ACME, np.array([1, 2]), *values)


def test_slices_take_no_step():
    ticks = Ticks(ACME, TS, [1.0] * 4, [1.0] * 4)
    with pytest.raises(TypeError, match="sliced without a step"):
        ticks[::2]
    with pytest.raises(TypeError, match="slice the ticks"):
        ticks[0]


def test_every_form_reads_alike(tmp_path):
    frame_ticks = open_ticks(FRAME, symbol="ACME").load()
    assert frame_ticks.side.tolist() == [1, -1, 0, -1]
    assert frame_ticks.ts[0] == FIRST
    FRAME.to_parquet(tmp_path / "ACME.parquet")
    FRAME.to_csv(tmp_path / "ACME.csv", index=False)
    with gzip.open(tmp_path / "ACME.x.csv.gz", "wt") as file:
        file.write(FRAME.to_csv(index=False, sep=";"))
    FRAME.set_index("Timestamp").to_parquet(tmp_path / "ACME.indexed.parquet")
    for name in ("ACME.parquet", "ACME.csv", "ACME.x.csv.gz", "ACME.indexed.parquet"):
        source = open_ticks(tmp_path / name)
        assert isinstance(source, MarketSource)
        same(source.load(), frame_ticks)
        for size in (1, 3, 100):
            blocks = list(checked_history(source.blocks(size), "ticks", source.name))
            assert [len(block) for block in blocks] == [min(size, 4 - start) for start in range(0, 4, size)]
            assert np.concatenate([block.ts for block in blocks]).tolist() == frame_ticks.ts.tolist()
            assert np.concatenate([block.side for block in blocks]).tolist() == frame_ticks.side.tolist()
    same(open_ticks(FRAME.set_index("Timestamp"), instrument=ACME).load(), frame_ticks)


def test_quotes_read_alike_with_sizes_where_they_are_known(tmp_path):
    quotes = open_quotes(BOOK, instrument=ACME).load()
    np.testing.assert_array_equal(quotes.bid_size, [1, np.nan, 3, 4])
    assert np.isnan(quotes.ask_size).all()
    BOOK.to_parquet(tmp_path / "q.parquet")
    same(open_quotes(tmp_path / "q.parquet", instrument=ACME).load(), quotes)


@pytest.mark.parametrize("maker", [[True, False, False, True], ["true", "False", "false", "true"], [1, 0, 0, 1]])
def test_where_the_buyer_waited_the_taker_sold(maker, tmp_path):
    frame = FRAME.drop(columns="side").assign(is_buyer_maker=maker)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    for source in (frame, tmp_path / "a.csv", tmp_path / "a.parquet"):
        assert open_ticks(source).load().side.tolist() == [-1, 1, 1, -1]


def test_errors_name_the_row_the_line_and_the_remedy(tmp_path):
    bad = FRAME.assign(price=[10.0, 10.5, -1.0, 11.0])
    bad.to_csv(tmp_path / "bad.csv", index=False)
    bad.to_parquet(tmp_path / "bad.parquet")
    with pytest.raises(DataError, match=r"the DataFrame: ASSET ticks: row 2 .*price is -1\.0"):
        open_ticks(bad)
    with pytest.raises(DataError, match=r"bad\.csv: .*line 4 .*price is -1\.0"):
        list(open_ticks(tmp_path / "bad.csv").blocks(2))
    with pytest.raises(DataError, match=r"bad\.parquet: .*row 2 .*price is -1\.0"):
        list(open_ticks(tmp_path / "bad.parquet").blocks(2))
    back = FRAME.iloc[[0, 1, 0, 3]]
    back.to_parquet(tmp_path / "back.parquet")
    with pytest.raises(DataError, match=r"row 2 .*its time comes before that of the row before it"):
        list(open_ticks(tmp_path / "back.parquet").blocks(2))
    with pytest.raises(DataError, match=r"row 1: the side 'up' cannot be read. Write buy or sell"):
        open_ticks(FRAME.assign(side=["buy", "up", None, "s"]))
    with pytest.raises(DataError, match=r"no column for bid, ask\. Found: 'Timestamp', 'price'.*Needed for quotes"):
        open_quotes(FRAME)
    with pytest.raises(DataError, match="the columns 'qty' and 'volume' could all be the size"):
        open_ticks(FRAME.assign(volume=1.0))
    with pytest.raises(DataError, match="there is no such file"):
        open_ticks(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"ticks cannot be read from a int. Give a DataFrame"):
        open_ticks(3)


def test_blocks_must_follow_each_other():
    one = Ticks(ACME, TS, [1.0] * 4, [1.0] * 4)
    with pytest.raises(DataError, match=r"block 1 begins at .*before the end of the one before it"):
        list(checked_history([one, one], "ticks", "mine"))
    with pytest.raises(DataError, match="mine: block 0 is Ticks; this source promised quotes"):
        list(checked_history([one], "quotes", "mine"))
    other = Ticks(Instrument(symbol="OTHER"), TS + 100, [1.0] * 4, [1.0] * 4)
    with pytest.raises(DataError, match="block 1 is of OTHER, the one before it of ACME"):
        list(checked_history([one, other], "ticks", "mine"))


def test_real_files_read_as_pandas_reads_them(outside_data):
    path = outside_data / "ticks" / "binance_spot_BTCUSDT_2024-08-08_trades.parquet"
    frame, ticks = pd.read_parquet(path), open_ticks(path).load()
    assert ticks.price.tolist() == frame["price"].tolist()
    assert ticks.size.tolist() == frame["qty"].tolist()
    assert ticks.side.tolist() == [-1 if waited else 1 for waited in frame["buyer_is_maker"]]
    assert ticks.ts.tolist() == frame["timestamp"].astype("datetime64[ns, UTC]").astype("int64").tolist()
    path = outside_data / "ticks" / "binance_spot_BTCUSDT_2024-08-08_bookticker.parquet"
    frame, quotes = pd.read_parquet(path), open_quotes(path).load()
    for ours, theirs in (("bid", "bid"), ("ask", "ask"), ("bid_size", "bid_qty"), ("ask_size", "ask_qty")):
        assert quotes.columns[ours].tolist() == frame[theirs].tolist()
