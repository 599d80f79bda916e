"""What a user calls his data becomes sources: files by themselves, the rest through the feeds that are registered."""

from __future__ import annotations

import types

import attrs
import pytest

from cambist import Bars, Instrument, Timeframe
from cambist.api import FeedSpec, hookimpl
from cambist.app.plan import SeriesPlan
from cambist.app.sources import catalog_of, feed_name, open_series
from cambist.data.sources.memory import MemoryHistory
from cambist.errors import ConfigError, DataError, UnknownComponentError
from cambist.plugins.registry import Registry


@attrs.frozen
class Entry:
    name: str


class Tide:
    """A feed with a setting, a timeframe and a catalog."""

    def __init__(self):
        self.calls = []

    def __call__(self, source, *, timeframe=None, depth=1):
        self.calls.append((source, timeframe, depth))
        return MemoryHistory(make_bars(source))

    def catalog(self):
        return (Entry("low"), Entry("high"))


def open_deep(source, *, depth):
    return MemoryHistory(make_bars(f"{source} {depth}"))


def make_bars(symbol):
    import numpy as np

    ts = np.arange(3) * 60 * 10**9
    price = np.full(3, 10.0)
    return Bars(Instrument(symbol=symbol), Timeframe.parse("1m"), ts, price, price, price, price, price)


@pytest.fixture
def tide():
    return Tide()


@pytest.fixture
def feeds(tide):
    module = types.ModuleType("acme_feeds")

    @hookimpl
    def cambist_feeds():
        return [
            FeedSpec(name="tide", factory=tide, capabilities={"history", "catalog"}),
            FeedSpec(name="live-only", factory=print, capabilities={"stream"}),
            FeedSpec(name="deep", factory=open_deep, capabilities={"history"}),
        ]

    module.cambist_feeds = cambist_feeds
    return Registry.of([module], core=True)


def test_files_and_feeds_side_by_side(folder, feeds, tide):
    folder.bars("one.csv")
    sources = open_series(
        [SeriesPlan(source="one.csv"), SeriesPlan(source="tide:low", timeframe="1h", settings={"depth": 3})], feeds
    )
    assert [source.load().instrument.symbol for source in sources] == ["one", "low"]
    assert tide.calls == [("low", "1h", 3)]


def test_paths_start_from_the_folder_of_the_plan(folder, feeds, monkeypatch):
    folder.bars("deep er/one.csv")
    monkeypatch.chdir("/")
    for source in ("one.csv", "csv:one.csv"):
        (opened,) = open_series([SeriesPlan(source=source, folder=folder.path / "deep er")], feeds)
        assert len(opened.load()) == 31


def test_symbol_timeframe_and_instrument_reach_a_file(folder, feeds):
    folder.bars("one.csv")
    bars = open_series([SeriesPlan(source="one.csv", symbol="ACME", timeframe="1d")], feeds)[0].load()
    assert (bars.instrument.symbol, str(bars.timeframe)) == ("ACME", "1d")
    made = Instrument(symbol="ACME", tick_size="0.01")
    assert open_series([SeriesPlan(source="one.csv", instrument=made)], feeds)[0].load().instrument == made


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("tide:low", "tide"),
        ("Tide:Low", "tide"),
        ("one.csv", None),
        ("C:\\bars.csv", None),
        ("a b:c", None),
        ("x/y:z", None),
    ],
)
def test_what_is_a_feed_and_what_a_file(source, name):
    assert feed_name(source) == name


def test_a_file_with_a_colon_in_its_name_is_a_file(folder, feeds):
    folder.bars("tide:low.csv")
    (source,) = open_series([SeriesPlan(source="tide:low.csv")], feeds)
    assert len(source.load()) == 31


@pytest.mark.parametrize(
    ("series", "error", "message"),
    [
        (SeriesPlan(source="nothing.csv"), DataError, "there is no such file"),
        (SeriesPlan(source="samples:AAPL"), UnknownComponentError, "pip install cambist-samples"),
        (SeriesPlan(source="tied:low"), UnknownComponentError, "no plugin offers the feed 'tied'. Did you mean 'tide'"),
        (
            SeriesPlan(source="live-only:x"),
            ConfigError,
            "'live-only' has no finished bars.*Feeds that have: .*csv, .*frame",
        ),
        (
            SeriesPlan(source="tide:low", symbol="X"),
            ConfigError,
            "the feed 'tide' names the symbol of its series itself",
        ),
        (SeriesPlan(source="deep:low"), ConfigError, r"the feed 'deep' needs depth for deep:low.*depth = \.\.\."),
        (
            SeriesPlan(source="one.csv", settings={"symbl": 1}),
            ConfigError,
            "takes no setting 'symbl'. Did you mean 'symbol'",
        ),
    ],
)
def test_what_cannot_be_opened_says_why(folder, feeds, series, error, message):
    folder.bars("one.csv")
    with pytest.raises(error, match=message):
        open_series([series], feeds)


def test_two_files_of_one_name_are_refused_before_they_are_read(folder, feeds):
    folder.bars("a/bars.csv")
    folder.bars("b/bars.csv")
    two = [SeriesPlan(source="a/bars.csv"), SeriesPlan(source="b/bars.csv")]
    with pytest.raises(ConfigError, match=r"a/bars\.csv and b/bars\.csv would both be called 'bars'.*--symbol"):
        open_series(two, feeds)
    assert len(open_series([two[0], attrs.evolve(two[1], symbol="other")], feeds)) == 2


def test_the_catalog_of_a_feed(feeds):
    assert [entry.name for entry in catalog_of(feeds.get("feed", "tide"))] == ["low", "high"]
    with pytest.raises(ConfigError, match="the feed 'csv' has no catalog"):
        catalog_of(feeds.get("feed", "csv"))
