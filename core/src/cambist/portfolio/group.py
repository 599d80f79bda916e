"""Several accounts in one run, each with money and positions of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cambist.model.portfolio import Account
from cambist.portfolio.trades import TradeLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cambist.model.orders import Fill, Order
    from cambist.model.portfolio import CashFlow, Position, Trade
    from cambist.portfolio.multi_asset import MultiAssetPortfolio
    from cambist.portfolio.portfolio import Portfolio

__all__ = ["AccountGroup"]


class AccountGroup:
    """Hands each fill to the account of the strategy whose order it was, and adds the accounts up.

    Parameters
    ----------
    accounts
        By name, at least one, none of which has traded; all reckon in one currency.
    owners
        The name of each strategy's account, by the name of the strategy.

    Attributes
    ----------
    cash_flows, refused_flows
        Of all accounts, in the order in which they were booked.
    transfers
        Deposits and withdrawals of all of them, as the valuation tells: instant of the run and amount.
    """

    def __init__(self, accounts: Mapping[str, Portfolio | MultiAssetPortfolio], owners: Mapping[str, str]) -> None:
        self.accounts = dict(accounts)
        self.owners = dict(owners)
        self.cash_flows: list[CashFlow] = []
        self.refused_flows: list[CashFlow] = []
        self.transfers: list[tuple[int, float]] = []
        self._of = {strategy: self.accounts[name] for strategy, name in owners.items()}
        self._numbers = _Numbers()
        for name, books in self.accounts.items():
            books.trades = _NumberedTrades(self._numbers)
            books.cash_flows = _NamedFlows(name, self.cash_flows)
            books.refused_flows = _NamedFlows(name, self.refused_flows)

    def restore(self, flows: Sequence[CashFlow]) -> None:
        """Go on after a restart, with the trades that the accounts have and movements of money of all of them."""
        self._numbers.last = max(books.trades.count for books in self.accounts.values())
        self.cash_flows[:] = flows
        for name, books in self.accounts.items():
            books.cash_flows[:] = [flow for flow in flows if flow.account == name]

    @property
    def currency(self) -> str:
        """In which every account reckons."""
        return next(iter(self.accounts.values())).currency

    @property
    def initial_cash(self) -> float:
        """Money of all accounts at the start."""
        return _total(books.initial_cash for books in self.accounts.values())

    @property
    def positions(self) -> Mapping[str, Position]:
        """Those of the first account: what can be held, and where its price is read."""
        return next(iter(self.accounts.values())).positions

    def set_price_source(self, symbol: str, source: Callable[[], float]) -> None:
        """Say where the last close of `symbol` is read."""
        for books in self.accounts.values():
            books.set_price_source(symbol, source)

    def mark(self, position: Position) -> float:
        """Return the price at which a position is valued."""
        return next(iter(self.accounts.values())).mark(position)

    def apply(self, fill: Fill, order: Order, instant: int) -> Trade | None:
        """Book one fill in its account; see `Portfolio.apply`."""
        return self._of[order.strategy].apply(fill, order, instant)

    def move_cash(self, flow: CashFlow, instant: int) -> None:
        """Book money that moves without a fill in the account that it names."""
        self.accounts[flow.account].move_cash(flow, instant)

    def pay_dividend(self, ts: int, symbol: str, amount: float, instant: int) -> None:
        """Pay a dividend in every account; see `Portfolio.pay_dividend`."""
        for books in self.accounts.values():
            books.pay_dividend(ts, symbol, amount, instant)

    def split(self, ts: int, symbol: str, ratio: float, instant: int) -> None:
        """Split a position in every account; see `Portfolio.split`."""
        for books in self.accounts.values():
            books.split(ts, symbol, ratio, instant)

    def account(self) -> Account:
        """Return a snapshot of all accounts together."""
        snapshots = [books.account() for books in self.accounts.values()]
        fields = [field.name for field in attrs.fields(Account) if field.name != "currency"]
        sums: dict[str, Any] = {name: _total(getattr(one, name) for one in snapshots) for name in fields}
        return Account(currency=self.currency, **sums)


def _total(values: Iterable[float]) -> float:
    """Add up from the first value on: one account alone is its own total, to the last bit."""
    first, *others = values
    for value in others:
        first += value
    return first


class _Numbers:
    """Numbers for what several accounts open, from 1.

    Attributes
    ----------
    last
        That was given.
    """

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last = 0

    def __call__(self) -> int:
        self.last += 1
        return self.last


class _NumberedTrades(TradeLog):
    """A log whose trades are numbered together with those of other accounts."""

    def __init__(self, numbers: Callable[[], int]) -> None:
        super().__init__()
        self._numbers = numbers

    def _open(self, fill: Fill, order: Order, after: float, fee: float, instant: int, key: str) -> None:
        self._count = self._numbers() - 1
        super()._open(fill, order, after, fee, instant, key)


class _NamedFlows(list["CashFlow"]):
    """The flows of one account, which notes its name in them and tells of them where all are kept."""

    def __init__(self, account: str, everything: list[CashFlow]) -> None:
        super().__init__()
        self._account = account
        self._everything = everything

    def append(self, flow: CashFlow) -> None:
        """Keep a flow."""
        flow = attrs.evolve(flow, account=self._account)
        super().append(flow)
        self._everything.append(flow)
