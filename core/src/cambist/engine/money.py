"""What a strategy may ask for money to do."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import attrs

from cambist.engine.accounts import change_margin
from cambist.errors import InputError, OrderError, did_you_mean
from cambist.model.effects import ChangeMargin, MoveCash
from cambist.model.portfolio import CashFlow, MarginChange
from cambist.portfolio import MarginPortfolio, checked_change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.engine.step import Kernel
    from cambist.model.events import MarginChanged
    from cambist.model.instrument import Instrument
    from cambist.model.orders import PositionSide
    from cambist.model.portfolio import Position
    from cambist.portfolio import Books

__all__ = ["CASH", "MARGIN", "MarginNews", "MoneyDesk", "MoneyRequests"]

#: What not every place can do where a run trades: bring money in and take it out; change margin and leverage.
CASH, MARGIN = "cash", "margin"


class MoneyRequests:
    """Takes requests for one account, refuses what is not free, and leaves effects.

    Parameters
    ----------
    kernel
        Whose clock and accounts to use.
    account
        Name of the account.
    """

    def __init__(self, kernel: Kernel, account: str) -> None:
        self._kernel = kernel
        self._account = account
        self._books = kernel.accounts[account]

    def take(self, amount: float, asset: str, kind: str) -> CashFlow:
        """Have money come into the account, or (negative) leave it, unless less than that is free."""
        kernel, pocket = self._kernel, self._books.pocket(asset)
        key = self._account, pocket.currency
        if CASH in kernel.cannot:
            kind = kind or ("deposit" if amount > 0.0 else "withdrawal")
            refused = CashFlow(kernel.clock.read(), kind, "", pocket.currency, amount, kernel.cannot[CASH])
            pocket.refused_flows.append(refused)
            return refused
        flow = pocket.transfer(kernel.clock.read(), amount, kernel.leaving[key], kind)
        if self._account:
            flow = attrs.evolve(flow, account=self._account)
        if not flow.reason:
            kernel.leaving[key] -= min(0.0, amount)
            kernel.effects.append(MoveCash(flow))
        return flow

    def transfer(self, amount: float, to: str, asset: str) -> CashFlow:
        """Have money go to another account of the run."""
        accounts = self._kernel.accounts
        if to not in accounts or to == self._account:
            others = [name for name in accounts if name != self._account]
            raise InputError(
                f"there is no other account {to!r} to send money to.{did_you_mean(to, others)}"
                if others
                else f"the run has one account. Give others: backtest(..., accounts={{{to!r}: 10_000}})."
            )
        accounts[to].pocket(asset)  # which refuses an asset that it has no use for
        flow = self.take(-amount, asset, "transfer")
        if not flow.reason:
            self._kernel.effects.append(MoveCash(attrs.evolve(flow, amount=amount, account=to)))
        return flow

    def convert(self, amount: float, source: str, target: str) -> CashFlow:
        """Have some of one asset become another, at the rate of this moment."""
        got = self._books.converted(amount, source, target)
        flow = self.take(-amount, source, "conversion")
        if not flow.reason:
            self._kernel.effects.append(MoveCash(attrs.evolve(flow, asset=target, amount=got)))
        return flow


class MoneyDesk:
    """The part of a desk that is asked for money and margin; see `cambist.engine.desk.Desk`."""

    __slots__ = ()

    _kernel: Kernel
    _account: str
    _books: Books
    refusing: str

    def add_cash(self, amount: float, asset: str = "") -> CashFlow:
        """Ask for money to be brought in, or (negative) taken out, once the strategy has been heard."""
        return self._requests().take(amount, asset, "")

    def transfer(self, amount: float, to: str, asset: str = "") -> CashFlow:
        """Ask for money to go to another account of the run, once the strategy has been heard."""
        return self._requests().transfer(amount, to, asset)

    def convert(self, amount: float, source: str, target: str) -> CashFlow:
        """Ask for some of one asset to become another, at the rate of this moment, once the strategy has been heard."""
        return self._requests().convert(amount, source, target)

    def _requests(self) -> MoneyRequests:
        if self.refusing:
            raise OrderError(f"money cannot be moved {self.refusing}.")
        return MoneyRequests(self._kernel, self._account)

    @property
    def balances(self) -> Mapping[str, float]:
        """Cash by asset."""
        return self._books.balances

    def rate(self, source: str, target: str) -> float:
        """Return what a unit of one asset is worth in another now; NaN where nobody knows yet."""
        return self._books.rate(source, target)

    @property
    def legs(self) -> Mapping[str, Position]:
        """Positions by symbol, in a hedged account by symbol and side; see `cambist.model.legs`."""
        return self._books.legs

    def change_margin(
        self, instrument: Instrument, side: PositionSide | None = None, *, amount: float = 0.0, leverage: float = nan
    ) -> MarginChange:
        """Ask for margin of a position to be moved, or for another leverage, once the strategy has been heard."""
        kernel = self._kernel
        account = self._books.pocket(instrument.settle)
        if not isinstance(account, MarginPortfolio):
            raise OrderError("this account has no margin to change; run it with margin=Margin(...).")
        if self.refusing:
            raise OrderError(f"margin cannot be changed {self.refusing}.")
        now = kernel.clock.read()
        change = MarginChange(now, instrument.symbol, side, amount, leverage, account=self._account)
        if MARGIN in kernel.cannot:
            change = attrs.evolve(change, reason=kernel.cannot[MARGIN])
        else:
            change = checked_change(account, change)
        if change.reason:
            account.refused_changes.append(change)
        else:
            kernel.effects.append(ChangeMargin(change))
        return change


class MarginNews:
    """Books changes of margin and leverage, and tells the strategies of the account what became of each.

    Parameters
    ----------
    kernel
        Whose accounts and strategies.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def take(self, event: MarginChanged) -> None:
        """Take a change that is due, or that a venue has made or refused."""
        kernel = self._kernel
        change = change_margin(kernel.accounts, event.change, done=kernel.seats[0].desk.is_live)
        instrument = kernel.portfolio.positions[change.symbol].instrument
        for seat in kernel.seats:
            if kernel.owners[seat.strategy.name] == change.account:
                seat.tell(seat.strategy.on_margin, change, instrument)
