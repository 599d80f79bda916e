"""History of one instrument, from the first to the last: finished bars, trades or quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cambist.model.bars import Bars
    from cambist.model.books import BookUpdates
    from cambist.model.ticks import Quotes, Ticks

__all__ = ["HistorySource", "MarketSource"]


@runtime_checkable
class HistorySource(Protocol):
    """Finished bars of one instrument and one timeframe, all at once or block by block.

    It is synchronous: what comes over a network is fetched by a feed and read from its cache through this.

    Notes
    -----
    A source that changed what it read (dropped a repeat, sorted the rows) has a further attribute ``notes``, a tuple
    of sentences that say so; whoever shows a run to a person shows them.

    Examples
    --------
    The smallest source there is::

        class OneSeries:
            name = "my bars"

            def __init__(self, bars):
                self.bars = bars

            def load(self):
                return self.bars

            def blocks(self, size=65_536):
                return self.bars.blocks(size)
    """

    @property
    def name(self) -> str:
        """What to call it in messages: a path, or a symbol and a timeframe."""
        ...

    def load(self) -> Bars:
        """Return every bar.

        Raises
        ------
        DataError
            The data cannot be read, or are no bars.
        """
        ...

    def blocks(self, size: int = 65_536) -> Iterator[Bars]:
        """Yield the bars in order, in pieces of at most `size` rows that do not overlap.

        The pieces put together equal `load`, whatever the size. Each call starts again from the first bar.

        Parameters
        ----------
        size
            Rows, at least 1.

        Raises
        ------
        DataError
            The data cannot be read, or are no bars; raised when the piece at fault is asked for.
        """
        ...


@runtime_checkable
class MarketSource(Protocol):
    """Trades, quotes or an order book of one instrument, all at once or block by block.

    `Ticks`, `Quotes` and `BookUpdates` are sources themselves.

    Rows of one time may be in different blocks; otherwise everything is as for `HistorySource`.
    """

    @property
    def kind(self) -> str:
        """``"ticks"``, ``"quotes"`` or ``"book"``."""
        ...

    @property
    def name(self) -> str:
        """What to call it in messages: a path, or a symbol and a kind."""
        ...

    def load(self) -> Ticks | Quotes | BookUpdates:
        """Return every row.

        Raises
        ------
        DataError
            The data cannot be read, or are no trades, quotes or book.
        """
        ...

    def blocks(self, size: int = 65_536) -> Iterator[Ticks | Quotes | BookUpdates]:
        """Yield the rows in order, in pieces of at most `size`; each call starts again from the first row.

        Raises
        ------
        DataError
            As `load`; raised when the piece at fault is asked for.
        """
        ...
