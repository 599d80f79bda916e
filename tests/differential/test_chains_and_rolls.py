"""Chained and rolled series, and CSV files, beside backtrader's own feeds on the same data."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from cambist.data import Contract, chain, open_csv, random_bars, roll

backtrader = pytest.importorskip("backtrader", reason="backtrader is not installed")

LINES = ("open", "high", "low", "close", "volume")
_AFTER_A_TIME = {"time": 1, "open": 2, "high": 3, "low": 4, "close": 5, "volume": 6, "openinterest": -1}


class Recorder(backtrader.Strategy):
    """Keeps what was delivered."""

    def __init__(self):
        self.rows = []

    def next(self):
        at = self.data.datetime.datetime().replace(microsecond=0)
        self.rows.append((at, *(getattr(self.data, line)[0] for line in LINES)))


def delivered(feed):
    cerebro = backtrader.Cerebro()
    cerebro.adddata(feed)
    cerebro.addstrategy(Recorder)
    return cerebro.run()[0].rows


def feed_of(bars):
    import pandas as pd

    index = pd.DatetimeIndex(bars.ts.astype("datetime64[ns]"))
    return backtrader.feeds.PandasData(dataname=pd.DataFrame(bars.columns, index=index))


def rows_of(bars):
    times = [dt.datetime.fromtimestamp(int(at) / 1e9, dt.UTC).replace(tzinfo=None) for at in bars.ts]
    return list(zip(times, *(bars.columns[line].tolist() for line in LINES), strict=True))


def contracts(seed, count=3):
    """Make daily contracts of which each begins a month before the one before it ends."""
    starts = ["2020-01-01", "2020-03-01", "2020-05-01", "2020-07-01"]
    return [
        random_bars(bars=90, seed=10 * seed + number, symbol=f"CL{number}", start=starts[number]).load()
        for number in range(count)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_a_chain_delivers_what_the_chainer_delivers(seed):
    series = contracts(seed)
    expected = delivered(backtrader.feeds.Chainer(*map(feed_of, series)))
    assert rows_of(chain(*series).load()) == expected


@pytest.mark.parametrize("seed", range(5))
def test_a_roll_by_volume_within_a_window_is_that_of_rollover(seed):
    """backtrader delivers the bar that decides from the new contract, which is ``effective="same"``."""
    series = contracts(seed, 2)
    window = dt.datetime(2020, 3, 10)  # noqa: DTZ001 - backtrader's times have no zone
    feed = backtrader.feeds.RollOver(
        *map(feed_of, series),
        checkdate=lambda at, _: at >= window,
        checkcondition=lambda old, new: old.volume[0] < new.volume[0],
    )
    ours = roll(
        [Contract(source=series[0], not_before="2020-03-10"), Contract(source=series[1])], by="volume", effective="same"
    )
    assert ours.rolls[0].reason == "volume"
    assert rows_of(ours.load()) == delivered(feed)


@pytest.mark.parametrize("seed", range(5))
def test_a_roll_by_date_is_that_of_rollover_without_a_condition(seed):
    series = contracts(seed, 2)
    day = dt.datetime(2020, 3, 15)  # noqa: DTZ001 - as above
    feed = backtrader.feeds.RollOver(*map(feed_of, series), checkdate=lambda at, _: at >= day)
    ours = roll([Contract(source=series[0], until="2020-03-15"), Contract(source=series[1])], by="date")
    assert rows_of(ours.load()) == delivered(feed)


# Feeds that backtrader has of the same forms; the files are made up.
def write_days(path, *, header, line):
    bars = random_bars(bars=60, seed=3, start="2021-01-01").load()
    rows = [
        line(dt.datetime.fromtimestamp(int(at) / 1e9, dt.UTC), *values)
        for at, *values in zip(bars.ts, *(bars.columns[name].tolist() for name in LINES), strict=True)
    ]
    path.write_text(header + "".join(row + "\n" for row in rows))
    return path


def dated(rows):
    """Drop the times of day: backtrader stamps days at the end of the session, we at their beginning."""
    return [(at.date(), *values) for at, *values in rows]


def test_its_own_csv_reads_alike(tmp_path):
    path = write_days(
        tmp_path / "a.csv",
        header="Date,Open,High,Low,Close,Volume,OpenInterest\n",
        line=lambda at, *v: f"{at:%Y-%m-%d},{','.join(map(repr, v))},0",
    )
    expected = delivered(backtrader.feeds.BacktraderCSVData(dataname=str(path)))
    assert dated(rows_of(open_csv(path, dialect="backtrader").load())) == dated(expected)


def test_minutes_of_its_own_csv_are_stamped_by_their_close(tmp_path):
    path = tmp_path / "a.csv"
    rows = ["Date,Time,Open,High,Low,Close,Volume,OpenInterest"]
    rows += [f"2021-01-04,09:{minute:02},1,2,0.5,1.5,{minute},0".replace(",1,2", ":00,1,2") for minute in range(31, 60)]
    path.write_text("\n".join(rows) + "\n")
    feed = backtrader.feeds.BacktraderCSVData(dataname=str(path), timeframe=backtrader.TimeFrame.Minutes, compression=1)
    closes = [(at - dt.timedelta(minutes=1), *values) for at, *values in delivered(feed)]
    assert rows_of(open_csv(path, dialect="backtrader").load()) == closes


def test_adjusted_prices_of_a_yahoo_file_are_the_same(tmp_path):
    path = write_days(
        tmp_path / "a.csv",
        header="Date,Open,High,Low,Close,Adj Close,Volume\n",
        line=lambda at, o, h, l, c, v: f"{at:%Y-%m-%d},{o!r},{h!r},{l!r},{c!r},{c * (0.5 + at.day / 100)!r},{v!r}",  # noqa: E741
    )
    feed = backtrader.feeds.YahooFinanceCSVData(dataname=str(path), round=False, roundvolume=False)
    ours, theirs = rows_of(open_csv(path, dialect="yahoo", adjusted=True).load()), delivered(feed)
    assert [row[0].date() for row in ours] == [row[0].date() for row in theirs]
    np.testing.assert_allclose([row[1:5] for row in ours], [row[1:5] for row in theirs], rtol=1e-12)
    # backtrader rounds volumes to whole ones.
    assert [round(row[5]) for row in ours] == [row[5] for row in theirs]


def test_generic_csv_with_positions_reads_alike(tmp_path):
    path = write_days(
        tmp_path / "a.csv",
        header="a;b;c;d;e;f;g\n",
        line=lambda at, o, h, l, c, v: ";".join(map(str, (7, c, o, h, l, f"{at:%d.%m.%Y}", v))),  # noqa: E741
    )
    feed = backtrader.feeds.GenericCSVData(
        dataname=str(path), separator=";", dtformat="%d.%m.%Y", datetime=5, time=-1, open=2, high=3, low=4, close=1,
        volume=6, openinterest=-1,
    )  # fmt: skip
    ours = open_csv(
        path,
        columns={"time": 5, "open": 2, "high": 3, "low": 4, "close": 1, "volume": 6},
        time_format="%d.%m.%Y",
    )
    assert dated(rows_of(ours.load())) == dated(delivered(feed))


@pytest.mark.parametrize("dialect", ["mt4", "sierra"])
def test_presets_read_alike(tmp_path, dialect):
    header = {"mt4": "", "sierra": "Date,Time,Open,High,Low,Last,Volume,NumberOfTrades,BidVolume,AskVolume\n"}[dialect]
    form = {"mt4": "%Y.%m.%d,%H:%M", "sierra": "%Y/%m/%d,%H:%M:%S"}[dialect]
    path = write_days(
        tmp_path / "a.csv", header=header, line=lambda at, *v: f"{at:{form}},{','.join(map(repr, v))},0,0,0"
    )
    if dialect == "mt4":
        path.write_text(path.read_text().replace(",0,0,0\n", "\n"))
    kind = {"mt4": backtrader.feeds.MT4CSVData, "sierra": backtrader.feeds.SierraChartCSVData}[dialect]
    more = {"headers": False} if dialect == "mt4" else _AFTER_A_TIME
    expected = delivered(kind(dataname=str(path), **more))
    assert dated(rows_of(open_csv(path, dialect=dialect).load())) == dated(expected)
