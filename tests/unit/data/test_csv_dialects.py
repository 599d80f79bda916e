"""CSV files as programs and vendors write them; every file here is made up in the form that is named."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from cambist.data import CsvDialect, open_csv, open_csv_quotes, open_csv_ticks
from cambist.errors import DataError, ParameterError
from cambist.model import to_ns

MINUTE = 60 * 10**9


@pytest.fixture
def write(tmp_path):
    def write(text, name="file.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


def refusal(source):
    """Read at once and row by row; both must refuse in the same words."""
    told = []
    for read in (source.load, lambda: list(source.blocks(1)), lambda: list(source.blocks(2))):
        with pytest.raises(DataError) as caught:
            read()
        told.append(str(caught.value))
    assert len(set(told)) == 1, told
    return told[0]


def ohlcv(bars):
    return [list(row) for row in zip(*bars.columns.values(), strict=True)]


FORMS = {
    "mt4": "2024.03.01,09:30,10,11,9,10.5,100\n2024.03.01,09:31,10.5,12,10,11.5,200\n",
    "mt5": "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
    "2024.03.01\t09:30:00\t10\t11\t9\t10.5\t100\t0\t7\n2024.03.01\t09:31:00\t10.5\t12\t10\t11.5\t200\t0\t7\n",
    "sierra": "Date, Time, Open, High, Low, Last, Volume, # of Trades, OHLC Avg, HLC Avg, HL Avg, "
    "Bid Volume, Ask Volume\n"
    "2024/3/1, 09:30:00, 10, 11, 9, 10.5, 100, 5, 1, 1, 1, 50, 50\n"
    "2024/3/1, 09:31:00, 10.5, 12, 10, 11.5, 200, 5, 1, 1, 1, 90, 110\n",
    "tradingview": "time,open,high,low,close,Plot,Plot,Volume,Volume MA\n"
    "1709285400,10,11,9,10.5,1,2,100,7\n1709285460,10.5,12,10,11.5,1,2,200,7\n",
    "binance": "1709285400000,10,11,9,10.5,100,1709285459999,1050,5,1,1,0\n"
    "1709285460000,10.5,12,10,11.5,200,1709285519999,2300,5,1,1,0\n",
    "backtrader": "Date,Time,Open,High,Low,Close,Volume,OpenInterest\n"
    "2024-03-01,09:31:00,10,11,9,10.5,100,0\n2024-03-01,09:32:00,10.5,12,10,11.5,200,0\n",
    "generic": "time,open,high,low,close,volume\n"
    "2024-03-01T09:30Z,10,11,9,10.5,100\n2024-03-01T09:31Z,10.5,12,10,11.5,200\n",
}


@pytest.mark.parametrize("dialect", FORMS)
@pytest.mark.parametrize("size", [None, 1])
def test_every_form_gives_the_same_bars(write, dialect, size):
    source = open_csv(write(FORMS[dialect]), dialect=dialect, timeframe="1m")
    pieces = [source.load()] if size is None else list(source.blocks(size))
    first = to_ns("2024-03-01T09:30")
    assert [int(at) for piece in pieces for at in piece.ts] == [first, first + MINUTE]
    assert [row for piece in pieces for row in ohlcv(piece)] == [[10, 11, 9, 10.5, 100], [10.5, 12, 10, 11.5, 200]]


def test_binance_writes_milliseconds_or_microseconds_with_or_without_names_zipped_or_not(write, tmp_path):
    plain = FORMS["binance"]
    micro = plain.replace("1709285400000,", "1709285400000000,").replace("1709285460000,", "1709285460000000,")
    names = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    names += "taker_buy_quote_volume,ignore\n"
    with zipfile.ZipFile(tmp_path / "BTCUSDT-1m-2024-03.zip", "w") as archive:
        archive.writestr("BTCUSDT-1m-2024-03.csv", names + plain)
    zipped = open_csv(tmp_path / "BTCUSDT-1m-2024-03.zip", dialect="binance").load()
    expected = open_csv(write(plain), dialect="binance").load()
    for one in (zipped, open_csv(write(micro), dialect="binance").load()):
        assert np.array_equal(one.ts, expected.ts)
        assert ohlcv(one) == ohlcv(expected)
    mixed = plain.replace("1709285460000,", "1709285460000000,")
    with pytest.raises(DataError, match=r"line 2: .* is of another unit"):
        open_csv(write(mixed), dialect="binance", timeframe="1m").load()


def test_trades_and_quotes_of_binance(write):
    trades = open_csv_ticks(
        write("7,100.5,0.25,25.125,1709285400000,True,True\n8,100.6,1.5,150.9,1709285400250,False,True\n"),
        dialect="binance-trades",
    ).load()
    assert trades.price.tolist() == [100.5, 100.6]
    assert trades.size.tolist() == [0.25, 1.5]
    assert trades.side.tolist() == [-1, 1]
    assert (trades.ts - to_ns("2024-03-01T09:30")).tolist() == [0, 250_000_000]
    aggregated = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
    again = open_csv_ticks(
        write(aggregated + "7,100.5,0.25,1,1,1709285400000,true\n8,100.6,1.5,2,4,1709285400250,false\n"),
        dialect="binance-agg-trades",
    ).load()
    assert again.side.tolist() == trades.side.tolist()
    assert again.size.tolist() == trades.size.tolist()
    quotes = open_csv_quotes(
        write("1,99.5,3,100.5,4,1709285400000,1709285400001\n2,99.6,5,100.4,6,1709285400250,1709285400251\n"),
        dialect="binance-book-ticker",
    ).load()
    assert quotes.bid.tolist() == [99.5, 99.6]
    assert quotes.ask_size.tolist() == [4.0, 6.0]


_META_TICKS = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n" + "".join(
    f"2024.03.01\t09:30:{rest}\n"
    for rest in (
        "00.123\t1.10\t\t\t\t2",  # one side alone is no quote yet
        "00.125\t\t1.20\t\t\t4",
        "00.125\t\t\t1.15\t3\t56",
        "00.225\t\t\t\t5\t80",  # at the price before it
        "01.000\t1.11\t1.21\t0\t\t6",
        "01.000\t\t\t\t\t120",  # a trade like the one before it, and who took is not known
    )
)


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_ticks_of_metatrader_5_say_what_has_changed(write, rows):
    path = write(_META_TICKS)
    start = to_ns("2024-03-01T07:30")  # of a server in Athens

    def columns(source, *names):
        pieces = list(source.blocks(rows))
        times = [round((at - start) / 1e6) for piece in pieces for at in piece.ts.tolist()]
        return [times, *([value for piece in pieces for value in getattr(piece, name).tolist()] for name in names)]

    quotes = open_csv_quotes(path, dialect="mt5-ticks", tz="Europe/Athens")
    assert columns(quotes, "bid", "ask") == [[125, 1000], [1.10, 1.11], [1.20, 1.21]]
    trades = open_csv_ticks(path, dialect="mt5-ticks", tz="Europe/Athens")
    assert columns(trades, "price", "size", "side") == [[125, 225, 1000], [1.15] * 3, [3, 5, 5], [1, -1, 0]]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("2024.03.01\t09:30:02.000\t1.1", r"line 8 has 3 fields .* was cut off"),
        ("2024.03.01\t09:30:02.000\tx\t\t\t\t2\n", r"line 8 .* bid is 'x'"),
        ("2024.03.01\t09:30:02.000\t9.9\t\t\t\t2\n", r"line 8 .* bid 9.9 is above ask 1.21"),
        ("2024.03.01\t09:30:00.500\t1.1\t\t\t\t2\n", "line 8 .* comes before that of line 6"),
        ("2024.03.01\t09:30:02.000\t1.1\t\t\t\t2.5\n", "line 8: flags is .*2.5.* whole number"),
    ],
)
def test_a_broken_line_of_ticks_of_metatrader_5_is_named(write, line, told):
    with pytest.raises(DataError, match=told):
        open_csv_quotes(write(_META_TICKS + line), dialect="mt5-ticks").load()


def test_an_older_export_of_metatrader_5_has_no_flags(write):
    rows = [line.rpartition("\t")[0] for line in _META_TICKS.splitlines()[:-1]]
    trades = open_csv_ticks(write("\n".join(rows) + "\n"), dialect="mt5-ticks").load()
    assert trades.size.tolist() == [3, 5]
    assert not trades.side.any()
    with pytest.raises(DataError, match="line 7 has 3 fields"):
        open_csv_ticks(write("\n".join([*rows, "2024.03.01\t09:30:02.000\t1.1"])), dialect="mt5-ticks").load()
    with pytest.raises(DataError, match="there are no ticks in it"):
        open_csv_ticks(write("\n".join(rows[:3]) + "\n"), dialect="mt5-ticks").load()


def test_yahoo_rows_without_prices_are_left_out_and_told(write):
    text = "Date,Open,High,Low,Close,Adj Close,Volume\n2024-03-01,10,12,8,10,5,100\n"
    text += "2024-03-04,null,null,null,null,null,null\n"
    path = write(text + "2024-03-05,20,24,16,20,20,300\n")
    source = open_csv(path, dialect="yahoo", timeframe="1d")
    assert ohlcv(source.load()) == [[10, 12, 8, 10, 100], [20, 24, 16, 20, 300]]
    assert source.notes == (f"{path}: left out 1 row without values",)
    list(source.blocks(1))
    assert source.notes == (f"{path}: left out 1 row without values",)
    assert "line 3" in refusal(open_csv(path, dialect="yahoo", timeframe="1d", drop_null_rows=False))
    adjusted = open_csv(path, dialect="yahoo", timeframe="1d", adjusted=True).load()
    assert ohlcv(adjusted) == [[5, 6, 4, 5, 200], [20, 24, 16, 20, 300]]
    damaged = write(text + "2024-03-05,20,null,16,20,20,300\n")
    assert "line 4 (2024-03-05): high is 'null'" in refusal(open_csv(damaged, dialect="yahoo", timeframe="1d"))


def test_columns_formats_marks_and_encoding_of_a_table_of_ones_own(write):
    text = (
        "Kurse der Börse\nStand: heute\n"
        "Datum;Uhrzeit;Eröffnung;Hoch;Tief;Schluss;Stück\n"
        "01.03.2024;09:30;1.010,5;1.100,25;900;1.050,0;1.000\n"
        "01.03.2024;09:31;1.050;1.200;1.000;1.150,125;2.000\n"
    )
    settings = {
        "columns": {
            "time": "Datum",
            "time_of_day": "Uhrzeit",
            "open": "Eröffnung",
            "high": "Hoch",
            "low": "Tief",
            "close": "Schluss",
            "volume": "Stück",
        },
        "time_format": "%d.%m.%Y %H:%M",
        "decimal": ",",
        "thousands": ".",
        "skip_lines": 2,
        "tz": "Europe/Berlin",
    }
    bars = open_csv(write(text, encoding="cp1252"), encoding="cp1252", **settings).load()
    assert bars.ts.tolist() == [to_ns("2024-03-01T09:30+01:00"), to_ns("2024-03-01T09:31+01:00")]
    assert ohlcv(bars) == [[1010.5, 1100.25, 900, 1050, 1000], [1050, 1200, 1000, 1150.125, 2000]]
    utf16 = open_csv(write(text, encoding="utf-16"), **settings).load()
    assert ohlcv(utf16) == ohlcv(bars)
    assert "encoding='cp1252'" in refusal(open_csv(write(text, encoding="cp1252"), **settings))
    broken = write(text.replace("2.000\n", "2.00O\n"))
    assert "line 5" in (told := refusal(open_csv(broken, timeframe="1m", **settings)))
    assert "2.00O" in told


def test_columns_by_position_without_a_line_of_names(write):
    path = write("x,1709285400,10,11,9,10.5\nx,1709285460,10.5,12,10,11.5\n")
    dialect = CsvDialect(names=["id", "when", "o", "h", "l", "c"], columns={"time": 1})
    assert open_csv(path, dialect=dialect).load().close.tolist() == [10.5, 11.5]
    with pytest.raises(DataError, match="column 9"):
        open_csv(path, dialect=dialect, columns={"close": 9}).load()


def test_a_bar_stamped_by_its_close_is_moved_and_a_date_is_not(write):
    path = write("time,open,high,low,close\n2024-03-01 09:35,1,1,1,1\n2024-03-01 09:40,1,1,1,1\n")
    assert open_csv(path, label="close").load().ts[0] == to_ns("2024-03-01T09:30")
    assert open_csv(path, label="close", timeframe="1m").load().ts[0] == to_ns("2024-03-01T09:34")
    days = write("time,open,high,low,close\n2024-03-01,1,1,1,1\n2024-03-02,1,1,1,1\n")
    assert open_csv(days, label="close", tz="Asia/Shanghai").load().ts[0] == to_ns("2024-03-01")


@pytest.mark.parametrize("more", [{"label": "close"}, {"tz": "Asia/Tokyo"}])
def test_a_piece_that_begins_at_midnight_is_no_day(write, more):
    rows = "".join(f"2024-03-01 {hour:02}:00,1,1,1,1\n" for hour in range(5))
    source = open_csv(write("time,open,high,low,close\n" + rows), timeframe="1h", **more)
    whole = source.load()
    moved = 1 if "label" in more else 9
    assert whole.ts[0] == to_ns("2024-03-01") - moved * 60 * MINUTE
    for size in (1, 2, 3):
        assert [int(at) for block in source.blocks(size) for at in block.ts] == whole.ts.tolist()
    ticks = write("time,price,size\n2024-03-01 00:00:00,1,1\n2024-03-01 00:00:01,1,1\n")
    blocks = open_csv_ticks(ticks, tz="Asia/Tokyo").blocks(1)
    assert [int(block.ts[0]) for block in blocks] == [to_ns("2024-02-29T15:00"), to_ns("2024-02-29T15:00:01")]


def test_times_of_a_zone_with_summer_time(write):
    def source(clock, **more):
        line = f"time,open,high,low,close\n{clock},1,1,1,1\n"
        return open_csv(write(line), tz="America/New_York", timeframe="1h", **more)

    assert source("2024-07-01 09:30").load().ts[0] == to_ns("2024-07-01T13:30")
    assert source("2024-01-02 09:30").load().ts[0] == to_ns("2024-01-02T14:30")
    assert "comes twice in America/New_York" in (told := refusal(source("2024-11-03 01:30")))
    assert "line 2" in told
    assert source("2024-11-03 01:30", fold="first").load().ts[0] == to_ns("2024-11-03T05:30")
    assert source("2024-11-03 01:30", fold="second").load().ts[0] == to_ns("2024-11-03T06:30")
    assert "there is no time '2024-03-10 02:30' in America/New_York" in refusal(source("2024-03-10 02:30"))
    assert "Leave tz out" in refusal(source("2024-07-01T09:30-04:00"))


@pytest.mark.parametrize(
    ("days", "advice"),
    [
        (["13/03/2024", "14/03/2024"], "'%d' before '%m'"),
        (["03/13/2024", "03/14/2024"], "'%m' before '%d'"),
        (["03/04/2024", "03/05/2024"], "either way round"),
        (["1st of March", "2nd of March"], "pass time_format="),
    ],
)
def test_dates_that_could_be_read_in_two_ways_are_not_guessed(write, days, advice):
    rows = "".join(f"{day},1,1,1,1\n" for day in days)
    with pytest.raises(DataError, match=advice) as caught:
        open_csv(write("time,open,high,low,close\n" + rows), decimal=".").load()
    if "of" not in days[0]:
        assert f"line 2: the time {days[0]!r}" in str(caught.value)


def test_offsets_on_some_times_only_are_refused(write):
    text = "time,open,high,low,close\n2024-03-01T09:30Z,1,1,1,1\n2024-03-01T09:31,1,1,1,1\n"
    with pytest.raises(DataError, match=r"line 3: the time '2024-03-01T09:31' has no offset"):
        open_csv(write(text), delimiter=",").load()


def test_a_wrong_delimiter_is_told(write):
    text = "time;open;high;low;close\n2024-03-01;1;1;1;1\n"
    assert "Pass delimiter=';'" in refusal(open_csv(write(text), delimiter=","))


def test_a_file_that_begins_with_the_newest_bar(write):
    text = "time,open,high,low,close\n2024-03-04,1,2,1,2\n2024-03-01,1,1,1,1\n2024-02-29,0.5,1,x,1\n"
    whole = open_csv(write(text.replace("x", "0.5")), newest_first=True, timeframe="1d")
    assert whole.load().close.tolist() == [1, 1, 2]
    assert [len(block) for block in whole.blocks(2)] == [2, 1]
    assert "line 4 (2024-02-29): low is 'x'" in refusal(open_csv(write(text), newest_first=True, timeframe="1d"))
    worse = write(
        text.replace("2024-03-01,1,1,1,1\n2024-02-29", "2024-03-01,1,1,1.5,1\n2024-02-29").replace("x", "0.5")
    )
    assert "line 3" in refusal(open_csv(worse, newest_first=True, timeframe="1d"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dialect": "mt6"}, "Did you mean 'mt"),
        ({"tz": "Europe/Berlim"}, "no zone"),
        ({"encoding": "utf-9"}, "which is none"),
        ({"label": "end"}, "'open', 'close'"),
        ({"fold": "third"}, "'refuse'"),
        ({"columns": {"closing": "x"}}, "Did you mean 'close'"),
        ({"columns": 5}, "table of fields"),
        ({"decimal": ";;"}, "one character"),
        ({"decimal": 5}, "decimal is 5"),
        ({"thousands": "."}, "two different"),
        ({"skip_lines": -1}, "0 or more"),
        ({"skip_lines": "3"}, "skip_lines is '3'"),
        ({"time_fmt": "%d"}, "Did you mean 'time_format'"),
    ],
)
def test_settings_that_make_no_sense(write, change, message):
    with pytest.raises(ParameterError, match=message):
        open_csv(write(FORMS["generic"]), **change)


def test_a_column_that_is_named_and_not_there(write):
    with pytest.raises(DataError, match=r"no column 'Schluß' for close. Found: 'time'"):
        open_csv(write(FORMS["generic"]), columns={"close": "Schluß"}).load()


def test_a_file_that_is_not_there_names_its_neighbor(write):
    path = write(FORMS["mt4"], "EURUSD1.csv")
    with pytest.raises(DataError, match=r"Did you mean 'EURUSD1.csv'"):
        open_csv(path.with_name("EURUSD2.csv"), dialect="mt4")
