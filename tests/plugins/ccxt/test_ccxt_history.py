"""History from exchanges whose answers differ: from a time on, a window of time, or values left out."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from cambist.api import VenueError
from cambist.model import Instrument, Timeframe
from cambist_ccxt.questions import Questions

MINUTE = 60_000_000_000
INSTRUMENT = Instrument(symbol="BTC/USDT")
HERE = [*range(100), *range(1_900, 2_400)]


class Exchange:
    """What `Questions` sees of an exchange that has bars in the minutes `HERE`."""

    id = "acme"
    timeframes = {"1m": "1m", "1h": "1h", "1M": "1M"}  # noqa: RUF012 - as ccxt has them

    def __init__(self, by_window, values=(1.0, 2.0, 0.5, 1.5, 9.0)):
        self.client = self
        self.by_window, self.values = by_window, values
        self.asked = 0

    def parse_timeframe(self, name):
        return {"1m": 60, "1h": 3_600}[name]

    async def call(self, name, symbol, timeframe, since, limit):
        assert (name, symbol, timeframe) == ("fetch_ohlcv", "BTC/USDT", "1m")
        self.asked += 1
        first = -(-since // 60_000)
        later = [minute for minute in HERE if minute >= first]
        if self.by_window:
            later = [minute for minute in later if minute < first + limit]
        return [[minute * 60_000, *self.values] for minute in itertools.islice(later, limit)]


class Clock:
    def now(self):
        return 2_350 * MINUTE + 1


def history(exchange, first, last, timeframe="1m"):
    asked = Questions(exchange, Clock()).history(INSTRUMENT, Timeframe.parse(timeframe), first * MINUTE, last * MINUTE)
    return (asyncio.run(asked).ts // MINUTE).tolist()


@pytest.mark.parametrize("by_window", [False, True], ids=["from a time on", "a window"])
def test_a_downtime_longer_than_a_page_ends_nothing(by_window):
    wanted = [minute for minute in HERE if minute < 2_350]
    assert history(Exchange(by_window), 0, 2_350) == wanted
    # Nothing is asked for that cannot be there yet.
    far = Exchange(by_window)
    assert history(far, 0, 10_000_000) == wanted
    assert far.asked < 10


@pytest.mark.parametrize("by_window", [False, True], ids=["from a time on", "a window"])
def test_an_empty_time_is_told_as_such(by_window):
    with pytest.raises(VenueError) as caught:
        history(Exchange(by_window), 200, 1_800)
    assert caught.value.code == "no_bars"


@pytest.mark.parametrize("values", [(1.0, 2.0, 0.5, 1.5), (1.0, 2.0, 0.5, 1.5, None)])
def test_a_candle_without_all_of_its_values_is_refused(values):
    with pytest.raises(VenueError, match="acme answers with a candle without all of its values") as caught:
        history(Exchange(False, values), 0, 50)
    assert caught.value.code == "no_values"


def test_a_timeframe_that_is_not_there_names_those_that_are():
    with pytest.raises(VenueError, match="acme has no candles of 5m; it has 1m, 1h") as caught:
        history(Exchange(False), 0, 50, "5m")
    assert caught.value.code == "timeframe"
