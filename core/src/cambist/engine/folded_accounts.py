"""The accounts of a run, made of the records of its journal."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from cambist.engine import conversions as to
from cambist.engine.account_opening import NotedRates, account_of
from cambist.errors import RecordError
from cambist.model.legs import leg_key
from cambist.portfolio import (
    AccountGroup,
    CompensatingPortfolio,
    HedgePortfolio,
    MarginPortfolio,
    MultiAssetPortfolio,
    VenueBooks,
)
from cambist.portfolio.exact import ExactLedger, exact, held_asset
from cambist.portfolio.forgetting import forget_history
from cambist.portfolio.margin import LIQUIDATED
from cambist.portfolio.margin_changes import carry_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cambist.engine import records as record
    from cambist.model.instrument import Instrument
    from cambist.model.orders import Fill, Order
    from cambist.model.portfolio import Position
    from cambist.portfolio import Books

__all__ = ["FoldedAccounts"]


class FoldedAccounts:
    """What a run knows of its money: one part of `cambist.engine.fold.RunState`.

    Attributes
    ----------
    instruments
        By symbol.
    portfolio, accounts, ledgers
        The account as strategies see it, or all of them together; each account by name, a sole one being called ``""``;
        and the ledger of each, to the last digit.
    opened, owners
        What accounts were opened with, by name; and the name of each strategy's, where there are several.
    rates
        What assets were worth when money moved last; None where every account holds one asset.
    leaving
        What withdrawals that are asked for and not booked will take, by account and asset.
    asked_margin
        Changes of margin and leverage that a venue was asked for since the run started last, and has not answered.
    references
        What the venue knows movements of money by that were booked, and when each was, ns, UTC; see `CashFlow`.
    """

    def __init__(self) -> None:
        self.instruments: dict[str, Instrument] = {}
        self.opened: dict[str, record.AccountOpened] = {}
        self.owners: dict[str, str] = {}
        self.accounts: dict[str, Books] = {}
        self.portfolio: Books | AccountGroup | None = None
        self.ledgers: dict[str, ExactLedger] = {}
        self.rates: NotedRates | None = None
        self.leaving: defaultdict[tuple[str, str], float] = defaultdict(float)
        self.asked_margin: list[record.MarginEntry] = []
        self.references: dict[str, int] = {}

    @property
    def positions(self) -> Mapping[str, Position]:
        """Positions by symbol; of the first account where there are several."""
        return {} if self.portfolio is None else self.portfolio.positions

    @property
    def ledger(self) -> ExactLedger:
        """What there is to the last digit, of all accounts together."""
        if len(self.ledgers) == 1:
            return next(iter(self.ledgers.values()))
        return ExactLedger.together(self.ledgers.values())

    def books_of(self, strategy: str) -> Books:
        """Return the account in which a strategy trades."""
        return self.accounts[self.owners.get(strategy, "")]

    def open(self, opened: record.AccountOpened) -> None:
        """Open an account beside those that there are, none of which has traded."""
        if opened.assets and self.rates is None:
            self.rates = NotedRates(opened)
        name = opened.name
        self.opened[name] = opened
        books = self.accounts[name] = account_of(opened, self.instruments.values(), self.rates)
        self.ledgers[name] = books.exact if isinstance(books, VenueBooks) else ExactLedger()
        self.owners.update(dict.fromkeys(opened.strategies, name))
        self.portfolio = self.accounts[name] if not name else AccountGroup(self.accounts, self.owners)

    def redefine(self, instrument: Instrument) -> None:
        """Have what is held of an instrument go by other terms."""
        if self.accounts and instrument.symbol not in self.positions:
            raise RecordError(
                f"{instrument.symbol} was defined after the account was opened", code="late_instrument", remedy=""
            )
        for books in self.accounts.values():
            for held in (books.positions[instrument.symbol], *books.legs.values()):
                if held.instrument.symbol == instrument.symbol:
                    held.instrument = instrument

    def book_fill(self, fill: Fill, order: Order, entry: record.FillEntry) -> None:
        """Book an execution, in floats and exactly."""
        instrument, books = order.instrument, self.books_of(order.strategy)
        pocket = books.pocket(instrument.settle)
        if entry.closed_by and isinstance(pocket, MarginPortfolio):
            key = leg_key(instrument.symbol, order.position_side)
            if entry.closed_by == LIQUIDATED:
                pocket.note_liquidation(key, fill.size, fill.ts, fill.price, fill.fee, to.float_of(entry.mark))
            else:
                pocket.note_closing(key, entry.closed_by)
        name = self.owners.get(order.strategy, "")
        if isinstance(books, VenueBooks):
            fill.report_as(to.exact_fill_of(entry, instrument.settle))
            books.apply(fill, order, entry.instant)
            return
        known = len(books.cash_flows)
        books.apply(fill, order, entry.instant)
        self._book_flows(name, books, known)  # an insurance fund may have paid
        if entry.fee_value is not None and isinstance(books, MultiAssetPortfolio) and entry.fee_asset in books.pockets:
            books.pay_fee(fill, entry.fee_asset, float(entry.fee), entry.instant)
        asset = entry.fee_asset or instrument.settle
        if isinstance(books, CompensatingPortfolio):
            instrument = books.position_of(instrument.symbol).instrument
        leg = leg_key(instrument.symbol, order.position_side if isinstance(pocket, HedgePortfolio) else None)
        self.ledgers[name].fill(instrument, order.side, entry.size, entry.price, entry.fee, asset, leg)

    # Handlers of records, by kind.

    def account_opened(self, _ts: int, opened: record.AccountOpened) -> None:
        """An account begins; a run that goes on keeps those that it has."""
        if opened.name not in self.accounts:
            self.open(opened)
            self.references.update(dict.fromkeys(opened.known, opened.as_of))
            if opened.by_venue:
                return  # such an account has its ledger in it
            for asset, cash in opened.assets or [(opened.currency, opened.cash)]:
                self.ledgers[opened.name].move(asset, cash)

    def rates_noted(self, _ts: int, noted: record.RatesNoted) -> None:
        """Assets are worth something else."""
        assert self.rates is not None
        self.rates.note(noted.rates)

    def cash_moved(self, _ts: int, entry: record.CashEntry) -> None:
        """Money moved without a fill."""
        if entry.asked:
            self.leaving[entry.account, entry.asset] += min(0.0, float(entry.amount))
        if entry.reference:
            self.references[entry.reference] = entry.due
        self._all_accounts.move_cash(to.cash_flow_of(entry), entry.instant)
        if not isinstance(self.accounts[entry.account], VenueBooks):
            self.ledgers[entry.account].move(entry.asset, entry.amount)

    def cash_requested(self, _ts: int, asked: record.CashRequest) -> None:
        """A strategy moves money; it takes effect later."""
        asset = asked.asset or self.accounts[asked.account].currency
        self.leaving[asked.account, asset] -= min(0.0, float(asked.amount))

    def dividend_paid(self, ts: int, paid: record.Dividend) -> None:
        """An instrument pays."""
        for name, books in self.accounts.items():
            known = len(books.cash_flows)
            books.pay_dividend(ts, paid.symbol, float(paid.amount), paid.instant)
            self._book_flows(name, books, known)

    def shares_split(self, ts: int, split: record.Split) -> None:
        """Units have become more, or fewer."""
        others = [one for one in self.instruments.values() if one.is_cash and one.symbol != split.symbol]
        for name, books in self.accounts.items():
            position = books.positions[split.symbol]
            before, source, known = position.size, position.price_source, len(books.cash_flows)
            position.price_source = lambda: to.float_of(split.price)
            books.split(ts, split.symbol, float(split.ratio), split.instant)
            self._book_flows(name, books, known)
            position.price_source = source
            if before:
                sizes, shared = (exact(before), exact(position.size)), {*books.pockets, *map(held_asset, others)}
                self.ledgers[name].split(position.instrument, split.ratio, *sizes, shared)

    @property
    def _all_accounts(self) -> Books | AccountGroup:
        assert self.portfolio is not None
        return self.portfolio

    def _book_flows(self, name: str, books: Books, known: int) -> None:
        """Book exactly what moved cash since there were `known` movements."""
        if isinstance(books, VenueBooks):
            return
        for flow in books.cash_flows[known:]:
            self.ledgers[name].move(flow.asset, exact(flow.amount))

    def margin_requested(self, _ts: int, entry: record.MarginEntry) -> None:
        """A venue is asked to move margin, or for another leverage."""
        self.asked_margin.append(entry)

    def margin_changed(self, _ts: int, entry: record.MarginEntry) -> None:
        """Margin was moved, leverage changed, or either refused."""
        asked = msgspec.structs.replace(entry, reason="")
        if asked in self.asked_margin:
            self.asked_margin.remove(asked)
        pocket = self.accounts[entry.account].pocket(self.instruments[entry.symbol].settle)
        assert isinstance(pocket, MarginPortfolio)
        carry_out(pocket, to.margin_change_of(entry))

    def forget(self, keep: int) -> None:
        """Keep of closed trades and movements of cash the last ones."""
        forget_history(self._all_accounts, self.accounts, keep)
        for reference in list(self.references)[:-keep]:
            del self.references[reference]
