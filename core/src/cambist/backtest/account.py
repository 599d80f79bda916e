"""The account of a backtest: which kind of portfolio and venue the settings ask for, and what they must be told."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from cambist.backtest.actions import ActionCalendar
from cambist.backtest.market_rules import ruled_markets, rules_by_symbol
from cambist.engine import OpeningKernel
from cambist.errors import ParameterError, did_you_mean
from cambist.model.instrument import InstrumentKind
from cambist.model.legs import legs_of
from cambist.model.times import format_ns, to_ns
from cambist.model.timeseries import FundingSeries, PriceSeries
from cambist.portfolio import (
    Bookkeeper,
    CompensatedAccount,
    CompensatingPortfolio,
    Funding,
    HedgePortfolio,
    InterestCharges,
    MarginPortfolio,
    PlannedMargin,
    Portfolio,
    SettlingPortfolio,
    Transfers,
)
from cambist.risk import RiskGate
from cambist.risk.compensation import CompensationRule
from cambist.risk.hedge import HedgeGate
from cambist.risk.leverage import LeverageRule
from cambist.risk.rules.funds import FundsRule
from cambist.risk.rules.terms import TermsRule
from cambist.simulation import BacktraderVenue, HedgingVenue, LiquidatingVenue, SimulatedVenue
from cambist.simulation.backtrader_opening import OpeningBacktraderVenue
from cambist.simulation.market_rules import MarketRulesRule, RuledVenue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cambist.backtest.calendars import Calendars
    from cambist.backtest.driver import Driver
    from cambist.backtest.feeds import Feed, Window
    from cambist.backtest.settings import BacktestSettings
    from cambist.engine import Kernel
    from cambist.indicators.series import SeriesCursor
    from cambist.model.instrument import Instrument
    from cambist.model.portfolio import Position
    from cambist.portfolio.entries import Entries
    from cambist.portfolio.interest import Interest
    from cambist.ports.risk import RiskRule
    from cambist.simulation import VenueRules
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

    Attributes
    ----------
    portfolio
        The account.
    marks
        Mark prices by symbol, for instruments that have some of their own.
    markets
        The rules of their markets, and what is remembered to keep them; None where none have any.
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
    ) -> None:
        self.settings = settings
        self.calendars = calendars
        self.feeds = feeds
        self.instruments = instruments
        self.marks = {
            symbol: PriceSeries.read(data, f"the mark prices of {symbol}")
            for symbol, data in self._named("marks", settings.marks).items()
        }
        rules = rules_by_symbol(settings, [one.symbol for one in instruments])
        self.portfolio = self._portfolio(settles=any(any(one.cash_after.values) for one in rules.values()))
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
        self.markets = ruled_markets(rules, feeds, calendars, self.actions) if rules else None

    def _portfolio(self, *, settles: bool) -> Portfolio:
        """Return the account; `settles` says whether the proceeds of sales wait."""
        settings = self.settings
        if settings.margin is not None:
            on_margin = HedgePortfolio if settings.margin.is_hedged else MarginPortfolio
            return on_margin(self.instruments, settings.cash, settings.leverage, margin=settings.margin)
        if self.marks:
            raise ParameterError("marks are given without margin=Margin(...); only an account on margin has them.")
        if settings.compensates:
            self._check_compensation(settings.compensates)
            return CompensatingPortfolio(
                self.instruments, settings.cash, settings.leverage, compensates=settings.compensates
            )
        kind = SettlingPortfolio if settles else Portfolio
        return kind(self.instruments, settings.cash, settings.leverage)

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

    def _transfers(self) -> Transfers | None:
        planned = sorted((to_ns(when), float(amount)) for when, amount in self.settings.cash_flows)
        if not planned:
            return None
        opened = min(int(feed.block.ts[0]) for feed in self.feeds)
        if planned[0][0] < opened:
            raise ParameterError(
                f"cash_flows has {planned[0][1]:,.8g} on {format_ns(planned[0][0])}, before the run begins "
                f"({format_ns(opened)}). Money at the start is cash=."
            )
        return Transfers(self.portfolio, planned)

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
            mark_at = _Constantly(self.portfolio.positions[symbol]) if marks is None else marks.at
            for key, _ in legs_of([self.portfolio.positions[symbol].instrument], self.portfolio.legs):
                entries.append(Funding(self.portfolio, key, series.times, series.rates, series.marks, mark_at))
        if self.settings.interest is not None:
            entries.append(self._interest(self.settings.interest, clock))
        if self.transfers is not None:
            entries.append(self.transfers)
        account = self.portfolio
        if isinstance(account, MarginPortfolio) and account.terms.planned:
            entries.append(PlannedMargin(account, account.terms.planned))
        return Bookkeeper(entries) if entries else None

    def _interest(self, terms: Interest, clock: Callable[[], int]) -> InterestCharges:
        if not self.settings.is_compatible:
            return InterestCharges(self.portfolio, terms)
        return InterestCharges(self.portfolio, terms, clock, min(feed.timeframe.ns for feed in self.feeds))

    def benchmark(self, window: Window, feed: Feed) -> NDArray[np.float64]:
        """Return at each instant what one unit bought at the start is worth, dividends and splits included."""
        closes = window.closes(feed)
        return closes if self.actions is None else self.actions.held(feed, closes)

    def gate(self) -> RiskGate:
        """Return the gate for the run's orders."""
        settings, account = self.settings, self.portfolio
        rules: list[RiskRule] = []
        if isinstance(account, MarginPortfolio):
            rules.append(LeverageRule(account.terms, account.leverages))
        if self.markets is not None:
            rules.append(MarketRulesRule(self.markets))
        if isinstance(account, CompensatingPortfolio):
            rules.append(CompensationRule(account.held_as))
        rules += settings.risk
        if isinstance(account, HedgePortfolio):
            return HedgeGate(rules)
        return RiskGate(rules, without=(FundsRule, TermsRule) if settings.is_compatible else ())

    def venue(self, driver: Driver, rules: VenueRules, clock: Callable[[], int]) -> MatchingVenue:
        """Return the venue that matches the run's orders and asks `clock` for the time."""
        account, made = self.portfolio, (driver.deliver, clock, rules)
        seen = CompensatedAccount(account) if isinstance(account, CompensatingPortfolio) else account
        kernel = driver.kernel
        if self.settings.is_compatible and isinstance(kernel, OpeningKernel):
            return OpeningBacktraderVenue(self.instruments, seen, *made, opened=lambda: kernel.opened_at)
        if self.settings.is_compatible:
            return BacktraderVenue(self.instruments, seen, *made)
        venue: SimulatedVenue
        if isinstance(account, MarginPortfolio) and self.liquidates:
            adopt, marks, seed = driver.kernel.adopt, self.marks, self.settings.seed
            if isinstance(account, HedgePortfolio):
                venue = HedgingVenue(self.instruments, account, *made, adopt=adopt, marks=marks, seed=seed)
            else:
                venue = LiquidatingVenue(self.instruments, account, *made, adopt=adopt, marks=marks, seed=seed)
        elif self.markets is not None:
            venue = RuledVenue(self.instruments, account, *made, markets=self.markets)
        else:
            venue = SimulatedVenue(self.instruments, seen, *made)
        venue.calendars = self.calendars
        return venue

    def connect(self, kernel: Kernel) -> None:
        """Join the account and the kernel: where marks are read, and who books what falls due."""
        account = self.portfolio
        kernel.bookkeeper = self._bookkeeper(kernel.view.now)
        if self.markets is not None:
            self.markets.connect(account.positions, kernel.view.now)
            kernel.keep_rules(self.markets)
            if isinstance(account, SettlingPortfolio):
                account.unsettled = self.markets.unsettled
        if self.actions is not None:
            self.actions.connect(kernel.seats[0].cursors, account.set_price_source)
        self._read_marks(kernel)

    def _read_marks(self, kernel: Kernel) -> None:
        """Say where the account reads mark prices."""
        account = self.portfolio
        if isinstance(account, MarginPortfolio):
            for feed in self.feeds:
                series = self.marks.get(feed.instrument.symbol)
                if series is not None:
                    cursor = kernel.seats[0].cursors[feed.number]
                    account.set_mark_source(feed.instrument.symbol, _MarkSource(series, cursor, feed.timeframe.ns))

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
        account = self.portfolio
        for event in account.liquidations if isinstance(account, MarginPortfolio) else ():
            yield event.describe(account.currency)
        if isinstance(account, MarginPortfolio) and account.refused_changes:
            change = account.refused_changes[0]
            yield (
                f"{len(account.refused_changes)} changes of margin or leverage were refused. The first, on "
                f"{format_ns(change.ts)}: {change.reason}"
            )
        if account.refused_flows:
            first = account.refused_flows[0]
            yield (
                f"{len(account.refused_flows)} withdrawals were refused. The first, on {format_ns(first.ts)}: "
                f"{first.reason}"
            )
        if self.transfers is not None and self.transfers.left:
            due, amount = self.transfers.left[0]
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
