"""What a strategy may ask for: the side of the engine that faces it."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from random import Random

    from cambist.model.bars import Bars
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Instructions, Order, OrderType, PositionSide, Side, TimeInForce
    from cambist.model.portfolio import Account, CashFlow, MarginChange, Position, Trade
    from cambist.model.trading_state import TradingState
    from cambist.strategies.schedules import Schedule

__all__ = ["TradingDesk"]


class TradingDesk(Protocol):
    """Orders in, account and time out; one desk for each strategy of a run."""

    @property
    def instrument(self) -> Instrument | None:
        """The instrument meant when none is named, or None where that would be a guess."""
        ...

    @property
    def trading_state(self) -> TradingState:
        """What the strategy may do, in the instrument that is being delivered where there is one."""
        ...

    @property
    def now(self) -> int:
        """Engine time, ns, UTC."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether the run trades as time goes by."""
        ...

    @property
    def current(self) -> Instrument:
        """The same, or an error that says to name one."""
        ...

    @property
    def cash(self) -> float:
        """Cash of the account."""
        ...

    @property
    def equity(self) -> float:
        """Equity of the account at last prices."""
        ...

    @property
    def positions(self) -> Mapping[str, Position]:
        """Positions by symbol."""
        ...

    @property
    def own_positions(self) -> Mapping[str, Position]:
        """What this strategy's own fills come to, by symbol."""
        ...

    @property
    def legs(self) -> Mapping[str, Position]:
        """Positions by symbol, in a hedged account by symbol and side; see `cambist.model.legs`."""
        ...

    def change_margin(
        self, instrument: Instrument, side: PositionSide | None = None, *, amount: float = 0.0, leverage: float = nan
    ) -> MarginChange:
        """Ask for margin of a position to be moved, or for another leverage."""
        ...

    @property
    def chance(self) -> Random:
        """The run's seeded source of chance."""
        ...

    def account(self) -> Account:
        """Return a snapshot of the account."""
        ...

    def queue_ahead(self, order: Order) -> float:
        """Return the size of others that stands before an order in a recorded book; NaN elsewhere."""
        ...

    def free_funds(self, instrument: Instrument) -> float:
        """Return the notional of `instrument` that the account could still open."""
        ...

    def missing_funds(self, instrument: Instrument, size: float, price: float, cushion: float = 0.0) -> float:
        """Return the money that is missing to trade `size` (negative is sold) at `price`, fee included; 0 when there.

        Orders under way are counted as if they had traded, so that one amount of money is not spent twice; market
        orders of other instruments as far from their last close as the fraction `cushion`.
        """
        ...

    def expected_fee(self, instrument: Instrument, size: float, price: float) -> float:
        """Return the fee to reckon with for `size` (positive) at `price`; negative is a rebate."""
        ...

    def expected_position(self, instrument: Instrument) -> float:
        """Return the signed size that will be held once the market orders under way have traded."""
        ...

    def sellable(self, instrument: Instrument) -> float:
        """Return how much of a long position may be sold now; 0 where there is none."""
        ...

    @property
    def closed_trades(self) -> Sequence[Trade]:
        """Closed trades that this strategy opened, oldest first."""
        ...

    def history(self, instrument: Instrument, count: int) -> Bars | None:
        """Return the last `count` bars that have closed, fewer where there were no more; None before the first."""
        ...

    def price(self, instrument: Instrument) -> float:
        """Return the last close, or the open that was told since, see `Strategy.on_open`; NaN before the first."""
        ...

    def open_orders(self) -> Iterable[Order]:
        """Return this strategy's working orders, oldest first."""
        ...

    def send(
        self,
        instrument: Instrument,
        side: Side,
        kind: OrderType,
        size: float,
        limit_price: float,
        stop_price: float,
        time_in_force: TimeInForce,
        expires_at: int,
        reduce_only: bool,
        tag: str,
        instructions: Instructions | None = None,
    ) -> Order:
        """Send an order through the risk gate."""
        ...

    def cancel(self, order: Order) -> None:
        """Ask for what remains of an order to be withdrawn."""
        ...

    def modify(self, order: Order, size: float, limit_price: float, stop_price: float) -> None:
        """Ask for new terms."""
        ...

    def record_signal(self, name: str, value: float | str, symbol: str) -> None:
        """Note a value for people and programs that look at the run."""
        ...

    def set_timer(self, name: str, due: int | None) -> None:
        """Ask for ``on_timer(name)`` at `due`; None forgets it, and the rule behind it."""
        ...

    def schedule(self, name: str, rule: Schedule, instrument: Instrument | None) -> None:
        """Ask for ``on_timer(name)`` whenever `rule` says so, by the calendar of `instrument`."""
        ...

    @property
    def timer_due(self) -> int:
        """When the timer that fired last was due, ns, UTC."""
        ...

    def equity_in(self, instrument: Instrument) -> float:
        """Return the equity in the asset in which an instrument settles."""
        ...

    def cash_in(self, instrument: Instrument) -> float:
        """Return the cash in the asset in which an instrument settles."""
        ...

    def add_cash(self, amount: float, asset: str = "") -> CashFlow:
        """Ask for money to be brought in, or (negative) taken out."""
        ...

    def convert(self, amount: float, source: str, target: str) -> CashFlow:
        """Ask for some of one asset to become another."""
        ...

    @property
    def balances(self) -> Mapping[str, float]:
        """Cash by asset."""
        ...

    def rate(self, source: str, target: str) -> float:
        """Return what a unit of one asset is worth in another now; NaN where nobody knows yet."""
        ...

    def transfer(self, amount: float, to: str, asset: str = "") -> CashFlow:
        """Ask for money to go to another account of the run."""
        ...

    def stop(self, reason: str) -> None:
        """End the run after this instant."""
        ...
