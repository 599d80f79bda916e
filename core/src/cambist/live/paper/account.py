"""The account of a paper run, as its venue keeps it: orders, positions, balances, and what is reported of them."""

from __future__ import annotations

from decimal import Decimal
from math import isnan, nan
from typing import TYPE_CHECKING, Any

from cambist.model.events import (
    AmendRejected,
    CancelRejected,
    OrderFilled,
    OrderRejected,
)
from cambist.model.orders import Order, OrderStatus
from cambist.model.reports import (
    AccountReport,
    BalanceReport,
    FillReport,
    OrderReport,
    PositionReport,
    ReportedStatus,
)
from cambist.orders.book import OrderBook
from cambist.portfolio import Portfolio
from cambist.portfolio.exact import ExactLedger, exact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cambist.engine.fold import RunState
    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill
    from cambist.ports.venue import OrderRequest

__all__ = ["PaperAccount"]

_STATUS = {
    OrderStatus.FILLED: ReportedStatus.FILLED,
    OrderStatus.CANCELED: ReportedStatus.CANCELED,
    OrderStatus.EXPIRED: ReportedStatus.EXPIRED,
    OrderStatus.REJECTED: ReportedStatus.REJECTED,
}
_UNSAID = (AmendRejected, CancelRejected)
#: How many orders that have ended are remembered, and their executions.
_KEEP = 10_000
#: Ids above are no numbers of this venue's, but hashes of what was taken over.
_LARGEST_FILL = 2**53


class PaperAccount:
    """What the venue of a paper run knows.

    It has orders of its own, under the run's numbers: run and venue tell each other by reports alone.

    Parameters
    ----------
    instruments
        That can be traded.
    cash, leverage
        Of an account that is opened.
    state
        Of the run that goes on, which the account becomes part of; None opens an account.

    Attributes
    ----------
    book, portfolio, ledger
        Orders; what the venue reckons with; exact balances.
    refused
        Why the last request was refused, since it was last emptied.
    """

    def __init__(self, instruments: Sequence[Instrument], cash: float, leverage: float, state: RunState | None) -> None:
        self.refused = ""
        self._time = 0
        self.book = OrderBook()
        self._client_ids: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._fills: list[Fill] = []
        if state is None or state.portfolio is None:
            self.portfolio: Any = Portfolio(instruments, cash, leverage)
            self.ledger = ExactLedger()
            self.ledger.move(self.portfolio.currency, exact(cash))
        else:
            self.portfolio, self.ledger = state.portfolio, state.ledger
            self.book.go_on_from(_known(state.book))
            self._fills = list(state.fills)
            for instrument in instruments:
                self.portfolio.positions[instrument.symbol].instrument = instrument
        self._instruments = {one.symbol: one for one in instruments}
        self._prices: dict[str, float] = dict.fromkeys(self._instruments, nan)
        for symbol in self._instruments:
            self.portfolio.set_price_source(symbol, lambda symbol=symbol: self._prices[symbol])

    @property
    def working(self) -> list[Order]:
        """The open orders, oldest first."""
        return list(self.book.open.values())

    # What comes to the venue.

    def price(self, symbol: str, price: float) -> None:
        """Take the last price of an instrument."""
        self._prices[symbol] = price

    def receive(self, request: OrderRequest, ts: int) -> Order | None:
        """Return the venue's own order of a request; None where it came before."""
        asked = request.order
        if self.book.find(asked.id) is not None:
            return None
        order = Order(
            id=asked.id,
            instrument=self._instruments[asked.instrument.symbol],
            side=asked.side,
            type=request.type,
            size=float(request.size),
            limit_price=nan if request.limit_price is None else float(request.limit_price),
            stop_price=nan if request.stop_price is None else float(request.stop_price),
            time_in_force=asked.time_in_force,
            expires_at=asked.expires_at,
            reduce_only=asked.reduce_only,
            strategy=asked.strategy,
            tag=asked.tag,
            created_at=ts,
            instructions=asked.instructions,
        )
        self._name(order.id, request.client_id)
        self.book.add(order)
        self.book.submit(order, ts)
        return order

    def _name(self, number: int, client_id: str) -> None:
        self._client_ids[number] = client_id
        self._numbers[client_id] = number

    def name_all(self, client_id: Callable[[Order], str]) -> None:
        """Have every order known by what the run calls it."""
        for order in self.book.orders:
            self._name(order.id, client_id(order))

    def find(self, client_id: str, venue_id: str = "") -> Order | None:
        """Return the order of that id."""
        number = int(venue_id) if venue_id.isdecimal() else self._numbers.get(client_id)
        return None if number is None else self.book.find(number)

    # What happens at the venue.

    def happened(self, event: OrderEvent) -> list[OrderReport | FillReport]:
        """Take what became of an order; return what is to be reported of it."""
        if isinstance(event, _UNSAID):
            self.refused = event.reason or "refused"
        if isinstance(event, OrderFilled):
            return self._filled(event)
        order = self.book.apply(event)
        if order is None or isinstance(event, _UNSAID):
            return []
        if isinstance(event, OrderRejected):
            self.refused = event.reason
        reports: list[OrderReport | FillReport] = [self.report(order, event.ts)]
        if not order.is_open:
            self._forget()
        return reports

    def _filled(self, event: OrderFilled) -> list[OrderReport | FillReport]:
        fill = event.fill
        order = self.book.apply(event)
        if order is None:
            return []
        self.portfolio.apply(fill, order, 0)
        size, price, fee = exact(fill.size), exact(fill.price), exact(fill.fee_paid)
        self.ledger.fill(fill.instrument, fill.side, size, price, fee, fill.fee_asset)
        self._fills.append(fill)
        self._forget()
        return [self.fill_report(fill)]

    def _forget(self) -> None:
        """Keep what is remembered of the past within bounds."""
        if len(self.book.orders) - len(self.book.open) <= 2 * _KEEP:
            return
        gone = self.book.retire(_KEEP)
        self._fills = [fill for fill in self._fills if fill.order_id not in gone]
        for number in gone:
            self._numbers.pop(self._client_ids.pop(number, ""), None)
        trades = self.portfolio.trades
        trades.restore(trades.closed[-_KEEP:], trades.open, trades.count)
        self.portfolio.ledger.clear()

    # Reports.

    def report(self, order: Order, ts: int) -> OrderReport:
        """Say how an order stands; of what is told of orders nothing is older than what came before."""
        self._time = max(self._time, ts)
        ended = _STATUS.get(order.status)
        working = ReportedStatus.TRIGGERED if order.triggered else ReportedStatus.OPEN
        return OrderReport(
            ts=self._time,
            symbol=order.instrument.symbol,
            client_id=self._client_ids[order.id],
            venue_id=str(order.id),
            status=ended or working,
            side=order.side,
            type=order.type,
            size=exact(order.size),
            filled=exact(order.filled),
            limit_price=None if isnan(order.limit_price) else exact(order.limit_price),
            stop_price=None if isnan(order.stop_price) else exact(order.stop_price),
            time_in_force=order.time_in_force,
            reduce_only=order.reduce_only,
            created_at=order.created_at,
            reason=order.reason,
        )

    def fill_report(self, fill: Fill) -> FillReport:
        """Say what an execution was."""
        return FillReport(
            ts=fill.ts,
            symbol=fill.instrument.symbol,
            client_id=self._client_ids[fill.order_id],
            venue_id=str(fill.order_id),
            trade_id=str(fill.id),
            side=fill.side,
            size=exact(fill.size),
            price=exact(fill.price),
            fee=exact(fill.fee_paid),
            fee_asset=fill.fee_asset,
            liquidity=fill.liquidity,
        )

    def fills(self, symbol: str, venue_id: str) -> list[FillReport]:
        """Return the executions of an instrument that are remembered, or those of one order, oldest first."""
        number = int(venue_id) if venue_id.isdecimal() else None
        return [
            self.fill_report(fill)
            for fill in self._fills
            if fill.instrument.symbol == symbol and number in (None, fill.order_id) and fill.id <= _LARGEST_FILL
        ]

    @property
    def past_fills(self) -> list[Fill]:
        """The executions that are remembered, oldest first."""
        return self._fills

    @property
    def last_fill(self) -> int:
        """The number of the last execution; 0 before the first."""
        return max((fill.id for fill in self._fills if fill.id <= _LARGEST_FILL), default=0)

    def account(self, ts: int) -> AccountReport:
        """Return balances and positions."""
        balances = tuple(
            BalanceReport(ts=ts, asset=asset, total=total) for asset, total in self.ledger.balances.items()
        )
        positions = tuple(
            PositionReport(
                ts=ts, symbol=symbol, size=size, entry_price=exact(self.portfolio.positions[symbol].average_price)
            )
            for symbol, size in self.ledger.contracts.items()
            if size != Decimal(0)
        )
        return AccountReport(ts=ts, balances=balances, positions=positions)


def _known(book: OrderBook) -> OrderBook:
    """Take out of a book what its venue never had, as far as the journal can tell."""
    gone = {order.id for order in book.orders if not order.accepted and not order.filled}
    book.orders = [order for order in book.orders if order.id not in gone]
    for number in gone:
        book.open.pop(number, None)
    return book
