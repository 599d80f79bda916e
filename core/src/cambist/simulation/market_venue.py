"""What a backtest on trades and quotes asks of a simulated venue, or of what stands before one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs

from cambist.model.times import DAY_NS
from cambist.simulation.queue import cancels_behind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.model.orders import ApprovedOrder, Order
    from cambist.simulation.queue import CancelModel
    from cambist.simulation.reports import Reports

__all__ = ["MarketVenue", "Shown", "end_of_day"]


def end_of_day(_symbol: str, ts: int) -> int:
    """Return the midnight after `ts`, UTC."""
    return (ts // DAY_NS + 1) * DAY_NS


@attrs.frozen(kw_only=True)
class Shown:
    """What a venue on trades and quotes is shown, and what it may ask of the market.

    Attributes
    ----------
    quoted, traded, booked
        Symbols of the instruments of which there are quotes, trades and order books.
    price_on
        Answers the price at which a buyer (True) or a seller of a symbol would trade now; NaN where there is none yet.
        None: the last price of the account.
    session_end
        Answers the end of the session of a symbol that holds a time, or of the next one: its first moment outside, ns.
    cancels
        Who leaves when a level of a book shrinks without a trade; see `BookReplay`.
    """

    quoted: Sequence[str] = ()
    traded: Sequence[str] = ()
    booked: Sequence[str] = ()
    price_on: Callable[[str, bool], float] | None = None
    session_end: Callable[[str, int], int] = end_of_day
    cancels: CancelModel = cancels_behind


class MarketVenue(Protocol):
    """A venue that is shown trades and quotes; see `cambist.simulation.TickVenue` for what each call means."""

    def to_match(self, symbol: str) -> object:
        """Return what is true while the events of an instrument must be matched; always the same object."""
        ...

    def know_orders(self, find: Callable[[int], Order | None]) -> None:
        """Take what answers an order of the account by its id, also one that works no longer."""
        ...

    def report_to(self, reports: Reports) -> None:
        """Say what happens to orders to somebody else."""
        ...

    def submit(self, approved: ApprovedOrder) -> None:
        """Take an order."""
        ...

    def cancel(self, order_id: int) -> None:
        """Withdraw what remains of an order."""
        ...

    def amend(self, order_id: int, size: float, limit_price: float, stop_price: float) -> None:
        """Give an order new terms."""
        ...

    def match_tick(self, symbol: str, ts: int, price: float, size: float, side: int = 0) -> None:
        """Work the orders of one instrument against one trade."""
        ...

    def match_quote(self, symbol: str, ts: int, bid: float, ask: float, bid_size: float, ask_size: float) -> None:
        """Work the orders of one instrument against one quote."""
        ...

    def match_book(
        self,
        symbol: str,
        ts: int,
        is_snapshot: bool,
        sides: Sequence[int],
        prices: Sequence[float],
        sizes: Sequence[float],
    ) -> None:
        """Take one update of the book of one instrument, and what it does to the orders."""
        ...

    def queue_ahead(self, order: Order) -> float:
        """Return the size that stands before an order at its price; NaN where it does not stand in a book."""
        ...

    def arrive(self, ts: int) -> None:
        """Take up the requests that have arrived by `ts`, ns, where there is no event to match."""
        ...

    def end_session(self, symbol: str, ts: int) -> None:
        """End the session of an instrument at `ts`, ns, after its last event and before any later one."""
        ...
