"""What users ask of an exchange about orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist_simulator.exchange.desk import Desk, user_id
from cambist_simulator.exchange.errors import RefusedError, Why
from cambist_simulator.exchange.listing import SymbolStatus
from cambist_simulator.exchange.triggers import is_conditional

if TYPE_CHECKING:
    from cambist_simulator.exchange.orders import AmendTerms, Execution, ListTerms, OrderList, OrderTerms, VenueOrder
    from cambist_simulator.exchange.users import User

__all__ = ["OrderDesk"]


class OrderDesk(Desk):
    """Orders of users: requests, and queries."""

    # Requests of users.

    def place(self, user: User | str, terms: OrderTerms) -> VenueOrder:
        """Take an order; return it as it stands after all that followed at once."""
        self._open()
        if not is_conditional(terms):
            self._floor.announce(terms)
        try:
            return self._intake.place(user_id(user), terms)
        finally:
            self._conditional.settle()

    def check(self, user: User | str, terms: OrderTerms) -> None:
        """Raise what `place` would raise, and do nothing."""
        self._open()
        self._intake.check(user_id(user), terms)

    def place_list(self, user: User | str, terms: ListTerms) -> OrderList:
        """Take orders that belong together."""
        self._open()
        made = self._lists.place(user_id(user), terms)
        self._conditional.settle()
        return made

    def cancel(
        self,
        user: User | str,
        symbol: str,
        *,
        order_id: int | None = None,
        client_id: str | None = None,
        cancel_client_id: str = "",
        conditional: bool | None = None,
    ) -> VenueOrder:
        """Cancel an open order; with those of its list, if it belongs to one.

        Parameters
        ----------
        symbol
            ``""`` for any.
        order_id, client_id
            Which; a client id means the newest order of that name.
        cancel_client_id
            What the request itself goes by; ``""`` makes a name.
        conditional
            Which kind it must be; None for either.
        """
        order = self._find(user, symbol, order_id, client_id, conditional)
        self._check_cancel(order)
        self._open()
        order.cancel_client_id = cancel_client_id or self._names("cancel", order.id)
        self._matching.cancel(order)
        self._conditional.settle()
        return order

    def cancel_all(
        self, user: User | str, symbol: str | None = None, *, conditional: bool | None = None
    ) -> list[VenueOrder]:
        """Cancel all open orders of a user, in one symbol or in all; return them."""
        self._open()
        if symbol is not None:
            self._floor.market(symbol)
        found = [one for one in self._floor.store.open_of(user_id(user), symbol, conditional) if not one.system]
        for order in found:
            self._check_cancel(order)
        for order in found:
            if order.open:
                order.cancel_client_id = self._names("cancel", order.id)
                self._matching.cancel(order)
        self._conditional.settle()
        return found

    def cancel_list(
        self, user: User | str, list_id: int | None = None, client_id: str | None = None, cancel_client_id: str = ""
    ) -> OrderList:
        """Cancel all that is open of a list."""
        self._open()
        found = self._lists.find(user_id(user), list_id, client_id)
        for order_id in found.order_ids:
            order = self._floor.store.get(order_id)
            if order is not None and order.open:
                self._check_cancel(order)
                order.cancel_client_id = cancel_client_id or self._names("cancel", order.id)
        self._lists.cancel(user_id(user), list_id, client_id)
        self._conditional.settle()
        return found

    def amend(
        self,
        user: User | str,
        symbol: str,
        terms: AmendTerms,
        *,
        order_id: int | None = None,
        client_id: str | None = None,
    ) -> VenueOrder:
        """Give a working order new terms."""
        order = self._find(user, symbol, order_id, client_id, None)
        self._open()
        self._amending.amend(order, terms)
        self._conditional.settle()
        return order

    def count_down(self, user: User | str, symbol: str, after: int) -> None:
        """Cancel a user's orders in a symbol after so many ns of server time without another call; 0 stops that."""
        self._floor.market(symbol)
        self._timers.count_down(user_id(user), symbol, self._floor.clock.server.now() + after if after else 0)

    def _check_cancel(self, order: VenueOrder) -> None:
        if not order.open or order.system:
            raise RefusedError(Why.UNKNOWN_ORDER, order_id=order.id, client_id=order.client_id)
        status = self._floor.markets[order.terms.symbol].listing.status
        if status is SymbolStatus.HALT:
            raise RefusedError(Why.MARKET_CLOSED, symbol=order.terms.symbol, status=str(status))

    # What users ask.

    def order(
        self,
        user: User | str,
        symbol: str = "",
        *,
        order_id: int | None = None,
        client_id: str | None = None,
        conditional: bool | None = None,
    ) -> VenueOrder:
        """Return an order of a user, open or not; refuses one that is not there."""
        found = self._find(user, symbol, order_id, client_id, conditional)
        if found.id in self.interference.hidden:
            raise RefusedError(Why.UNKNOWN_ORDER, order_id=order_id, client_id=client_id)
        return found

    def _find(
        self, user: User | str, symbol: str, order_id: int | None, client_id: str | None, conditional: bool | None
    ) -> VenueOrder:
        if symbol:
            self._floor.market(symbol)
        return self._floor.store.find(user_id(user), symbol, order_id, client_id, conditional)

    def _seen(self, orders: list[VenueOrder]) -> list[VenueOrder]:
        hidden = self.interference.hidden
        return [one for one in orders if one.id not in hidden] if hidden else orders

    def open_orders(
        self, user: User | str, symbol: str | None = None, *, conditional: bool | None = None
    ) -> list[VenueOrder]:
        """Return open orders of a user, oldest first."""
        return self._seen(self._floor.store.open_of(user_id(user), symbol, conditional))

    def orders(
        self,
        user: User | str,
        symbol: str | None = None,
        *,
        start: int | None = None,
        end: int | None = None,
        from_id: int | None = None,
        limit: int | None = None,
        conditional: bool | None = None,
    ) -> list[VenueOrder]:
        """Return orders of a user, open or not, oldest first; see `OrderStore.orders`."""
        found = self._floor.store.orders(
            user_id(user), symbol, start=start, end=end, from_id=from_id, limit=limit, conditional=conditional
        )
        return self._seen(found)

    def executions(
        self,
        user: User | str,
        symbol: str,
        *,
        order_id: int | None = None,
        start: int | None = None,
        end: int | None = None,
        from_id: int | None = None,
        limit: int | None = None,
    ) -> list[Execution]:
        """Return executions of a user, oldest first; see `OrderStore.executions`."""
        return self._floor.store.executions(
            user_id(user), symbol, order_id=order_id, start=start, end=end, from_id=from_id, limit=limit
        )

    def order_list(self, user: User | str, list_id: int | None = None, client_id: str | None = None) -> OrderList:
        """Return a list of a user; refuses one that is not there."""
        return self._lists.find(user_id(user), list_id, client_id)

    def order_lists(self, user: User | str, *, open_only: bool = False) -> list[OrderList]:
        """Return the lists of a user, oldest first."""
        found = [one for one in self._floor.lists.values() if one.user == user_id(user)]
        return [one for one in found if one.status != "all_done"] if open_only else found
