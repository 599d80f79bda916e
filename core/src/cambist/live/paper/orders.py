"""What the simulated venue of a paper run is asked to do: work orders, move money, change margin."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from cambist.ports.venue import Answered, Declined
from cambist.simulation.acting import Resumed

if TYPE_CHECKING:
    from cambist.live.paper.account import PaperAccount
    from cambist.live.paper.desks import BarDesk, MarketDesk
    from cambist.live.paper.market import PaperMarket
    from cambist.live.paper.matching import Matcher
    from cambist.model.portfolio import CashFlow, MarginChange
    from cambist.ports.venue import OrderKey, OrderRequest, Outcome

__all__ = ["PaperOrders"]


class PaperOrders:
    """The requests that a paper session takes; see `cambist.live.paper.PaperSession`."""

    _account: PaperAccount
    _desk: BarDesk | MarketDesk
    _matcher: Matcher
    _market: PaperMarket
    #: Whether a run is at work, whose risk gate has looked at the same account. It is not looked at twice: money that a
    #: strategy withdraws with one hand while it orders with the other is gone by now, and in a backtest nobody asks.
    _is_paced = False

    @property
    def name(self) -> str:
        """Of the venue."""
        raise NotImplementedError

    # Orders.

    async def submit(self, request: OrderRequest) -> Outcome:
        """Take an order; what becomes of it the private stream tells."""
        symbol = request.order.instrument.symbol
        if symbol not in self._account.symbols:
            return Declined("unknown_symbol", f"{self.name} has no {symbol} among the instruments of this run")
        with self._matcher.holding():
            refused = None if self._is_paced else self._account.refuses(request.order)
            if refused is not None:
                return Declined(refused.code, refused.message)
            order = self._account.receive(request, self._desk.order_time(symbol, follows=self._market.follows))
            if order is None:
                return Declined("duplicate_client_id")
            self._desk.submit(Resumed(order))  # type: ignore[arg-type]  # it passed the gate before it was sent
        return Answered(None)

    async def cancel(self, key: OrderKey) -> Outcome:
        """Withdraw what remains of an order."""
        if key.symbol not in self._account.symbols:
            return Declined("unknown_symbol", f"{self.name} has no {key.symbol} among the instruments of this run")
        with self._matcher.holding():
            order = self._account.find(key.client_id, key.venue_id)
            if order is None or not order.is_open:
                return Declined("unknown_order")
            self._account.refused = ""
            self._desk.cancel(order)
            refused = self._account.refused
        return Declined(refused) if refused else Answered(None)

    async def amend(self, key: OrderKey, request: OrderRequest) -> Outcome:
        """Give an order new terms."""
        with self._matcher.holding():
            order = self._account.find(key.client_id, key.venue_id)
            if order is None or not order.is_open:
                return Declined("unknown_order")
            self._account.refused = ""
            limit, stop = (nan if one is None else float(one) for one in (request.limit_price, request.stop_price))
            self._desk.amend(order, float(request.size), limit, stop)
            refused = self._account.refused
        return Declined(refused) if refused else Answered(None)

    async def cancel_all(self, symbol: str) -> Outcome:
        """Withdraw every order of an instrument."""
        with self._matcher.holding():
            for order in self._account.working:
                if order.instrument.symbol == symbol and order.is_open:
                    self._desk.cancel(order)
        return Answered(None)

    # The account beside orders.

    async def move_cash(self, flow: CashFlow) -> Outcome:
        """Bring money into the account, or take some out; see `cambist.ports.venue.CashSession`."""
        with self._matcher.holding():
            self._account.move_cash(flow)
        return Answered(None)

    async def change_margin(self, change: MarginChange) -> Outcome:
        """Move margin of a position, or set a leverage; see `cambist.ports.venue.MarginSession`."""
        with self._matcher.holding():
            refused = self._account.change_margin(change)
        code, _, text = refused.partition(": ")
        return Declined(code, text) if refused else Answered(None)
