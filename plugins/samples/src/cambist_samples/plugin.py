"""What this package offers to Cambist."""

from __future__ import annotations

from cambist.api import FeedSpec, hookimpl

__all__ = ["cambist_feeds"]


@hookimpl
def cambist_feeds() -> list[FeedSpec]:
    """Offer the feed ``samples``."""
    return [
        FeedSpec(
            name="samples",
            factory="cambist_samples.feed:open_feed",
            summary="Real bars from data packages: stocks by day, BTC-USD by day and quarter of an hour",
            conformance="cambist_samples.conformance",
            capabilities=frozenset({"catalog", "history", "offline"}),
        )
    ]
