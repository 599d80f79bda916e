"""A venue for each account of a run."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import attrs

from cambist.model.events import OrderFilled
from cambist.simulation.working import EveryBar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cambist.model.events import OrderEvent
    from cambist.model.orders import ApprovedOrder, Fill, Order
    from cambist.simulation.bar_venue import BarVenue, WorkingOrders
    from cambist.simulation.reports import Reports

__all__ = ["AccountVenues"]


class _Lanes(EveryBar):
    """The orders of one instrument over all accounts, each of which looks at a bar by itself."""

    def __init__(self, markets: Sequence[WorkingOrders]) -> None:
        self._markets = markets
        super().__init__(self)

    def __len__(self) -> int:
        """Return how many orders are at work."""
        return sum(len(market.working) for market in self._markets)

    def __bool__(self) -> bool:
        return any(market.working for market in self._markets)


class AccountVenues:
    """Has a venue match the orders of each account by themselves, as if it were alone in the market.

    Every account meets the whole bar: the path that it takes is the account's own, and so is what a volume limit
    leaves, the fee tier that was reached and the liquidation of its positions. Within a bar the accounts come one after
    the other, in their order.

    Parameters
    ----------
    make
        ``(account, deliver) -> venue`` makes the venue of an account, which delivers its events there.
    owners
        The name of each strategy's account, by the name of the strategy.
    deliver
        Called with each event; see also `report_to`.
    order_of
        Answers the order of a number.
    """

    def __init__(
        self,
        make: Callable[[str, Callable[[OrderEvent], None]], BarVenue],
        owners: Mapping[str, str],
        deliver: Callable[[OrderEvent], None],
        order_of: Callable[[int], Order],
    ) -> None:
        self._numbers = count(1).__next__
        self._deliver = deliver
        made = {name: make(name, self._numbered) for name in dict.fromkeys(owners.values())}
        self.venues: list[BarVenue] = list(made.values())
        self._of = {strategy: made[name] for strategy, name in owners.items()}
        self._order_of = order_of
        symbols = self.venues[0].markets
        self.markets = {symbol: _Lanes([venue.markets[symbol] for venue in self.venues]) for symbol in symbols}
        self.trades_at_close = any(venue.trades_at_close for venue in self.venues)
        self.matches_together = any(venue.matches_together for venue in self.venues)
        self.keeps_guards = any(venue.keeps_guards for venue in self.venues)

    def _numbered(self, event: OrderEvent) -> None:
        """Number fills through all accounts: each venue counts its own."""
        if type(event) is OrderFilled:
            event.fill.id = self._numbers()
        self._deliver(event)

    def report_to(self, reports: Reports) -> None:
        """Say what happens to orders to somebody else."""
        self._deliver = reports.deliver

        def filled(order: Order, ts: int, fill: Fill) -> None:
            fill.id = self._numbers()
            reports.filled(order, ts, fill)

        for venue in self.venues:
            venue.report_to(attrs.evolve(reports, filled=filled))

    def know_orders(self, find: Callable[[int], Order | None]) -> None:
        """Take what answers an order of the account by its id, also one that works no longer."""
        for venue in self.venues:
            venue.know_orders(find)

    # Requests.

    def submit(self, approved: ApprovedOrder) -> None:
        """Take an order."""
        self._of[approved.order.strategy].submit(approved)

    def cancel(self, order_id: int) -> None:
        """Withdraw what remains of an order."""
        self._of[self._order_of(order_id).strategy].cancel(order_id)

    def amend(self, order_id: int, size: float, limit_price: float, stop_price: float) -> None:
        """Give an order new terms."""
        self._of[self._order_of(order_id).strategy].amend(order_id, size, limit_price, stop_price)

    def split(self, symbol: str, ratio: float, ts: int) -> None:
        """Give the working orders of an instrument the terms that are the same in new shares."""
        for venue in self.venues:
            venue.split(symbol, ratio, ts)

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
        """Work the orders of one instrument against one bar, account after account."""
        for venue in self.venues:
            if venue.markets[symbol].working:
                venue.match(symbol, opened, closed, open_, high, low, close, volume)

    def match_together(self) -> None:
        """Work the orders against every bar noted since the last call."""
        for venue in self.venues:
            if venue.matches_together:
                venue.match_together()

    def mark_close(
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
        """Note a bar's close."""
        for venue in self.venues:
            if venue.trades_at_close:
                venue.mark_close(symbol, opened, closed, open_, high, low, close, volume)
