"""What this package offers to Cambist."""

from __future__ import annotations

from cambist.api import FeedSpec, hookimpl

__all__ = ["cambist_feeds"]


@hookimpl
def cambist_feeds() -> list[FeedSpec]:
    """Offer the feed ``yahoo``."""
    return [
        FeedSpec(
            name="yahoo",
            factory="cambist_yahoo.feed:open_yahoo",
            summary="Bars of Yahoo Finance: stocks, funds, indices, currencies, crypto",
            conformance="cambist_yahoo.conformance",
            capabilities=frozenset({"history"}),
            requires=("yfinance>=1.5",),
        )
    ]
