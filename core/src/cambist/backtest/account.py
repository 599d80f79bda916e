"""The account of a backtest: which kind of portfolio and venue the settings ask for, and what they must be told."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import TYPE_CHECKING, Any

from cambist.backtest.account_warnings import account_warnings
from cambist.backtest.actions import ActionCalendar
from cambist.backtest.books import open_books
from cambist.backtest.held_prices import HeldPrices
from cambist.backtest.market_rules import ruled_markets, rules_by_symbol
from cambist.backtest.rates import connect_rates, rate_columns
from cambist.engine import OpeningKernel
from cambist.engine.accounts import accounts_of
from cambist.engine.adoption import Adopter
from cambist.errors import ParameterError, did_you_mean
from cambist.model.instrument import Instrument, InstrumentKind
from cambist.model.legs import legs_of
from cambist.model.times import format_ns, to_ns
from cambist.model.timeseries import FundingSeries, PriceSeries
from cambist.portfolio import (
    AccountGroup,
    Bookkeeper,
    CompensatedAccount,
    CompensatingPortfolio,
    Funding,
    HedgePortfolio,
    InterestCharges,
    MarginPortfolio,
    MultiAssetMarginPortfolio,
    MultiAssetPortfolio,
    PlannedMargin,
    SettlingPortfolio,
    Transfers,
)
from cambist.risk import RiskGate, fresh_rules
from cambist.risk.compensation import CompensationRule
from cambist.risk.hedge import HedgeGate
from cambist.risk.leverage import AccountLeverageRule, LeverageRule
from cambist.risk.rules.funds import FundsRule
from cambist.risk.rules.terms import TermsRule
from cambist.simulation import (
    AccountVenues,
    BacktraderVenue,
    FeeInAsset,
    HedgingVenue,
    LiquidatingVenue,
    SimulatedVenue,
)
from cambist.simulation.backtrader_opening import OpeningBacktraderVenue
from cambist.simulation.market_rules import MarketRulesRule, RuledVenue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cambist.backtest.calendars import Calendars
    from cambist.backtest.driver import Driver
    from cambist.backtest.feeds import Feed, Window
    from cambist.backtest.settings import BacktestSettings
    from cambist.engine import Kernel
    from cambist.indicators.series import SeriesCursor
    from cambist.model.events import OrderEvent
    from cambist.model.margin import Margin
    from cambist.model.portfolio import Position
    from cambist.portfolio import Books, Portfolio
    from cambist.portfolio.entries import Entries
    from cambist.ports.risk import RiskRule
    from cambist.simulation import VenueRules
    from cambist.simulation.bar_venue import BarVenue
    from cambist.simulation.matching import MatchingVenue

__all__ = ["AccountSetup"]

_PERPETUALS = frozenset({InstrumentKind.LINEAR_PERPETUAL, InstrumentKind.INVERSE_PERPETUAL})


class AccountSetup:
    """Makes what the account options of a run ask for; nothing is made, and nothing costs, where none is given.

    Parameters
    ----------
    settings
        Of the run.
    feeds, instruments
        Its series, and what can be held.
    calendars
        By which the instruments trade.
    strategies
        Names of those that trade.

    Attributes
    ----------
    portfolio, accounts
        The account, or all of them, and each by name.
    initial_cash
        Of all accounts.
    held
        What buying and holding goes by.
    marks
        Mark prices by symbol, for instruments that have some of their own.
    markets
        The rules of their markets, and what is remembered to keep them; None where none have any.
    rules
        By which each account trades, by its name, once `expected_fee` was asked for.
    liquidates
        Whether the venue closes positions whose margin is used up.

    Raises
    ------
    ParameterError
        For an option that names an instrument the run does not have, or does not go with the others.
    """

    def __init__(
        self,
        settings: BacktestSettings,
        feeds: Sequence[Feed],
        instruments: Sequence[Instrument],
        calendars: Calendars,
        strategies: Sequence[str],
    ) -> None:
        self.settings = settings
        self.calendars = calendars
        self.feeds = feeds
        self.instruments = instruments
        self.marks = {
            symbol: PriceSeries.read(data, f"the mark prices of {symbol}")
            for symbol, data in self._named("marks", settings.marks).items()
        }
        if settings.margin is None and self.marks:
            raise ParameterError("marks are given without margin=Margin(...); only an account on margin has them.")
        rules = rules_by_symbol(settings, [one.symbol for one in instruments])
        if settings.compensates:
            self._check_compensation(settings.compensates)
        settles = any(any(one.cash_after.values) for one in rules.values())
        self.portfolio = open_books(settings, feeds, instruments, strategies, settles=settles)
        self.accounts = accounts_of(self.portfolio, strategies)[0]
        cash = settings.cash
        plain = settings.accounts is None and not isinstance(cash, Mapping)
        self.initial_cash: float = cash if plain else self.portfolio.initial_cash  # type: ignore[assignment]
        self._rates = next((one.rates for one in self.accounts.values() if isinstance(one, MultiAssetPortfolio)), None)
        self._assets = list(self.accounts[next(iter(self.accounts))].pockets)
        self.liquidates = settings.margin is not None
        self._last_marks = dict.fromkeys(self.marks, nan)
        self.transfers = self._transfers()
        self._funding = {
            symbol: FundingSeries.read(data, symbol)
            for symbol, data in self._named("funding", settings.funding).items()
            if data is not None
        }
        self._check_funding()
        given = self._named("actions", settings.actions)
        self.actions = ActionCalendar(given, feeds) if given else None
        self.held = HeldPrices(instruments, feeds, self.actions, self._rates)
        self.markets = ruled_markets(rules, feeds, calendars, self.actions) if rules else None

    def _check_compensation(self, compensates: Mapping[str, str]) -> None:
        """Refuse what has no meaning where an instrument is held as another."""
        concerned = {*compensates, *compensates.values()}
        for symbol in self.settings.actions or ():
            if symbol in concerned:
                raise ParameterError(
                    f"actions has dividends or splits of {symbol}, and compensates has it held together with another; "
                    "the two would not be of one price any more. Leave one of them out, or give adjusted bars."
                )

    def _named(self, option: str, given: Mapping[str, object] | None) -> Mapping[str, object]:
        """Return what an option gives by symbol, each of which must be one of the run's."""
        known = [one.symbol for one in self.instruments]
        for symbol in given or ():
            if symbol not in known:
                raise ParameterError(f"{option} names {symbol!r}.{did_you_mean(str(symbol), known)}")
        return given or {}

    def _transfers(self) -> list[Transfers]:
        """Return the planned transfers of each account that has some."""
        if not self.settings.cash_flows:
            return []
        planned: dict[tuple[str, str], list[tuple[int, float]]] = {}
        first = min((to_ns(flow[0]), float(flow[1])) for flow in self.settings.cash_flows)
        opened = min(int(feed.block.ts[0]) for feed in self.feeds)
        if first[0] < opened:
            raise ParameterError(
                f"cash_flows has {first[1]:,.8g} on {format_ns(first[0])}, before the run begins "
                f"({format_ns(opened)}). Money at the start is cash=."
            )
        for when, amount, *names in self.settings.cash_flows:
            planned.setdefault(self._pocket_named(names), []).append((to_ns(when), float(amount)))
        return [
            Transfers(self.accounts[account].pocket(asset), sorted(flows))
            for (account, asset), flows in planned.items()
        ]

    def _pocket_named(self, names: Sequence[str]) -> tuple[str, str]:
        """Return account and asset of a planned flow that names one of them, both, or neither."""
        first = next(iter(self.accounts))
        assets = self.accounts[first].pockets
        account = next((name for name in names if name in self.accounts), first)
        asset = next((name for name in names if name in assets), self.accounts[first].currency)
        for name in names:
            if name not in (account, asset):
                known = [*(name for name in self.accounts if name), *assets]
                raise ParameterError(f"cash_flows names {name!r}, no account or asset.{did_you_mean(str(name), known)}")
        return account, asset

    def _check_funding(self) -> None:
        """See to it that funding is given for perpetuals alone, and for all of them."""
        if self.settings.funding is None:
            return
        for one in self.instruments:
            given = one.symbol in self.settings.funding
            if given and one.kind not in _PERPETUALS:
                raise ParameterError(
                    f"funding is given for {one.symbol}, which is a {one.kind}; perpetuals alone pay it."
                )
            if not given and one.kind in _PERPETUALS:
                raise ParameterError(
                    f"funding is given, and not for {one.symbol}. Give its rates, or None to trade it without funding."
                )

    def _bookkeeper(self, clock: Callable[[], int]) -> Bookkeeper | None:
        """Return what books funding, interest and planned transfers; None where there is none of it."""
        entries: list[Entries] = []
        for symbol, series in self._funding.items():
            marks = self.marks.get(symbol)
            for books in self.accounts.values():
                position = books.positions[symbol]
                mark_at = _Constantly(position) if marks is None else marks.at
                pocket = books.pocket(position.instrument.settle)
                for key, _ in legs_of([position.instrument], pocket.legs):
                    entries.append(Funding(pocket, key, series.times, series.rates, series.marks, mark_at))
        entries += self._interest(clock)
        entries += self.transfers
        for books in self.accounts.values():
            for pocket in books.pockets.values():
                if isinstance(pocket, MarginPortfolio) and pocket.terms.planned:
                    entries.append(PlannedMargin(pocket, pocket.terms.planned))
        return Bookkeeper(entries) if entries else None

    def _interest(self, clock: Callable[[], int]) -> Iterator[InterestCharges]:
        """Yield what charges interest, each asset by its own rates."""
        terms = self.settings.interest
        assets = {asset for books in self.accounts.values() for asset in books.pockets}
        for asset in terms if isinstance(terms, Mapping) else ():
            if asset not in assets:
                raise ParameterError(f"interest names {asset!r}.{did_you_mean(str(asset), assets)}")
        as_there: tuple[Any, ...] = ()
        if self.settings.is_compatible:
            as_there = clock, min(feed.timeframe.ns for feed in self.feeds)
        for books in self.accounts.values():
            for asset, pocket in books.pockets.items():
                own = terms.get(asset) if isinstance(terms, Mapping) else terms
                if own is not None:
                    yield InterestCharges(pocket, own, *as_there)

    def gate(self) -> RiskGate:
        """Return the gate for the run's orders."""
        settings, account = self.settings, self.portfolio
        rules: list[RiskRule] = []
        if settings.margin is not None:
            rules.append(_leverage_rule(settings.margin, account, self.accounts))
        if self.markets is not None:
            rules.append(MarketRulesRule(self.markets))
        if isinstance(account, CompensatingPortfolio):
            rules.append(CompensationRule(account.held_as))
        rules += fresh_rules(settings.risk)
        if settings.margin is not None and settings.margin.is_hedged:
            return HedgeGate(rules)
        return RiskGate(rules, without=(FundsRule, TermsRule) if settings.is_compatible else ())

    def expected_fee(self, rules: VenueRules) -> Any:
        """Return what answers the fee to reckon with; for several accounts, what does so for each."""
        several = isinstance(self.portfolio, AccountGroup)
        # What a fee scheme remembers is an account's own; gate and venue must share it.
        self.rules = {name: self.settings.venue_rules() for name in self.accounts} if several else {"": rules}
        for name, own in self.rules.items():
            _let_pay(own, self.accounts[name])
        return {name: own.fees.fee for name, own in self.rules.items()} if several else rules.fees.fee

    def venue(self, driver: Driver, rules: VenueRules, clock: Callable[[], int]) -> BarVenue:
        """Return the venue that matches the run's orders and asks `clock` for the time."""
        group = self.portfolio
        if not isinstance(group, AccountGroup):
            return self._venue("", driver.deliver, driver, rules, clock)

        def make(account: str, deliver: Callable[[OrderEvent], None]) -> BarVenue:
            return self._venue(account, deliver, driver, self.rules[account], clock)

        return AccountVenues(make, group.owners, driver.deliver, driver.kernel.book.get)

    def _venue(
        self,
        name: str,
        deliver: Callable[[OrderEvent], None],
        driver: Driver,
        rules: VenueRules,
        clock: Callable[[], int],
    ) -> MatchingVenue:
        """Return the venue of one account."""
        account, made, kernel = self.accounts[name], (deliver, clock, rules), driver.kernel
        seen = CompensatedAccount(account) if isinstance(account, CompensatingPortfolio) else account
        if self.settings.is_compatible:
            assert not isinstance(seen, MultiAssetPortfolio)  # which these rules do not go with
            if isinstance(kernel, OpeningKernel):
                return OpeningBacktraderVenue(self.instruments, seen, *made, opened=lambda: kernel.opened_at)
            return BacktraderVenue(self.instruments, seen, *made)
        venue: SimulatedVenue
        if isinstance(account, MarginPortfolio | MultiAssetMarginPortfolio) and self.liquidates:
            adopt = Adopter(kernel, name) if name else kernel.adopt
            kept: dict[str, Any] = {"adopt": adopt, "marks": self.marks, "seed": self.settings.seed}
            if isinstance(account, HedgePortfolio):
                venue = HedgingVenue(self.instruments, account, *made, **kept)
            else:
                venue = LiquidatingVenue(self.instruments, account, *made, **kept)
        elif self.markets is not None:
            venue = RuledVenue(self.instruments, account, *made, markets=self.markets)
        else:
            venue = SimulatedVenue(self.instruments, seen, *made)
        venue.calendars = self.calendars
        return venue

    def connect(self, kernel: Kernel) -> None:
        """Join the account and the kernel: where marks are read, and who books what falls due."""
        account, now = self.portfolio, kernel.view_of(kernel.seats[0].strategy.name).now
        kernel.bookkeeper = self._bookkeeper(now)
        if self._rates is not None:
            connect_rates(self._rates, kernel, self.feeds)
        if self.markets is not None:
            self.markets.connect(account.positions, now)
            kernel.keep_rules(self.markets)
            if isinstance(account, SettlingPortfolio):
                account.unsettled = self.markets.unsettled
        if self.actions is not None:
            self.actions.connect(kernel.seats[0].cursors, self.portfolio.set_price_source)
        self._read_marks(kernel)

    def _read_marks(self, kernel: Kernel) -> None:
        """Say where the account reads mark prices."""
        for feed in self.feeds:
            series = self.marks.get(feed.instrument.symbol)
            if series is not None:
                source = _MarkSource(series, kernel.seats[0].cursors[feed.number], feed.timeframe.ns)
                for books in self.accounts.values():
                    assert isinstance(books, MarginPortfolio | MultiAssetMarginPortfolio)  # others have no marks
                    books.set_mark_source(feed.instrument.symbol, source)

    def closes(self, window: Window) -> dict[str, NDArray[np.float64]]:
        """Return the prices at which the account is valued at each instant of a window, by symbol.

        Raises
        ------
        DataError
            If marks or funding do not reach as far as the window.
        """
        found = {}
        for feed in self.feeds:
            symbol = feed.instrument.symbol
            start, stop = window.spans[feed.number]
            if symbol in self._funding and stop > start:
                self._funding[symbol].check(int(feed.closes[start]), int(feed.closes[stop - 1]))
            series = self.marks.get(symbol)
            if series is None:
                found[symbol] = window.closes(feed)
                continue
            values = series.at_all(feed.closes[start:stop])
            found[symbol] = window.spread(feed, values, self._last_marks[symbol])
            if len(values):
                self._last_marks[symbol] = float(values[-1])
        if self._rates is not None:
            found |= rate_columns(self._rates, self._assets, window, self.feeds)
        return found

    def warnings(self) -> Iterable[str]:
        """Return what the user should know of the account."""
        return account_warnings(self.accounts, self.portfolio.refused_flows, self.transfers)


def _let_pay(rules: VenueRules, books: Portfolio | MultiAssetPortfolio) -> None:
    """Say whose balance pays fees in another asset, where the scheme has one do so."""
    if isinstance(rules.fees, FeeInAsset) and isinstance(books, MultiAssetPortfolio):
        rules.fees.paid_by(books)


def _leverage_rule(margin: Margin, portfolio: Books | AccountGroup, accounts: Mapping[str, Books]) -> LeverageRule:
    """Return what holds orders to the leverages of the account that they trade in."""
    leverages = {}
    for name, books in accounts.items():
        assert isinstance(books, MarginPortfolio | MultiAssetMarginPortfolio)
        leverages[name] = books.leverages
    if not isinstance(portfolio, AccountGroup):
        return LeverageRule(margin, leverages[""])
    return AccountLeverageRule(margin, {strategy: leverages[name] for strategy, name in portfolio.owners.items()})


class _Constantly:
    """Answers the last price of a position, whatever the time."""

    __slots__ = ("_position",)

    def __init__(self, position: Position) -> None:
        self._position = position

    def __call__(self, _ts: int) -> float:
        return self._position.last_price


class _MarkSource:
    """Answers the mark price at the close of the bar that a cursor is on; NaN before the first."""

    __slots__ = ("_cursor", "_length", "_series")

    def __init__(self, series: PriceSeries, cursor: SeriesCursor, length: int) -> None:
        self._series = series
        self._cursor = cursor
        self._length = length

    def __call__(self) -> float:
        opened = self._cursor.ts
        return self._series.at(opened + self._length) if opened else nan
