"""What each account of a run was worth, recorded as the run goes on."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import attrs

from cambist.analysis import EquityRecorder
from cambist.backtest.multi_asset import valuation_of
from cambist.backtest.signals import signals_of
from cambist.portfolio import AccountGroup, FundValue, MultiAssetPortfolio

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cambist.analysis import EquityCurve
    from cambist.backtest.history import RunHistory
    from cambist.backtest.multi_asset import MultiAssetValuation
    from cambist.backtest.result import Result, StrategyRecord
    from cambist.backtest.run import Run
    from cambist.model import Account, Trade
    from cambist.model.portfolio import StockSplit
    from cambist.portfolio import Portfolio, Valuation

__all__ = ["AccountRecords", "FundRecorder", "account_results", "assets_of", "trades_of", "valued"]


class FundRecorder:
    """Records equity, and from the first deposit or withdrawal on the value of a share; until then it follows equity.

    Parameters
    ----------
    books
        Whose deposits and withdrawals to read.
    recorder
        Of equity; it begins with the initial cash.

    Attributes
    ----------
    fund
        What values a share, and what records that; None until the first flow.
    """

    def __init__(self, books: Portfolio | MultiAssetPortfolio | AccountGroup, recorder: EquityRecorder) -> None:
        self._books = books
        self.recorder = recorder
        self.fund: tuple[FundValue, EquityRecorder] | None = None

    def add(
        self, times: NDArray[np.int64], equity: NDArray[np.float64], exposed: NDArray[np.bool_], first: int
    ) -> None:
        """Take the next instants, of which `first` is the number of the first in the run."""
        fund = self.begun()
        if fund is not None:
            value, recorder = fund
            recorder.add(times, value.value(equity, first), exposed)
        self.recorder.add(times, equity, exposed)

    def begun(self) -> tuple[FundValue, EquityRecorder] | None:
        """Return what values a share and what records it, made at the first flow; None until then."""
        if self.fund is None and self._books.transfers:
            self.fund = FundValue(self._books, 1.0), copy.deepcopy(self.recorder)
        return self.fund

    def finish(self, periods_per_year: float | None) -> tuple[EquityCurve, EquityCurve | None]:
        """Return the curve of equity, and that of a share where there was a flow."""
        fund = None if self.fund is None else self.fund[1].finish(periods_per_year)
        return self.recorder.finish(periods_per_year), fund


@attrs.frozen(eq=False, slots=True)
class AccountRecord:
    """One account.

    Attributes
    ----------
    books, valuation, curves
        The account, what values it, and what that came to.
    """

    books: Portfolio | MultiAssetPortfolio
    valuation: Valuation | MultiAssetValuation
    curves: FundRecorder


class AccountRecords:
    """Values every account of a group at every instant, and their sum; see `Valuation`.

    Parameters
    ----------
    group
        Before its first fill.
    start
        Open of the run's first bar, ns, UTC.
    keep_all
        See `EquityRecorder`.

    Attributes
    ----------
    instant
        Number of the next instant to value.
    """

    def __init__(self, group: AccountGroup, start: int, *, keep_all: bool) -> None:
        self._group = group
        self.instant = 0
        self.accounts = {
            name: AccountRecord(
                books,
                valuation_of(books, keep_all=keep_all),
                FundRecorder(books, EquityRecorder(books.initial_cash, start, keep_all=keep_all)),
            )
            for name, books in group.accounts.items()
        }

    def value(
        self, times: NDArray[np.int64], closes: Mapping[str, NDArray[np.float64]]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Value the next instants of the run; see `Valuation.value`."""
        first = self.instant
        parts = []
        for record in self.accounts.values():
            equity, exposed = record.valuation.value(times, closes)
            self._note_flows(record.books)
            record.curves.add(times, equity, exposed, first)
            parts.append((equity, exposed))
        self._group.transfers.sort(key=_instant)
        self.instant = first + len(times)
        (total, any_held), *others = parts
        for equity, exposed in others:
            total, any_held = total + equity, any_held | exposed
        return total, any_held

    def _note_flows(self, books: Portfolio | MultiAssetPortfolio) -> None:
        """Tell the group of what came from outside; to the account, money of another one comes from outside too."""
        self._group.transfers += books.transfers
        if books.moved:
            books.transfers[:] = sorted([*books.transfers, *books.moved], key=_instant)
            books.moved.clear()

    def history(self) -> None:
        """Return nothing: positions in one instrument differ by account."""


def _instant(step: tuple[int, float]) -> int:
    return step[0]


def account_results(run: Run, total: Result) -> dict[str, Result]:
    """Return the result of each account, made of that of the whole run."""
    records = run.valuation
    assert isinstance(records, AccountRecords)
    found = {}
    for name, record in records.accounts.items():
        own = {strategy for strategy, owner in run.kernel.owners.items() if owner == name}
        curve, fund = record.curves.finish(run.settings.periods_per_year)
        books = record.books
        orders = [order for order in total.order_records if order.strategy in own]
        numbers = {order.id for order in orders}
        history: RunHistory | None = run.history(curve, record.valuation)
        strategies: Sequence[StrategyRecord] = [one for one in total.strategies if one.name in own]
        found[name] = attrs.evolve(
            total,
            strategies=tuple(strategies),
            initial_cash=books.initial_cash,
            curve=curve,
            benchmark=None,
            fund=fund,
            order_records=orders,
            fill_records=[fill for fill in total.fill_records if fill.order_id in numbers],
            trade_records=trades_of([books]),
            flow_records=list(books.cash_flows),
            split_records=_splits(total, numbers),
            warnings=(),
            account=books.account(),
            assets=assets_of(books),
            history=history,
            snapshot_records=total.snapshot_records.of_account(name),
            signal_records=signals_of(total.signal_records, own),
        )
    return found


def valued(
    portfolio: Portfolio | MultiAssetPortfolio | AccountGroup, start: int, *, keep_all: bool
) -> Valuation | MultiAssetValuation | AccountRecords:
    """Return what values the account of a run, or all of them; made before the first fill. See `AccountRecords`."""
    if isinstance(portfolio, AccountGroup):
        return AccountRecords(portfolio, start, keep_all=keep_all)
    return valuation_of(portfolio, keep_all=keep_all)


def trades_of(accounts: Iterable[Portfolio | MultiAssetPortfolio]) -> list[Trade]:
    """Return every round trip of some accounts, closed and open ones, in order of their ids."""
    found = [trade for books in accounts for trade in (*books.trades.closed, *books.trades.open.values())]
    return sorted(found, key=lambda trade: trade.id)


def assets_of(books: Portfolio | MultiAssetPortfolio | AccountGroup) -> dict[str, Account]:
    """Return a snapshot of each asset of an account that holds several, in the asset."""
    return books.assets() if isinstance(books, MultiAssetPortfolio) else {}


def _splits(total: Result, orders: set[int]) -> list[StockSplit]:
    """Return the splits, told by how many fills of an account came before each."""
    own = [fill.order_id in orders for fill in total.fill_records]
    return [attrs.evolve(split, fills=sum(own[: split.fills])) for split in total.split_records]
