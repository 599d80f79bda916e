"""What this package offers to Cambist."""

from __future__ import annotations

from cambist.api import FeedSpec, hookimpl

__all__ = ["cambist_feeds"]


@hookimpl
def cambist_feeds() -> list[FeedSpec]:
    """Offer the feed ``akshare``."""
    return [
        FeedSpec(
            name="akshare",
            factory="cambist_akshare.feed:open_akshare",
            summary="Bars of Chinese stocks, indices, funds and futures, by AkShare",
            conformance="cambist_akshare.conformance",
            capabilities=frozenset({"history"}),
            requires=("akshare>=1.18",),
        )
    ]
