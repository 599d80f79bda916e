"""The feed over yfinance. Nothing asks the service: a ticker answers in its place.

The tables have the form of yfinance's published test data (``tests/data/CALM-1d-no-bad-divs.csv``,
``EA-15m-no-bad-divs.csv`` and ``AV-L-1wk-bad-stock-split.csv`` in its repository): an index in the exchange's zone,
named Date or Datetime, columns Open, High, Low, Close, Adj Close, Volume, Dividends, Stock Splits. Adj Close is there
without adjustment alone, as `Ticker.history` documents. Where the files themselves are at hand, they are served.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yfinance
from yfinance.exceptions import YFPricesMissingError, YFRateLimitError

from cambist import Instrument
from cambist.errors import DataError, MissingDependencyError, VenueError
from cambist.model import to_ns
from cambist.plugins.registry import Registry
from cambist_yahoo import open_yahoo

COLUMNS = ["Open", "High", "Low", "Close", "Volume"]


def table(times, tz="America/New_York"):
    index = pd.DatetimeIndex(times).tz_localize(tz)
    rows = np.arange(1.0, len(index) + 1)[:, None] + [0, 1, -0.5, 0.5, 1000]
    return pd.DataFrame(rows, index=index, columns=COLUMNS)


@pytest.fixture
def serve(monkeypatch):
    """Let tickers answer with tables or errors, one after another; returns what was asked."""

    def serve(*answers):
        left, asked = list(answers), []

        class Ticker:
            def __init__(self, name):
                self.name = name

            def history(self, **question):
                asked.append((self.name, question, yfinance.config.debug.hide_exceptions))
                answer = left.pop(0)
                if isinstance(answer, Exception):
                    raise answer
                return answer

        monkeypatch.setattr(yfinance, "Ticker", Ticker)
        return asked

    return serve


def opened(*arguments, **settings):
    """Open without waiting; the pauses are kept."""
    source = open_yahoo(*arguments, **settings)
    source.pauses = []
    source.sleep = source.pauses.append
    return source


def test_days_over_a_change_of_summer_time(serve):
    asked = serve(table(["2024-03-08", "2024-03-11", "2024-03-12"]))
    source = opened("AAPL", start="2024-03-08", end="2024-03-13")
    bars = source.load()
    assert bars.ts.tolist() == [to_ns(day) for day in ("2024-03-08", "2024-03-11", "2024-03-12")]
    assert (bars.instrument.symbol, str(bars.timeframe)) == ("AAPL", "1d")
    assert bars.low.tolist() == [0.5, 1.5, 2.5]
    assert bars.volume.tolist() == [1001.0, 1002.0, 1003.0]
    assert source.load() is bars
    assert [len(block) for block in source.blocks(2)] == [2, 1]
    ((ticker, question, hidden),) = asked
    assert (ticker, hidden) == ("AAPL", False)
    assert question == {
        "interval": "1d", "auto_adjust": True, "prepost": False, "start": "2024-03-08", "end": "2024-03-13",
        "actions": False,
    }  # fmt: skip


def test_bars_below_a_day_and_weeks(serve):
    asked = serve(table(["2024-03-08 09:30", "2024-03-08 09:45"]), table(["2024-03-04", "2024-03-11"], "Europe/London"))
    quarter = opened("AAPL", timeframe="15m", symbol="apple", prepost=True).load()
    assert quarter.ts.tolist() == [to_ns("2024-03-08T14:30"), to_ns("2024-03-08T14:45")]
    assert quarter.instrument.symbol == "apple"
    week = opened("AV.L", timeframe="1w", instrument=Instrument(symbol="AV"), adjusted=False).load()
    assert week.ts.tolist() == [to_ns("2024-03-04"), to_ns("2024-03-11")]
    assert [question["interval"] for _, question, _ in asked] == ["15m", "1wk"]
    assert [question["auto_adjust"] for _, question, _ in asked] == [True, False]
    assert asked[0][1]["period"] == "max"


def test_a_bar_that_is_still_open_is_left_out_and_told(serve):
    today = pd.Timestamp.now("UTC").normalize().tz_localize(None)
    serve(table([today - pd.Timedelta(days=1), today]), table([today]))
    source = opened("AAPL")
    assert source.notes == ()
    assert len(source.load()) == 1
    assert source.notes == ("yahoo:AAPL: left out the last bar, which has not closed yet",)
    with pytest.raises(DataError, match="no bar has closed yet"):
        opened("AAPL").load()


def test_a_network_that_fails_for_a_while_is_asked_again(serve):
    asked = serve(OSError("Connection reset"), YFRateLimitError(), table(["2024-03-08", "2024-03-11"]))
    source = opened("AAPL")
    assert len(source.load()) == 2
    assert len(asked) == 3
    assert source.pauses == [2.0, 4.0]


def test_a_network_that_fails_for_good_is_told(serve):
    asked = serve(*[OSError("Name or service not known")] * 5)
    source = opened("AAPL")
    with pytest.raises(VenueError, match=r"yahoo:AAPL: no answer in 4 attempts: OSError: Name or service not known"):
        source.load()
    assert len(asked) == 4
    assert source.pauses == [2.0, 4.0, 8.0]


def test_an_unknown_ticker_is_not_asked_for_again(serve):
    asked = serve(YFPricesMissingError("APPL", "(1d)"), pd.DataFrame())
    with pytest.raises(DataError, match=r"APPL.*Check the ticker, with its suffix") as caught:
        opened("APPL").load()
    assert "730 days" not in str(caught.value)
    with pytest.raises(DataError, match=r"there are no bars\. .*730 days"):
        opened("APPL", timeframe="1h").load()
    assert len(asked) == 2
    assert yfinance.config.debug.hide_exceptions is True


def test_fewer_columns_than_yesterday_are_told(serve):
    serve(table(["2024-03-08", "2024-03-11"]).drop(columns=["Volume"]))
    with pytest.raises(DataError, match="the answer has no Volume, but Open, High"):
        opened("AAPL").load()


def test_what_cannot_be_asked():
    with pytest.raises(DataError, match="Yahoo has no bars of 4h"):
        open_yahoo("AAPL", timeframe="4h")
    with pytest.raises(DataError, match="no ticker"):
        open_yahoo(" ")
    with pytest.raises(DataError, match="Give one of them"):
        open_yahoo("AAPL", symbol="A", instrument=Instrument(symbol="B"))


def test_the_feed_is_registered_and_names_the_client_that_is_missing(monkeypatch):
    import sys

    from cambist_yahoo import plugin

    spec = Registry.of([plugin], core=True).get("feed", "yahoo")
    monkeypatch.setitem(sys.modules, "yfinance", None)
    with pytest.raises((MissingDependencyError, ModuleNotFoundError), match="yfinance"):
        spec.load()("AAPL")


FILES = [("CALM-1d-no-bad-divs", "1d", 662), ("EA-15m-no-bad-divs", "15m", 319)]


@pytest.mark.parametrize(("name", "timeframe", "rows"), FILES)
def test_published_tables_of_the_client_give_their_bars(serve, name, timeframe, rows):
    folder = os.environ.get("CAMBIST_TEST_DATA")
    if not folder:
        pytest.skip("CAMBIST_TEST_DATA names no folder of market data")
    frame = pd.read_csv(Path(folder) / "stocks" / "defects" / f"{name}.csv.gz", index_col=0)
    frame.index = pd.to_datetime(frame.index, utc=True).tz_convert("America/New_York")
    serve(frame)
    bars = opened("X", timeframe=timeframe, adjusted=False).load()
    assert len(bars) == rows
    assert np.array_equal(bars.close, frame["Close"].to_numpy())
    if timeframe == "1d":
        assert (bars.ts % (86_400 * 10**9) == 0).all()
