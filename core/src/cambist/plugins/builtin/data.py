"""The core's feeds: files, data frames, and what was fetched before."""

from __future__ import annotations

from cambist.plugins.hookspecs import hookimpl
from cambist.plugins.specs import FeedSpec

__all__ = ["cambist_feeds"]

_OPEN = "cambist.data.load:open_source"


@hookimpl
def cambist_feeds() -> list[FeedSpec]:
    """Offer what reads bars from files and frames, told apart by what they are given, and from the cache."""
    return [
        FeedSpec(
            name="csv",
            factory=_OPEN,
            summary="Bars from a CSV file",
            capabilities=frozenset({"history", "blocks", "path", "offline"}),
        ),
        FeedSpec(
            name="parquet",
            factory=_OPEN,
            summary="Bars from a Parquet file",
            capabilities=frozenset({"history", "blocks", "path", "offline"}),
            requires=("cambist[parquet]",),
        ),
        FeedSpec(
            name="frame",
            factory=_OPEN,
            summary="Bars from a pandas data frame",
            capabilities=frozenset({"history", "blocks", "offline"}),
        ),
        FeedSpec(
            name="cache",
            factory="cambist.app.caching:open_cached",
            summary="Bars that were fetched before, by VENUE:SYMBOL:TIMEFRAME",
            capabilities=frozenset({"history", "blocks", "offline"}),
        ),
    ]
