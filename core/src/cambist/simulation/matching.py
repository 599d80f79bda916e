"""What every simulated venue does with orders, however it matches them with bars."""

from __future__ import annotations

from abc import abstractmethod
from math import inf, isnan
from typing import TYPE_CHECKING, Protocol

from cambist.model.events import AmendRejected, CancelRejected, OrderAmended, OrderRejected
from cambist.model.orders import Fill, TimeInForce
from cambist.simulation.by_symbol import check_symbols
from cambist.simulation.fees.in_kind import FeeInKind
from cambist.simulation.fees.protocol import OrderFeeModel
from cambist.simulation.fillers.protocol import BudgetFiller
from cambist.simulation.recording import RecordingVenue
from cambist.simulation.reducing import ReducingVenue
from cambist.simulation.reports import Reports
from cambist.simulation.rules import MarketFill, VenueRules
from cambist.simulation.slippage import BarSlippageModel, NoSlippage, SlippageModel
from cambist.simulation.spot import SpotFunds
from cambist.simulation.ties import Ties
from cambist.simulation.working import EVERY_BAR, LONG_AGO, NEVER, NO_BAR, Market, Working

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.orders import ApprovedOrder, Liquidity, Order

__all__ = ["HeldPosition", "MatchingVenue", "VenueAccount"]

_DAY, _GTC, _GTD = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD


class HeldPosition(Protocol):
    """What the venue must know of a position."""

    @property
    def size(self) -> float:
        """Signed, in units of the instrument."""
        ...

    @property
    def last_price(self) -> float:
        """Close of the instrument's last bar, or the price of its last fill before there is one."""
        ...

    @property
    def price_source(self) -> Callable[[], float]:
        """Answers the close of the instrument's last bar, NaN before the first."""
        ...


class VenueAccount(Protocol):
    """What the venue must know of the account that trades."""

    @property
    def positions(self) -> Mapping[str, HeldPosition]:
        """Positions by symbol: what the orders of each instrument grow or shrink."""
        ...

    def missing_funds(self, instrument: Instrument, signed: float, price: float, fee: float) -> float:
        """Return the money that would be missing after a fill, 0.0 where there is enough."""
        ...


class MatchingVenue(ReducingVenue, RecordingVenue):
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
        Whether `match_together` must be called after the last `match` of an instant.
    keeps_guards
        Whether a market may have work for `match` while no order is open.
    is_inside
        Whether the bar being matched ends inside one that the strategy sees: no close to follow, see `Magnifier`.
    """

    matches_together = False
    keeps_guards = False
    is_inside = False

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
        self._spot = SpotFunds(account) if isinstance(self.rules.fees, FeeInKind) else None
        self._missing_funds = account.missing_funds if self._spot is None else self._spot.missing
        self._clock = clock
        self._working: dict[int, Working] = {}
        self._ties: Ties | None = None  # made for the first order that is tied to another
        fees = self.rules.fees
        check_symbols("fees", fees, self.markets)
        self._fee = fees.fee
        # What must hear of every fill; nobody, mostly.
        self._fill_notes: list[Callable[[Fill], None]] = []
        self._charge = None
        if isinstance(fees, OrderFeeModel):
            self._charge, self._fee_traded = fees.charge, fees.traded
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
        self._find_order: Callable[[int], Order | None] = _unknown
        self.report_to(Reports.as_events(deliver))

    def know_orders(self, find: Callable[[int], Order | None]) -> None:
        """Take what answers an order of the account by its id, also one that works no longer."""
        self._find_order = find

    def report_to(self, reports: Reports) -> None:
        """Say what happens to orders to somebody who can do without events for the commonest things."""
        self._deliver = reports.deliver
        # Taken into a local name before each call: Python 3.11 looks for a method first, at three times the cost.
        self._accepted, self._filled, self._canceled = reports.accepted, reports.filled, reports.canceled
        self._triggered, self._recorded = reports.triggered, reports.filled
        if self._fill_notes:
            self._filled = _noting(self._fill_notes, reports.filled)

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

    def match_together(self) -> None:  # empty for those that match each bar by itself
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
        self.withdraw(working, working.order.updated_at, "")  # asked for this very moment

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
            self._deliver(AmendRejected(now, order_id, f"the new size {size} is not above what is filled already"))
            return
        working.remaining = remaining
        self._deliver(OrderAmended(now, order_id, size, limit_price, stop_price))
        if order_id in self._working:
            self._reprice(working)

    def split(self, symbol: str, ratio: float, ts: int) -> None:
        """Give the working orders of an instrument the terms that are the same in new shares.

        What remains of an order is rounded down to the step, and a limit to the tick in the trader's favor; an order
        of which nothing remains ends.
        """
        market = self.markets[symbol]
        instrument = market.instrument
        for working in list(self._working.values()):  # children that wait for their parents among them
            order = working.order
            if working.market is not market or order.id not in self._working:
                continue
            remaining = instrument.round_size(working.remaining * ratio)
            if remaining <= 0.0:
                self.withdraw(working, ts, "split")
                continue
            limit, stop, grid = order.limit_price / ratio, order.stop_price / ratio, instrument.price_grid
            if grid is not None:
                limit = limit if isnan(limit) else grid.below(limit) if order.is_buy else grid.above(limit)
                stop = stop if isnan(stop) else grid.nearest(stop)
            size = instrument.size_grid.nearest(order.size - working.remaining + remaining)
            since = working.since
            self.amend(order.id, size, limit, stop)
            working.since = max(working.since, since)  # an order sent after a bar had opened does not meet it

    def _reprice(self, working: Working) -> None:  # empty where nothing of them is kept
        """Take up an order's new prices."""

    def _note_taken(self, fill: Fill) -> None:
        """Note in a bar what a fill took of it."""
        self.markets[fill.instrument.symbol].bar.take(fill.price, fill.size)

    # One order.

    def _keep(self, order: Order) -> Working:
        """Take a new order into the venue's hands, and not to its market yet; it trades at any price."""
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
        working = Working(order, market, order.size, order.updated_at, inf, True, False, expires)
        self._working[order.id] = working
        return working

    def _remove(self, working: Working) -> None:
        order, market = working.order, working.market
        del self._working[order.id]
        if order.time_in_force is not _GTC:
            market.timed -= 1
        market.working.pop(order.id, None)  # a child that waits for its parent is not there
        if market.trailing or market.closing:
            market.trailing.pop(order.id, None)
            market.closing.pop(order.id, None)
        market.reach = NO_BAR if market.skips_bars and not market.working else EVERY_BAR

    def withdraw(self, working: Working, ts: int, reason: str) -> None:
        """Cancel what remains of an order, and do what follows for others."""
        self._remove(working)
        canceled, order = self._canceled, working.order
        canceled(order, ts, reason)
        if self._ties is not None:
            self._ties.after_end(order, ts)

    def _end(self, working: Working, event: OrderEvent) -> None:
        """End an order with an event other than a cancel or a fill, and do what follows for others."""
        self._remove(working)
        self._deliver(event)
        if self._ties is not None:
            self._ties.after_end(working.order, event.ts)

    def wake(self, working: Working, price: float, ts: int) -> None:  # noqa: ARG002 - for venues that walk through bars
        """Let a child that waited for its parent come to the market, which stands at `price`."""
        working.market.working[working.order.id] = working
        self._lock(working, ts)

    def shrink(self, working: Working, size: float, ts: int) -> None:
        """Give an order a smaller size, that much of it traded already included; 0 ends it."""
        order = working.order
        remaining = order.instrument.size_grid.nearest(size - (order.size - working.remaining))
        if remaining <= 0.0:
            self.withdraw(working, ts, "parent_ended")
        else:
            working.remaining = remaining
            self._deliver(OrderAmended(ts, order.id, size, order.limit_price, order.stop_price))

    def _tie(self, order: Order) -> Ties | None:
        """Return the ties, a new order's among them; refuse it, and return None, where what it is tied to has ended."""
        if self._ties is None:
            self._ties = Ties(self, self._working)
        late = self._ties.admit(order, self._find_order)
        if not late:
            return self._ties
        self._deliver(OrderRejected(order.updated_at, order.id, late))
        return None

    def _fee_of(self, order: Order, size: float, price: float, who: Liquidity, ts: int) -> float:
        """Return the fee of a fill of `order` at `ts`."""
        if self._charge is None:
            return self._fee(order.instrument, size, price, who)
        return self._charge(order, size, price, who, ts)

    def _book(self, working: Working, size: float, price: float, fee: float, who: Liquidity, ts: int, at: int) -> None:
        """Take a fill of an order into the books, made at `ts` and known `at`; the order goes when it is complete."""
        order = working.order
        instrument = order.instrument
        complete = size == working.remaining
        if complete:
            self._remove(working)
        else:
            working.remaining = instrument.size_grid.nearest(working.remaining - size)
        ties = self._ties
        noted = None if ties is None else ties.note_fill(working, complete=complete)
        self._fills += 1
        fill = Fill(self._fills, order.id, instrument, order.side, size, price, fee, who, ts)
        filled = self._filled
        filled(order, at, fill)
        if ties is not None and noted is not None:
            ties.follow_fill(noted, order, price, at, complete=complete)

    def _refuse(self, working: Working, ts: int, reason: str = "insufficient_funds") -> None:
        """End an order that the account cannot pay for at the price it got, or that the market does not take."""
        if working.remaining == working.order.size:
            self._end(working, OrderRejected(ts, working.order.id, reason))
        else:
            self.withdraw(working, ts, reason)


def _unknown(_order_id: int) -> None:
    """Answer for an order of which nobody knows."""


def _noting(
    notes: list[Callable[[Fill], None]], filled: Callable[[Order, int, Fill], None]
) -> Callable[[Order, int, Fill], None]:
    """Return what tells the models that remember of a fill, and then everybody else."""

    def note(order: Order, ts: int, fill: Fill) -> None:
        for take in notes:
            take(fill)
        filled(order, ts, fill)

    return note
