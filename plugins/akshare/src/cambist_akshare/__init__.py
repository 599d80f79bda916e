"""Bars of Chinese stocks, indices, funds and futures, as a feed of Cambist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cambist_akshare.feed import open_akshare

__all__ = ["open_akshare"]


def __getattr__(name: str) -> Any:
    # The entry point lives in this package, and registration must stay light.
    if name in __all__:
        from cambist_akshare import feed

        return getattr(feed, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
