"""Orders and executions of all users, with a bound on what is kept of those that have ended."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from cambist_simulator.exchange.errors import RefusedError, Why

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from cambist_simulator.exchange.orders import Execution, VenueOrder

__all__ = ["OrderStore"]

_Kept = TypeVar("_Kept")


class OrderStore:
    """Finds orders by user, symbol, id and client id.

    Parameters
    ----------
    keep
        How many ended orders are kept, and how many executions, the oldest going first.
    """

    def __init__(self, keep: int = 50_000) -> None:
        self.next_id = 1
        self.keep = keep
        self._orders: dict[int, VenueOrder] = {}
        self._of: dict[tuple[str, str], dict[int, VenueOrder]] = {}
        self._open: dict[tuple[str, str], dict[int, VenueOrder]] = {}
        self._names: dict[tuple[str, bool, str], int] = {}
        self._ended: deque[int] = deque()
        self._executions: dict[tuple[str, str], deque[Execution]] = {}
        self._executed: deque[tuple[str, str]] = deque()

    def __len__(self) -> int:
        return len(self._orders)

    def __iter__(self) -> Iterator[VenueOrder]:
        return iter(self._orders.values())

    def __reversed__(self) -> Iterator[VenueOrder]:
        return reversed(self._orders.values())

    def count_open(self) -> int:
        """Return how many orders of all users are open."""
        return sum(len(orders) for orders in self._open.values())

    def new_id(self) -> int:
        """Count an order."""
        found, self.next_id = self.next_id, self.next_id + 1
        return found

    def add(self, order: VenueOrder) -> None:
        """Take a new order, open or not."""
        key = (order.user, order.terms.symbol)
        self._orders[order.id] = order
        of = self._of.get(key)
        if of is None:
            of = self._of[key] = {}
            self._open[key] = {}
        of[order.id] = order
        self._open[key][order.id] = order
        self.name(order)
        if not order.open:
            self.end(order)

    def name(self, order: VenueOrder) -> None:
        """Let an order be found by its client id."""
        self._names[order.user, order.conditional, order.client_id] = order.id

    def rename(self, order: VenueOrder, client_id: str) -> None:
        """Give an order another client id; it is found by the old one no longer."""
        self._forget_name(order)
        order.client_id = client_id
        self.name(order)

    def _forget_name(self, order: VenueOrder) -> None:
        name = (order.user, order.conditional, order.client_id)
        if self._names.get(name) == order.id:
            del self._names[name]

    def end(self, order: VenueOrder) -> None:
        """Take an order out of the open ones, and the oldest of those that have ended out of all."""
        self._open[order.user, order.terms.symbol].pop(order.id, None)
        ended = self._ended
        ended.append(order.id)
        while len(ended) > self.keep:
            old = self._orders.pop(ended.popleft())
            del self._of[old.user, old.terms.symbol][old.id]
            self._forget_name(old)

    def get(self, order_id: int) -> VenueOrder | None:
        """Return an order of anybody."""
        return self._orders.get(order_id)

    def named(self, user: str, client_id: str, *, conditional: bool) -> VenueOrder | None:
        """Return the newest order of a user with that client id."""
        order_id = self._names.get((user, conditional, client_id))
        return None if order_id is None else self._orders.get(order_id)

    def find(
        self,
        user: str,
        symbol: str,
        order_id: int | None = None,
        client_id: str | None = None,
        conditional: bool | None = None,
    ) -> VenueOrder:
        """Return a user's order.

        Parameters
        ----------
        symbol
            ``""`` for any.
        order_id, client_id
            One of them, or both that belong together.
        conditional
            Which kind it must be; None for either.

        Raises
        ------
        RefusedError
            If there is no such order.
        """
        found = None
        if order_id is not None:
            found = self._orders.get(order_id)
        elif client_id is not None:
            for kind in (False, True) if conditional is None else (conditional,):
                found = found or self.named(user, client_id, conditional=kind)
        if (
            found is None
            or found.user != user
            or (symbol and found.terms.symbol != symbol)
            or (conditional is not None and found.conditional != conditional)
            or (order_id is not None and client_id is not None and found.client_id != client_id)
        ):
            raise RefusedError(Why.UNKNOWN_ORDER, order_id=order_id, client_id=client_id)
        return found

    def open_in(self, user: str, symbol: str) -> Collection[VenueOrder]:
        """Return the open orders of a user in a symbol, oldest first; not to be kept while orders change."""
        return self._open.get((user, symbol), {}).values()

    def open_of(self, user: str, symbol: str | None = None, conditional: bool | None = None) -> list[VenueOrder]:
        """Return the open orders of a user, oldest first."""
        if symbol is not None:
            found = list(self.open_in(user, symbol))
        else:
            found = [one for (who, _), orders in self._open.items() if who == user for one in orders.values()]
            found.sort(key=_by_id)
        return found if conditional is None else [one for one in found if one.conditional == conditional]

    def orders(
        self,
        user: str,
        symbol: str | None = None,
        *,
        start: int | None = None,
        end: int | None = None,
        from_id: int | None = None,
        limit: int | None = None,
        conditional: bool | None = None,
    ) -> list[VenueOrder]:
        """Return orders of a user, oldest first: the newest `limit`, or the first from an id or a time on.

        Parameters
        ----------
        start, end
            Of `VenueOrder.created_at`, both inclusive, ns.
        from_id
            Least id.
        """
        if symbol is not None:
            found: Iterable[VenueOrder] = self._of.get((user, symbol), {}).values()
        else:
            found = sorted((one for (who, _), of in self._of.items() if who == user for one in of.values()), key=_by_id)
        chosen = [
            one
            for one in found
            if (conditional is None or one.conditional == conditional)
            and (start is None or one.created_at >= start)
            and (end is None or one.created_at <= end)
            and (from_id is None or one.id >= from_id)
        ]
        return _limited(chosen, limit, from_first=start is not None or from_id is not None)

    def add_execution(self, user: str, execution: Execution) -> None:
        """Keep an execution."""
        key = (user, execution.symbol)
        if key not in self._executions:
            self._executions[key] = deque()
        self._executions[key].append(execution)
        self._executed.append(key)
        while len(self._executed) > self.keep:
            self._executions[self._executed.popleft()].popleft()

    def executions(
        self,
        user: str,
        symbol: str,
        *,
        order_id: int | None = None,
        start: int | None = None,
        end: int | None = None,
        from_id: int | None = None,
        limit: int | None = None,
    ) -> list[Execution]:
        """Return executions of a user in a symbol, oldest first; arguments as those of `orders`, ids of trades."""
        found = self._executions.get((user, symbol), ())
        if order_id is None and start is None and end is None and from_id is None and limit is not None:
            return list(islice(found, max(0, len(found) - max(0, limit)), None))
        chosen = [
            one
            for one in found
            if (order_id is None or one.order_id == order_id)
            and (start is None or one.at >= start)
            and (end is None or one.at <= end)
            and (from_id is None or one.trade_id >= from_id)
        ]
        return _limited(chosen, limit, from_first=start is not None or from_id is not None)


def _by_id(order: VenueOrder) -> int:
    return order.id


def _limited(found: list[_Kept], limit: int | None, *, from_first: bool) -> list[_Kept]:
    """Return the first `limit`, or the last."""
    if limit is None:
        return found
    return found[:limit] if from_first else found[max(0, len(found) - limit) :]
