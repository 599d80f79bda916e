"""The account of a backtest: which kind of portfolio and venue the settings ask for, and what they must be told."""

from __future__ import annotations

from functools import partial
from math import nan
from typing import TYPE_CHECKING, Any

from cambist.backtest.account_records import AccountRecords
from cambist.backtest.actions import ActionCalendar
from cambist.backtest.books import open_books
from cambist.engine.accounts import accounts_of
from cambist.errors import ParameterError, did_you_mean
from cambist.model.instrument import InstrumentKind
from cambist.model.times import format_ns, to_ns
from cambist.model.timeseries import FundingSeries, PriceSeries
from cambist.portfolio import AccountGroup, Bookkeeper, Funding, InterestCharges, MarginPortfolio, Transfers, Valuation
from cambist.risk import RiskGate
from cambist.risk.leverage import LeverageRule
from cambist.risk.rules.funds import FundsRule
from cambist.risk.rules.terms import TermsRule
from cambist.simulation import AccountVenues, BacktraderVenue, LiquidatingVenue, SimulatedVenue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cambist.backtest.driver import Driver
    from cambist.backtest.feeds import Feed, Window
    from cambist.backtest.settings import BacktestSettings
    from cambist.engine import Kernel
    from cambist.indicators.series import SeriesCursor
    from cambist.model.events import OrderEvent
    from cambist.model.instrument import Instrument
    from cambist.model.portfolio import Position, Trade
    from cambist.portfolio.entries import Entries
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
    strategies
        Names of those that trade.

    Attributes
    ----------
    portfolio, accounts
        The account, or all of them, and each by name.
    initial_cash
        Of all accounts.
    marks
        Mark prices by symbol, for instruments that have some of their own.

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
        strategies: Sequence[str],
    ) -> None:
        self.settings = settings
        self.feeds = feeds
        self.instruments = instruments
        self.marks = {
            symbol: PriceSeries.read(data, f"the mark prices of {symbol}")
            for symbol, data in self._named("marks", settings.marks).items()
        }
        if settings.margin is None and self.marks:
            raise ParameterError("marks are given without margin=Margin(...); only an account on margin has them.")
        self.portfolio = open_books(settings, instruments, strategies)
        self.accounts = accounts_of(self.portfolio, strategies)[0]
        self.initial_cash = settings.cash if settings.accounts is None else self.portfolio.initial_cash
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

    def _named(self, option: str, given: Mapping[str, object] | None) -> Mapping[str, object]:
        """Return what an option gives by symbol, each of which must be one of the run's."""
        known = [one.symbol for one in self.instruments]
        for symbol in given or ():
            if symbol not in known:
                raise ParameterError(f"{option} names {symbol!r}.{did_you_mean(str(symbol), known)}")
        return given or {}

    def _transfers(self) -> list[Transfers]:
        """Return the planned transfers of each account that has some."""
        planned: dict[str, list[tuple[int, float]]] = {}
        first = min((to_ns(flow[0]), float(flow[1])) for flow in self.settings.cash_flows or [(0, 0.0)])
        opened = min(int(feed.block.ts[0]) for feed in self.feeds)
        if self.settings.cash_flows and first[0] < opened:
            raise ParameterError(
                f"cash_flows has {first[1]:,.8g} on {format_ns(first[0])}, before the first bar opens "
                f"({format_ns(opened)}). Money at the start is cash=."
            )
        for when, amount, *account in self.settings.cash_flows:
            name = account[0] if account else next(iter(self.accounts))
            if name not in self.accounts:
                raise ParameterError(f"cash_flows names the account {name!r}.{did_you_mean(name, self.accounts)}")
            planned.setdefault(name, []).append((to_ns(when), float(amount)))
        return [Transfers(self.accounts[name], sorted(flows)) for name, flows in planned.items()]

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

    def _bookkeeper(self) -> Bookkeeper | None:
        """Return what books funding, interest and planned transfers; None where there is none of it."""
        entries: list[Entries] = []
        for symbol, series in self._funding.items():
            marks = self.marks.get(symbol)
            for books in self.accounts.values():
                mark_at = _Constantly(books.positions[symbol]) if marks is None else marks.at
                entries.append(Funding(books, symbol, series.times, series.rates, series.marks, mark_at))
        if self.settings.interest is not None:
            entries += [InterestCharges(books, self.settings.interest) for books in self.accounts.values()]
        entries += self.transfers
        return Bookkeeper(entries) if entries else None

    def benchmark(self, window: Window, feed: Feed) -> NDArray[np.float64]:
        """Return at each instant what one unit bought at the start is worth, dividends and splits included."""
        closes = window.closes(feed)
        return closes if self.actions is None else self.actions.held(feed, closes)

    def gate(self) -> RiskGate:
        """Return the gate for the run's orders."""
        settings = self.settings
        rules = settings.risk if settings.margin is None else [LeverageRule(settings.margin), *settings.risk]
        return RiskGate(rules, without=(FundsRule, TermsRule) if settings.is_compatible else ())

    def valuation(self, start: int, *, keep_all: bool) -> Valuation | AccountRecords:
        """Return what values the account, or all of them; made before the first fill."""
        if isinstance(self.portfolio, AccountGroup):
            return AccountRecords(self.portfolio, start, keep_all=keep_all)
        return Valuation(self.portfolio)

    @property
    def trades(self) -> Iterable[Trade]:
        """Every round trip, closed and open ones."""
        for books in self.accounts.values():
            yield from (*books.trades.closed, *books.trades.open.values())

    def expected_fee(self, rules: VenueRules) -> Any:
        """Return what answers the fee to reckon with; for several accounts, what does so for each."""
        if not isinstance(self.portfolio, AccountGroup):
            return rules.fees.fee
        # What a fee scheme remembers is an account's own; gate and venue must share it.
        self._rules = {name: self.settings.venue_rules() for name in self.accounts}
        return {name: own.fees.fee for name, own in self._rules.items()}

    def venue(self, driver: Driver, rules: VenueRules, clock: Callable[[], int]) -> BarVenue:
        """Return the venue that matches the run's orders and asks `clock` for the time."""
        group = self.portfolio
        if not isinstance(group, AccountGroup):
            return self._venue("", driver.deliver, driver, rules, clock)

        def make(account: str, deliver: Callable[[OrderEvent], None]) -> BarVenue:
            return self._venue(account, deliver, driver, self._rules[account], clock)

        return AccountVenues(make, group.owners, driver.deliver, driver.kernel.book.get)

    def _venue(
        self,
        account: str,
        deliver: Callable[[OrderEvent], None],
        driver: Driver,
        rules: VenueRules,
        clock: Callable[[], int],
    ) -> MatchingVenue:
        """Return the venue of one account."""
        books = self.accounts[account]
        if isinstance(books, MarginPortfolio):
            adopt = partial(driver.kernel.adopt, account=account) if account else driver.kernel.adopt
            return LiquidatingVenue(self.instruments, books, deliver, clock, rules, adopt=adopt, marks=self.marks)
        kind = BacktraderVenue if self.settings.is_compatible else SimulatedVenue
        return kind(self.instruments, books, deliver, clock, rules)

    def connect(self, kernel: Kernel) -> None:
        """Join the account and the kernel: where marks are read, and who books what falls due."""
        kernel.bookkeeper = self._bookkeeper()
        if self.actions is not None:
            self.actions.connect(kernel.seats[0].cursors, self.portfolio.set_price_source)
        for feed in self.feeds:
            series = self.marks.get(feed.instrument.symbol)
            if series is not None:
                source = _MarkSource(series, kernel.seats[0].cursors[feed.number], feed.timeframe.ns)
                for books in self.accounts.values():
                    assert isinstance(books, MarginPortfolio)  # others have no marks
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
        return found

    def warnings(self) -> Iterable[str]:
        """Return what the user should know of the account."""
        for name, books in self.accounts.items():
            where = f"account {name}, " if name else ""
            for event in books.liquidations if isinstance(books, MarginPortfolio) else ():
                yield where + event.describe(books.currency)
        refused = self.portfolio.refused_flows
        if refused:
            first = refused[0]
            yield f"{len(refused)} withdrawals were refused. The first, on {format_ns(first.ts)}: {first.reason}"
        for planned in self.transfers:
            if not planned.left:
                continue
            due, amount = planned.left[0]
            yield f"the run ended before a cash flow of {amount:,.8g} on {format_ns(due)} was due; it was not booked."


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
