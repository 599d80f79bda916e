"""Real bars carried by data packages, as a feed of Cambist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cambist_samples.feed import SampleHistory, SampleInfo, SamplesFeed, open_feed

__all__ = ["SampleHistory", "SampleInfo", "SamplesFeed", "open_feed"]


def __getattr__(name: str) -> Any:
    # The entry point lives in this package, and registration must stay light.
    if name in __all__:
        from cambist_samples import feed

        return getattr(feed, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
