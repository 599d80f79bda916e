"""What every simulated venue does with orders, however it matches them with bars."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import inf
from typing import TYPE_CHECKING, Protocol

from cambist.model.events import AmendRejected, CancelRejected, OrderAmended, OrderRejected
from cambist.model.orders import Fill, TimeInForce
from cambist.simulation.by_symbol import check_symbols
from cambist.simulation.fees.protocol import OrderFeeModel
from cambist.simulation.fillers.protocol import BudgetFiller
from cambist.simulation.reports import Reports
from cambist.simulation.rules import MarketFill, VenueRules
from cambist.simulation.slippage import BarSlippageModel, NoSlippage, SlippageModel
from cambist.simulation.working import LONG_AGO, NEVER, Market, Working

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import ApprovedOrder, Liquidity, Order
    from cambist.model.portfolio import Position

__all__ = ["MatchingVenue", "VenueAccount"]

_DAY, _GTC, _GTD = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD


class VenueAccount(Protocol):
    """What the venue must know of the account that trades."""

    @property
    def positions(self) -> Mapping[str, Position]:
        """Positions by symbol."""
        ...

    def missing_funds(self, instrument: Instrument, signed: float, price: float, fee: float) -> float:
        """Return the money that would be missing after a fill, 0.0 where there is enough."""
        ...


class MatchingVenue(ABC):
    """Keeps the orders of one account and books what becomes of them; its subclasses say how a bar decides that.

    Parameters
    ----------
    instruments
        What can be traded.
    account
        Asked at each fill whether the money is there, and what a reduce-only order may still reduce.
    deliver
        Called with each event at once, before anything else happens; see also `report_to`.
    clock
        Answers the time of a request, ns.
    rules
        Fees, slippage, path and the rest.

    Attributes
    ----------
    markets
        The working orders of each instrument, by symbol.
    trades_at_close
        Whether `mark_close` must be called with every bar, before strategies see it.
    matches_together
        Whether `match` only notes a bar, and `match_together` must be called after the last one of an instant.
    """

    matches_together = False

    def __init__(
        self,
        instruments: Iterable[Instrument],
        account: VenueAccount,
        deliver: Callable[[OrderEvent], None],
        clock: Callable[[], int],
        rules: VenueRules | None = None,
    ) -> None:
        self.rules = rules or VenueRules()
        self.markets = {instrument.symbol: Market(instrument) for instrument in instruments}
        self._account = account
        self._missing_funds = account.missing_funds
        self._clock = clock
        self._working: dict[int, Working] = {}
        fees = self.rules.fees
        check_symbols("fees", fees, self.markets)
        self._fee = fees.fee
        # What must hear of every fill; nobody, mostly.
        self._fill_notes: list[Callable[[Fill], None]] = []
        self._charge = None
        if isinstance(fees, OrderFeeModel):
            self._charge = fees.charge
            self._fill_notes.append(fees.traded)
        self._filler = filler = self.rules.volume_limit
        if filler is not None and not isinstance(filler, BudgetFiller):
            self._fill_notes.append(self._note_taken)
        slippage = self.rules.slippage
        check_symbols("slippage models", slippage, self.markets)
        self._slips = not isinstance(slippage, NoSlippage)
        self._slip_in = slippage.slip_in if isinstance(slippage, BarSlippageModel) else None
        self._slip = slippage.slip if isinstance(slippage, SlippageModel) else NoSlippage().slip
        self.trades_at_close = self.rules.market_fill is MarketFill.THIS_CLOSE
        self._fills = 0
        self.report_to(Reports.as_events(deliver))

    def report_to(self, reports: Reports) -> None:
        """Say what happens to orders to somebody who can do without events for the commonest things."""
        self._deliver = reports.deliver
        # Taken into a local name before each call: Python 3.11 looks for a method first, at three times the cost.
        self._accepted, self._filled, self._canceled = reports.accepted, reports.filled, reports.canceled
        if self._fill_notes:
            self._filled = self._noting(reports.filled)

    def _noting(self, filled: Callable[[Order, int, Fill], None]) -> Callable[[Order, int, Fill], None]:
        """Return what tells the models that remember of a fill, and then everybody else."""

        def note(order: Order, ts: int, fill: Fill) -> None:
            for take in self._fill_notes:
                take(fill)
            filled(order, ts, fill)

        return note

    # Bars.

    @abstractmethod
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
        """Work the orders of one instrument against one bar.

        Parameters
        ----------
        opened, closed
            Open and close time, ns.
        open_, high, low, close, volume
            The bar.
        """

    def match_together(self) -> None:  # noqa: B027 - for those that match each bar by itself
        """Work the orders against every bar noted since the last call."""

    @abstractmethod
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
        """Note a bar's close, for rules under which orders may trade at it; the arguments are those of `match`."""

    # Requests.

    @abstractmethod
    def submit(self, approved: ApprovedOrder) -> None:
        """Take an order."""

    def cancel(self, order_id: int) -> None:
        """Withdraw what remains of an order."""
        working = self._working.get(order_id)
        if working is None:
            self._deliver(CancelRejected(self._clock(), order_id, "the order does not work any more"))
            return
        self._remove(working)
        order = working.order
        canceled = self._canceled
        canceled(order, order.updated_at, "")  # asked for this very moment

    def amend(self, order_id: int, size: float, limit_price: float, stop_price: float) -> None:
        """Give a working order new terms; it keeps its place in time."""
        now = self._clock()
        working = self._working.get(order_id)
        if working is None:
            self._deliver(AmendRejected(now, order_id, "the order does not work any more"))
            return
        order = working.order
        remaining = order.instrument.size_grid.nearest(size - (order.size - working.remaining))
        if remaining <= 0.0:
            reason = f"the new size {size} is not above what is filled already"
            self._deliver(AmendRejected(now, order_id, reason))
            return
        working.remaining = remaining
        self._deliver(OrderAmended(now, order_id, size, limit_price, stop_price))
        if order_id in self._working:
            self._reprice(working)

    def _reprice(self, working: Working) -> None:  # noqa: B027 - for those that keep nothing of an order's prices
        """Take up an order's new prices."""

    def _note_taken(self, fill: Fill) -> None:
        """Note in a bar what a fill took of it."""
        bar = self.markets[fill.instrument.symbol].bar
        bar.take(fill.price, fill.size)

    # One order.

    def _keep(self, order: Order, level: float = inf, falling: bool = True) -> Working:
        """Put a new order among those at work; without a level it trades at any price."""
        market = self.markets[order.instrument.symbol]
        tif = order.time_in_force
        expires = NEVER
        if tif is not _GTC:
            if tif is _DAY:
                expires = LONG_AGO
            elif tif is _GTD:
                expires = order.expires_at
            market.timed += 1
        # It was submitted this very moment, so nobody need ask the clock.
        working = Working(order, market, order.size, order.updated_at, level, falling, False, expires)
        self._working[order.id] = market.working[order.id] = working
        return working

    def _remove(self, working: Working) -> None:
        order = working.order
        del self._working[order.id], working.market.working[order.id]
        if order.time_in_force is not _GTC:
            working.market.timed -= 1

    def _reducible(self, working: Working, ts: int) -> float:
        """Return the most that a reduce-only order may trade; one that may trade nothing ends."""
        order = working.order
        held = self._account.positions[order.instrument.symbol].size
        reducible = -held if order.is_buy else held
        if reducible <= 0.0:
            self._end_reduced(working, ts)
            return 0.0
        return reducible

    def _end_reduced(self, working: Working, ts: int) -> None:
        """End a reduce-only order that has nothing left to reduce."""
        self._remove(working)
        self._canceled(working.order, ts, "nothing_to_reduce")

    def _fee_of(self, order: Order, size: float, price: float, who: Liquidity, ts: int) -> float:
        """Return the fee of a fill of `order` at `ts`."""
        if self._charge is None:
            return self._fee(order.instrument, size, price, who)
        return self._charge(order, size, price, who, ts)

    def _book(self, working: Working, size: float, price: float, fee: float, who: Liquidity, ts: int, at: int) -> None:
        """Take a fill of an order into the books, made at `ts` and known `at`; the order goes when it is complete."""
        order = working.order
        instrument = order.instrument
        if size == working.remaining:
            self._remove(working)
        else:
            working.remaining = instrument.size_grid.nearest(working.remaining - size)
        self._fills += 1
        fill = Fill(self._fills, order.id, instrument, order.side, size, price, fee, who, ts)
        filled = self._filled
        filled(order, at, fill)

    def _refuse(self, working: Working, ts: int) -> None:
        """End an order that the account cannot pay for at the price it got; nothing else remembers it."""
        order = working.order
        self._remove(working)
        if working.remaining == order.size:
            self._deliver(OrderRejected(ts, order.id, "insufficient_funds"))
        else:
            self._canceled(order, ts, "insufficient_funds")
