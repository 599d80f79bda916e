"""The way to a venue on trades and quotes: it takes time, and some of what is sent is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.simulation.gateway import OrderGateway

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.model.events import OrderEvent
    from cambist.model.orders import Order
    from cambist.simulation.latency.protocol import LatencyModel
    from cambist.simulation.rejection.protocol import RejectionModel
    from cambist.simulation.ticks import TickVenue

__all__ = ["MarketGateway"]


class _Busy:
    """True while requests are under way, or the venue has work for the events of an instrument."""

    __slots__ = ("_queue", "_works")

    def __init__(self, queue: object, works: object) -> None:
        self._queue = queue
        self._works = works

    def __bool__(self) -> bool:
        return bool(self._queue) or bool(self._works)


class MarketGateway(OrderGateway):
    """`OrderGateway` before a venue on trades and quotes.

    The parameters are those of `OrderGateway`.

    Notes
    -----
    Whatever event comes next in the run, requests that arrived at or before its time are taken up first, as of their
    arrival: a new order meets the first event of its instrument at or after it, and an order may trade until its
    cancel arrives.
    """

    def __init__(
        self,
        make_venue: Callable[[Callable[[], int]], TickVenue],
        clock: Callable[[], int],
        deliver: Callable[[OrderEvent], None],
        latency: LatencyModel | None,
        rejection: RejectionModel | None,
        seed: int,
    ) -> None:
        made: list[TickVenue] = []

        def make(own_clock: Callable[[], int]) -> TickVenue:
            made.append(make_venue(own_clock))
            return made[0]

        super().__init__(make, clock, deliver, latency, rejection, seed)
        self._tick_venue = made[0]
        # One queue for all: what is told of a request must not come after later events of other instruments.
        self._under_way = next(iter(self.lanes.values()))
        for lane in self.lanes.values():
            lane.queue = self._under_way.queue

    def to_match(self, symbol: str) -> object:
        """Return what is true while requests are under way, or the venue has work; see `MarketVenue`."""
        return _Busy(self._under_way.queue, self._tick_venue.to_match(symbol))

    def arrive(self, ts: int) -> None:
        """Take up the requests that have arrived by `ts`."""
        if self._under_way.queue:
            self._take_up(self._under_way, ts)

    def match_tick(self, symbol: str, ts: int, price: float, size: float, side: int = 0) -> None:
        """Let what has arrived by now meet a trade."""
        self.arrive(ts)
        self._tick_venue.match_tick(symbol, ts, price, size, side)

    def match_quote(self, symbol: str, ts: int, bid: float, ask: float, bid_size: float, ask_size: float) -> None:
        """Let what has arrived by now meet a quote."""
        self.arrive(ts)
        self._tick_venue.match_quote(symbol, ts, bid, ask, bid_size, ask_size)

    def match_book(
        self,
        symbol: str,
        ts: int,
        is_snapshot: bool,
        sides: Sequence[int],
        prices: Sequence[float],
        sizes: Sequence[float],
    ) -> None:
        """Let what has arrived by now come to a book before it changes."""
        self.arrive(ts)
        self._tick_venue.match_book(symbol, ts, is_snapshot, sides, prices, sizes)

    def queue_ahead(self, order: Order) -> float:
        """Return the size that stands before an order at its price; NaN where it does not stand in a book."""
        return self._tick_venue.queue_ahead(order)

    def end_session(self, symbol: str, ts: int) -> None:
        """End the session of an instrument."""
        self._tick_venue.end_session(symbol, ts)
