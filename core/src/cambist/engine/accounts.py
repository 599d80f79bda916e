"""The accounts of a run as the kernel deals with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cambist.engine.hedge import view_of
from cambist.portfolio import AccountGroup, MarginPortfolio, StrategyShares, book_change
from cambist.portfolio.margin_changes import carry_out

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from cambist.engine.step import Kernel
    from cambist.engine.view import AccountView
    from cambist.model.events import MarkPriced
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Liquidity, Order
    from cambist.model.portfolio import MarginChange
    from cambist.orders.book import OrderBook
    from cambist.portfolio import Books, Share

    ExpectedFee = Callable[[Instrument, float, float, Liquidity], float]

__all__ = ["AccountOrders", "LiveShares", "MarkPrices", "accounts_of", "change_margin", "views_of"]


class AccountOrders:
    """The orders of one account, out of a book that has those of all.

    Parameters
    ----------
    book
        Of the run.
    strategies
        Names of those that trade in the account.
    """

    __slots__ = ("_book", "_strategies")

    def __init__(self, book: OrderBook, strategies: Container[str]) -> None:
        self._book = book
        self._strategies = strategies

    @property
    def open(self) -> dict[int, Order]:
        """Open orders of the account by id, oldest first."""
        return {number: order for number, order in self._book.open.items() if order.strategy in self._strategies}

    def open_for(self, instrument: Instrument) -> list[Order]:
        """Return the open orders of `instrument`, oldest first."""
        return [order for order in self._book.open_for(instrument) if order.strategy in self._strategies]

    def find(self, order_id: int) -> Order | None:
        """Return an order of the run, open or not; None where there is none of that number."""
        return self._book.find(order_id)


class LiveShares:
    """What each strategy of a run holds of the positions, reckoned from the fills when somebody asks.

    Parameters
    ----------
    kernel
        Of the run.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._shares: StrategyShares | None = None

    def of(self, strategy: str) -> Share:
        """Return what a strategy holds now."""
        return self.up_to_date().shares[strategy]

    def go_on_from(self, shares: StrategyShares) -> None:
        """Go on from the shares of before a restart; the fills that they have booked are among those of the kernel."""
        kernel = self._kernel
        self._shares = StrategyShares.of(kernel.accounts, kernel.owners, kernel.book.get)
        self._shares.load(shares.save())

    def up_to_date(self) -> StrategyShares:
        """Return what all of them hold now."""
        kernel = self._kernel
        if self._shares is None:
            self._shares = StrategyShares.of(kernel.accounts, kernel.owners, kernel.book.get)
        self._shares.catch_up(kernel.fills, kernel.splits)
        return self._shares


def accounts_of(
    portfolio: Books | AccountGroup, strategies: Sequence[str]
) -> tuple[Mapping[str, Books], Mapping[str, str]]:
    """Return the accounts by name, a sole one being called ``""``, and each strategy's, by the name of the strategy."""
    if isinstance(portfolio, AccountGroup):
        return portfolio.accounts, portfolio.owners
    return {"": portfolio}, dict.fromkeys(strategies, "")


def views_of(
    accounts: Mapping[str, Books],
    owners: Mapping[str, str],
    book: OrderBook,
    expected_fee: ExpectedFee | Mapping[str, ExpectedFee],
    now: Callable[[], int],
) -> dict[str, AccountView]:
    """Return each account, by its name, as risk rules see it: its own money, positions and orders."""
    views = {}
    for name, books in accounts.items():
        own = frozenset(strategy for strategy, owner in owners.items() if owner == name)
        orders = book if len(accounts) == 1 else AccountOrders(book, own)
        fee = expected_fee if callable(expected_fee) else expected_fee[name]
        views[name] = view_of(books, orders, fee, now)
    return views


class MarkPrices:
    """The mark prices that a run is told, by which its accounts value what they hold on margin.

    Parameters
    ----------
    accounts
        Of the run, by name.
    """

    def __init__(self, accounts: Mapping[str, Books]) -> None:
        self._accounts = accounts
        self._now: dict[str, float] = {}

    def take(self, event: MarkPriced) -> None:
        """Take the mark price of an instrument."""
        symbol = event.symbol
        if symbol not in self._now:
            for books in self._accounts.values():
                for pocket in books.pockets.values():
                    if isinstance(pocket, MarginPortfolio) and symbol in pocket.positions:
                        pocket.set_mark_source(symbol, lambda: self._now[symbol])
        self._now[symbol] = event.price


def change_margin(accounts: Mapping[str, Books], change: MarginChange, *, done: bool) -> MarginChange:
    """Move margin, or change a leverage, in the account and for the asset that a change is of; return it as noted.

    Parameters
    ----------
    done
        Whether the venue has done it by now, or refused it: then nothing is checked.
    """
    books = accounts[change.account]
    pocket = books.pocket(books.positions[change.symbol].instrument.settle)
    assert isinstance(pocket, MarginPortfolio)  # no other is asked to
    return carry_out(pocket, change) if done else book_change(pocket, change)
