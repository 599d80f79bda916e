"""The way from a strategy's account to the venue: it takes time, and some of what is sent is refused."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import TYPE_CHECKING

from cambist.errors import ParameterError
from cambist.model.events import AmendRejected, CancelRejected, OrderRejected
from cambist.orders.machine import arrive
from cambist.simulation.latency.protocol import Request
from cambist.simulation.venue_front import VenueFront
from cambist.simulation.working import EveryBar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cambist.model.events import OrderEvent
    from cambist.model.orders import ApprovedOrder, Order
    from cambist.simulation.bar_venue import BarVenue
    from cambist.simulation.latency.protocol import LatencyModel
    from cambist.simulation.rejection.protocol import RejectionModel
    from cambist.simulation.reports import Reports

__all__ = ["OrderGateway"]

_SUBMIT, _CANCEL, _AMEND = Request.SUBMIT, Request.CANCEL, Request.AMEND
_REFUSED = {_SUBMIT: OrderRejected, _CANCEL: CancelRejected, _AMEND: AmendRejected}


class _Lane(EveryBar):
    """The requests on their way to one instrument's orders, and those orders.

    Requests arrive with time, whatever the price does.

    Attributes
    ----------
    queue
        ``(arrival, request, order, reason to refuse it, what to do)``, earliest first.
    """

    def __init__(self, venue: BarVenue, symbol: str) -> None:
        self.queue: deque[tuple[int, Request, Order, str, Callable[[], None]]] = deque()
        self._market = venue.markets[symbol]
        super().__init__(self)

    def __len__(self) -> int:
        """Return how many orders are at work, and requests under way."""
        return len(self.queue) + len(self._market.working)

    def __bool__(self) -> bool:
        return bool(self.queue) or bool(self._market.working)


class OrderGateway(VenueFront):
    """Stands before a simulated venue: delays requests, and refuses some.

    Parameters
    ----------
    make_venue
        Makes the venue; called once with the clock that it must ask.
    clock
        Answers the time of a request, ns.
    deliver
        Called with the events of what is refused; see also `report_to`.
    latency
        How long each request takes, or None.
    rejection
        Which requests are refused, or None.
    seed
        Of the chance of both.

    Notes
    -----
    Requests arrive in the order in which they were sent: none overtakes another. One that arrives at or before a bar's
    open meets the whole bar. One that arrives inside a bar is taken up at its close, where all that happens inside a
    bar becomes certain: a new order meets the next bar (under ``this_close`` a market order trades at this close), and
    an order may still trade in a bar in which its cancel arrives. What is refused is refused on arrival.
    """

    def __init__(
        self,
        make_venue: Callable[[Callable[[], int]], BarVenue],
        clock: Callable[[], int],
        deliver: Callable[[OrderEvent], None],
        latency: LatencyModel | None,
        rejection: RejectionModel | None,
        seed: int,
    ) -> None:
        self._clock = clock
        self._arriving: int | None = None
        self._latency, self._rejection = latency, rejection
        # Of their own, so that neither moves the other's nor the strategies' chance.
        self._latencies, self._rejections = Random(f"latency {seed}"), Random(f"rejection {seed}")  # noqa: S311
        self._last = -(2**63)
        self._orders: dict[int, Order] = {}
        self._deliver = deliver
        super().__init__(make_venue(self.now))
        self.lanes = {symbol: _Lane(self.venue, symbol) for symbol in self.venue.markets}

    @property
    def markets(self) -> Mapping[str, _Lane]:
        """What is at work and under way, by symbol."""
        return self.lanes

    def now(self) -> int:
        """Return the time at the venue: that of the request that arrives, else the engine's."""
        return self._clock() if self._arriving is None else self._arriving

    def report_to(self, reports: Reports) -> None:
        """Say what happens to orders to somebody else."""
        self._deliver = reports.deliver
        super().report_to(reports)

    # Requests.

    def submit(self, approved: ApprovedOrder) -> None:
        """Send an order."""
        order = approved.order
        self._orders[order.id] = order
        self._send(_SUBMIT, order, lambda: self.venue.submit(approved))

    def cancel(self, order_id: int) -> None:
        """Send word that an order is to be withdrawn."""
        order = self._orders.get(order_id)
        if order is None:
            self.venue.cancel(order_id)  # a fill made the strategy think again before it was sent: the venue refuses
        else:
            self._send(_CANCEL, order, lambda: self.venue.cancel(order_id))

    def amend(self, order_id: int, size: float, limit_price: float, stop_price: float) -> None:
        """Send new terms of an order."""
        order = self._orders.get(order_id)
        if order is None:
            self.venue.amend(order_id, size, limit_price, stop_price)
        else:
            self._send(_AMEND, order, lambda: self.venue.amend(order_id, size, limit_price, stop_price))

    def resume(self, order: Order, since: int) -> None:
        """Work on with an order that had arrived before a restart; see `SimulatedVenue.resume`."""
        self._orders[order.id] = order
        self.venue.resume(order, since)  # type: ignore[attr-defined]  # of the venues that a live run may have

    def _send(self, request: Request, order: Order, do: Callable[[], None]) -> None:
        now = self.now()
        delay = 0 if self._latency is None else self._latency.delay(request, now, self._latencies)
        if delay < 0:
            raise ParameterError(f"latency is {delay} ns for the {request} of order {order.id}; it cannot be negative.")
        rejection = self._rejection
        reason = "" if rejection is None else rejection.refusal(request, order, now, self._rejections)
        self._last = arrival = max(now + delay, self._last)
        lane = self.lanes[order.instrument.symbol]
        if arrival > now or lane.queue:
            lane.queue.append((arrival, request, order, reason, do))
        elif reason:
            self._deliver(_REFUSED[request](now, order.id, reason))
        else:
            do()

    def _take_up(self, lane: _Lane, until: int, at: int | None = None) -> None:
        """Hand the venue what arrives up to `until`, as of its arrival or of `at`."""
        queue = lane.queue
        while queue and queue[0][0] <= until:
            arrival, request, order, reason, do = queue.popleft()
            ts = arrival if at is None else at
            if reason:
                self._deliver(_REFUSED[request](ts, order.id, reason))
                continue
            if order.is_open:
                arrive(order, ts)
            before, self._arriving = self._arriving, ts
            do()
            self._arriving = before

    # Bars.

    def match(
        self,
        symbol: str,
        opened: int,
        closed: int,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
    ) -> None:
        """Let what has arrived by now meet a bar, and take up what arrived inside it."""
        lane, venue = self.lanes[symbol], self.venue
        if lane.queue:
            self._take_up(lane, opened)
        venue.match(symbol, opened, closed, open_, high, low, close, volume)
        if lane.queue:
            if venue.trades_at_close:
                venue.mark_close(symbol, opened, closed, open_, high, low, close, volume)
            self._take_up(lane, closed, closed)

    def meet_open(self, symbol: str, opened: int, open_: float) -> None:
        """Let what has arrived by now meet an open; see `FormingVenue.meet_open`."""
        lane = self.lanes[symbol]
        if lane.queue:
            self._take_up(lane, opened)
        self.venue.meet_open(symbol, opened, open_)  # type: ignore[attr-defined]
