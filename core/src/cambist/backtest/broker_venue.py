"""A broker of somebody's own in the place of the simulated venue of a backtest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cambist.backtest.records.histories import FillHistory
from cambist.errors import ParameterError
from cambist.model.bars import Bar
from cambist.ports.broker import BarBroker
from cambist.simulation.working import EVERY_BAR, LONG_AGO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sized

    from cambist.backtest.account import AccountSetup
    from cambist.backtest.driver import Driver
    from cambist.model.orders import ApprovedOrder, Order
    from cambist.ports.broker import BrokerFactory
    from cambist.simulation import Reports

__all__ = ["BrokerVenue"]


class _Orders:
    """The orders of an instrument as the driver asks for them: a broker that works bars is shown all of them."""

    def __init__(self, *, sees: bool) -> None:
        self.working: Sized = (True,) if sees else ()
        self.reach = EVERY_BAR
        self.last_open = LONG_AGO


class BrokerVenue:
    """Takes a run's orders to a `cambist.api.Broker`, and shows it bars where it wants them.

    Parameters
    ----------
    make
        Makes the broker.
    account, driver
        Of the run.

    Raises
    ------
    ParameterError
        The run books recorded fills, which only the simulated venue can.
    """

    trades_at_close = False
    matches_together = False

    def __init__(self, make: BrokerFactory, account: AccountSetup, driver: Driver) -> None:
        if any(isinstance(seat.strategy, FillHistory) for seat in driver.kernel.seats):
            raise ParameterError("recorded fills are booked by the simulated venue. Leave them out, or broker.")
        self._driver = driver
        self._closed: int | None = None
        self._instruments = {one.symbol: one for one in account.instruments}
        books: Any = account.portfolio
        self._broker = make(account.instruments, books, driver.deliver, self._clock)
        self._sees = self._broker if isinstance(self._broker, BarBroker) else None
        self.keeps_guards = self._sees is not None
        self.markets: Mapping[str, _Orders] = {
            symbol: _Orders(sees=self._sees is not None) for symbol in self._instruments
        }
        self.submit: Callable[[ApprovedOrder], None] = self._broker.submit
        self.cancel: Callable[[int], None] = self._broker.cancel
        self.amend: Callable[[int, float, float, float], None] = self._broker.amend

    def _clock(self) -> int:
        """Return the time, ns: while a bar is shown, that at which it was over."""
        return self._driver.clock() if self._closed is None else self._closed

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
        """Show the broker a bar."""
        if self._sees is not None:
            self._closed = closed
            try:
                self._sees.see(self._instruments[symbol], Bar(opened, open_, high, low, close, volume), closed)
            finally:
                self._closed = None

    def match_together(self) -> None:
        """Do nothing: each bar is shown by itself."""

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
        """Do nothing: a broker has seen the bar."""

    def know_orders(self, find: Callable[[int], Order | None]) -> None:
        """Do nothing: a broker knows the orders that it was given."""

    def report_to(self, reports: Reports) -> None:
        """Do nothing: a broker delivers events."""

    def split(self, symbol: str, ratio: float, ts: int) -> None:
        """Do nothing: runs with splits do not come here."""
