"""What asks a source for history, piece by piece, so that it need not be asked twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cambist.model.instrument import Instrument
    from cambist.model.timeframe import Timeframe

__all__ = ["HistoryFetcher"]


@runtime_checkable
class HistoryFetcher(Protocol):
    """History that lies elsewhere: at a venue, at a vendor, behind a network.

    It is synchronous, and used by one thread. What it fetches is kept in the cache of history, and is read from there:
    see `cambist.api.FeedSpec` and its capability ``fetch``.
    """

    @property
    def venue(self) -> str:
        """What its series are filed under, such as ``"binance-spot"``: letters, digits, dots, ``-`` and ``_``."""
        ...

    @property
    def origin(self) -> str:
        """Where it asks, for people: bars of two origins are never put into one series."""
        ...

    def instruments(self) -> Sequence[Instrument]:
        """Return what there is history of; empty where the source has no list, and takes any symbol."""
        ...

    def fetch(self, symbol: str, timeframe: Timeframe, start: int, end: int) -> Any:
        """Return the final bars that opened in ``[start, end)``, ns, UTC.

        It may be asked for any span, for one that it answered before as well, and answers all of a span or raises.

        Returns
        -------
        Bars, DataFrame or None
            A frame has the columns of `cambist.load`; None, or an empty frame, where there are none.

        Raises
        ------
        VenueError
            The source cannot be asked. Codes that matter: ``"no_bars"`` (there are none of that time, as None),
            ``"unknown_symbol"``, ``"timeframe"``.
        """
        ...

    def close(self) -> None:
        """Let go of connections; a second call does nothing."""
        ...
