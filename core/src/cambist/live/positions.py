"""Takes over and closes what a live run holds, by orders that the run itself makes, beside its strategies."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cambist.errors import JournalError
from cambist.live.dispatch import FLATTEN
from cambist.live.fills import fill_number, fill_of
from cambist.model.events import OrderFilled
from cambist.model.legs import leg_key, side_in
from cambist.model.orders import Fill, PositionSide, Side
from cambist.portfolio import MarginPortfolio
from cambist.portfolio.margin import LIQUIDATED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.live.engine import LiveEngine
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Order
    from cambist.model.reports import FillReport

__all__ = ["ADOPTED", "LATE", "SYNTHETIC", "Positions"]

#: Tags of orders by which a run books what no order made that it keeps: executions of others, late ones of its own
#: orders that were forgotten by then, and one that is made up.
ADOPTED, LATE, SYNTHETIC = "adopted", "late", "synthetic"


class Positions:
    """What the run holds.

    Parameters
    ----------
    engine
        Takes what is booked, and sends what is ordered.

    Attributes
    ----------
    owners
        By symbol, the name of the strategy to which positions belong that are taken over.
    """

    owners: Mapping[str, str] = MappingProxyType({})

    def __init__(self, engine: LiveEngine) -> None:
        self._engine, self._kernel = engine, engine.kernel

    # Executions that no order of this run made.

    def adopt(self, report: FillReport, tag: str, strategy: str = "", *, by_venue: bool = False) -> bool:
        """Book an execution that no order made that the run keeps; return False where it is booked.

        It goes by an order of its own, which is never sent.

        Parameters
        ----------
        tag
            Of that order.
        strategy
            Whose that is; where none is named, of the one that trades the position, else of the one that `owners` names
            for the instrument, else of the first.
        by_venue
            Whether the venue itself traded.
        """
        kernel, now = self._kernel, self._engine.now()
        instrument = self._instrument(report.symbol)
        if instrument is None or self.is_booked(report):
            return False
        side = PositionSide(report.position_side) if report.position_side else None
        key = leg_key(instrument.symbol, side)
        owner = "" if by_venue else strategy or self._owner(key)
        order = kernel.adopt(
            instrument, report.side, float(report.size), tag, now, owner, reduce_only=False, position_side=side
        )
        if by_venue:
            self._note_closing(report, key)
        self._engine.take(OrderFilled(now, order.id, fill_of(order, report, self.value_of)))
        return True

    def is_booked(self, report: FillReport) -> bool:
        """Whether an execution was applied."""
        instrument = self._instrument(report.symbol)
        if instrument is None:
            return False
        numbers = (float(report.size), float(report.price), 0.0)
        probe = Fill(fill_number(report.trade_id), 0, instrument, report.side, *numbers, report.liquidity, report.ts)
        return self._kernel.book.knows(probe)

    @property
    def has_forgotten(self) -> bool:
        """Whether there were orders, and so executions, that are not kept any more."""
        orders = self._kernel.book.orders
        return bool(orders) and orders[-1].id != len(orders)

    def is_kept(self, number: int) -> bool:
        """Whether an order of the run is kept."""
        return self._kernel.book.find(number) is not None

    def made_up_until(self, symbol: str) -> int:
        """Return when the last execution that is kept was made up for an instrument, ns, UTC; 0 for never."""
        book = self._kernel.book
        made_up = (
            fill.ts
            for fill in self._kernel.fills
            if fill.instrument.symbol == symbol and book.get(fill.order_id).tag == SYNTHETIC
        )
        return max(made_up, default=0)

    def last_fill_of(self, symbol: str) -> int:
        """Return when the last execution of an instrument took place, ns, UTC, that is kept; 0 where none is."""
        return max((fill.ts for fill in self._kernel.fills if fill.instrument.symbol == symbol), default=0)

    def value_of(self, asset: str, amount: float) -> float:
        """Return what an amount of an asset is worth in the account's currency, by the last price of its instrument."""
        portfolio: Any = self._kernel.portfolio
        for position in portfolio.positions.values():
            instrument = position.instrument
            if instrument.base == asset and instrument.quote == portfolio.currency:
                price = position.price_source()
                return amount * price if price == price else 0.0  # noqa: PLR0124 - NaN
        return 0.0

    # Closing.

    def close(self, instrument: Instrument, strategy: str = "") -> bool:
        """Send market orders that end what the run holds of an instrument; False where there is nothing to send.

        Parameters
        ----------
        strategy
            Whose share alone is closed; all of the position where none is named.
        """
        portfolio: Any = self._kernel.portfolio
        keys = [key for key, leg in portfolio.legs.items() if leg.instrument.symbol == instrument.symbol]
        try:
            orders = [order for key in keys if (order := self._closing(key, instrument, strategy)) is not None]
        except JournalError as error:
            self._engine.lose(error)
            return False
        if orders:
            self._engine.send(orders)
        return bool(orders)

    def _closing(self, key: str, instrument: Instrument, strategy: str) -> Order | None:
        """Return the order that ends a position, or a strategy's share of it; None where there is nothing to end."""
        kernel: Any = self._kernel
        held = kernel.portfolio.legs[key].size
        size = kernel.shares.of(strategy).legs[key].size if strategy else held
        position_side = side_in(key, instrument.symbol)
        shrinks = size * held > 0.0  # another strategy may hold the opposite
        if instrument.is_cash:
            size = min(size, max(held, 0.0))  # fees out of what was bought are nobody's share
        whole = instrument.round_size(abs(size))
        if whole <= 0.0:
            return None
        order: Order = kernel.adopt(
            instrument,
            Side.SELL if size > 0.0 else Side.BUY,
            whole,
            FLATTEN,
            self._engine.now(),
            strategy or self._owner(key),
            reduce_only=not instrument.is_cash and position_side is None and shrinks and whole <= abs(held),
            position_side=position_side,
        )
        return order

    # Whose it is.

    def _owner(self, key: str) -> str:
        """Return the name of the strategy to which what is taken over of a position belongs."""
        portfolio: Any = self._kernel.portfolio
        trade = portfolio.trades.open.get(key)
        if trade is not None:
            return str(trade.strategy)
        return self.owners.get(portfolio.legs[key].instrument.symbol, self._kernel.seats[0].strategy.name)

    def _note_closing(self, report: FillReport, key: str) -> None:
        """Have the account know why its next fill is the venue's doing."""
        portfolio = self._kernel.portfolio
        if not isinstance(portfolio, MarginPortfolio):
            return
        if report.system == LIQUIDATED:
            price, fee = float(report.price), float(report.fee)
            mark = price if report.mark is None else float(report.mark)
            portfolio.note_liquidation(key, float(report.size), report.ts, price, fee, mark)
        else:
            portfolio.note_closing(key, report.system)

    def _instrument(self, symbol: str) -> Instrument | None:
        position = self._kernel.portfolio.positions.get(symbol)
        return None if position is None else position.instrument
