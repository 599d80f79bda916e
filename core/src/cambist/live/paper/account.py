"""The account of a paper run, as its venue keeps it: orders, positions, balances, and what is reported of them."""

from __future__ import annotations

from itertools import count
from math import nan
from typing import TYPE_CHECKING, Any

from cambist.engine.hedge import view_of
from cambist.live.paper.opening import go_on_with, open_portfolio
from cambist.live.paper.reports import fill_report, order_report, position_reports
from cambist.model.events import AmendRejected, CancelRejected, OrderFilled, OrderRejected
from cambist.model.legs import leg_key
from cambist.model.orders import Instructions, Order, OrderType, TimeInForce
from cambist.model.reports import AccountReport, BalanceReport
from cambist.orders.book import OrderBook
from cambist.portfolio import HedgePortfolio, MarginPortfolio, VenueBooks
from cambist.portfolio.exact import ExactLedger, exact
from cambist.portfolio.margin import LIQUIDATED
from cambist.portfolio.margin_changes import carry_out, checked_change
from cambist.risk.rules.funds import FundsRule

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from decimal import Decimal

    from cambist.engine.fold import RunState
    from cambist.live.paper.settings import PaperSettings
    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill, PositionSide, Side
    from cambist.model.portfolio import CashFlow, MarginChange, Position
    from cambist.model.reports import FillReport, OrderReport
    from cambist.ports.risk import Refusal
    from cambist.ports.venue import OrderRequest

__all__ = ["PaperAccount"]

_FUNDS = FundsRule()
_UNSAID = (AmendRejected, CancelRejected)
#: How many orders that have ended are remembered, and their executions.
_KEEP = 10_000
#: Ids above are no numbers of this venue's, but hashes of what was taken over.
_LARGEST_FILL = 2**53
#: The number of the venue's first own order: a run's orders, which have numbers of their own, never get there.
_FIRST_OWN = 2**62


class PaperAccount:
    """What the venue of a paper run knows.

    It has orders of its own, under the run's numbers: run and venue tell each other by reports alone.

    Parameters
    ----------
    instruments
        That can be traded.
    settings
        Of the run; they say with what an account is opened.
    fee
        Answers what an execution costs; see `cambist.simulation.FeeModel.fee`.
    state
        Of the run that goes on, which the account becomes part of; None opens an account.

    Attributes
    ----------
    book, portfolio, ledger
        Orders; what the venue reckons with; exact balances.
    refused
        Why the last request was refused, since it was last emptied.
    liquidates
        Whether it is on margin, so that the venue closes positions whose margin is used up.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        settings: PaperSettings,
        fee: Callable[..., float],
        state: RunState | None,
    ) -> None:
        self.refused = ""
        self._time = 0
        self.book = OrderBook()
        self._client_ids: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._fills: list[Fill] = []
        self._marks_of_fills: dict[int, Decimal] = {}
        self._own = OrderBook()  # numbers ascend in a book, and these are far behind those to come
        self._own_numbers = count(_FIRST_OWN)
        if state is None or state.portfolio is None:
            self.portfolio: Any = open_portfolio(instruments, settings)
            self.ledger = ExactLedger()
            self.ledger.move(self.portfolio.currency, exact(settings.cash))
        else:
            self.portfolio, self.ledger = state.portfolio, state.ledger
            go_on_with(self.portfolio, settings)
            self.book.go_on_from(_known(state.book))
            self._fills = list(state.fills)
            self.portfolio.go_by(instruments)
        self._keeps_ledger = not isinstance(self.portfolio, VenueBooks)
        if not self._keeps_ledger:  # it has one of its own
            self.ledger = self.portfolio.exact
        self.liquidates = isinstance(self.portfolio, MarginPortfolio)
        self._instruments = {one.symbol: one for one in instruments}
        self._prices: dict[str, float] = dict.fromkeys(self._instruments, nan)
        self._marks: dict[str, float] = dict(self._prices)
        for symbol in self._instruments:
            self.portfolio.set_price_source(symbol, lambda symbol=symbol: self._prices[symbol])
            if self.liquidates:
                self.portfolio.set_mark_source(symbol, lambda symbol=symbol: self._marks[symbol])
        self._view = view_of(self.portfolio, self.book, fee, lambda: self._time)

    @property
    def symbols(self) -> Collection[str]:
        """Of the instruments that can be traded."""
        return self._instruments

    @property
    def is_hedged(self) -> bool:
        """Whether it holds a long and a short position of an instrument side by side."""
        return isinstance(self.portfolio, HedgePortfolio)

    def legs_of(self, symbol: str) -> list[Position]:
        """Return the position in an instrument, or both of them."""
        return [leg for leg in self.portfolio.legs.values() if leg.instrument.symbol == symbol]

    def price_of(self, symbol: str) -> float:
        """Return the mark price of an instrument; its last price where that is none of its own."""
        price, mark = self._prices[symbol], self._marks[symbol]
        return mark if mark == mark else price  # noqa: PLR0124 - NaN

    @property
    def working(self) -> list[Order]:
        """The open orders, oldest first."""
        return list(self.book.open.values())

    # What comes to the venue.

    def price(self, symbol: str, price: float, mark: float = nan) -> None:
        """Take the last price of an instrument, and its mark price where it is another."""
        self._prices[symbol] = price
        self._marks[symbol] = mark

    def mark(self, symbol: str, mark: float) -> None:
        """Take the mark price of an instrument."""
        self._marks[symbol] = mark

    def refuses(self, order: Order) -> Refusal | None:
        """Return why the venue does not take an order that it gets now; the risk gate of a run asks the same."""
        return _FUNDS.review(order, self._view.narrowed(order))

    def receive(self, request: OrderRequest, ts: int) -> Order | None:
        """Return the venue's own order of a request; None where it came before."""
        asked = request.order
        if request.client_id in self._numbers or self.book.find(asked.id) is not None:
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
        return None if number is None else self.order(number)

    def order(self, number: int) -> Order | None:
        """Return the order of a number, that of one of the venue's own as well; None where none has it."""
        return self._book_of(number).find(number)

    def _book_of(self, number: int) -> OrderBook:
        return self._own if number >= _FIRST_OWN else self.book

    # What happens at the venue.

    def happened(self, event: OrderEvent) -> list[OrderReport | FillReport]:
        """Take what became of an order; return what is to be reported of it."""
        if isinstance(event, _UNSAID):
            self.refused = event.reason or "refused"
        if isinstance(event, OrderFilled):
            return self._filled(event)
        order = self._book_of(event.order_id).apply(event)
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
        order = self._book_of(event.order_id).apply(event)
        if order is None:
            return []
        key = leg_key(fill.instrument.symbol, order.position_side)
        if self.liquidates and self.portfolio.closing(key) == LIQUIDATED:
            self._marks_of_fills[fill.id] = exact(self.portfolio.liquidations[-1].mark)
        known = len(self.portfolio.cash_flows)
        self.portfolio.apply(fill, order, 0)
        if self._keeps_ledger:
            size, price, fee = exact(fill.size), exact(fill.price), exact(fill.fee_paid)
            self.ledger.fill(fill.instrument, fill.side, size, price, fee, fill.fee_asset, key)
            for flow in self.portfolio.cash_flows[known:]:  # what an insurance fund paid
                self.ledger.move(flow.asset, exact(flow.amount))
        self._fills.append(fill)
        reports: list[OrderReport | FillReport] = [self.fill_report(fill)]
        if not order.is_open:
            reports.append(self.report(order, event.ts))
        self._forget()
        return reports

    def adopt(
        self,
        instrument: Instrument,
        side: Side,
        size: float,
        tag: str,
        ts: int,
        *,
        position_side: PositionSide | None = None,
    ) -> Order:
        """Return an order of the venue's own, by which it closes a position; see `cambist.simulation.Liquidator`."""
        terms = (OrderType.MARKET, size, nan, nan, TimeInForce.GTC, 0, True)
        order = Order(next(self._own_numbers), instrument, side, *terms, "", tag, ts, ts)
        order.instructions = Instructions(by_venue=True, position_side=position_side)
        self._name(order.id, f"{tag}-{order.id}")
        self._own.submit(self._own.add(order), ts)
        return order

    def move_cash(self, flow: CashFlow) -> None:
        """Book money that moves without a fill."""
        self.portfolio.move_cash(flow, 0)
        if self._keeps_ledger:
            self.ledger.move(flow.asset, exact(flow.amount))

    def change_margin(self, change: MarginChange) -> str:
        """Move margin or set a leverage, unless that is refused by now; return why, code first, ``""`` where not."""
        checked = checked_change(self.portfolio, change)
        carry_out(self.portfolio, checked)
        return checked.reason

    def _forget(self) -> None:
        """Keep what is remembered of the past within bounds."""
        if len(self.book.orders) - len(self.book.open) <= 2 * _KEEP:
            return
        gone = self.book.retire(_KEEP) | self._own.retire(_KEEP)
        self._fills = [fill for fill in self._fills if fill.order_id not in gone]
        kept = {fill.id for fill in self._fills}
        self._marks_of_fills = {number: mark for number, mark in self._marks_of_fills.items() if number in kept}
        for number in gone:
            self._numbers.pop(self._client_ids.pop(number, ""), None)
        trades = self.portfolio.trades
        trades.restore(trades.closed[-_KEEP:], trades.open, trades.count)
        self.portfolio.ledger.clear()

    # Reports.

    def report(self, order: Order, ts: int) -> OrderReport:
        """Say how an order stands; of what is told of orders nothing is older than what came before."""
        self._time = max(self._time, ts)
        return order_report(order, self._client_ids[order.id], self._time)

    def fill_report(self, fill: Fill) -> FillReport:
        """Say what an execution was."""
        order = self._book_of(fill.order_id).get(fill.order_id)
        return fill_report(fill, order, self._client_ids[order.id], self._marks_of_fills.get(fill.id))

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
        positions = tuple(position_reports(self.portfolio, ts))
        hedged = self.is_hedged if self.liquidates else None
        return AccountReport(ts=ts, balances=balances, positions=positions, hedged=hedged)


def _known(book: OrderBook) -> OrderBook:
    """Take out of a book what its venue never had, as far as the journal can tell."""
    gone = {order.id for order in book.orders if not order.accepted and not order.filled}
    book.orders = [order for order in book.orders if order.id not in gone]
    for number in gone:
        book.open.pop(number, None)
    return book
