"""From what a user calls his data to sources of bars."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cambist.app.plan import SeriesPlan
from cambist.data.cache import SeriesName, is_series_name
from cambist.data.load import open_source
from cambist.errors import ConfigError, did_you_mean
from cambist.plugins.making import made
from cambist.plugins.specs import NAME_PATTERN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe
    from cambist.plugins.registry import Registry
    from cambist.plugins.specs import FeedSpec
    from cambist.ports.history import HistorySource

__all__ = [
    "CACHE",
    "catalog_of",
    "default_symbol",
    "feed_name",
    "feed_of_name",
    "is_market",
    "open_finer",
    "open_named",
    "open_series",
]

#: The feed of what was fetched before; its name may be left out where the rest is VENUE:SYMBOL:TIMEFRAME.
CACHE = "cache"


def feed_name(source: str, folder: Path | None = None) -> str | None:
    """Return the feed that ``FEED:SERIES`` names; None when `source` is a file."""
    name, colon, _ = source.partition(":")
    name = name.lower()
    # One letter and a colon is a drive; a file may have a colon in its name.
    if not colon or len(name) < 2 or not NAME_PATTERN.fullmatch(name) or ((folder or Path()) / source).exists():
        return None
    return name


def feed_of_name(source: str, folder: Path | None, registry: Registry) -> str | None:
    """Return the feed that opens a source, which is not the one that it names for what was fetched from a venue."""
    name = feed_name(source, folder)
    if name is None or name == CACHE or not is_series_name(source):
        return name
    offered = registry.feeds().get(name)
    return name if offered is not None and "history" in offered.capabilities else CACHE


def default_symbol(source: str) -> str:
    """Return what an instrument is called of which ``FEED:SERIES`` is all that is known."""
    rest = source.removeprefix(f"{CACHE}:")
    return SeriesName.parse(rest).symbol if is_series_name(rest) else source.partition(":")[2]


def open_named(
    source: str,
    *,
    symbol: str | None = None,
    instrument: Instrument | None = None,
    timeframe: Timeframe | None = None,
) -> HistorySource:
    """Open ``FEED:SERIES`` or ``VENUE:SYMBOL:TIMEFRAME`` with what is installed; errors are those of `open_series`."""
    from cambist.plugins.registry import Registry

    said = None if timeframe is None else str(timeframe)
    plan = SeriesPlan(source=source, symbol=symbol, instrument=instrument, timeframe=said)
    found = _open(plan, Registry.discover())
    if is_market(found):
        kind: str = found.kind  # type: ignore[attr-defined]
        opener = "open_book" if kind == "book" else f"open_{kind}"
        raise ConfigError(f"{source} has {kind} and no bars. In Python, open it with cambist.{opener}(...).")
    return found


def is_market(source: Any) -> bool:
    """Tell whether a source is one of trades, quotes or a book."""
    return getattr(source, "kind", None) in ("ticks", "quotes", "book")


def open_series(series: Sequence[SeriesPlan], registry: Registry) -> list[HistorySource]:
    """Open every source, files by themselves and the rest through their feeds. Bars are read later.

    Raises
    ------
    ConfigError
        Two series would have one name, or a feed cannot do what is asked of it.
    DataError
        A source cannot be opened.
    PluginError
        Nobody offers a feed, or the plugin that does is broken.
    """
    _refuse_namesakes(series)
    return [_open(one, registry) for one in series]


def open_finer(series: Sequence[SeriesPlan], registry: Registry) -> dict[int, HistorySource]:
    """Open the finer bars of each series that has some, by its number; errors are those of `open_series`."""
    return {
        number: _open(attrs.evolve(one, source=one.magnify, timeframe=None, settings={}, magnify=None), registry)
        for number, one in enumerate(series)
        if one.magnify is not None
    }


def catalog_of(spec: FeedSpec) -> list[Any]:
    """Return the records of what a feed holds: attrs classes with ``name`` and what else there is to say.

    Raises
    ------
    ConfigError
        The feed has no catalog.
    """
    if "catalog" not in spec.capabilities:
        raise ConfigError(f"the feed {spec.name!r} has no catalog to show. What it holds is in its documentation.")
    factory: Any = spec.load()
    return list(factory.catalog())


def _open(series: SeriesPlan, registry: Registry) -> HistorySource:
    name = feed_of_name(series.source, series.folder, registry)
    if name is not None:
        source = _open_feed(name, series, registry)
        if not series.repair:
            return source
        if is_market(source):
            raise ConfigError(f"{series.source}: repair is for bars, and these are trades, quotes or a book.")
        return open_source(source.load(), repair=series.repair)
    if series.settings:
        unknown = next(iter(series.settings))
        known = ["instrument", "source", "symbol", "timeframe"]
        raise ConfigError(f"the file {series.source} takes no setting {unknown!r}.{did_you_mean(unknown, known)}")
    return open_source(
        _path(series),
        symbol=series.symbol,
        instrument=series.instrument,
        timeframe=series.timeframe,
        repair=series.repair,
    )


def _open_feed(name: str, series: SeriesPlan, registry: Registry) -> HistorySource:
    spec = registry.get("feed", name)
    if "history" not in spec.capabilities:
        able = [one.name for one in registry.feeds().values() if "history" in one.capabilities]
        raise ConfigError(
            f"the feed {name!r} has no finished bars to backtest on (it can: {_words(spec.capabilities)}). "
            f"Feeds that have: {_words(able)}."
        )
    factory = spec.load()
    before, _, rest = series.source.partition(":")
    # What was fetched is asked for by all of its name.
    asked: str | Path = rest if before.lower() == name else series.source
    if "path" in spec.capabilities:
        asked = (series.folder or Path()) / Path(asked).expanduser()
    if "market" in spec.capabilities:  # the timeframe is that of bars to be made of them
        series = attrs.evolve(series, timeframe=None)
    settings = {**series.settings, **_own_words(series, name, _takes(factory))}
    _refuse_missing(name, series, factory, settings)
    source: HistorySource = made(factory, asked, **settings)
    return source


def _refuse_missing(name: str, series: SeriesPlan, factory: Any, settings: Mapping[str, Any]) -> None:
    """Refuse a series of which something was not said that its feed has no default for."""
    parameters = inspect.signature(factory).parameters.values()
    missing = [
        one.name
        for one in parameters
        if one.kind is one.KEYWORD_ONLY and one.default is one.empty and one.name not in settings
    ]
    if missing:
        keys = ", ".join(f"{one} = ..." for one in missing)
        raise ConfigError(
            f"the feed {name!r} needs {', '.join(missing)} for {series.source}. Say it in a run file: "
            f"[[data]] source = {series.source!r}, {keys}."
        )


def _own_words(series: SeriesPlan, name: str, takes: set[str] | None) -> dict[str, Any]:
    """Return what was said of the series and is a setting of the feed as well."""
    said = {"symbol": series.symbol, "timeframe": series.timeframe, "instrument": series.instrument}
    given = {key: value for key, value in said.items() if value is not None}
    for key in given:
        if takes is not None and key not in takes:
            raise ConfigError(
                f"the feed {name!r} names the {key} of its series itself; leave {key} out for {series.source}."
            )
    return given


def _takes(factory: Any) -> set[str] | None:
    """Return the keywords a factory takes; None when it takes any."""
    parameters = inspect.signature(factory).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return {parameter.name for parameter in parameters}


def _path(series: SeriesPlan) -> Path:
    return (series.folder or Path()) / Path(series.source).expanduser()


def _refuse_namesakes(series: Sequence[SeriesPlan]) -> None:
    """Find two files that would give their instruments one name, while their paths are still known."""
    seen: dict[str, str] = {}
    for one in series:
        if feed_name(one.source, one.folder) is not None:
            continue
        symbol = one.symbol or (one.instrument.symbol if one.instrument else _path(one).name.partition(".")[0])
        if symbol in seen:
            raise ConfigError(
                f"{seen[symbol]} and {one.source} would both be called {symbol!r}. Give each a symbol: "
                "--symbol, once for each --data, or symbol = in the run file."
            )
        seen[symbol] = one.source


def _words(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
