"""What turns something a user named into bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from cambist.ports.history import HistorySource

__all__ = ["FeedFactory"]


class FeedFactory(Protocol):
    """What the factory of a `FeedSpec` looks like.

    A feed itself is what the factory makes: a `HistorySource` with the finished bars of one instrument.
    """

    def __call__(self, source: Any, **settings: Any) -> HistorySource:
        """Open what the user named.

        Parameters
        ----------
        source
            A path, a data frame, a symbol: what the feed's documentation says.
        settings
            By keyword, as the feed's documentation says.

        Raises
        ------
        DataError
            `source` is nothing this feed can read. What it holds may be checked later, when it is read.
        """
