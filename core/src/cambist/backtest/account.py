"""The account of a backtest: which kind of portfolio and venue the settings ask for, and what they must be told."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from cambist.errors import ParameterError, did_you_mean
from cambist.model.timeseries import PriceSeries
from cambist.portfolio import MarginPortfolio, Portfolio
from cambist.risk import RiskGate
from cambist.risk.leverage import LeverageRule
from cambist.simulation import BacktraderVenue, LiquidatingVenue, SimulatedVenue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from cambist.backtest.driver import Driver
    from cambist.backtest.feeds import Feed, Window
    from cambist.backtest.settings import BacktestSettings
    from cambist.engine import Kernel
    from cambist.indicators.series import SeriesCursor
    from cambist.model.instrument import Instrument
    from cambist.simulation.matching import MatchingVenue

__all__ = ["AccountSetup"]


class AccountSetup:
    """Makes what the account options of a run ask for; nothing is made, and nothing costs, where none is given.

    Parameters
    ----------
    settings
        Of the run.
    feeds
        Its series.

    Attributes
    ----------
    portfolio
        The account.
    marks
        Mark prices by symbol, for instruments that have some of their own.

    Raises
    ------
    ParameterError
        For an option that names an instrument the run does not have, or does not go with the others.
    """

    def __init__(self, settings: BacktestSettings, feeds: Sequence[Feed]) -> None:
        self.settings = settings
        self.feeds = feeds
        instruments = [feed.instrument for feed in feeds]
        self.instruments: list[Instrument] = instruments
        self.marks = {
            symbol: PriceSeries.read(data, f"the mark prices of {symbol}")
            for symbol, data in self._named("marks", settings.marks).items()
        }
        self.portfolio: Portfolio
        if settings.margin is None:
            if self.marks:
                raise ParameterError("marks are given without margin=Margin(...); only an account on margin has them.")
            self.portfolio = Portfolio(instruments, settings.cash, settings.leverage)
        else:
            self.portfolio = MarginPortfolio(instruments, settings.cash, settings.leverage, margin=settings.margin)
        self._last_marks = dict.fromkeys(self.marks, nan)

    def _named(self, option: str, given: Mapping[str, object] | None) -> Mapping[str, object]:
        """Return what an option gives by symbol, each of which must be one of the run's."""
        known = [one.symbol for one in self.instruments]
        for symbol in given or ():
            if symbol not in known:
                raise ParameterError(f"{option} names {symbol!r}.{did_you_mean(str(symbol), known)}")
        return given or {}

    def gate(self) -> RiskGate:
        """Return the gate for the run's orders."""
        settings = self.settings
        rules = settings.risk if settings.margin is None else [LeverageRule(settings.margin), *settings.risk]
        return RiskGate(rules, reviews_funds=not settings.is_compatible)

    def venue(self, driver: Driver) -> MatchingVenue:
        """Return the venue that matches the run's orders."""
        account, rules = self.portfolio, self.settings.venue_rules()
        common = (self.instruments, account, driver.deliver, driver.clock, rules)
        if isinstance(account, MarginPortfolio):
            adopt = driver.kernel.adopt
            return LiquidatingVenue(
                self.instruments, account, driver.deliver, driver.clock, rules, adopt=adopt, marks=self.marks
            )
        return BacktraderVenue(*common) if self.settings.is_compatible else SimulatedVenue(*common)

    def connect(self, kernel: Kernel) -> None:
        """Tell the account where it reads what the kernel knows."""
        account = self.portfolio
        if isinstance(account, MarginPortfolio):
            for feed in self.feeds:
                series = self.marks.get(feed.instrument.symbol)
                if series is not None:
                    cursor = kernel.seats[0].cursors[feed.number]
                    account.set_mark_source(feed.instrument.symbol, _MarkSource(series, cursor, feed.timeframe.ns))

    def closes(self, window: Window) -> dict[str, NDArray[np.float64]]:
        """Return the prices at which the account is valued at each instant of a window, by symbol."""
        found = {}
        for feed in self.feeds:
            symbol = feed.instrument.symbol
            series = self.marks.get(symbol)
            if series is None:
                found[symbol] = window.closes(feed)
                continue
            start, stop = window.spans[feed.number]
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
