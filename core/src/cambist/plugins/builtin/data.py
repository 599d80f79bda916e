"""The core's feeds: files and data frames."""

from __future__ import annotations

from cambist.plugins.hookspecs import hookimpl
from cambist.plugins.specs import FeedSpec

__all__ = ["cambist_feeds"]

_OPEN = "cambist.data.load:open_source"


@hookimpl
def cambist_feeds() -> list[FeedSpec]:
    """Offer what reads bars from files and frames; one function tells them apart by what it is given."""
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
    ]
