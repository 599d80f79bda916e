"""Accounts as they were at the start of a run, as records and back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import nan
from typing import TYPE_CHECKING, Any

import attrs

from cambist.engine.accounts import accounts_of
from cambist.engine.records import AccountOpened
from cambist.model.margin import Margin, MarginTier
from cambist.portfolio import (
    CompensatingPortfolio,
    HedgePortfolio,
    InKindPortfolio,
    MarginPortfolio,
    MultiAssetMarginPortfolio,
    MultiAssetPortfolio,
    Pair,
    Portfolio,
    RateTable,
    VenueBooks,
    VenueHedge,
    VenueInKind,
    VenueMargin,
    VenuePortfolio,
)
from cambist.portfolio.exact import exact
from cambist.portfolio.pockets import margin_of, open_pockets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from cambist.model.instrument import Instrument
    from cambist.portfolio import AccountGroup, Books

__all__ = ["NotedRates", "account_of", "account_records", "rates_of"]


def account_records(portfolio: Books | AccountGroup, strategies: Sequence[str]) -> list[AccountOpened]:
    """Return the record of the account of a run at its start, or those of its accounts."""
    accounts, owners = accounts_of(portfolio, strategies)
    return [
        _record(books, name, [] if not name else [one for one, owner in owners.items() if owner == name])
        for name, books in accounts.items()
    ]


def _record(books: Books, name: str, strategies: list[str]) -> AccountOpened:
    margin = None
    if isinstance(books, MarginPortfolio | MultiAssetMarginPortfolio):
        # What the venue decides, and what is planned, is told by records of its own.
        terms = attrs.evolve(books.terms, deleveraging=None, planned=())
        margin = attrs.asdict(terms, filter=lambda field, _: field.name not in ("deleveraging", "planned"))
        margin |= {kind: str(margin[kind]) for kind in ("mode", "position_mode")}
    held_as = books.held_as if isinstance(books, CompensatingPortfolio) else {}
    several = isinstance(books, MultiAssetPortfolio)
    leverage = next(iter(books.pockets.values())).leverage
    return AccountOpened(
        books.currency,
        books.opening if isinstance(books, VenueBooks) else exact(books.initial_cash),
        exact(leverage),
        margin,
        {symbol: instrument.symbol for symbol, instrument in held_as.items()},
        name,
        strategies,
        [(asset, exact(pocket.initial_cash)) for asset, pocket in books.pockets.items()] if several else [],
        rates_of(books),
        isinstance(books, InKindPortfolio),
        isinstance(books, VenueBooks),
        list(books.known) if isinstance(books, VenueBooks) else [],
        books.as_of if isinstance(books, VenueBooks) else 0,
    )


def rates_of(books: Books) -> dict[str, Decimal]:
    """Return what each asset of an account that holds several is worth in its currency, where somebody knows."""
    if not isinstance(books, MultiAssetPortfolio):
        return {}
    now = {asset: books.rates.now(asset) for asset in books.pockets if asset != books.currency}
    return {asset: exact(rate) for asset, rate in now.items() if rate == rate}  # noqa: PLR0124 - NaN: nobody does


class NotedRates(RateTable):
    """What the records of a journal say that assets are worth.

    Attributes
    ----------
    noted
        The last rate of each asset in the currency.
    """

    def __init__(self, opened: AccountOpened) -> None:
        self.noted: dict[str, float] = {}
        others = [asset for asset, _ in opened.assets if asset != opened.currency]
        super().__init__(opened.currency, [Pair(one, opened.currency, now=partial(self._last, one)) for one in others])
        self.note(opened.rates)

    def note(self, rates: Mapping[str, Decimal]) -> None:
        """Learn of some that have changed."""
        self.noted.update({asset: float(rate) for asset, rate in rates.items()})

    def _last(self, asset: str) -> float:
        return self.noted.get(asset, nan)


def account_of(record: AccountOpened, instruments: Iterable[Instrument], rates: RateTable | None = None) -> Books:
    """Return the account of a record, as it was at its start; `rates` are needed where it holds several assets."""
    listed, margin = list(instruments), _margin(record)
    if not record.assets:
        return _portfolio(record, margin, listed, float(record.cash))

    def pocket(own: Sequence[Instrument], cash: float) -> Portfolio:
        return _portfolio(record, None if margin is None else margin_of(margin, own), own, cash)

    assert rates is not None
    pockets = open_pockets({asset: float(cash) for asset, cash in record.assets}, listed, pocket)
    if margin is None:
        return MultiAssetPortfolio(pockets, rates)
    on_margin = {asset: one for asset, one in pockets.items() if isinstance(one, MarginPortfolio)}
    return MultiAssetMarginPortfolio(on_margin, rates, margin=margin)


def _margin(record: AccountOpened) -> Margin | None:
    if record.margin is None:
        return None
    terms = {**record.margin, "maintenance": _maintenance(record.margin["maintenance"])}
    return Margin(**terms)


def _portfolio(
    record: AccountOpened, margin: Margin | None, instruments: Sequence[Instrument], cash: float
) -> Portfolio:
    leverage = float(record.leverage)
    if record.compensates:
        return CompensatingPortfolio(instruments, cash, leverage, compensates=record.compensates)
    if record.by_venue:
        return _kept_by_venue(record, margin, instruments)
    if record.fees_in_kind:
        return InKindPortfolio(instruments, cash, leverage)
    if margin is None:
        return Portfolio(instruments, cash, leverage)
    on_margin = HedgePortfolio if margin.is_hedged else MarginPortfolio
    return on_margin(instruments, cash, leverage, margin=margin)


def _kept_by_venue(record: AccountOpened, margin: Margin | None, instruments: Sequence[Instrument]) -> Portfolio:
    cash, leverage = float(record.cash), float(record.leverage)
    books: VenueBooks
    if margin is not None:
        books = (VenueHedge if margin.is_hedged else VenueMargin)(instruments, cash, leverage, margin=margin)
    else:
        books = (VenueInKind if record.fees_in_kind else VenuePortfolio)(instruments, cash, leverage)
    books.currency = record.currency
    books.open_exactly(record.cash, record.as_of, record.known)
    return books


def _maintenance(given: Any) -> Any:
    if isinstance(given, Mapping):
        return {symbol: _maintenance(one) for symbol, one in given.items()}
    return [MarginTier(**tier) for tier in given] if isinstance(given, list) else given
