"""What the cache of history asks for, keeps and tells, one case at a time; the rest is in the property tests."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import pytest

from cambist.app.caching import cache_folder
from cambist.data.cache import BarCache, SeriesName, fetch, is_series_name, nearest_key
from cambist.errors import ConfigError, DataError, InputError, StorageError, VenueError
from cambist.model import Bars, Instrument
from cambist.model.times import DAY_NS
from cambist.ports import BarKey, HistoryFetcher
from cambist.storage.memory import MemoryBarStore, MemoryStateStore

MINUTE = 60_000_000_000
NOW = pd.Timestamp("2024-06-01", tz="UTC").value
START = NOW - 400 * MINUTE
INSTRUMENT = Instrument(symbol="BTC/USDT", venue="acme", tick_size="0.01")
KEY = BarKey("BTC/USDT", "1m", "acme")
NAME = SeriesName.parse("acme:BTC/USDT:1m")


class Source:
    """Tells what a function says of the minutes of a span."""

    venue = "acme"
    origin = "acme, of the tests"
    known = (INSTRUMENT,)

    def __init__(self, tell):
        self.tell = tell
        self.asked = []

    def instruments(self):
        return self.known

    def fetch(self, symbol, timeframe, start, end):
        self.asked.append(((start - START) // MINUTE, -(-(end - START) // MINUTE)))
        return self.tell(np.arange(*self.asked[-1]))

    def close(self):
        pass


def bars(minutes, price=100.0):
    """Return flat bars; `price` is a number, or one for each minute."""
    if not len(minutes):
        return None
    price = np.broadcast_to(np.asarray(price, float), len(minutes))
    return Bars(INSTRUMENT, "1m", START + minutes * MINUTE, *[price] * 5)


@pytest.fixture
def clock():
    return [NOW]


@pytest.fixture
def cache(clock):
    return BarCache(MemoryBarStore(), MemoryStateStore(), clock=lambda: clock[0])


def get(cache, source, first, last, **how):
    return cache.get(source, "BTC/USDT", "1m", START + first * MINUTE, START + last * MINUTE, **how)


def test_a_source_of_ones_own_is_a_history_fetcher():
    assert isinstance(Source(bars), HistoryFetcher)


def test_what_is_missing_is_asked_for_and_a_few_bars_at_the_seams(cache):
    source = Source(bars)
    get(cache, source, 100, 200)
    get(cache, source, 250, 300)
    assert source.asked == [(100, 200), (250, 300)]
    assert cache.missing(KEY, START, START + 300 * MINUTE) == (
        (START, START + 100 * MINUTE),
        (START + 200 * MINUTE, START + 250 * MINUTE),
    )
    source.asked.clear()
    report = get(cache, source, 50, 320)
    assert source.asked == [(50, 103), (197, 253), (297, 320)]
    assert (report.added, report.unchanged) == (120, 12)


def test_a_bar_that_is_not_over_is_not_asked_for(cache, clock):
    source = Source(bars)
    clock[0] = NOW - 30_000_000_000
    report = cache.get(source, "BTC/USDT", "1m", START)
    assert source.asked == [(0, 399)]
    assert (report.added, report.end) == (399, NOW - 90_000_000_000 + 1)
    clock[0] = NOW + 30_000_000_000
    assert cache.get(source, "BTC/USDT", "1m", START).added == 1


def test_a_downtime_is_asked_for_once_and_a_quiet_end_until_it_is_old(cache, clock):
    def tell(minutes):
        return bars(minutes[(minutes < 100) | ((minutes >= 200) & (minutes < 300))])

    source = Source(tell)
    get(cache, source, 0, 400)
    source.asked.clear()
    get(cache, source, 0, 400)
    assert source.asked == [(297, 400)]
    clock[0] += 8 * DAY_NS
    get(cache, source, 0, 400)
    source.asked.clear()
    get(cache, source, 0, 400)
    assert source.asked == []


def test_a_quiet_end_of_one_piece_is_known_to_be_empty_once_a_later_piece_has_bars(cache, monkeypatch):
    monkeypatch.setattr(fetch, "_PIECE", 50)
    source = Source(lambda minutes: bars(minutes[(minutes < 30) | (minutes > 180)]))
    get(cache, source, 0, 250)
    source.asked.clear()
    get(cache, source, 0, 250)
    assert source.asked == []
    assert len(cache.open(NAME).load()) == 99


def test_what_is_empty_is_asked_for_in_ever_larger_pieces(cache, monkeypatch):
    monkeypatch.setattr(fetch, "_PIECE", 10)
    source = Source(lambda minutes: bars(minutes[minutes > 390]))
    get(cache, source, -1_000, 400)
    sizes = [end - start for start, end in source.asked]
    assert sizes == [10, 40, 160, 640, 550]


def test_a_source_that_says_no_bars_has_none(cache):
    def tell(minutes):
        raise VenueError("none.", code="no_bars")

    assert get(cache, Source(tell), -20_000, -19_000).added == 0
    assert cache.missing(KEY, START - 20_000 * MINUTE, START - 19_000 * MINUTE) == ()


def test_a_revision_is_kept_beside_what_was_told_first_and_told(cache):
    prices = np.full(400, 100.0)
    source = Source(lambda minutes: bars(minutes[minutes != 40], prices[minutes[minutes != 40]]))
    get(cache, source, 0, 100)
    prices[98:] = 50.0  # split
    report = get(cache, source, 0, 200)
    assert (report.revised, report.revision, report.added) == (2, 1, 100)
    old = cache.open(NAME)
    assert "revised 2 bars" in old.notes[0]
    assert old.load().close[95:101].tolist() == [100.0, 100.0, 100.0, 100.0, 50.0, 50.0]
    prices[:] = 50.0
    source.tell = lambda minutes: bars(minutes[minutes != 60], prices[minutes[minutes != 60]])
    report = get(cache, source, 0, 200, refresh=True)
    assert (report.revised, report.withdrawn, report.revision) == (97, 1, 2)
    assert cache.open(NAME).load().close[:97].tolist() == [100.0] * 97
    new = cache.open(SeriesName.parse("acme:BTC/USDT:1m:revised"))
    assert new.notes == ()
    assert new.name == "acme:BTC/USDT:1m:revised"
    assert (new.load().close == 50.0).all()
    assert new.load().ts.tolist() == [START + n * MINUTE for n in range(200) if n != 60]
    assert new.load().instrument == INSTRUMENT
    (series,) = cache.series()
    assert [(one.number, one.bars, len(one.withdrawn)) for one in series.revisions] == [(1, 2, 0), (2, 97, 1)]
    assert cache.check(KEY) == []
    cache.delete(KEY)
    assert cache.bars.series() == []


def frame(minutes, *, volume=True):
    index = pd.DatetimeIndex((START + minutes * MINUTE).view("datetime64[ns]"), tz="UTC")
    columns = {name: np.full(len(minutes), 100.0) for name in ("open", "high", "low", "close")}
    return pd.DataFrame({**columns, **({"volume": 5.0} if volume else {})}, index=index)


def test_a_source_may_answer_with_frames_and_not_with_fewer_columns_than_before(cache):
    source = Source(frame)
    assert get(cache, source, 0, 100).added == 100
    source.tell = lambda minutes: frame(minutes, volume=False)
    with pytest.raises(DataError, match=r"acme, of the tests answers without volume, which it gave until now; nothing"):
        get(cache, source, 0, 200)
    assert len(cache.open(NAME).load()) == 100
    source.tell = lambda minutes: frame(minutes).drop(columns="high")
    with pytest.raises(DataError, match=r"no column for high"):
        get(cache, source, 0, 200)
    source.tell = frame
    assert get(cache, source, 0, 200).added == 100
    source.tell = lambda minutes: frame(minutes[:0])
    assert get(cache, source, 200, 210).added == 0
    assert cache.open(NAME).load().volume.tolist() == [5.0] * 200


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda minutes: [1, 2], "answers with a list. Bars or a DataFrame"),
        (lambda minutes: Bars(INSTRUMENT, "2m", [START], *[[1.0]] * 5), "answers with bars of BTC/USDT 2m"),
        (lambda minutes: Bars(Instrument(symbol="ETH"), "1m", [START], *[[1.0]] * 5), "answers with bars of ETH 1m"),
    ],
)
def test_an_answer_that_is_not_what_was_asked_for_is_refused(cache, answer, message):
    with pytest.raises(DataError, match=message):
        get(cache, Source(answer), 0, 10)
    assert cache.bars.series() == []


def test_bars_beside_the_span_are_left_out(cache):
    source = Source(lambda minutes: bars(np.arange(0, 300)))
    assert get(cache, source, 100, 110).added == 10
    assert len(cache.open(NAME).load()) == 10


def test_two_origins_are_kept_apart(cache):
    get(cache, Source(bars), 0, 10)
    other = Source(bars)
    other.origin = "a simulator"
    with pytest.raises(ConfigError, match=r"has it from acme, of the tests, and this would come from a simulator"):
        get(cache, other, 0, 20)


def test_what_cannot_be_asked_for(cache):
    source = Source(bars)
    with pytest.raises(VenueError, match=r"acme has no 'ETH/USDT'. Did you mean 'BTC/USDT'"):
        cache.get(source, "ETH/USDT", "1m", START)
    with pytest.raises(ConfigError, match=r"from 2024-06-01 00:00:00 UTC to .* Exchange them"):
        cache.get(source, "BTC/USDT", "1m", NOW, START)
    with pytest.raises(InputError, match=r"'7x' is no timeframe"):
        cache.get(source, "BTC/USDT", "7x", START)
    source.known = ()  # takes any symbol
    source.tell = lambda minutes: None
    assert cache.get(source, "anything", "1m", START).added == 0


def test_a_ledger_of_a_newer_version_is_left_alone(cache):
    get(cache, Source(bars), 0, 10)
    state = cache._ledgers._state
    data = state.get(str(KEY)).replace(b'"format":1', b'"format":9')
    state.put(str(KEY), data)
    with pytest.raises(StorageError, match=r"a newer Cambist wrote .* in format 9; this one reads up to 1"):
        get(cache, Source(bars), 0, 20)
    assert state.get(str(KEY)) == data


def test_bars_that_were_put_there_by_others_count_as_fetched(cache):
    cache.bars.write(bars(np.array([0, 1, 2, 5, 6])))
    source = Source(bars)
    get(cache, source, 0, 7)
    assert source.asked == [(0, 8)]
    assert len(cache.open(NAME).load()) == 8


def test_holes_are_told_and_not_read_over(cache):
    source = Source(bars)
    get(cache, source, 0, 10)
    get(cache, source, 20, 30)
    with pytest.raises(
        DataError,
        match=r"2024-05-31 17:30:00 UTC .. 2024-05-31 17:40:00 UTC were never fetched. .*"
        r"--from 2024-05-31T17:30:00 --to 2024-05-31T17:40:00",
    ):
        cache.open(NAME)
    assert len(cache.open(NAME, START + 20 * MINUTE).load()) == 10
    with pytest.raises(DataError, match=r"never fetched"):
        cache.open(NAME, START + 20 * MINUTE, START + 50 * MINUTE)
    assert [len(block) for block in cache.open(NAME, None, START + 10 * MINUTE).blocks(4)] == [4, 4, 2]
    with pytest.raises(InputError, match=r"blocks of 0 rows"):
        next(cache.open(NAME, START + 20 * MINUTE).blocks(0))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("binance-spot:BTC/USDT:1m", ("binance-spot", "BTC/USDT", "1m", False)),
        ("binance-usdm:BTC/USDT:USDT:4h:revised", ("binance-usdm", "BTC/USDT:USDT", "4h", True)),
        ("kraken:revised:1d", ("kraken", "revised", "1d", False)),
    ],
)
def test_names(text, parts):
    name = SeriesName.parse(text)
    assert (name.venue, name.symbol, str(name.timeframe), name.revised) == parts
    assert str(name) == text
    assert is_series_name(text)


@pytest.mark.parametrize(
    "text", ["samples:AAPL", "bars.csv", "C:\\bars:1m", "a:b:1m", ":BTC:1m", "x-y::1m", "x-y:BTC:1q"]
)
def test_what_is_no_name(text):
    assert not is_series_name(text)


def test_which_series_a_name_means():
    keys = [
        BarKey(*one) for one in (("BTC/USDT", "1m", "acme-spot"), ("BTC/USDT", "1h", "acme-usdm"), ("ETH", "1m", "x"))
    ]

    def found(text):
        return nearest_key(SeriesName.parse(text), keys, "here")

    assert found("acme:btc-usdt:1m") == keys[0]
    assert found("acme:BTC/USDT:1h") == keys[1]
    with pytest.raises(DataError, match=r"the cache at here has it in 1m, 1h alone"):
        found("acme:BTC/USDT:5m")
    keys.append(BarKey("BTC/USDT", "1m", "acme-usdm"))
    with pytest.raises(DataError, match=r"could be any of acme-spot:BTC/USDT:1m, acme-usdm:BTC/USDT:1m"):
        found("acme:BTC/USDT:1m")
    assert found("acme-usdm:BTC/USDT:1m") == keys[-1]


@pytest.mark.parametrize(
    ("environ", "system", "place"),
    [
        ({"CAMBIST_CACHE": "/data/bars", "HOME": "/h"}, "linux", "/data/bars"),
        ({"HOME": "/h"}, "linux", "/h/.cache/cambist"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "/fast"}, "linux", "/fast/cambist"),
        ({"HOME": "/h"}, "darwin", "/h/Library/Caches/cambist"),
        ({"HOME": "/c/me", "LOCALAPPDATA": "/c/local"}, "win32", "/c/local/cambist/cache"),
    ],
)
def test_where_the_cache_lies(environ, system, place):
    assert cache_folder(None, environ, system) == type(cache_folder())(PurePosixPath(place))
    assert cache_folder("/said", environ, system) == type(cache_folder())("/said")
