"""What is due by time: orders good till a date, and the switch that cancels what a silent client left behind."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from cambist_simulator.exchange.orders import ExecutionType, Status

if TYPE_CHECKING:
    from cambist_simulator.exchange.floor import Floor
    from cambist_simulator.exchange.matching import Matching
    from cambist_simulator.exchange.orders import VenueOrder

__all__ = ["Timers"]


class Timers:
    """Keeps what is due.

    Attributes
    ----------
    countdowns
        (user, symbol) -> when his orders in it are canceled, ns, server time.
    """

    def __init__(self) -> None:
        self._expiries: list[tuple[int, int]] = []
        self._most = 1_000
        self.countdowns: dict[tuple[str, str], int] = {}

    def watch(self, order: VenueOrder) -> None:
        """Note when an order expires."""
        heappush(self._expiries, (order.terms.expires_at, order.id))

    def count_down(self, user: str, symbol: str, due: int) -> None:
        """Cancel a user's orders in a symbol at `due`, unless told another time before; 0 stops it."""
        if due:
            self.countdowns[user, symbol] = due
        else:
            self.countdowns.pop((user, symbol), None)

    def advance(self, floor: Floor, matching: Matching, now: int, server_now: int) -> None:
        """Do what is due."""
        if len(self._expiries) > self._most:  # most of them have ended by other ways
            self._expiries = [one for one in self._expiries if _is_open(floor, one[1])]
            heapify(self._expiries)
            self._most = max(1_000, 2 * len(self._expiries))
        while self._expiries and self._expiries[0][0] <= now:
            order = floor.store.get(heappop(self._expiries)[1])
            if order is not None and order.open:
                matching.withdraw(order, Status.EXPIRED, ExecutionType.EXPIRED, "expired")
        for (user, symbol), due in list(self.countdowns.items()):
            if due <= server_now:
                del self.countdowns[user, symbol]
                for order in floor.store.open_of(user, symbol, conditional=False):
                    if order.open:
                        matching.cancel(order, "countdown")


def _is_open(floor: Floor, order_id: int) -> bool:
    order = floor.store.get(order_id)
    return order is not None and order.open
